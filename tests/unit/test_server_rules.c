/* Whether this is the account that base knows (rules/guard_rules.h), by the rules' numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/guard_rules.h"

static void S1_no_folder_though_base_had_some_is_an_accident(void **state)
{
	const struct census gone = {.there = 3, .had_here = 3, .had_there = 3};
	const struct census never = {.there = 3, .had_there = 3};
	const struct census one_left = {.here = 1, .there = 3, .had_here = 3, .had_there = 3};

	(void)state;
	assert_int_equal(accident_of(&gone), ACCIDENT_NO_FOLDER);
	assert_int_equal(accident_of(&never), ACCIDENT_NONE);
	assert_int_equal(accident_of(&one_left), ACCIDENT_NONE);
}

static void S2_no_mailbox_though_base_had_some_is_an_accident(void **state)
{
	const struct census gone = {.here = 3, .had_here = 3, .had_there = 3};
	const struct census never = {.here = 3, .had_here = 3};
	const struct census both = {.had_here = 3, .had_there = 3};

	(void)state;
	assert_int_equal(accident_of(&gone), ACCIDENT_NO_MAILBOX);
	assert_int_equal(accident_of(&never), ACCIDENT_NONE);
	assert_int_equal(accident_of(&both), ACCIDENT_NO_FOLDER);
}

static const struct server_facts as_it_was = {
	.was_known = true,
	.is_there = true,
	.has_numbers = true,
	.now = {.uidvalidity = {true, 7}, .uidnext = {true, 10}},
	.base = {.uidvalidity = {true, 7}, .uidnext = {true, 10}},
};

static void S3_the_same_numbers_or_a_higher_uidnext_are_the_same_mailbox(void **state)
{
	struct server_facts grown = as_it_was;
	struct server_facts untold = as_it_was;

	(void)state;
	grown.now.uidnext = told_unless_0(11);
	untold.now.uidnext = told_unless_0(0);
	assert_int_equal(server_sign(&as_it_was), SIGN_SAME);
	assert_int_equal(server_sign(&grown), SIGN_SAME);
	assert_int_equal(server_sign(&untold), SIGN_SAME);
}

static void S4_gone_renumbered_or_gone_back_is_strange(void **state)
{
	struct server_facts gone = as_it_was;
	struct server_facts renumbered = as_it_was;
	struct server_facts back = as_it_was;
	struct server_facts gone_untold = as_it_was;

	(void)state;
	gone.is_there = false;
	renumbered.now.uidvalidity = told_unless_0(8);
	back.now.uidnext = told_unless_0(9);
	gone_untold.is_there = gone_untold.has_numbers = false;
	assert_int_equal(server_sign(&gone), SIGN_STRANGE);
	assert_int_equal(server_sign(&renumbered), SIGN_STRANGE);
	assert_int_equal(server_sign(&back), SIGN_STRANGE);
	assert_int_equal(server_sign(&gone_untold), SIGN_STRANGE);
}

static void S5_untold_numbers_are_no_sign_and_neither_is_a_new_mailbox(void **state)
{
	struct server_facts untold = as_it_was;
	struct server_facts unknown = as_it_was;

	(void)state;
	untold.has_numbers = false;
	unknown.was_known = false;
	assert_int_equal(server_sign(&untold), SIGN_UNTOLD);
	assert_int_equal(server_sign(&unknown), SIGN_NONE);
}

static enum server_verdict judge(size_t same, size_t strange, size_t untold)
{
	const size_t signs[SIGN_UNTOLD + 1] = {
		[SIGN_NONE] = 5,
		[SIGN_SAME] = same,
		[SIGN_STRANGE] = strange,
		[SIGN_UNTOLD] = untold,
	};

	return server_judge(signs);
}

static void S6_one_mailbox_as_it_was_is_enough(void **state)
{
	(void)state;
	assert_int_equal(judge(1, 9, 9), SERVER_SAME);
}

static void S7_nothing_strange_gives_no_reason_to_ask(void **state)
{
	(void)state;
	assert_int_equal(judge(0, 0, 0), SERVER_NO_SIGN);
	assert_int_equal(judge(0, 0, 4), SERVER_NO_SIGN);
}

static void S8_mailboxes_without_numbers_are_asked_before_a_search(void **state)
{
	(void)state;
	assert_int_equal(judge(0, 1, 1), SERVER_ASK);
}

static void S9_where_all_are_strange_a_message_has_to_be_found(void **state)
{
	(void)state;
	assert_int_equal(judge(0, 1, 0), SERVER_SEARCH);
}

static void S10_S11_S12_a_message_found_nothing_to_lose_or_leave_lets_it_go_on(void **state)
{
	(void)state;
	const struct {
		struct search_facts facts;
		enum server_verdict verdict;
	} cases[] = {
		{{.is_found = true, .agreed = 100}, SERVER_SAME},
		{{.is_found = true, .is_short = true, .agreed = 100}, SERVER_SAME},
		{{.agreed = 0}, SERVER_SAME},
		{{.agreed = 0, .is_short = true}, SERVER_SAME},
		{{.agreed = 100, .has_leave = true}, SERVER_SAME},
		{{.agreed = 1, .is_short = true}, SERVER_UNTOLD}, /* S16 */
		{{.agreed = 1}, SERVER_OTHER},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(server_judge_search(&cases[i].facts), cases[i].verdict);
	}
}

/* S13 to S15. */
static void S13_to_S15_rows_are_whose_the_fingerprint_says(void **state)
{
	(void)state;
	assert_int_equal(server_whose((struct span){0}, "x"), WHOSE_NOBODYS);
	assert_int_equal(server_whose(SPAN_LIT(""), "x"), WHOSE_NOBODYS);
	assert_int_equal(server_whose(SPAN_LIT("x"), "x"), WHOSE_OURS);
	assert_int_equal(server_whose(SPAN_LIT("xy"), "x"), WHOSE_OTHERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S13_to_S15_rows_are_whose_the_fingerprint_says),
		cmocka_unit_test(S1_no_folder_though_base_had_some_is_an_accident),
		cmocka_unit_test(S2_no_mailbox_though_base_had_some_is_an_accident),
		cmocka_unit_test(S3_the_same_numbers_or_a_higher_uidnext_are_the_same_mailbox),
		cmocka_unit_test(S4_gone_renumbered_or_gone_back_is_strange),
		cmocka_unit_test(S5_untold_numbers_are_no_sign_and_neither_is_a_new_mailbox),
		cmocka_unit_test(S6_one_mailbox_as_it_was_is_enough),
		cmocka_unit_test(S7_nothing_strange_gives_no_reason_to_ask),
		cmocka_unit_test(S8_mailboxes_without_numbers_are_asked_before_a_search),
		cmocka_unit_test(S9_where_all_are_strange_a_message_has_to_be_found),
		cmocka_unit_test(
			S10_S11_S12_a_message_found_nothing_to_lose_or_leave_lets_it_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
