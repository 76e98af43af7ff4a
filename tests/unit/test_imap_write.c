#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailsync/proto/imap_write.h"

static void quoted_strings_escape_quotes_and_backslashes(void **state)
{
	struct buf out;
	(void)state;
	buf_init(&out, 1024);
	assert_true(imap_write_quoted(&out, SPAN_LIT("a\"b\\c d")));
	assert_string_equal(out.data, "\"a\\\"b\\\\c d\"");
	buf_clear(&out);
	assert_true(imap_write_quoted(&out, SPAN_LIT("")));
	assert_string_equal(out.data, "\"\"");
	buf_finish(&out);
}

static void quoted_strings_refuse_what_needs_a_literal(void **state)
{
	static const struct span bad[] = {{"a\rb", 3}, {"a\n", 2}, {"\0", 1}, {"caf\xc3\xa9", 5}};
	struct buf out;
	(void)state;
	buf_init(&out, 1024);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(imap_write_quoted(&out, bad[i]));
		assert_int_equal(out.len, 0);
	}
	buf_finish(&out);
}

static void dates_are_written_in_utc(void **state)
{
	static const struct {
		int64_t seconds;
		const char *date_time;
	} cases[] = {
		{1706756645, "\" 1-Feb-2024 03:04:05 +0000\""},
		{0, "\" 1-Jan-1970 00:00:00 +0000\""},
		{-1, "\"31-Dec-1969 23:59:59 +0000\""},
		{951782400, "\"29-Feb-2000 00:00:00 +0000\""},
		{INT64_MAX, "\"31-Dec-9999 23:59:59 +0000\""},
		{INT64_MIN, "\" 1-Jan-0001 00:00:00 +0000\""},
	};
	struct buf out;
	(void)state;
	buf_init(&out, 1024);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&out);
		imap_write_date_time(&out, cases[i].seconds);
		assert_string_equal(out.data, cases[i].date_time);
	}
	buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quoted_strings_escape_quotes_and_backslashes),
		cmocka_unit_test(quoted_strings_refuse_what_needs_a_literal),
		cmocka_unit_test(dates_are_written_in_utc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
