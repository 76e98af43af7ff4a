/* The tokens inside an item (RFC 9051 section 9), read leniently. */
#include <string.h>

#include "imap_private.h"

void imap_lex_spaces(struct imap_cursor *cursor)
{
	while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t')) {
		cursor->at++;
	}
}

bool imap_lex_at(const struct imap_cursor *cursor, char c)
{
	return cursor->at < cursor->end && *cursor->at == c;
}

bool imap_lex_char(struct imap_cursor *cursor, char c)
{
	if (!imap_lex_at(cursor, c)) {
		return false;
	}
	cursor->at++;
	return true;
}

static bool char_ends_atom(char c)
{
	return c == ' ' || c == '\t' || c == '(' || c == ')' || c == '\r' || c == '\n';
}

/* atom = 1*ATOM-CHAR, and whatever else servers put there. */
bool imap_lex_atom(struct imap_cursor *cursor, struct span *atom)
{
	char *start = cursor->at;
	while (cursor->at < cursor->end && !char_ends_atom(*cursor->at)) {
		cursor->at++;
	}
	*atom = (struct span){start, (size_t)(cursor->at - start)};
	return atom->len > 0;
}

/*
 * literal = "{" number64 ["+"] "}" CRLF *CHAR8 / "~{" number64 "}" CRLF *OCTET
 * The header alone; the cursor is then at the first octet.
 */
bool imap_lex_literal_header(struct imap_cursor *cursor, uint64_t *size)
{
	struct imap_cursor ahead = *cursor;
	imap_lex_char(&ahead, '~');
	if (!imap_lex_char(&ahead, '{')) {
		return false;
	}
	char *digits = ahead.at;
	while (ahead.at < ahead.end && *ahead.at >= '0' && *ahead.at <= '9') {
		ahead.at++;
	}
	struct span number = {digits, (size_t)(ahead.at - digits)};
	imap_lex_char(&ahead, '+');
	if (!imap_lex_char(&ahead, '}')) {
		return false;
	}
	imap_lex_char(&ahead, '\r');
	if (!imap_lex_char(&ahead, '\n') || !span_to_u64(number, size)) {
		return false;
	}
	*cursor = ahead;
	return true;
}

bool imap_lex_at_string(const struct imap_cursor *cursor)
{
	struct imap_cursor ahead = *cursor;
	uint64_t size;
	return imap_lex_at(cursor, '"') || imap_lex_literal_header(&ahead, &size);
}

/* A literal over IMAP_SMALL_LITERAL_MAX was left out by the framing: nothing follows it. */
static bool literal_take(struct imap_cursor *cursor, struct span *string)
{
	uint64_t size;
	*string = (struct span){"", 0};
	if (!imap_lex_literal_header(cursor, &size) || size > IMAP_SMALL_LITERAL_MAX ||
	    size > (uint64_t)(cursor->end - cursor->at)) {
		return false;
	}
	*string = (struct span){cursor->at, (size_t)size};
	cursor->at += size;
	return true;
}

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE */
static bool quoted_take(struct imap_cursor *cursor, struct span *string)
{
	char *from = cursor->at + 1;
	char *to = from;
	char *start = from;
	while (from < cursor->end && *from != '"' && *from != '\r' && *from != '\n') {
		if (*from == '\\' && from + 1 < cursor->end && from[1] != '\r' && from[1] != '\n') {
			from++;
		}
		*to++ = *from++;
	}
	cursor->at = from;
	if (!imap_lex_char(cursor, '"')) {
		return false;
	}
	*string = (struct span){start, (size_t)(to - start)};
	return true;
}

bool imap_lex_string(struct imap_cursor *cursor, struct span *string)
{
	if (imap_lex_at(cursor, '"')) {
		return quoted_take(cursor, string);
	}
	return literal_take(cursor, string);
}

bool imap_lex_astring(struct imap_cursor *cursor, struct span *string)
{
	if (imap_lex_at_string(cursor)) {
		return imap_lex_string(cursor, string);
	}
	return imap_lex_atom(cursor, string);
}

/* One string, over-large literals included, or atom. */
static bool token_skip(struct imap_cursor *cursor)
{
	struct imap_cursor ahead = *cursor;
	struct span token;
	uint64_t size;
	if (imap_lex_literal_header(&ahead, &size) && size > IMAP_SMALL_LITERAL_MAX) {
		*cursor = ahead;
		return true;
	}
	return imap_lex_astring(cursor, &token);
}

enum imap_lexed imap_lex_skip(struct imap_cursor *cursor)
{
	unsigned depth = 0;
	do {
		imap_lex_spaces(cursor);
		if (imap_lex_char(cursor, '(')) {
			depth++;
			if (depth > IMAP_NESTING_MAX) {
				return LEX_TOO_DEEP;
			}
		} else if (imap_lex_at(cursor, ')')) {
			if (depth == 0) {
				return LEX_BROKEN;
			}
			cursor->at++;
			depth--;
		} else if (!token_skip(cursor)) {
			return LEX_BROKEN;
		}
	} while (depth > 0);
	return LEX_OK;
}

bool imap_lex_flat_list(struct imap_cursor *cursor, struct span *text)
{
	struct imap_cursor ahead = *cursor;
	if (!imap_lex_char(&ahead, '(')) {
		return false;
	}
	imap_lex_spaces(&ahead);
	char *start = ahead.at;
	while (ahead.at < ahead.end && *ahead.at != '(' && *ahead.at != ')' && *ahead.at != '\r' &&
	       *ahead.at != '\n') {
		ahead.at++;
	}
	char *stop = ahead.at;
	if (!imap_lex_char(&ahead, ')')) {
		return false;
	}
	while (stop > start && (stop[-1] == ' ' || stop[-1] == '\t')) {
		stop--;
	}
	*text = (struct span){start, (size_t)(stop - start)};
	*cursor = ahead;
	return true;
}

struct span imap_lex_rest(struct imap_cursor *cursor)
{
	struct span rest = {cursor->at, (size_t)(cursor->end - cursor->at)};
	cursor->at = cursor->end;
	return rest;
}

int imap_literal_at_end(struct span line, struct imap_literal *literal, struct err *err)
{
	size_t end = line.len - 1;
	if (end > 0 && line.data[end - 1] == '\r') {
		end--;
	}
	if (end < 3 || line.data[end - 1] != '}') {
		return 0;
	}
	size_t stop = end - 1;
	if (line.data[stop - 1] == '+') {
		stop--;
	}
	size_t start = stop;
	while (start > 0 && line.data[start - 1] >= '0' && line.data[start - 1] <= '9') {
		start--;
	}
	if (start == stop || start == 0 || line.data[start - 1] != '{') {
		return 0;
	}
	size_t at = start - 1;
	if (at > 0 && line.data[at - 1] == '~') {
		at--;
	}
	/* Glued to an atom it is a part of that. */
	if (at > 0 && memchr(" \t(]>", line.data[at - 1], 5) == NULL) {
		return 0;
	}
	struct span digits = {line.data + start, stop - start};
	if (!span_to_u64(digits, &literal->size) || literal->size > INT64_MAX) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server announced a literal of more than 2^63 bytes");
	}
	literal->at = at;
	return 1;
}
