/*
 * Framing: where an item ends.
 *
 * Invariants:
 * 1. Each byte is searched for a line end once, however it arrives, so that the events do not
 *    depend on how the bytes were cut.
 * 2. A literal is held only up to IMAP_SMALL_LITERAL_MAX, a line up to IMAP_LINE_MAX, an item up
 *    to IMAP_ITEM_MAX.
 */
#include <inttypes.h>
#include <string.h>

#include "imap_private.h"

static enum imap_framed frame_fail(struct imap_parser *parser, const char *what, size_t limit)
{
	err_set(&parser->error, ERR_PROTOCOL, SCOPE_ACCOUNT,
		"the server sent %s over the limit of %zu bytes", what, limit);
	return FRAMED_FAILED;
}

/* Drops bytes of a literal that is not held. They lie right behind the item so far. */
static bool skip_literal(struct imap_parser *parser)
{
	size_t start = parser->head + parser->scanned;
	size_t there = parser->tail - start;
	size_t drop = parser->skip_left < there ? (size_t)parser->skip_left : there;
	memmove(parser->data + start, parser->data + start + drop, there - drop);
	parser->tail -= drop;
	parser->skip_left -= drop;
	return parser->skip_left == 0;
}

static bool line_may_stream(struct imap_parser *parser, struct span line)
{
	char *item = parser->data + parser->head;
	struct imap_cursor cursor = {item, item + parser->line_start + line.len};
	uint32_t sequence;
	return parser->fetch.is_open || imap_item_is_fetch(&cursor, &sequence);
}

static enum imap_framed frame_literal(struct imap_parser *parser, struct span line,
				      const struct imap_literal *literal)
{
	size_t line_end = parser->line_start + line.len;
	if (imap_fetch_is_body((struct span){line.data, literal->at}) &&
	    line_may_stream(parser, line)) {
		if (parser->body_max != 0 && literal->size > parser->body_max) {
			err_set(&parser->error, ERR_PROTOCOL, SCOPE_ACCOUNT,
				"the server sent a message of %" PRIu64
				" bytes, over the limit of %" PRIu64,
				literal->size, parser->body_max);
			return FRAMED_FAILED;
		}
		parser->segment_len = line_end;
		parser->body_left = literal->size;
		return FRAMED_BODY;
	}
	if (literal->size > IMAP_SMALL_LITERAL_MAX) {
		parser->skip_left = literal->size;
		parser->scanned = line_end;
		parser->line_start = line_end;
		return FRAMED_MORE;
	}
	if (line_end + literal->size > IMAP_ITEM_MAX) {
		return frame_fail(parser, "a response", IMAP_ITEM_MAX);
	}
	parser->scanned = line_end + (size_t)literal->size;
	parser->line_start = parser->scanned;
	return FRAMED_MORE;
}

/* A line's end was found at LINE_END: of an item, or of a literal's header. */
static enum imap_framed frame_line(struct imap_parser *parser, size_t line_end)
{
	struct span line = {parser->data + parser->head + parser->line_start,
			    line_end - parser->line_start};
	struct imap_literal literal;
	int found = 0;
	if (line.len > IMAP_LINE_MAX) {
		return frame_fail(parser, "a line", IMAP_LINE_MAX);
	}
	if (line_end > IMAP_ITEM_MAX) {
		return frame_fail(parser, "a response", IMAP_ITEM_MAX);
	}
	bool is_first = parser->line_start == 0 && !parser->fetch.is_open;
	if (!is_first || !imap_item_is_text(line)) {
		found = imap_literal_at_end(line, &literal, &parser->error);
	}
	if (found < 0) {
		return FRAMED_FAILED;
	}
	if (found > 0) {
		return frame_literal(parser, line, &literal);
	}
	parser->segment_len = line_end;
	return FRAMED_ITEM;
}

static bool item_is_numbers(struct imap_parser *parser, bool *needs_more)
{
	struct span data = {parser->data + parser->head, parser->tail - parser->head};
	size_t used = 0;
	enum imap_numbers_kind kind = imap_numbers_kind(data, &used);
	*needs_more = kind == NUMBERS_UNKNOWN;
	if (kind == NUMBERS_NONE || kind == NUMBERS_UNKNOWN) {
		return false;
	}
	imap_numbers_open(&parser->numbers, kind);
	parser->head += used;
	return true;
}

enum imap_framed imap_frame_next(struct imap_parser *parser)
{
	if (parser->scanned == 0 && !parser->fetch.is_open) {
		bool needs_more;
		if (item_is_numbers(parser, &needs_more)) {
			return FRAMED_NUMBERS;
		}
		if (needs_more) {
			return FRAMED_MORE;
		}
	}
	for (;;) {
		if (parser->skip_left > 0 && !skip_literal(parser)) {
			return FRAMED_MORE;
		}
		size_t there = parser->tail - parser->head;
		if (there < parser->scanned) {
			return FRAMED_MORE;
		}
		char *start = parser->data + parser->head;
		char *lf = there == parser->scanned
				 ? NULL
				 : memchr(start + parser->scanned, '\n', there - parser->scanned);
		if (lf == NULL) {
			parser->scanned = there;
			return there - parser->line_start >= IMAP_LINE_MAX
				     ? frame_fail(parser, "a line", IMAP_LINE_MAX)
				     : FRAMED_MORE;
		}
		enum imap_framed framed = frame_line(parser, (size_t)(lf + 1 - start));
		if (framed != FRAMED_MORE) {
			return framed;
		}
	}
}
