/*
 * FETCH responses, segment by segment: a segment ends with the header of a body literal, or
 * with the response.
 *
 * Invariants:
 * 1. A response that is broken anywhere never closes as IMAP_FETCH, whatever was read before.
 * 2. Nothing read from one segment points into it: flags and ids are copied, as the segment's
 *    bytes are gone when a body has been streamed.
 */
#include <string.h>

#include "imap_private.h"

enum fetch_item {
	ITEM_READ,
	ITEM_BROKEN,
	ITEM_TOO_DEEP,
	ITEM_BODY_LITERAL,
	ITEM_BODY_STRING
};

void imap_fetch_init(struct imap_fetch_state *state)
{
	memset(state, 0, sizeof(*state));
	buf_init(&state->flags, IMAP_ITEM_MAX);
	buf_init(&state->emailid, IMAP_ITEM_MAX);
	buf_init(&state->section, IMAP_LINE_MAX);
}

void imap_fetch_finish(struct imap_fetch_state *state)
{
	buf_finish(&state->flags);
	buf_finish(&state->emailid);
	buf_finish(&state->section);
}

void imap_fetch_open(struct imap_fetch_state *state, uint32_t sequence)
{
	memset(&state->fetch, 0, sizeof(state->fetch));
	state->fetch.sequence = sequence;
	buf_clear(&state->flags);
	buf_clear(&state->emailid);
	state->depth = 0;
	state->is_open = true;
	state->has_list = false;
	state->is_broken = sequence == 0;
	state->is_after_string = false;
}

static enum fetch_item item_of_lexed(enum imap_lexed lexed)
{
	switch (lexed) {
	case LEX_OK:
		return ITEM_READ;
	case LEX_BROKEN:
		return ITEM_BROKEN;
	case LEX_TOO_DEEP:
		return ITEM_TOO_DEEP;
	}
	return ITEM_BROKEN;
}

/* "UID" SP uniqueid. 0 is as if not sent; two that differ are no UID at all. */
static enum fetch_item uid_read(struct imap_fetch_state *state, struct imap_cursor *cursor)
{
	struct span word;
	uint32_t uid;
	if (!imap_lex_atom(cursor, &word) || !span_to_u32(word, &uid)) {
		return ITEM_BROKEN;
	}
	if (uid == 0) {
		return ITEM_READ;
	}
	if ((state->fetch.has & IMAP_FETCH_UID) != 0 && state->fetch.uid != uid) {
		return ITEM_BROKEN;
	}
	state->fetch.uid = uid;
	state->fetch.has |= IMAP_FETCH_UID;
	return ITEM_READ;
}

/* "FLAGS" SP "(" [flag-fetch *(SP flag-fetch)] ")"; any other form is left out. */
static enum fetch_item flags_read(struct imap_fetch_state *state, struct imap_cursor *cursor)
{
	struct span flags;
	if (!imap_lex_flat_list(cursor, &flags)) {
		return item_of_lexed(imap_lex_skip(cursor));
	}
	buf_clear(&state->flags);
	buf_append_span(&state->flags, flags);
	state->fetch.has |= IMAP_FETCH_FLAGS;
	return ITEM_READ;
}

/* "INTERNALDATE" SP date-time; one that cannot be read is left out. */
static enum fetch_item internaldate_read(struct imap_fetch_state *state, struct imap_cursor *cursor)
{
	struct span text;
	if (!imap_lex_at_string(cursor)) {
		return item_of_lexed(imap_lex_skip(cursor));
	}
	if (!imap_lex_string(cursor, &text)) {
		return ITEM_BROKEN;
	}
	int64_t seconds;
	if (imap_date_parse(text, &seconds)) {
		state->fetch.internaldate = told_time(seconds);
	}
	return ITEM_READ;
}

/* "RFC822.SIZE" SP number64; "-1" and the like are left out. */
static enum fetch_item size_read(struct imap_fetch_state *state, struct imap_cursor *cursor)
{
	struct span word;
	if (imap_lex_at(cursor, '(') || !imap_lex_atom(cursor, &word)) {
		return item_of_lexed(imap_lex_skip(cursor));
	}
	uint64_t size;
	if (span_to_u64(word, &size)) {
		state->fetch.size = told(size);
	}
	return ITEM_READ;
}

/* "MODSEQ" SP "(" mod-sequence-value ")"; what is no positive number is left out. */
static enum fetch_item modseq_read(struct imap_fetch_state *state, struct imap_cursor *cursor)
{
	struct span word;
	uint64_t modseq;
	if (!imap_lex_flat_list(cursor, &word) && !imap_lex_atom(cursor, &word)) {
		return item_of_lexed(imap_lex_skip(cursor));
	}
	if (span_to_u64(word, &modseq) && modseq > 0 && modseq <= INT64_MAX) {
		state->fetch.modseq = told(modseq);
	}
	return ITEM_READ;
}

/* "EMAILID" SP "(" objectid ")" / "X-GM-MSGID" SP number64 */
static enum fetch_item emailid_read(struct imap_fetch_state *state, struct imap_cursor *cursor)
{
	struct span id;
	if (!imap_lex_flat_list(cursor, &id) && !imap_lex_astring(cursor, &id)) {
		return item_of_lexed(imap_lex_skip(cursor));
	}
	id = imap_objectid(id);
	if (id.len > 0) {
		buf_clear(&state->emailid);
		buf_append_span(&state->emailid, id);
		state->fetch.has |= IMAP_FETCH_EMAILID;
	}
	return ITEM_READ;
}

/* True when a literal header is the last thing in the segment: its bytes are to be streamed. */
static bool at_last_literal(const struct imap_cursor *cursor)
{
	struct imap_cursor ahead = *cursor;
	uint64_t size;
	return imap_lex_literal_header(&ahead, &size) && ahead.at == ahead.end;
}

/* A body's value: nstring / literal8. Without one the next attribute follows. */
static enum fetch_item body_read(struct imap_fetch_state *state, struct imap_cursor *cursor,
				 struct span *string)
{
	struct imap_cursor ahead;
	struct span word;
	imap_lex_spaces(cursor);
	if (at_last_literal(cursor)) {
		cursor->at = cursor->end;
		return ITEM_BODY_LITERAL;
	}
	if (imap_lex_at_string(cursor)) {
		return imap_lex_string(cursor, string) ? ITEM_BODY_STRING : ITEM_BROKEN;
	}
	ahead = *cursor;
	if (imap_lex_atom(&ahead, &word) && span_equal_nocase(word, "NIL")) {
		*cursor = ahead;
	}
	state->fetch.has |= IMAP_FETCH_BODY_NIL;
	return ITEM_READ;
}

/*
 * section = "[" [section-spec] "]" ["<" number ">"]
 * The cursor is behind the "[". What comes of it is the text inside, with the origin after it.
 */
static bool section_read(struct imap_fetch_state *state, struct imap_cursor *cursor)
{
	char *start = cursor->at;
	bool is_quoted = false;
	while (cursor->at < cursor->end && (is_quoted || *cursor->at != ']')) {
		if (*cursor->at == '\n') {
			return false;
		}
		is_quoted = *cursor->at == '"' ? !is_quoted : is_quoted;
		cursor->at++;
	}
	buf_clear(&state->section);
	buf_append(&state->section, start, (size_t)(cursor->at - start));
	if (!imap_lex_char(cursor, ']')) {
		return false;
	}
	if (imap_lex_at(cursor, '<')) {
		char *origin = cursor->at;
		while (cursor->at < cursor->end && *cursor->at != '>' && *cursor->at != '\n') {
			cursor->at++;
		}
		if (!imap_lex_char(cursor, '>')) {
			return false;
		}
		buf_append(&state->section, origin, (size_t)(cursor->at - origin));
	}
	return true;
}

/* The name of an attribute, up to white space, a parenthesis or the "[" of a section. */
static bool name_read(struct imap_cursor *cursor, struct span *name)
{
	char *start = cursor->at;
	while (cursor->at < cursor->end && memchr(" \t()[\"\r\n", *cursor->at, 8) == NULL) {
		cursor->at++;
	}
	*name = (struct span){start, (size_t)(cursor->at - start)};
	return name->len > 0;
}

static enum fetch_item body_section_read(struct imap_fetch_state *state, struct imap_cursor *cursor,
					 struct span name, struct span *string)
{
	bool is_body = span_equal_nocase(name, "BODY") || span_equal_nocase(name, "BINARY");
	if (!section_read(state, cursor)) {
		return ITEM_BROKEN;
	}
	return is_body ? body_read(state, cursor, string) : item_of_lexed(imap_lex_skip(cursor));
}

/* RFC822 = BODY[], RFC822.HEADER = BODY[HEADER], RFC822.TEXT = BODY[TEXT] */
static enum fetch_item rfc822_read(struct imap_fetch_state *state, struct imap_cursor *cursor,
				   const char *section, struct span *string)
{
	buf_clear(&state->section);
	buf_append_cstr(&state->section, section);
	return body_read(state, cursor, string);
}

/* msg-att-static / msg-att-dynamic. Attributes that are not known are skipped, with a value. */
static enum fetch_item attribute_read(struct imap_fetch_state *state, struct imap_cursor *cursor,
				      struct span *string)
{
	struct span name;
	if (!name_read(cursor, &name)) {
		return ITEM_BROKEN;
	}
	if (imap_lex_char(cursor, '[')) {
		return body_section_read(state, cursor, name, string);
	}
	imap_lex_spaces(cursor);
	if (span_equal_nocase(name, "UID")) {
		return uid_read(state, cursor);
	}
	if (span_equal_nocase(name, "FLAGS")) {
		return flags_read(state, cursor);
	}
	if (span_equal_nocase(name, "INTERNALDATE")) {
		return internaldate_read(state, cursor);
	}
	if (span_equal_nocase(name, "MODSEQ")) {
		return modseq_read(state, cursor);
	}
	if (span_equal_nocase(name, "RFC822.SIZE")) {
		return size_read(state, cursor);
	}
	if (span_equal_nocase(name, "EMAILID") || span_equal_nocase(name, "X-GM-MSGID")) {
		return emailid_read(state, cursor);
	}
	if (span_equal_nocase(name, "RFC822")) {
		return rfc822_read(state, cursor, "", string);
	}
	if (span_equal_nocase(name, "RFC822.HEADER")) {
		return rfc822_read(state, cursor, "HEADER", string);
	}
	if (span_equal_nocase(name, "RFC822.TEXT")) {
		return rfc822_read(state, cursor, "TEXT", string);
	}
	if (imap_lex_at(cursor, ')')) {
		return ITEM_READ;
	}
	return item_of_lexed(imap_lex_skip(cursor));
}

static bool at_separator(const struct imap_cursor *cursor)
{
	return cursor->at == cursor->end || *cursor->at == ' ' || *cursor->at == '\t' ||
	     *cursor->at == '(' || *cursor->at == ')';
}

static enum imap_fetched step_break(struct imap_fetch_state *state, struct imap_cursor *cursor)
{
	state->is_broken = true;
	cursor->at = cursor->end;
	return FETCH_MORE;
}

/* One pair of parentheses more or less around attributes: Domino does that. */
static bool parenthesis_read(struct imap_fetch_state *state, struct imap_cursor *cursor)
{
	if (imap_lex_char(cursor, '(')) {
		state->depth++;
		state->has_list = true;
		return true;
	}
	if (imap_lex_char(cursor, ')')) {
		/* One that closes nothing does no harm once the response has closed. */
		state->depth -= state->depth > 0 ? 1 : 0;
		return true;
	}
	return false;
}

/* message-data = nz-number SP "FETCH" SP "(" msg-att *(SP msg-att) ")" */
enum imap_fetched imap_fetch_step(struct imap_fetch_state *state, struct imap_cursor *cursor,
				  struct span *string)
{
	while (cursor->at < cursor->end) {
		/* A body whose announced size is wrong shows here. */
		if (state->is_after_string && !at_separator(cursor)) {
			return step_break(state, cursor);
		}
		state->is_after_string = false;
		imap_lex_spaces(cursor);
		if (cursor->at == cursor->end) {
			break;
		}
		if (parenthesis_read(state, cursor)) {
			if (state->depth > IMAP_NESTING_MAX) {
				return FETCH_TOO_DEEP;
			}
			continue;
		}
		if (state->depth == 0) {
			return step_break(state, cursor);
		}
		switch (attribute_read(state, cursor, string)) {
		case ITEM_READ:
			break;
		case ITEM_BROKEN:
			return step_break(state, cursor);
		case ITEM_TOO_DEEP:
			return FETCH_TOO_DEEP;
		case ITEM_BODY_LITERAL:
			state->is_after_string = true;
			return FETCH_BODY_LITERAL;
		case ITEM_BODY_STRING:
			state->is_after_string = true;
			return FETCH_BODY_STRING;
		}
	}
	return FETCH_MORE;
}

bool imap_fetch_close(struct imap_fetch_state *state, struct imap_event *event)
{
	state->is_open = false;
	if (state->is_broken || !state->has_list || state->depth != 0 || state->flags.failed != 0 ||
	    state->emailid.failed != 0) {
		return false;
	}
	event->type = IMAP_FETCH;
	event->fetch = state->fetch;
	event->fetch.flags = buf_span(&state->flags);
	event->fetch.emailid = buf_span(&state->emailid);
	return true;
}

/* The word that ends at END, not before START. */
static struct span word_before(const char *start, const char *end)
{
	const char *word = end;
	while (word > start && memchr(" \t()", word[-1], 4) == NULL) {
		word--;
	}
	return (struct span){word, (size_t)(end - word)};
}

bool imap_fetch_is_body(struct span before)
{
	const char *start = before.data;
	const char *end = start + before.len;
	while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
		end--;
	}
	if (end > start && end[-1] == '>') {
		while (end > start && end[-1] != '<') {
			end--;
		}
		end -= end > start ? 1 : 0;
	}
	if (end > start && end[-1] == ']') {
		while (end > start && end[-1] != '[') {
			end--;
		}
		struct span name = word_before(start, end > start ? end - 1 : start);
		return span_equal_nocase(name, "BODY") || span_equal_nocase(name, "BINARY");
	}
	struct span name = word_before(start, end);
	return span_equal_nocase(name, "RFC822") || span_equal_nocase(name, "RFC822.HEADER") ||
	       span_equal_nocase(name, "RFC822.TEXT");
}
