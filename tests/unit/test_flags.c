#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailsync/model/flags.h"

static void flags_have_the_letters_of_maildir(void **state)
{
	static const char letters[] = "DFPRST";
	(void)state;
	for (int i = 0; i < 6; i++) {
		assert_int_equal(flag_of_letter(letters[i]), UINT64_C(1) << i);
		assert_int_equal(letter_of_flag(UINT64_C(1) << i), letters[i]);
	}
	assert_int_equal(flag_of_letter('a'), 0);
	assert_int_equal(letter_of_flag(FLAG_KEYWORD(0)), 0);
	assert_int_equal(letter_of_flag(FLAG_SEEN | FLAG_DRAFT), 0);
}

static void flags_are_read_in_any_case_and_spacing(void **state)
{
	struct keywords keywords;
	bool has_star = false;
	(void)state;
	keywords_init(&keywords);
	uint64_t flags = flags_from_imap(SPAN_LIT("  \\SEEN $forwarded \\Recent  \\*  Work work "),
					 &keywords, true, &has_star);
	assert_true(has_star);
	assert_true(flags == (FLAG_SEEN | FLAG_FORWARDED | FLAG_KEYWORD(0)));
	assert_int_equal(keywords.count, 1);
	flags = flags_from_imap(SPAN_LIT("\\Seen new WORK"), &keywords, false, &has_star);
	assert_false(has_star);
	assert_true(flags == (FLAG_SEEN | FLAG_KEYWORD(0)));
	assert_int_equal(keywords.count, 1);
	assert_true(flags_from_imap(SPAN_LIT(""), &keywords, true, NULL) == 0);
	keywords_finish(&keywords);
}

static void flags_are_written_as_they_are_read(void **state)
{
	struct keywords keywords;
	struct buf out;
	(void)state;
	keywords_init(&keywords);
	buf_init(&out, 1024);
	keywords_parse(&keywords, SPAN_LIT("a b c"));
	uint64_t flags = FLAGS_SYSTEM | FLAG_KEYWORD(0) | FLAG_KEYWORD(2);
	flags_to_imap(flags, &keywords, &out);
	assert_string_equal(out.data,
			    "\\Draft \\Flagged $Forwarded \\Answered \\Seen \\Deleted a c");
	assert_true(flags_from_imap(buf_span(&out), &keywords, false, NULL) == flags);
	buf_clear(&out);
	flags_to_imap(FLAG_KEYWORD(1), &keywords, &out);
	assert_string_equal(out.data, "b");
	buf_finish(&out);
	keywords_finish(&keywords);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_have_the_letters_of_maildir),
		cmocka_unit_test(flags_are_read_in_any_case_and_spacing),
		cmocka_unit_test(flags_are_written_as_they_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
