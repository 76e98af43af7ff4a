/* Rules A9 to A18: what came of a download, and of a session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/pop3_rules.h"

static const struct pop3_policy open_policy = {.now = 1000,
					       .leave = LEAVE_NO,
					       .may_delete = true,
					       .may_download = true,
					       .oldest = INT64_MIN};

/* A9 to A12. */
static void A9_to_A12_a_body_that_may_be_another_is_not_stored(void **state)
{
	(void)state;
	assert_int_equal(pop3_judge_body(told_unless_0(10), 12, true), POP3_BODY_TORN);
	assert_int_equal(pop3_judge_body(told_unless_0(10), 10, true), POP3_BODY_WHOLE);
	assert_int_equal(pop3_judge_body(told_unless_0(10), 0, false), POP3_BODY_EMPTY);
	assert_int_equal(pop3_judge_body(told_unless_0(0), 0, false), POP3_BODY_EMPTY);
	assert_int_equal(pop3_judge_body(told(0), 0, false), POP3_BODY_WHOLE);
	assert_int_equal(pop3_judge_body(told_unless_0(10), 9, false), POP3_BODY_SHORT);
	assert_int_equal(pop3_judge_body(told_unless_0(10), 11, false), POP3_BODY_WHOLE);
}

static void A16_a_body_is_proven_by_its_size(void **state)
{
	const struct pop3_sizes none = {0};

	(void)state;
	assert_true(pop3_is_proven(told_unless_0(10), 10, 0, &none));
	assert_true(pop3_is_proven(told_unless_0(10), 12, 0, &none));
	assert_true(pop3_is_proven(told(0), 12, 0, &none));
	assert_false(pop3_is_proven(told_unless_0(0), 12, 0, &none));
	assert_false(pop3_is_proven(told_unless_0(10), 9, 0, &none));
	assert_true(pop3_is_proven(told_unless_0(10), 7, 3, &none));
	assert_false(pop3_is_proven(told_unless_0(10), 6, 3, &none));
	assert_false(pop3_is_proven(told_unless_0(0), 0, 5, &none));
	assert_false(pop3_is_proven(told_unless_0(3), 0, 5, &none));
	assert_false(pop3_is_proven(told_unless_0(UINT64_MAX), 1000, 5, &none));
}

static void A17_only_what_is_to_be_deleted_and_was_there_before_is_proven(void **state)
{
	static char uidl[] = "a", unique[] = "1.x";
	struct pop3_policy policy = open_policy;
	struct pop3_row row = {.id = 3, .uidl = uidl, .unique = unique, .doubts = 1};

	(void)state;
	policy.known_id = 3;
	assert_true(pop3_is_to_prove(&row, &policy));
	assert_false(pop3_is_due(&row, &policy));
	row.id = 4; /* of this run */
	assert_false(pop3_is_to_prove(&row, &policy));
	row.id = 3;
	policy.leave = LEAVE_YES;
	assert_false(pop3_is_to_prove(&row, &policy));
	policy.leave = LEAVE_AGE;
	policy.leave_age_s = 1 << 30;
	assert_true(pop3_is_to_prove(&row, &policy));
	policy.may_download = false;
	assert_false(pop3_is_to_prove(&row, &policy));
	policy.may_download = true;
	policy.may_delete = false;
	assert_false(pop3_is_to_prove(&row, &policy));
	policy.may_delete = true;
	row.doubts = POP3_DOUBTS_MAX + 1;
	assert_false(pop3_is_to_prove(&row, &policy));
	assert_false(pop3_is_due(&row, &policy));
	row.doubts = 0;
	assert_false(pop3_is_to_prove(&row, &policy));
}

static void A17_the_same_content_proves_and_another_is_stored_a_few_times(void **state)
{
	struct pop3_proof_facts facts = {.has_content = true, .is_same = true};

	(void)state;
	assert_int_equal(pop3_judge_proof(&facts), POP3_PROOF_SAME);
	assert_int_equal(pop3_doubts_after(2, POP3_PROOF_SAME, false), 0);
	facts = (struct pop3_proof_facts){.has_content = true};
	assert_int_equal(pop3_judge_proof(&facts), POP3_PROOF_STORE);
	facts.has_files = facts.is_in_file = true;
	assert_int_equal(pop3_judge_proof(&facts), POP3_PROOF_OTHER_FILE);
	facts = (struct pop3_proof_facts){.has_content = true, .is_earlier = true};
	assert_int_equal(pop3_judge_proof(&facts), POP3_PROOF_OTHER_FILE);
	facts = (struct pop3_proof_facts){.has_files = true};
	assert_int_equal(pop3_judge_proof(&facts), POP3_PROOF_STORE);
	facts = (struct pop3_proof_facts){0};
	assert_int_equal(pop3_judge_proof(&facts), POP3_PROOF_LET_BE);
	assert_int_equal(pop3_doubts_after(1, POP3_PROOF_STORE, true), 0);
	assert_int_equal(pop3_doubts_after(1, POP3_PROOF_STORE, false), 2);
	assert_int_equal(pop3_doubts_after(1, POP3_PROOF_OTHER_FILE, false), 0);
	assert_true(pop3_doubts_after(1, POP3_PROOF_LET_BE, true) > POP3_DOUBTS_MAX);
}

static void A18_sizes_that_are_always_too_large_are_not_believed_after_a_while(void **state)
{
	struct pop3_sizes sizes = {0};

	(void)state;
	for (int i = 0; i < POP3_SHORT_MIN; i++) {
		assert_false(pop3_is_proven(told_unless_0(1000), 900, 0, &sizes));
		pop3_sizes_learn(&sizes, POP3_PROOF_SAME, told_unless_0(1000), 900);
		pop3_sizes_learn(&sizes, POP3_PROOF_SAME, told_unless_0(1000),
				 1000); /* says nothing */
	}
	assert_true(pop3_is_proven(told_unless_0(1000), 900, 0, &sizes));
	assert_true(pop3_is_proven(told_unless_0(120), 20, 0, &sizes));
	assert_true(pop3_is_proven(told_unless_0(100000), 90000, 0, &sizes));
	assert_false(pop3_is_proven(told_unless_0(1000), 500, 0, &sizes));
	assert_false(pop3_is_proven(told_unless_0(1000), 0, 0, &sizes));
	pop3_sizes_learn(&sizes, POP3_PROOF_STORE, told_unless_0(1000), 900);
	assert_false(pop3_is_proven(told_unless_0(1000), 900, 0, &sizes));
	pop3_sizes_learn(&sizes, POP3_PROOF_SAME, told_unless_0(UINT64_MAX), 900);
	assert_true(sizes.short_share >= 999);
}

/* A13 to A15. */
static void A13_to_A15_another_session_follows_only_where_it_can_bring_more(void **state)
{
	(void)state;
	assert_false(pop3_goes_on(&(struct pop3_outcome){.downloaded = 3}));
	assert_true(pop3_goes_on(&(struct pop3_outcome){.is_broken = true, .has_failures = true}));
	assert_false(pop3_goes_on(
		&(struct pop3_outcome){.is_broken = true, .is_partial = true, .downloaded = 3}));
	assert_true(pop3_goes_on(&(struct pop3_outcome){.is_partial = true, .downloaded = 3}));
	assert_false(pop3_goes_on(&(struct pop3_outcome){.is_partial = true}));
	assert_true(pop3_goes_on(&(struct pop3_outcome){.lacked_utf8 = true}));
	assert_true(pop3_lists_some(false, "recent:joe@example.org"));
	assert_true(pop3_lists_some(true, NULL));
	assert_false(pop3_lists_some(false, "joe"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A16_a_body_is_proven_by_its_size),
		cmocka_unit_test(A17_only_what_is_to_be_deleted_and_was_there_before_is_proven),
		cmocka_unit_test(A17_the_same_content_proves_and_another_is_stored_a_few_times),
		cmocka_unit_test(
			A18_sizes_that_are_always_too_large_are_not_believed_after_a_while),
		cmocka_unit_test(A9_to_A12_a_body_that_may_be_another_is_not_stored),
		cmocka_unit_test(A13_to_A15_another_session_follows_only_where_it_can_bring_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
