#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/silence_rules.h"

#define NOW      INT64_C(1700000000)
#define PATIENCE 3600

/* One more failure, AFTER seconds later than NOW. */
static bool bears(struct silence_failures *failures, int64_t after)
{
	const struct silence_facts facts = {
		.now = NOW + after, .patience_s = PATIENCE, .was_synced = true};
	return silence_bears(failures, &facts);
}

static void Y1_failures_are_borne_until_patience_has_passed(void **state)
{
	struct silence_failures failures = {0};
	(void)state;
	for (int64_t after = 0; after < PATIENCE; after += 300) {
		assert_true(bears(&failures, after));
	}
	assert_true(bears(&failures, PATIENCE - 1));
	assert_false(bears(&failures, PATIENCE));
	assert_false(bears(&failures, PATIENCE + 300));
	/* A success. */
	failures = (struct silence_failures){0};
	assert_true(bears(&failures, PATIENCE + 600));
}

static void Y1_Y2_without_patience_or_a_sync_it_is_said_at_once(void **state)
{
	struct silence_failures failures = {0};
	struct silence_facts facts = {.now = NOW, .patience_s = PATIENCE};
	(void)state;
	assert_false(silence_bears(&failures, &facts));
	facts.was_synced = true;
	facts.patience_s = 0;
	assert_false(silence_bears(&failures, &facts));
}

static void Y3_a_machine_that_slept_begins_anew_once(void **state)
{
	struct silence_failures failures = {0};
	(void)state;
	assert_true(bears(&failures, 0));
	assert_true(bears(&failures, 8 * PATIENCE));
	assert_true(bears(&failures, 9 * PATIENCE - 1));
	assert_false(bears(&failures, 9 * PATIENCE));
	assert_false(bears(&failures, 20 * PATIENCE));
	assert_false(bears(&failures, 40 * PATIENCE));
	failures = (struct silence_failures){0};
	assert_true(bears(&failures, 41 * PATIENCE));
	assert_true(bears(&failures, 50 * PATIENCE));
}

static void Y3_runs_as_far_apart_as_patience_lasts_are_no_gap(void **state)
{
	struct silence_failures failures = {0};
	(void)state;
	assert_true(bears(&failures, 0));
	assert_false(bears(&failures, PATIENCE));
}

static void Y4_a_clock_that_went_back_makes_nobody_wait_longer(void **state)
{
	struct silence_failures failures = {0};
	(void)state;
	assert_true(bears(&failures, 0));
	assert_true(bears(&failures, -86400));
	assert_true(bears(&failures, -86400 + PATIENCE - 1));
	assert_false(bears(&failures, -86400 + PATIENCE));
}

static void Y5_what_is_held_is_said_when_it_changes_and_once_a_day(void **state)
{
	const struct silence_held said = {.number = 12, .at = NOW};
	(void)state;
	assert_true(silence_knows_held(&said, 12, NOW));
	assert_true(silence_knows_held(&said, 12, NOW + 86399));
	assert_false(silence_knows_held(&said, 12, NOW + 86400));
	assert_false(silence_knows_held(&said, 13, NOW + 1));
	assert_false(silence_knows_held(&said, 11, NOW + 1));
	assert_false(silence_knows_held(&said, 12, NOW - 1)); /* the clock went back */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(Y1_failures_are_borne_until_patience_has_passed),
		cmocka_unit_test(Y1_Y2_without_patience_or_a_sync_it_is_said_at_once),
		cmocka_unit_test(Y3_a_machine_that_slept_begins_anew_once),
		cmocka_unit_test(Y3_runs_as_far_apart_as_patience_lasts_are_no_gap),
		cmocka_unit_test(Y4_a_clock_that_went_back_makes_nobody_wait_longer),
		cmocka_unit_test(Y5_what_is_held_is_said_when_it_changes_and_once_a_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
