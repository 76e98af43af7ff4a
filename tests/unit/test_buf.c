#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/base/buf.h"

static void buf_without_contents_is_an_empty_string(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	assert_string_equal(buf.data, "");
	buf_truncate(&buf, 0);
	buf_clear(&buf);
	buf_finish(&buf);
	buf_finish(&buf);
}

static void buf_holds_exactly_its_maximum(void **state)
{
	struct buf buf;
	struct err err;

	(void)state;
	buf_init(&buf, 5);
	buf_append_cstr(&buf, "hello");
	assert_int_equal(buf_status(&buf, "a word", &err), 0);
	assert_string_equal(buf.data, "hello");
	buf_append_char(&buf, '!');
	assert_int_equal(buf_status(&buf, "a word", &err), -ERR_LIMIT);
	assert_string_equal(err.text, "a word is over its limit of 5 bytes");
	assert_string_equal(buf.data, "hello");
	buf_finish(&buf);
}

static void buf_failure_sticks_until_cleared(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 3);
	buf_append_cstr(&buf, "long");
	buf_append_cstr(&buf, "ok");
	assert_int_equal(buf.len, 0);
	assert_null(buf_steal(&buf));
	buf_clear(&buf);
	buf_append_cstr(&buf, "ok");
	assert_string_equal(buf.data, "ok");
	buf_finish(&buf);
}

static void buf_grows_over_many_appends(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, SIZE_MAX);
	for (int i = 0; i < 10000; i++) {
		buf_printf(&buf, "%05d", i);
	}
	assert_int_equal(buf.len, 50000);
	assert_memory_equal(buf.data + 49995, "09999", 6);
	buf_truncate(&buf, 5);
	assert_string_equal(buf.data, "00000");
	buf_finish_secret(&buf);
}

static void buf_steal_leaves_an_empty_buffer(void **state)
{
	struct buf buf;
	char *text;

	(void)state;
	buf_init(&buf, 100);
	text = buf_steal(&buf);
	assert_string_equal(text, "");
	free(text);
	buf_append_span(&buf, SPAN_LIT("kept"));
	text = buf_steal(&buf);
	assert_string_equal(text, "kept");
	assert_int_equal(buf_span(&buf).len, 0);
	free(text);
	buf_finish(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_without_contents_is_an_empty_string),
		cmocka_unit_test(buf_holds_exactly_its_maximum),
		cmocka_unit_test(buf_failure_sticks_until_cleared),
		cmocka_unit_test(buf_grows_over_many_appends),
		cmocka_unit_test(buf_steal_leaves_an_empty_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
