#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "mailsync/model/keywords.h"

static void keywords_keep_the_first_spelling_and_ignore_case(void **state)
{
	struct keywords keywords;
	(void)state;
	keywords_init(&keywords);
	assert_int_equal(keywords_intern(&keywords, SPAN_LIT("$Junk")), 0);
	assert_int_equal(keywords_intern(&keywords, SPAN_LIT("work")), 1);
	assert_int_equal(keywords_intern(&keywords, SPAN_LIT("$JUNK")), 0);
	assert_int_equal(keywords_find(&keywords, SPAN_LIT("WORK")), 1);
	assert_int_equal(keywords_find(&keywords, SPAN_LIT("wor")), -1);
	assert_string_equal(keywords.names[0], "$Junk");
	keywords_finish(&keywords);
}

static void keywords_refuse_what_is_no_atom(void **state)
{
	static const char *const bad[] = {"",   "a b",         "a(b",  "\\Seen", "a\"",
					  "a{", "caf\xc3\xa9", "a\tb", "100%",   "*"};
	struct keywords keywords;
	(void)state;
	keywords_init(&keywords);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(keywords_intern(&keywords, span_of(bad[i])), -1);
	}
	assert_int_equal(keywords_intern(&keywords, (struct span){"a\0b", 3}), -1);
	assert_int_equal(keywords_intern(&keywords, SPAN_LIT("[css3-page]")), 0);
	keywords_finish(&keywords);
}

static void keywords_stop_when_the_table_is_full(void **state)
{
	struct keywords keywords;
	char name[16];
	(void)state;
	keywords_init(&keywords);
	for (int i = 0; i < KEYWORDS_MAX; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		assert_int_equal(keywords_intern(&keywords, span_of(name)), i);
	}
	assert_int_equal(keywords_intern(&keywords, SPAN_LIT("more")), -1);
	assert_int_equal(keywords_intern(&keywords, SPAN_LIT("K57")), 57);
	keywords_finish(&keywords);
}

static void keywords_survive_their_text_form(void **state)
{
	struct keywords keywords;
	struct keywords again;
	struct buf out;
	(void)state;
	keywords_init(&keywords);
	keywords_init(&again);
	buf_init(&out, 4096);
	keywords_parse(&keywords, SPAN_LIT("$Junk Work  x A1"));
	keywords_format(&keywords, &out);
	assert_string_equal(out.data, "$Junk Work x A1");
	keywords_parse(&again, buf_span(&out));
	assert_int_equal(again.count, 4);
	assert_string_equal(again.names[3], "A1");
	buf_finish(&out);
	keywords_finish(&again);
	keywords_finish(&keywords);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keywords_keep_the_first_spelling_and_ignore_case),
		cmocka_unit_test(keywords_refuse_what_is_no_atom),
		cmocka_unit_test(keywords_stop_when_the_table_is_full),
		cmocka_unit_test(keywords_survive_their_text_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
