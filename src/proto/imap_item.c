/* Whole items, but for FETCH and the streamed numbers. */
#include <string.h>

#include "imap_private.h"

#define OTHER_TEXT_MAX 200

struct status_name {
	const char *name;
	enum imap_status status;
	bool is_tagged; /* may be the answer to a command */
};

static const struct status_name status_names[] = {
	{"OK", IMAP_OK, true},
	{"NO", IMAP_NO, true},
	{"BAD", IMAP_BAD, true},
	{"BYE", IMAP_BYE, false},
	{"PREAUTH", IMAP_PREAUTH, false},
};

static const struct status_name *status_find(struct span word)
{
	for (size_t i = 0; i < sizeof(status_names) / sizeof(status_names[0]); i++) {
		if (span_equal_nocase(word, status_names[i].name)) {
			return &status_names[i];
		}
	}
	return NULL;
}

/* A cursor writes only where it reads a quoted string, and none is read here. */
static struct imap_cursor cursor_over(struct span text)
{
	return (struct imap_cursor){(char *)text.data, (char *)text.data + text.len};
}

bool imap_item_is_text(struct span line)
{
	struct imap_cursor cursor = cursor_over(line);
	struct span word;
	if (!imap_lex_char(&cursor, '*')) {
		return true;
	}
	imap_lex_spaces(&cursor);
	return imap_lex_atom(&cursor, &word) && status_find(word) != NULL;
}

bool imap_item_is_fetch(struct imap_cursor *cursor, uint32_t *sequence)
{
	struct span word;
	if (!imap_lex_char(cursor, '*')) {
		return false;
	}
	imap_lex_spaces(cursor);
	if (!imap_lex_atom(cursor, &word) || !span_to_u32(word, sequence)) {
		return false;
	}
	imap_lex_spaces(cursor);
	return imap_lex_atom(cursor, &word) && span_equal_nocase(word, "FETCH");
}

static struct span item_beginning(struct span item)
{
	while (item.len > 0 &&
	       (item.data[item.len - 1] == '\n' || item.data[item.len - 1] == '\r')) {
		item.len--;
	}
	item.len = item.len > OTHER_TEXT_MAX ? OTHER_TEXT_MAX : item.len;
	return item;
}

void imap_item_broken(struct span item, enum imap_event_type meant, struct imap_event *event)
{
	memset(event, 0, sizeof(*event));
	event->type = IMAP_OTHER;
	event->is_broken = true;
	event->meant = meant;
	event->text = item_beginning(item);
}

struct meant_name {
	const char *name;
	enum imap_event_type type;
};

/* Behind the "*", or behind a number there. */
static const struct meant_name meant_names[] = {
	{"FETCH", IMAP_FETCH},   {"EXISTS", IMAP_EXISTS}, {"EXPUNGE", IMAP_EXPUNGE},
	{"LIST", IMAP_LIST},     {"XLIST", IMAP_LIST},    {"LSUB", IMAP_LIST},
	{"STATUS", IMAP_STATUS}, {"FLAGS", IMAP_FLAGS},   {"NAMESPACE", IMAP_NAMESPACE},
	{"QUOTA", IMAP_QUOTA},
};
#define MEANT_NUMBERED 3 /* the first so many belong behind a number */

static enum imap_event_type meant_find(struct span word, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (span_equal_nocase(word, meant_names[i].name)) {
			return meant_names[i].type;
		}
	}
	return IMAP_OTHER;
}

/* What ITEM, which cannot be read, was to be. */
static enum imap_event_type meant_by(struct span item)
{
	struct imap_cursor cursor = cursor_over(item);
	struct span word;
	if (!imap_lex_char(&cursor, '*')) {
		return IMAP_OTHER;
	}
	imap_lex_spaces(&cursor);
	if (!imap_lex_atom(&cursor, &word)) {
		return IMAP_OTHER;
	}
	enum imap_event_type type = meant_find(word, sizeof(meant_names) / sizeof(meant_names[0]));
	imap_lex_spaces(&cursor);
	return type == IMAP_OTHER && imap_lex_atom(&cursor, &word)
		     ? meant_find(word, MEANT_NUMBERED)
		     : type;
}

/* message-data = nz-number SP ("EXPUNGE" / ...); mailbox-data =/ number SP "EXISTS" */
static bool numbered_parse(struct imap_cursor *cursor, uint32_t number, struct imap_event *event)
{
	struct span word;
	imap_lex_spaces(cursor);
	if (!imap_lex_atom(cursor, &word)) {
		return false;
	}
	imap_lex_spaces(cursor);
	bool is_exists = span_equal_nocase(word, "EXISTS");
	bool is_expunge = span_equal_nocase(word, "EXPUNGE");
	if (!is_exists && !is_expunge) {
		return true;
	}
	event->type = is_exists ? IMAP_EXISTS : IMAP_EXPUNGE;
	event->number = number;
	return cursor->at == cursor->end && (is_exists || number > 0);
}

/* mailbox-data =/ "FLAGS" SP flag-list; the parentheses may be missing. */
static bool flags_parse(struct imap_cursor *cursor, struct imap_event *event)
{
	event->type = IMAP_FLAGS;
	imap_lex_spaces(cursor);
	if (imap_lex_flat_list(cursor, &event->flags)) {
		imap_lex_spaces(cursor);
		return cursor->at == cursor->end;
	}
	event->flags = imap_lex_rest(cursor);
	return memchr(event->flags.data, '(', event->flags.len) == NULL;
}

static void words_parse(struct imap_cursor *cursor, enum imap_event_type type,
			struct imap_event *event)
{
	event->type = type;
	imap_lex_spaces(cursor);
	event->names = imap_lex_rest(cursor);
	while (event->names.len > 0 && event->names.data[event->names.len - 1] == ' ') {
		event->names.len--;
	}
}

/* WORD, or what follows one that is no number, belongs behind a number: "-1 EXISTS". */
static bool lacks_number(struct span word, struct imap_cursor cursor)
{
	struct span next;
	if (meant_find(word, MEANT_NUMBERED) != IMAP_OTHER) {
		return true;
	}
	imap_lex_spaces(&cursor);
	return imap_lex_atom(&cursor, &next) && meant_find(next, MEANT_NUMBERED) != IMAP_OTHER;
}

/* The word behind "*" that is no number and no status. False when the item is broken. */
static bool named_parse(struct span word, struct imap_cursor *cursor, struct imap_event *event)
{
	if (span_equal_nocase(word, "LIST") || span_equal_nocase(word, "XLIST")) {
		return imap_list_parse(cursor, event);
	}
	if (span_equal_nocase(word, "LSUB")) {
		event->list.is_lsub = true;
		return imap_list_parse(cursor, event);
	}
	if (span_equal_nocase(word, "STATUS")) {
		return imap_status_parse(cursor, event);
	}
	if (span_equal_nocase(word, "FLAGS")) {
		return flags_parse(cursor, event);
	}
	if (span_equal_nocase(word, "CAPABILITY")) {
		words_parse(cursor, IMAP_CAPABILITY, event);
		return true;
	}
	if (span_equal_nocase(word, "ENABLED")) {
		words_parse(cursor, IMAP_ENABLED, event);
		return true;
	}
	if (span_equal_nocase(word, "NAMESPACE")) {
		return imap_namespace_parse(cursor, event);
	}
	if (span_equal_nocase(word, "QUOTA")) {
		return imap_quota_parse(cursor, event);
	}
	return !lacks_number(word, *cursor);
}

/* response-data = "*" SP (resp-cond-state / resp-cond-bye / mailbox-data / message-data / ...) */
static bool untagged_parse(struct imap_cursor *cursor, struct imap_event *event)
{
	struct span word;
	uint32_t number;
	imap_lex_spaces(cursor);
	if (!imap_lex_atom(cursor, &word)) {
		return false;
	}
	if (span_to_u32(word, &number)) {
		return numbered_parse(cursor, number, event);
	}
	if (word.data[0] >= '0' && word.data[0] <= '9') {
		return false;
	}
	const struct status_name *status = status_find(word);
	if (status != NULL) {
		event->type = IMAP_UNTAGGED;
		event->status = status->status;
		imap_code_parse(cursor, event);
		return true;
	}
	return named_parse(word, cursor, event);
}

/* response-tagged = tag SP resp-cond-state CRLF */
static bool tagged_parse(struct imap_cursor *cursor, struct imap_event *event)
{
	struct span word;
	if (!imap_lex_atom(cursor, &event->tag)) {
		return false;
	}
	imap_lex_spaces(cursor);
	if (!imap_lex_atom(cursor, &word)) {
		return false;
	}
	const struct status_name *status = status_find(word);
	if (status == NULL || !status->is_tagged) {
		return false;
	}
	event->type = IMAP_TAGGED;
	event->status = status->status;
	imap_code_parse(cursor, event);
	return true;
}

void imap_item_parse(struct span item, struct imap_event *event)
{
	struct imap_cursor cursor = cursor_over(item);
	bool is_good = true;
	memset(event, 0, sizeof(*event));
	event->type = IMAP_OTHER;
	cursor.end--;
	while (cursor.end > cursor.at && cursor.end[-1] == '\r') {
		cursor.end--;
	}
	if (imap_lex_char(&cursor, '*')) {
		is_good = untagged_parse(&cursor, event);
	} else if (imap_lex_char(&cursor, '+')) {
		/* continue-req = "+" SP (resp-text / base64) CRLF */
		event->type = IMAP_CONTINUE;
		imap_lex_spaces(&cursor);
		event->text = imap_lex_rest(&cursor);
	} else {
		is_good = tagged_parse(&cursor, event);
	}
	if (!is_good) {
		imap_item_broken(item, meant_by(item), event);
	} else if (event->type == IMAP_OTHER) {
		event->text = item_beginning(item);
	}
}
