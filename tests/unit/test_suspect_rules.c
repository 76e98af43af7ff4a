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
	const struct suspect_mark mark = {.runs = runs, .first_at = first_at, .last_at = last_at};
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

static const struct suspect_loss together = {.act = SUSPECT_AT_FETCH, .end = ERR_END_CUT};

static enum suspect_stage after_together(enum suspect_stage stage)
{
	struct suspect_mark mark = {0};
	return suspect_after_loss(stage, &mark, &together);
}

static void X6_several_on_their_way_are_doubted(void **state)
{
	struct suspect_mark mark = {.runs = 1};
	(void)state;
	assert_int_equal(after_together(SUSPECT_CLEARED), SUSPECT_DOUBTED);
	assert_int_equal(suspect_after_loss(SUSPECT_KNOWN, &mark, &together), SUSPECT_DOUBTED);
	assert_int_equal(after_together(SUSPECT_CANDIDATE), SUSPECT_CANDIDATE);
	assert_int_equal(mark.losses, 0);
}

/* How many connections in a row it takes, whose ends lie so far apart. */
static unsigned losses_until_ended(enum suspect_act act, enum err_end end, uint64_t first,
				   uint64_t apart)
{
	struct suspect_loss loss = {.was_alone = true, .act = act, .end = end, .end_at = first};
	struct suspect_mark mark = {0};
	enum suspect_stage stage = SUSPECT_DOUBTED;
	while ((stage = suspect_after_loss(stage, &mark, &loss)) == SUSPECT_CANDIDATE) {
		loss.end_at += apart;
	}
	assert_int_equal(stage, SUSPECT_ENDED);
	return mark.losses;
}

static void X7_X8_three_that_end_at_one_place_or_eight(void **state)
{
	(void)state;
	assert_int_equal(losses_until_ended(SUSPECT_AT_FETCH, ERR_END_CUT, 0, 0), 3);
	assert_int_equal(losses_until_ended(SUSPECT_AT_FETCH, ERR_END_CUT, 0, 16), 3);
	assert_int_equal(losses_until_ended(SUSPECT_AT_FETCH, ERR_END_CUT, 0, 100), 8);
	assert_int_equal(losses_until_ended(SUSPECT_AT_RETR, ERR_END_CUT, 1000000, 10000), 3);
	assert_int_equal(losses_until_ended(SUSPECT_AT_RETR, ERR_END_SILENT, 5000, 10), 3);
	assert_int_equal(losses_until_ended(SUSPECT_AT_RETR, ERR_END_SILENT, 5000, 500), 8);
	assert_int_equal(losses_until_ended(SUSPECT_AT_OPEN, ERR_END_SAID, 0, 500), 3);
	/* nobody knows how much of it went up */
	assert_int_equal(losses_until_ended(SUSPECT_AT_APPEND, ERR_END_CUT, 0, 0), 8);
	assert_int_equal(losses_until_ended(SUSPECT_AT_APPEND, ERR_END_SILENT, 0, 0), 3);
	assert_int_equal(losses_until_ended(SUSPECT_AT_APPEND, ERR_END_SAID, 0, 0), 3);
}

static void X8_the_first_one_may_be_another_ones_doing(void **state)
{
	struct suspect_loss loss = {.was_alone = true, .end = ERR_END_SILENT};
	struct suspect_mark mark = {0};
	(void)state;
	assert_int_equal(suspect_after_loss(SUSPECT_CLEARED, &mark, &loss), SUSPECT_CANDIDATE);
	loss = (struct suspect_loss){.was_alone = true, .end = ERR_END_CUT, .end_at = 700};
	assert_int_equal(suspect_after_loss(SUSPECT_CANDIDATE, &mark, &loss), SUSPECT_CANDIDATE);
	assert_int_equal(suspect_after_loss(SUSPECT_CANDIDATE, &mark, &loss), SUSPECT_ENDED);
}

static void X8_once_is_enough_of_what_an_earlier_run_confirmed(void **state)
{
	const struct suspect_loss loss = {.was_alone = true, .end = ERR_END_CUT, .end_at = 700};
	struct suspect_mark mark = {.runs = 1};
	(void)state;
	assert_int_equal(suspect_after_loss(SUSPECT_KNOWN, &mark, &loss), SUSPECT_ENDED);
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
		cmocka_unit_test(X7_X8_three_that_end_at_one_place_or_eight),
		cmocka_unit_test(X8_the_first_one_may_be_another_ones_doing),
		cmocka_unit_test(X8_once_is_enough_of_what_an_earlier_run_confirmed),
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
