#include "mailsync/proto/pop3.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "pop3_private.h"

#define TERMINATOR_BYTES 5 /* CR LF dot CR LF */

struct pop3_parser {
	char *data;
	size_t pos; /* of the first byte not parsed yet */
	size_t len;
	size_t cap;
	uint8_t replies[POP3_IN_FLIGHT_MAX]; /* a ring */
	size_t first;
	size_t count;
	bool in_items; /* the status line of the first reply was seen, its items follow */
	struct pop3_body body;
};

int pop3_parser_create(struct pop3_parser **parser, struct err *err)
{
	struct pop3_parser *made = calloc(1, sizeof(*made));
	if (!made) {
		return err_nomem(err);
	}
	*parser = made;
	return 0;
}

void pop3_parser_destroy(struct pop3_parser **parser)
{
	if (*parser) {
		free((*parser)->data);
		free(*parser);
		*parser = NULL;
	}
}

int pop3_parser_expect(struct pop3_parser *parser, enum pop3_reply reply, struct err *err)
{
	if (parser->count == POP3_IN_FLIGHT_MAX) {
		return err_set(err, ERR_LIMIT, SCOPE_ACCOUNT, "too many POP3 commands in flight");
	}
	parser->replies[(parser->first + parser->count) % POP3_IN_FLIGHT_MAX] = (uint8_t)reply;
	parser->count++;
	return 0;
}

char *pop3_parser_reserve(struct pop3_parser *parser, size_t len, struct err *err)
{
	if (parser->pos > 0) {
		memmove(parser->data, parser->data + parser->pos, parser->len - parser->pos);
		parser->len -= parser->pos;
		parser->pos = 0;
	}
	if (ARRAY_RESERVE(&parser->data, parser->len + len, &parser->cap, err) < 0) {
		return NULL;
	}
	return parser->data + parser->len;
}

void pop3_parser_commit(struct pop3_parser *parser, size_t len)
{
	parser->len += len;
}

/* The next whole line without its end; true when there is one. HAS_CR: it ended in CR LF. */
static int take_line(struct pop3_parser *parser, struct span *line, bool *found, bool *has_cr,
		     struct err *err)
{
	const char *start = parser->data + parser->pos;
	size_t avail = parser->len - parser->pos;
	size_t window = avail < POP3_LINE_MAX ? avail : POP3_LINE_MAX;
	const char *lf = window > 0 ? memchr(start, '\n', window) : NULL;

	*found = lf != NULL;
	if (!lf) {
		if (window == POP3_LINE_MAX) {
			return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
				       "the server sent a line of over %d bytes where POP3 has "
				       "short ones",
				       POP3_LINE_MAX);
		}
		return 0;
	}
	size_t len = (size_t)(lf - start);
	parser->pos += len + 1;
	*has_cr = len > 0 && start[len - 1] == '\r';
	*line = (struct span){start, len - (*has_cr ? 1 : 0)};
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span text)
{
	while (text.len > 0 && is_blank(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && is_blank(text.data[text.len - 1])) {
		text.len--;
	}
	return text;
}

/* Takes the first word off TEXT. */
static struct span take_word(struct span *text)
{
	*text = trim(*text);
	size_t len = 0;
	while (len < text->len && !is_blank(text->data[len])) {
		len++;
	}
	struct span word = {text->data, len};
	text->data += len;
	text->len -= len;
	*text = trim(*text);
	return word;
}

/* The response code that TEXT begins with. */
static enum pop3_code code_of(struct span text)
{
	static const struct {
		const char *name;
		enum pop3_code code;
	} codes[] = {
		{"IN-USE", POP3_CODE_IN_USE},     {"LOGIN-DELAY", POP3_CODE_LOGIN_DELAY},
		{"SYS/TEMP", POP3_CODE_SYS_TEMP}, {"SYS/PERM", POP3_CODE_SYS_PERM},
		{"AUTH", POP3_CODE_AUTH},
	};
	const char *end =
		text.len > 0 && text.data[0] == '[' ? memchr(text.data, ']', text.len) : NULL;
	if (!end) {
		return POP3_CODE_NONE;
	}
	struct span name = {text.data + 1, (size_t)(end - text.data) - 1};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (span_equal_nocase(name, codes[i].name)) {
			return codes[i].code;
		}
	}
	return POP3_CODE_OTHER;
}

bool pop3_uidl_is_plain(struct span uidl, size_t len_max)
{
	if (uidl.len == 0 || uidl.len > len_max) {
		return false;
	}
	for (size_t i = 0; i < uidl.len; i++) {
		unsigned char c = (unsigned char)uidl.data[i];
		if (c < 0x21 || c > 0x7e) {
			return false;
		}
	}
	return true;
}

/* "+OK words", "-ERR words": a word must end behind the indicator ("+OKAY" is broken). */
static bool has_indicator(struct span line, const char *indicator)
{
	size_t len = strlen(indicator);

	return span_starts_nocase(line, indicator) &&
	       (line.len == len || is_blank(line.data[len]) || line.data[len] == ':');
}

static void reply_done(struct pop3_parser *parser)
{
	parser->first = (parser->first + 1) % POP3_IN_FLIGHT_MAX;
	parser->count--;
	parser->in_items = false;
}

/* status = ("+OK" / "-ERR") [SP text] */
static void parse_status(struct pop3_parser *parser, struct span line, bool has_cr,
			 struct pop3_event *event)
{
	enum pop3_reply reply = event->reply;

	event->type = POP3_STATUS;
	event->text = line;
	if (has_indicator(line, "+OK")) {
		event->is_ok = true;
		event->text = trim((struct span){line.data + 3, line.len - 3});
	} else if (has_indicator(line, "-ERR")) {
		event->text = trim((struct span){line.data + 4, line.len - 4});
	} else if (reply == POP3_REPLY_AUTH && line.len > 0 && line.data[0] == '+') {
		event->type = POP3_CONTINUE;
		event->text = trim((struct span){line.data + 1, line.len - 1});
		return;
	} else {
		event->is_broken = true;
	}
	event->code = event->is_broken ? POP3_CODE_NONE : code_of(event->text);
	event->is_last = !event->is_ok || reply == POP3_REPLY_STATUS || reply == POP3_REPLY_AUTH;
	if (event->is_last) {
		reply_done(parser);
		return;
	}
	parser->in_items = true;
	pop3_body_begin(&parser->body, !has_cr);
}

/* listing = number SP (size / unique-id) */
static void parse_item(struct span line, struct pop3_event *event)
{
	struct span rest = line;

	if (event->reply == POP3_REPLY_CAPA) {
		event->type = POP3_CAPA;
		event->text = trim(line);
		return;
	}
	event->is_broken = !span_to_u32(take_word(&rest), &event->number) || event->number == 0;
	if (event->reply == POP3_REPLY_LIST) {
		event->type = POP3_LIST;
		event->text = take_word(&rest);
		event->is_broken =
			!span_to_u64(event->text, &event->size_bytes) || event->is_broken;
		return;
	}
	event->type = POP3_UIDL;
	event->text = rest;
	event->is_broken = event->is_broken || rest.len == 0;
}

static int next_line(struct pop3_parser *parser, struct pop3_event *event, struct err *err)
{
	struct span line;
	bool found, has_cr = false;
	int code = take_line(parser, &line, &found, &has_cr, err);

	if (code || !found) {
		return code;
	}
	if (!parser->in_items) {
		parse_status(parser, line, has_cr, event);
	} else if (span_equal_cstr(line, ".")) {
		event->type = POP3_END;
		reply_done(parser);
	} else {
		/* No listing line begins with a dot of its own, so a stuffed one is not undone. */
		parse_item(line, event);
	}
	return 0;
}

static void next_body(struct pop3_parser *parser, struct pop3_event *event)
{
	struct span input = {parser->data + parser->pos, parser->len - parser->pos};
	size_t used;
	bool is_end;

	parser->body.has_next = parser->count > 1;
	pop3_body_next(&parser->body, input, &used, &event->text, &is_end);
	parser->pos += used;
	if (is_end) {
		event->type = POP3_END;
		event->has_lone_dot = parser->body.has_lone_dot;
		event->slack_bytes = parser->body.stuffed + parser->body.bare + TERMINATOR_BYTES;
		reply_done(parser);
	} else if (used > 0) {
		event->type = POP3_BODY;
	}
}

int pop3_parser_next(struct pop3_parser *parser, struct pop3_event *event, struct err *err)
{
	*event = (struct pop3_event){.type = POP3_MORE};
	if (parser->pos == parser->len) {
		return 0;
	}
	if (parser->count == 0) {
		event->type = POP3_STRAY;
		event->text = (struct span){parser->data + parser->pos, parser->len - parser->pos};
		parser->pos = parser->len;
		return 0;
	}
	event->reply = (enum pop3_reply)parser->replies[parser->first];
	if (parser->in_items && event->reply == POP3_REPLY_BODY) {
		next_body(parser, event);
		return 0;
	}
	return next_line(parser, event, err);
}
