/*
 * The framing of RETR and TOP bodies, without holding them.
 *
 * B1. No byte is dropped but the first of two dots at the beginning of a line, and the
 *     terminator.
 * B2. The same bytes give the same body however they are cut into pieces.
 * B3. What looks like the terminator is none if anything but an answer follows: then a server
 *     failed to escape it. (A blank line tells nothing: some servers send one behind the
 *     terminator.)
 */
#include "pop3_private.h"

#include <string.h>
#include <strings.h>

void pop3_body_begin(struct pop3_body *body, bool has_bare_status)
{
	*body = (struct pop3_body){.at_line_start = true, .has_bare_status = has_bare_status};
}

enum dot {
	DOT_WAIT,    /* what it is cannot be told yet */
	DOT_END,     /* the terminator */
	DOT_STUFFED, /* to be dropped */
	DOT_DATA
};

/* What a dot that could be the terminator is, by what FOLLOWS. */
static enum dot classify_end(struct span follows)
{
	if (follows.len > 0 && (follows.data[0] == '\r' || follows.data[0] == '\n')) {
		return DOT_END;
	}
	for (int i = 0; i < 2; i++) {
		struct span indicator = i == 0 ? SPAN_LIT("+OK") : SPAN_LIT("-ERR");
		size_t len = follows.len < indicator.len ? follows.len : indicator.len;
		if (strncasecmp(follows.data, indicator.data, len) == 0) {
			return len == indicator.len ? DOT_END : DOT_WAIT;
		}
	}
	return DOT_DATA;
}

/* What the dot at the beginning of INPUT, at the beginning of a line, is. */
static enum dot classify_dot(const struct pop3_body *body, struct span input, size_t *len)
{
	if (input.len < 2) {
		return DOT_WAIT;
	}
	if (input.data[1] == '.') {
		return DOT_STUFFED;
	}
	if (input.data[1] == '\n') {
		*len = 2;
		return body->has_bare_status || (body->has_lines && !body->has_crlf) ? DOT_END
										     : DOT_DATA;
	}
	if (input.data[1] != '\r') {
		return DOT_DATA;
	}
	if (input.len < 3) {
		return DOT_WAIT;
	}
	*len = 3;
	return input.data[2] == '\n' ? DOT_END : DOT_DATA;
}

/* How many bytes from the beginning of INPUT are data before the next dot at a line's start. */
static size_t data_len(struct pop3_body *body, struct span input)
{
	size_t i = 0;

	while (i < input.len) {
		const char *lf = memchr(input.data + i, '\n', input.len - i);
		if (!lf) {
			body->at_line_start = false;
			body->last_was_cr = input.data[input.len - 1] == '\r';
			return input.len;
		}
		size_t at = (size_t)(lf - input.data);
		bool had_cr = at > 0 ? input.data[at - 1] == '\r' : body->last_was_cr;
		body->has_crlf = body->has_crlf || had_cr;
		body->bare += !had_cr;
		body->has_lines = true;
		body->last_was_cr = false;
		body->at_line_start = true;
		i = at + 1;
		if (i < input.len && input.data[i] == '.') {
			return i;
		}
	}
	return i;
}

void pop3_body_next(struct pop3_body *body, struct span input, size_t *used, struct span *piece,
		    bool *is_end)
{
	*used = 0;
	*piece = (struct span){input.data, 0};
	*is_end = false;
	if (input.len == 0) {
		return;
	}
	size_t skip = 0, keep = 0;
	if (body->at_line_start && input.data[0] == '.') {
		size_t len = 0;
		enum dot dot = classify_dot(body, input, &len);
		if (dot == DOT_END && body->has_next) {
			dot = classify_end((struct span){input.data + len, input.len - len});
			body->has_lone_dot = body->has_lone_dot || dot == DOT_DATA;
		}
		switch (dot) {
		case DOT_WAIT:
			return;
		case DOT_END:
			*used = len;
			*is_end = true;
			return;
		case DOT_STUFFED:
			body->stuffed++;
			skip = 1;
			keep = 1;
			break;
		case DOT_DATA:
			keep = 1;
			break;
		}
		body->last_was_cr = false;
		body->at_line_start = false;
	}
	struct span rest = {input.data + skip + keep, input.len - skip - keep};
	*piece = (struct span){input.data + skip, keep};
	if (rest.len > 0) {
		piece->len += data_len(body, rest);
	}
	*used = skip + piece->len;
}
