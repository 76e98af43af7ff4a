#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/net/deflate.h"
#include "mailsync/base/buf.h"

/* Packs all of IN through output room of SIZE bytes at a time. */
static void pack_all(struct deflate *deflate, struct span in, size_t size, struct buf *out)
{
	struct err err;
	char room[4096];

	do {
		size_t written = 0;

		assert_int_equal(deflate_pack(deflate, &in, room, size, &written, &err), 0);
		buf_append(out, room, written);
	} while (in.len > 0 || !deflate_is_flushed(deflate));
}

static void unpack_all(struct deflate *deflate, struct span in, size_t size, struct buf *out)
{
	struct err err;
	char room[4096];
	size_t got;

	do {
		got = 0;
		assert_int_equal(deflate_unpack(deflate, &in, room, size, &got, &err), 0);
		buf_append(out, room, got);
	} while (got > 0);
	assert_int_equal(in.len, 0);
}

static void fill_mail(struct buf *text, size_t len)
{
	uint32_t seed = 12345;

	while (text->len < len) {
		seed = seed * 1103515245u + 12345u;
		buf_printf(text, "line %u of a mail\r\n", (unsigned)(seed >> 16));
	}
}

static void what_is_packed_unpacks_equal_whatever_the_room(void **state)
{
	static const size_t sizes[] = {16, 17, 100, 4096};
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct deflate *deflate = NULL;
		struct buf text;
		struct buf packed;
		struct buf unpacked;

		buf_init(&text, 1000000);
		buf_init(&packed, 1000000);
		buf_init(&unpacked, 1000000);
		fill_mail(&text, 100000);
		assert_int_equal(deflate_create(&deflate, &err), 0);
		pack_all(deflate, buf_span(&text), sizes[i], &packed);
		unpack_all(deflate, buf_span(&packed), sizes[i], &unpacked);
		assert_int_equal(unpacked.len, text.len);
		assert_memory_equal(unpacked.data, text.data, text.len);
		assert_true(packed.len < text.len / 2);
		deflate_destroy(&deflate);
		buf_finish(&unpacked);
		buf_finish(&packed);
		buf_finish(&text);
	}
}

static void each_command_can_be_read_before_the_next_is_packed(void **state)
{
	struct deflate *deflate = NULL;
	struct err err;
	int i;

	(void)state;
	assert_int_equal(deflate_create(&deflate, &err), 0);
	for (i = 0; i < 3; i++) {
		struct buf packed;
		struct buf unpacked;

		buf_init(&packed, 1000);
		buf_init(&unpacked, 1000);
		pack_all(deflate, SPAN_LIT("a1 NOOP\r\n"), 16, &packed);
		unpack_all(deflate, buf_span(&packed), 4096, &unpacked);
		assert_string_equal(unpacked.data, "a1 NOOP\r\n");
		buf_finish(&unpacked);
		buf_finish(&packed);
	}
	deflate_destroy(&deflate);
}

static void nothing_is_packed_from_nothing(void **state)
{
	struct deflate *deflate = NULL;
	struct span in = SPAN_LIT("");
	struct err err;
	char room[16];
	size_t written = 99;

	(void)state;
	assert_int_equal(deflate_create(&deflate, &err), 0);
	assert_int_equal(deflate_pack(deflate, &in, room, sizeof(room), &written, &err), 0);
	assert_int_equal(written, 0);
	assert_true(deflate_is_flushed(deflate));
	deflate_destroy(&deflate);
}

static void input_may_come_byte_by_byte(void **state)
{
	struct deflate *deflate = NULL;
	struct buf packed;
	struct buf unpacked;
	struct err err;
	size_t i;

	(void)state;
	buf_init(&packed, 1000);
	buf_init(&unpacked, 1000);
	assert_int_equal(deflate_create(&deflate, &err), 0);
	pack_all(deflate, SPAN_LIT("* OK hello\r\n"), 4096, &packed);
	for (i = 0; i < packed.len; i++) {
		unpack_all(deflate, (struct span){packed.data + i, 1}, 64, &unpacked);
	}
	assert_string_equal(unpacked.data, "* OK hello\r\n");
	deflate_destroy(&deflate);
	buf_finish(&unpacked);
	buf_finish(&packed);
}

static void damaged_input_is_a_protocol_error(void **state)
{
	struct deflate *deflate = NULL;
	struct span in = SPAN_LIT("\xff\xff\xff\xff* OK not compressed\r\n");
	struct err err;
	char room[64];
	size_t got = 0;

	(void)state;
	assert_int_equal(deflate_create(&deflate, &err), 0);
	assert_int_equal(deflate_unpack(deflate, &in, room, sizeof(room), &got, &err),
			 -ERR_PROTOCOL);
	deflate_destroy(&deflate);
}

static void the_end_of_the_stream_is_the_end_of_the_connection(void **state)
{
	struct deflate *deflate = NULL;
	struct span in = SPAN_LIT("\x03\x00"); /* one final, empty block */
	struct err err;
	char room[64];
	size_t got = 0;

	(void)state;
	assert_int_equal(deflate_create(&deflate, &err), 0);
	assert_int_equal(deflate_unpack(deflate, &in, room, sizeof(room), &got, &err),
			 -ERR_TEMPORARY);
	deflate_destroy(&deflate);
	deflate_destroy(&deflate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_unpacks_equal_whatever_the_room),
		cmocka_unit_test(each_command_can_be_read_before_the_next_is_packed),
		cmocka_unit_test(nothing_is_packed_from_nothing),
		cmocka_unit_test(input_may_come_byte_by_byte),
		cmocka_unit_test(damaged_input_is_a_protocol_error),
		cmocka_unit_test(the_end_of_the_stream_is_the_end_of_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
