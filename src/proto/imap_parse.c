/*
 * The parser's states: which of framing, FETCH segments, body literals and streamed numbers is
 * next, and the receive buffer they read.
 *
 * Invariants:
 * 1. head + done <= tail <= cap. Bytes before head are done with; they are moved away only by
 *    imap_parser_reserve, so that spans of the last event stay valid until then.
 * 2. The data of a body is handed on where it was received, never copied.
 */
#include "mailsync/proto/imap_parse.h"

#include <stdlib.h>
#include <string.h>

#include "imap_private.h"

/* What may lie unparsed: an item, and a generous read. More means next() was not called. */
#define PENDING_MAX (16u << 20)
#define FIRST_CAP   4096

int imap_parser_create(struct imap_parser **parser, uint64_t body_max, struct err *err)
{
	struct imap_parser *created = calloc(1, sizeof(*created));
	char *data = malloc(FIRST_CAP);
	if (created == NULL || data == NULL) {
		free(created);
		free(data);
		return err_nomem(err);
	}
	created->data = data;
	created->cap = FIRST_CAP;
	created->body_max = body_max;
	created->state = PARSER_ITEM;
	imap_fetch_init(&created->fetch);
	imap_numbers_init(&created->numbers);
	*parser = created;
	return 0;
}

void imap_parser_destroy(struct imap_parser **parser)
{
	if (*parser == NULL) {
		return;
	}
	imap_fetch_finish(&(*parser)->fetch);
	imap_numbers_finish(&(*parser)->numbers);
	free((*parser)->data);
	free(*parser);
	*parser = NULL;
}

/* Drops what the last event pointed into. */
static void parser_settle(struct imap_parser *parser)
{
	parser->head += parser->done;
	parser->done = 0;
}

/* The bytes of an open segment have moved: what points into them follows. */
static void segment_move(struct imap_parser *parser, const char *before, char *after)
{
	if (parser->state == PARSER_SEGMENT || parser->state == PARSER_STRING_DATA ||
	    parser->state == PARSER_STRING_END) {
		parser->cursor.at = after + (parser->cursor.at - before);
		parser->cursor.end = after + (parser->cursor.end - before);
		if (parser->string.len > 0) {
			parser->string.data = after + (parser->string.data - before);
		}
	}
}

char *imap_parser_reserve(struct imap_parser *parser, size_t len, struct err *err)
{
	parser_settle(parser);
	size_t pending = parser->tail - parser->head;
	if (pending == 0) {
		parser->head = 0;
		parser->tail = 0;
	}
	if (parser->cap - parser->tail >= len) {
		return parser->data + parser->tail;
	}
	if (len > PENDING_MAX || pending > PENDING_MAX - len) {
		err_set(err, ERR_LIMIT, SCOPE_ACCOUNT, "too much was received and not read");
		return NULL;
	}
	/* Moving is cheap as long as it gains at least what it moves. */
	char *before = parser->data + parser->head;
	if (parser->head < pending || parser->cap - pending < len) {
		size_t cap = parser->cap;
		while (cap < (pending + len) * 2) {
			cap *= 2;
		}
		char *data = malloc(cap);
		if (data == NULL) {
			err_nomem(err);
			return NULL;
		}
		memcpy(data, before, pending);
		segment_move(parser, before, data);
		free(parser->data);
		parser->data = data;
		parser->cap = cap;
	} else {
		memmove(parser->data, before, pending);
		segment_move(parser, before, parser->data);
	}
	parser->head = 0;
	parser->tail = pending;
	return parser->data + parser->tail;
}

void imap_parser_commit(struct imap_parser *parser, size_t len)
{
	parser->tail += len;
}

int imap_parser_take_rest(struct imap_parser *parser, struct buf *rest, struct err *err)
{
	parser_settle(parser);
	buf_append(rest, parser->data + parser->head, parser->tail - parser->head);
	int code = buf_status(rest, "what follows a response", err);
	if (code == 0) {
		parser->head = 0;
		parser->tail = 0;
		parser->scanned = 0;
		parser->line_start = 0;
	}
	return code;
}

/* The item or segment at head is dealt with: its LEN bytes go with the next call. */
static void item_done(struct imap_parser *parser, size_t len)
{
	parser->done = len;
	parser->scanned = 0;
	parser->line_start = 0;
}

static int parser_fail(struct imap_parser *parser)
{
	parser->state = PARSER_FAILED;
	return -(int)parser->error.code;
}

static int parser_fail_depth(struct imap_parser *parser)
{
	err_set(&parser->error, ERR_PROTOCOL, SCOPE_ACCOUNT,
		"the server sent parentheses nested deeper than %d", IMAP_NESTING_MAX);
	return parser_fail(parser);
}

/* A segment of a FETCH is framed: begin to read it. */
static void segment_open(struct imap_parser *parser, bool is_last)
{
	char *start = parser->data + parser->head;
	parser->cursor = (struct imap_cursor){start, start + parser->segment_len};
	parser->is_last_segment = is_last;
	parser->state = PARSER_SEGMENT;
	if (is_last) {
		parser->cursor.end--;
		while (parser->cursor.end > start && parser->cursor.end[-1] == '\r') {
			parser->cursor.end--;
		}
	}
	if (!parser->fetch.is_open) {
		uint32_t sequence = 0;
		imap_item_is_fetch(&parser->cursor, &sequence);
		imap_fetch_open(&parser->fetch, sequence);
	}
}

static void body_begin(struct imap_parser *parser, uint64_t size, struct imap_event *event)
{
	event->type = IMAP_BODY_BEGIN;
	event->section = buf_span(&parser->fetch.section);
	event->number = size;
}

/* The segment is used up without a body to show: true when there is an event all the same. */
static bool segment_close(struct imap_parser *parser, struct imap_event *event)
{
	struct span segment = {parser->data + parser->head, parser->segment_len};
	item_done(parser, parser->segment_len);
	parser->state = PARSER_ITEM;
	if (parser->is_last_segment) {
		if (!imap_fetch_close(&parser->fetch, event)) {
			imap_item_broken(segment, IMAP_FETCH, event);
		}
		return true;
	}
	/* It was to end with a body's literal, which now nobody wants. */
	parser->fetch.is_broken = true;
	parser_settle(parser);
	parser->skip_left = parser->body_left;
	return false;
}

static int segment_next(struct imap_parser *parser, struct imap_event *event)
{
	struct imap_fetch_state *fetch = &parser->fetch;
	switch (imap_fetch_step(fetch, &parser->cursor, &parser->string)) {
	case FETCH_TOO_DEEP:
		return parser_fail_depth(parser);
	case FETCH_BODY_STRING:
		fetch->fetch.has |= IMAP_FETCH_BODY;
		parser->state = parser->string.len > 0 ? PARSER_STRING_DATA : PARSER_STRING_END;
		body_begin(parser, parser->string.len, event);
		return 1;
	case FETCH_BODY_LITERAL:
		item_done(parser, parser->segment_len);
		parser->state = PARSER_BODY;
		body_begin(parser, parser->body_left, event);
		return 1;
	case FETCH_MORE:
		break;
	}
	return segment_close(parser, event) ? 1 : 0;
}

static int item_next(struct imap_parser *parser, struct imap_event *event)
{
	char *start = parser->data + parser->head;
	struct imap_cursor cursor;
	uint32_t sequence;
	switch (imap_frame_next(parser)) {
	case FRAMED_FAILED:
		return parser_fail(parser);
	case FRAMED_MORE:
		event->type = IMAP_MORE;
		return 1;
	case FRAMED_NUMBERS:
		parser->state = PARSER_NUMBERS;
		return 0;
	case FRAMED_BODY:
		segment_open(parser, false);
		return 0;
	case FRAMED_ITEM:
		break;
	}
	cursor = (struct imap_cursor){start, start + parser->segment_len};
	if (parser->fetch.is_open || imap_item_is_fetch(&cursor, &sequence)) {
		segment_open(parser, true);
		return 0;
	}
	imap_item_parse((struct span){start, parser->segment_len}, event);
	item_done(parser, parser->segment_len);
	return 1;
}

static int body_next(struct imap_parser *parser, struct imap_event *event)
{
	size_t there = parser->tail - parser->head;
	if (parser->body_left == 0) {
		parser->fetch.fetch.has |= IMAP_FETCH_BODY;
		event->type = IMAP_BODY_END;
		parser->state = PARSER_ITEM;
		return 1;
	}
	if (there == 0) {
		event->type = IMAP_MORE;
		return 1;
	}
	size_t len = parser->body_left < there ? (size_t)parser->body_left : there;
	event->type = IMAP_BODY_DATA;
	event->data = (struct span){parser->data + parser->head, len};
	parser->body_left -= len;
	parser->done = len;
	return 1;
}

static int numbers_next(struct imap_parser *parser, struct imap_event *event)
{
	struct span data = {parser->data + parser->head, parser->tail - parser->head};
	size_t used = 0;
	enum imap_numbered result = imap_numbers_step(&parser->numbers, data, &used, event);
	parser->head += used;
	switch (result) {
	case NUMBERED_MORE:
		event->type = IMAP_MORE;
		break;
	case NUMBERED_EVENT:
		break;
	case NUMBERED_END:
		parser->state = PARSER_ITEM;
		break;
	case NUMBERED_BROKEN:
		imap_item_broken((struct span){"", 0},
				 parser->numbers.kind == NUMBERS_VANISHED ? IMAP_VANISHED
									  : IMAP_NUMBERS,
				 event);
		parser->state = PARSER_DISCARD;
		break;
	case NUMBERED_TOO_DEEP:
		return parser_fail_depth(parser);
	}
	return 1;
}

static int discard_next(struct imap_parser *parser, struct imap_event *event)
{
	char *start = parser->data + parser->head;
	size_t there = parser->tail - parser->head;
	char *lf = there == 0 ? NULL : memchr(start, '\n', there);
	if (lf == NULL) {
		parser->head = parser->tail;
		event->type = IMAP_MORE;
		return 1;
	}
	parser->head += (size_t)(lf + 1 - start);
	parser->state = PARSER_ITEM;
	return 0;
}

/* 1: an event; 0: go on in the state that is now; negative: failed. */
static int parser_step(struct imap_parser *parser, struct imap_event *event)
{
	switch (parser->state) {
	case PARSER_ITEM:
		return item_next(parser, event);
	case PARSER_SEGMENT:
		return segment_next(parser, event);
	case PARSER_STRING_DATA:
		event->type = IMAP_BODY_DATA;
		event->data = parser->string;
		parser->string.len = 0;
		parser->state = PARSER_STRING_END;
		return 1;
	case PARSER_STRING_END:
		event->type = IMAP_BODY_END;
		parser->state = PARSER_SEGMENT;
		return 1;
	case PARSER_BODY:
		return body_next(parser, event);
	case PARSER_NUMBERS:
		return numbers_next(parser, event);
	case PARSER_DISCARD:
		return discard_next(parser, event);
	case PARSER_FAILED:
		return parser_fail(parser);
	}
	return -ERR_INTERNAL;
}

int imap_parser_next(struct imap_parser *parser, struct imap_event *event, struct err *err)
{
	parser_settle(parser);
	memset(event, 0, sizeof(*event));
	for (;;) {
		int code = parser_step(parser, event);
		if (code < 0) {
			*err = parser->error;
			return code;
		}
		if (code > 0) {
			return 0;
		}
	}
}
