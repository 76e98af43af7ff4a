#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/suspect_rules.h"

#define NOW  INT64_C(1700000000)
#define HOUR INT64_C(3600)
#define DAY  (24 * HOUR)

static enum suspect_turn turn(enum suspect_kind kind, unsigned runs, int64_t first_at,
			      int64_t last_at, int64_t now)
{
	const struct suspect_mark mark = {runs, first_at, last_at};
	return suspect_turn(kind, &mark, now);
}

static void X1_X2_a_mark_is_tried_last_and_nothing_known_with_the_others(void **state)
{
	(void)state;
	assert_int_equal(suspect_turn(SUSPECT_MESSAGE, NULL, NOW), SUSPECT_WITH_OTHERS);
	assert_int_equal(turn(SUSPECT_MESSAGE, 0, 0, NOW, NOW), SUSPECT_LAST);
	assert_int_equal(turn(SUSPECT_MESSAGE, 1, NOW, NOW, NOW), SUSPECT_LAST);
	assert_int_equal(turn(SUSPECT_MAILBOX, 2, NOW - DAY, NOW, NOW), SUSPECT_LAST);
}

static void X3_three_runs_over_an_hour_make_it_wait(void **state)
{
	(void)state;
	/* many runs within an hour are none too many */
	assert_int_equal(turn(SUSPECT_MESSAGE, 9, NOW - HOUR + 1, NOW, NOW), SUSPECT_LAST);
	assert_int_equal(turn(SUSPECT_MESSAGE, 3, NOW - HOUR, NOW, NOW), SUSPECT_NOT_NOW);
	assert_int_equal(turn(SUSPECT_POP3, 3, NOW - HOUR, NOW, NOW), SUSPECT_NOT_NOW);
	assert_int_equal(turn(SUSPECT_MESSAGE, 3, NOW - HOUR, NOW, NOW + DAY - 1), SUSPECT_NOT_NOW);
	assert_int_equal(turn(SUSPECT_MESSAGE, 3, NOW - HOUR, NOW, NOW + DAY), SUSPECT_LAST);
	assert_int_equal(turn(SUSPECT_MAILBOX, 3, NOW - HOUR, NOW, NOW + HOUR - 1),
			 SUSPECT_NOT_NOW);
	assert_int_equal(turn(SUSPECT_MAILBOX, 3, NOW - HOUR, NOW, NOW + HOUR), SUSPECT_LAST);
}

static void X4_the_listing_with_numbers_waits_for_a_day_at_once(void **state)
{
	(void)state;
	assert_int_equal(turn(SUSPECT_LISTING, 0, 0, NOW, NOW), SUSPECT_LAST);
	assert_int_equal(turn(SUSPECT_LISTING, 1, NOW, NOW, NOW + DAY - 1), SUSPECT_NOT_NOW);
	assert_int_equal(turn(SUSPECT_LISTING, 1, NOW, NOW, NOW + DAY), SUSPECT_LAST);
}

static void X5_a_clock_that_goes_back_lets_it_be_tried(void **state)
{
	(void)state;
	assert_int_equal(turn(SUSPECT_MESSAGE, 3, NOW - HOUR, NOW, NOW - 1), SUSPECT_LAST);
}

static enum suspect_stage after(enum suspect_stage stage, bool alone, bool fresh, bool before)
{
	const struct suspect_loss loss = {alone, fresh, before};
	return suspect_after_loss(stage, &loss);
}

static void X6_several_on_their_way_are_doubted(void **state)
{
	(void)state;
	assert_int_equal(after(SUSPECT_CLEARED, false, false, false), SUSPECT_DOUBTED);
	assert_int_equal(after(SUSPECT_KNOWN, false, false, true), SUSPECT_DOUBTED);
	assert_int_equal(after(SUSPECT_CANDIDATE, false, true, false), SUSPECT_CANDIDATE);
}

static void X7_X8_one_by_itself_is_a_candidate_and_then_it_has_ended_its_connection(void **state)
{
	(void)state;
	assert_int_equal(after(SUSPECT_CLEARED, true, false, false), SUSPECT_CANDIDATE);
	assert_int_equal(after(SUSPECT_DOUBTED, true, false, false), SUSPECT_CANDIDATE);
	assert_int_equal(after(SUSPECT_KNOWN, true, false, false), SUSPECT_CANDIDATE);
	assert_int_equal(after(SUSPECT_CANDIDATE, true, false, false), SUSPECT_CANDIDATE);
	assert_int_equal(after(SUSPECT_CANDIDATE, true, true, false), SUSPECT_ENDED);
	/* confirmed in an earlier run: once is enough */
	assert_int_equal(after(SUSPECT_KNOWN, true, false, true), SUSPECT_ENDED);
}

static void X9_a_run_more_is_counted_from_the_first_one(void **state)
{
	struct suspect_mark mark = {.last_at = NOW - DAY};
	(void)state;
	suspect_confirm(&mark, NOW);
	assert_int_equal(mark.runs, 1);
	assert_int_equal(mark.first_at, NOW);
	suspect_confirm(&mark, NOW + 10);
	assert_int_equal(mark.runs, 2);
	assert_int_equal(mark.first_at, NOW);
	assert_int_equal(mark.last_at, NOW + 10);
	suspect_confirm(&mark, NOW - 10); /* the clock went back */
	assert_int_equal(mark.first_at, NOW - 10);
}

static void X10_two_that_end_it_where_nothing_goes_through_are_the_servers_doing(void **state)
{
	(void)state;
	assert_true(suspects_are_believed(1, 0));
	assert_false(suspects_are_believed(2, 0));
	assert_true(suspects_are_believed(2, 1));
}

static void X11_X12_first_the_rest_then_candidates_then_the_doubted_then_the_proof(void **state)
{
	struct suspect_tally tally = {.due = 1, .doubted = 1, .candidates = 1, .ended = 1};
	(void)state;
	assert_int_equal(suspect_next_step(&tally), SUSPECT_STEP_REST);
	tally.rest_is_done = true;
	assert_int_equal(suspect_next_step(&tally), SUSPECT_STEP_FRESH);
	tally.candidates = 0;
	assert_int_equal(suspect_next_step(&tally), SUSPECT_STEP_SINGLY);
	tally.doubted = 0;
	assert_int_equal(suspect_next_step(&tally), SUSPECT_STEP_SINGLY);
	tally.due = 0;
	assert_int_equal(suspect_next_step(&tally), SUSPECT_STEP_REST);
	tally.ended = 0;
	assert_int_equal(suspect_next_step(&tally), SUSPECT_STEP_DONE);
}

static void X14_thousands_go_by_dozens_first(void **state)
{
	(void)state;
	assert_int_equal(suspect_batch(SUSPECT_STEP_SINGLY, 2000), 36);
	assert_int_equal(suspect_batch(SUSPECT_STEP_SINGLY, 96), 1);
	assert_int_equal(suspect_batch(SUSPECT_STEP_FRESH, 2000), 1);
}

static void X13_a_bad_line_is_given_up(void **state)
{
	struct suspect_tally tally = {.losses = 20, .losses_in_a_row = 6};
	(void)state;
	assert_int_equal(suspect_next_step(&tally), SUSPECT_STEP_REST);
	tally.losses_in_a_row = 7;
	assert_int_equal(suspect_next_step(&tally), SUSPECT_STEP_GIVE_UP);
	tally.losses_in_a_row = 1;
	tally.losses = 21;
	assert_int_equal(suspect_next_step(&tally), SUSPECT_STEP_GIVE_UP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(X1_X2_a_mark_is_tried_last_and_nothing_known_with_the_others),
		cmocka_unit_test(X3_three_runs_over_an_hour_make_it_wait),
		cmocka_unit_test(X4_the_listing_with_numbers_waits_for_a_day_at_once),
		cmocka_unit_test(X5_a_clock_that_goes_back_lets_it_be_tried),
		cmocka_unit_test(X6_several_on_their_way_are_doubted),
		cmocka_unit_test(
			X7_X8_one_by_itself_is_a_candidate_and_then_it_has_ended_its_connection),
		cmocka_unit_test(X9_a_run_more_is_counted_from_the_first_one),
		cmocka_unit_test(
			X10_two_that_end_it_where_nothing_goes_through_are_the_servers_doing),
		cmocka_unit_test(
			X11_X12_first_the_rest_then_candidates_then_the_doubted_then_the_proof),
		cmocka_unit_test(X14_thousands_go_by_dozens_first),
		cmocka_unit_test(X13_a_bad_line_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
