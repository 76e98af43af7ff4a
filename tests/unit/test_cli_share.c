#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cli_share.h"

static void a_share_is_one_of_some(void **state)
{
	static const char *const wrong[] = {
		"",    "1",    "/",    "1/",    "/2",        "0/2",
		"3/2", "1/0",  "-1/2", "1/2/3", " 1/2",      "1/2 ",
		"a/b", "+1/2", "1/-2", "1.0/2", "1/1000001", "1/99999999999999999999"};
	struct cli_share share;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(cli_share_read(wrong[i], &share));
	}
	assert_true(cli_share_read("3/8", &share));
	assert_int_equal(share.index, 3);
	assert_int_equal(share.count, 8);
	assert_true(cli_share_read("1/1", &share));
	assert_true(cli_share_read("1000000/1000000", &share));
}

/* printf %s NAME | sha256sum | cut -c1-16, modulo 4, plus 1. Fixed for ever: another version, or
 * another machine, must not take the same account for another share's. */
static void the_share_of_a_name_is_what_it_always_was(void **state)
{
	static const struct {
		const char *name;
		unsigned of_4, of_7;
	} known[] = {
		{"work", 3, 5}, {"a", 3, 5}, {"user1", 4, 3}, {"user2", 2, 4}, {"b.c-d_e", 4, 4}};
	bool is_held;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		for (unsigned k = 1; k <= 7; k++) {
			const struct cli_share four = {k, 4}, seven = {k, 7};
			assert_int_equal(cli_share_holds(&four, known[i].name, &is_held, &err), 0);
			assert_int_equal(is_held, k == known[i].of_4);
			assert_int_equal(cli_share_holds(&seven, known[i].name, &is_held, &err), 0);
			assert_int_equal(is_held, k == known[i].of_7);
		}
	}
}

static void the_shares_are_of_like_size(void **state)
{
	unsigned sizes[8] = {0};
	char name[32];
	bool is_held;
	struct err err;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		unsigned holders = 0;
		snprintf(name, sizeof(name), "user%u", i);
		for (unsigned k = 1; k <= 8; k++) {
			const struct cli_share share = {k, 8};
			assert_int_equal(cli_share_holds(&share, name, &is_held, &err), 0);
			holders += is_held;
			sizes[k - 1] += is_held;
		}
		assert_int_equal(holders, 1);
	}
	for (size_t k = 0; k < 8; k++) {
		assert_in_range(sizes[k], 400, 600);
	}
}

static void without_shares_all_take_part(void **state)
{
	const struct cli_share none = {0}, one = {1, 1};
	bool is_held = false;
	struct err err;

	(void)state;
	assert_int_equal(cli_share_holds(&none, "a", &is_held, &err), 0);
	assert_true(is_held);
	assert_int_equal(cli_share_holds(&one, "a", &is_held, &err), 0);
	assert_true(is_held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_is_one_of_some),
		cmocka_unit_test(the_share_of_a_name_is_what_it_always_was),
		cmocka_unit_test(the_shares_are_of_like_size),
		cmocka_unit_test(without_shares_all_take_part),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
