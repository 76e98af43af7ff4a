#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mailsync/base/hash.h"
#include "mailsync/base/span.h"

static void span_of_null_is_empty(void **state)
{
	(void)state;
	assert_int_equal(span_of(NULL).len, 0);
	assert_true(span_equal(span_of(NULL), SPAN_LIT("")));
}

static void span_equality_takes_every_byte_as_it_is(void **state)
{
	(void)state;
	assert_true(span_equal(SPAN_LIT("x\0y"), SPAN_LIT("x\0y")));
	assert_false(span_equal(SPAN_LIT("x\0y"), SPAN_LIT("x\0z")));
	assert_false(span_equal_cstr(SPAN_LIT("ab"), "abc"));
	assert_false(span_equal_cstr(SPAN_LIT("ab"), "AB"));
}

static void span_nocase_folds_ascii_only(void **state)
{
	(void)state;
	assert_true(span_equal_nocase(SPAN_LIT("InBoX"), "inbox"));
	assert_false(span_equal_nocase(SPAN_LIT("\xc3\x84"), "\xc3\xa4"));
	assert_false(span_equal_nocase(SPAN_LIT("@[`{"), "`{@["));
	assert_true(span_starts_nocase(SPAN_LIT("auth=PLAIN"), "AUTH="));
	assert_false(span_starts_nocase(SPAN_LIT("aut"), "AUTH="));
}

static void ascii_case_is_changed_and_nothing_else(void **state)
{
	char text[] = "aAzZ@[`{09\xc3\x84";

	(void)state;
	ascii_lower_all(text);
	assert_string_equal(text, "aazz@[`{09\xc3\x84");
	ascii_upper_all(text);
	assert_string_equal(text, "AAZZ@[`{09\xc3\x84");
}

static void span_numbers_are_digits_within_range(void **state)
{
	uint32_t narrow = 7;
	uint64_t wide = 7;

	(void)state;
	assert_true(span_to_u32(SPAN_LIT("4294967295"), &narrow));
	assert_true(narrow == UINT32_MAX);
	assert_true(span_to_u64(SPAN_LIT("18446744073709551615"), &wide));
	assert_true(wide == UINT64_MAX);
	assert_true(span_to_u32(SPAN_LIT("007"), &narrow));
	assert_int_equal(narrow, 7);
}

static void span_numbers_refuse_all_else_and_touch_nothing(void **state)
{
	static const char *const bad[] = {
		"", "+1", "-1", " 1", "1 ", "0x1", "1a", "4294967296", "99999999999999999999999"};
	uint32_t narrow = 7;
	uint64_t wide = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(span_to_u32(span_of(bad[i]), &narrow));
	}
	assert_false(span_to_u64(SPAN_LIT("18446744073709551616"), &wide));
	assert_int_equal(narrow, 7);
	assert_int_equal(wide, 7);
}

static void span_dup_refuses_an_inner_nul(void **state)
{
	char *copy = span_dup((struct span){"Work/2024", 4});

	(void)state;
	assert_string_equal(copy, "Work");
	free(copy);
	assert_null(span_dup(SPAN_LIT("a\0b")));
	copy = span_dup(span_of(NULL));
	assert_string_equal(copy, "");
	free(copy);
}

static void blanks_at_both_ends_are_trimmed(void **state)
{
	(void)state;
	assert_true(span_equal_cstr(span_trim(span_of(" \ta b\t ")), "a b"));
	assert_true(span_equal_cstr(span_trim(span_of("ab")), "ab"));
	assert_int_equal(span_trim(span_of(" \t ")).len, 0);
	assert_int_equal(span_trim(span_of("")).len, 0);
}

/* The values of the definition: some of them are kept in files. */
static void a_hash_is_fnv_1a(void **state)
{
	(void)state;
	assert_true(hash_span(span_of("")) == UINT64_C(0xcbf29ce484222325));
	assert_true(hash_span(span_of("foobar")) == UINT64_C(0x85944171f73967e8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(span_of_null_is_empty),
		cmocka_unit_test(span_equality_takes_every_byte_as_it_is),
		cmocka_unit_test(span_nocase_folds_ascii_only),
		cmocka_unit_test(ascii_case_is_changed_and_nothing_else),
		cmocka_unit_test(span_numbers_are_digits_within_range),
		cmocka_unit_test(span_numbers_refuse_all_else_and_touch_nothing),
		cmocka_unit_test(span_dup_refuses_an_inner_nul),
		cmocka_unit_test(blanks_at_both_ends_are_trimmed),
		cmocka_unit_test(a_hash_is_fnv_1a),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
