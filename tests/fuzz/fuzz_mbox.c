/*
 * An mbox of anybody's, and any message in one of ours. What is read does not depend on how the
 * file was cut into pieces, and what we write comes back byte for byte.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/proto/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX (1u << 22)

/* Puts at most STEP bytes of *TEXT into MBOX. */
static void feed(struct mbox *mbox, struct span *text, size_t step)
{
	size_t room;
	char *place = mbox_room(mbox, &room);
	size_t len = text->len < step ? text->len : step;

	len = len < room ? len : room;
	if (room == 0) {
		abort(); /* it would wait for ever */
	}
	if (len == 0) {
		mbox_feed_end(mbox);
		return;
	}
	memcpy(place, text->data, len);
	mbox_feed(mbox, len);
	*text = (struct span){text->data + len, text->len - len};
}

/* All messages one behind the other, each with a mark at its end. A body whose length is told is
 * taken so where COUNTED. */
static void read_all(struct span text, size_t step, bool counted, struct buf *out)
{
	struct mbox *mbox = NULL;
	struct span data;
	struct err err;
	enum mbox_event event;

	if (mbox_create(&mbox, &err) < 0) {
		abort();
	}
	while ((event = mbox_next(mbox, &data)) != MBOX_DONE) {
		const struct mbox_message *message = mbox_message(mbox);
		if (event == MBOX_MORE) {
			feed(mbox, &text, step);
		} else if (event == MBOX_DATA) {
			buf_append_span(out, data);
		} else if (event == MBOX_BODY && counted && message->has_length) {
			mbox_take_body(mbox, message->length, message->length % 2 == 0);
		} else if (event == MBOX_END) {
			buf_append_cstr(out, message->is_cut ? "\1" : "\2");
		}
	}
	mbox_destroy(&mbox);
}

static void check_pieces(struct span text, bool counted)
{
	struct buf whole, pieces;

	buf_init(&whole, OUT_MAX);
	buf_init(&pieces, OUT_MAX);
	read_all(text, SIZE_MAX, counted, &whole);
	read_all(text, 1 + text.len % 5, counted, &pieces);
	if (!span_equal(buf_span(&whole), buf_span(&pieces)) || whole.len > text.len * 2 + 2) {
		abort();
	}
	buf_finish(&pieces);
	buf_finish(&whole);
}

static void check_round(struct span text)
{
	struct mbox_quote quote = {.is_inside = false};
	char from[MBOX_FROM_SIZE];
	struct buf file, back, wanted;

	buf_init(&file, OUT_MAX);
	buf_init(&back, OUT_MAX);
	buf_init(&wanted, OUT_MAX);
	mbox_format_from((int64_t)text.len * 1000003, from);
	for (int i = 0; i < 2; i++) {
		quote = (struct mbox_quote){.is_inside = false};
		buf_append_cstr(&file, from);
		mbox_quote(&quote, text, &file);
		mbox_quote_end(&quote, &file);
		buf_append_span(&wanted, text);
		buf_append_cstr(&wanted, "\2");
	}
	read_all(buf_span(&file), 1 + text.len % 7, false, &back);
	if (file.failed == 0 && !span_equal(buf_span(&back), buf_span(&wanted))) {
		abort();
	}
	buf_finish(&wanted);
	buf_finish(&back);
	buf_finish(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};

	check_pieces(text, false);
	check_pieces(text, true);
	check_round(text);
	return 0;
}
