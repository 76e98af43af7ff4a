/* When an account that is watched does what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailsync/watch/schedule.h"

#define START    1000000
#define INTERVAL 300000

static struct schedule begin(bool hears)
{
	const struct schedule_params params = {.interval_ms = INTERVAL, .hears = hears};
	struct schedule schedule;

	schedule_init(&schedule, &params, START, 7);
	return schedule;
}

/* One that was synced well at START. */
static struct schedule synced(bool hears)
{
	struct schedule schedule = begin(hears);

	schedule_begun(&schedule, TASK_SYNC);
	schedule_synced(&schedule, START, END_WELL, 0);
	schedule_looked(&schedule, START);
	return schedule;
}

/* How long after NOW it fails COUNT times in a row until the next try. */
static int64_t pause_after(enum schedule_end end, unsigned count)
{
	struct schedule schedule = synced(false);

	for (unsigned i = 0; i < count; i++) {
		schedule_begun(&schedule, TASK_SYNC);
		schedule_synced(&schedule, START, end, 0);
	}
	return schedule_next_ms(&schedule) - START;
}

static void it_begins_with_a_sync_and_then_looks_each_interval(void **state)
{
	struct schedule schedule = begin(false);

	(void)state;
	assert_int_equal(schedule_task(&schedule, START), TASK_SYNC);
	schedule_begun(&schedule, TASK_SYNC);
	assert_int_equal(schedule_task(&schedule, START + INTERVAL), TASK_NONE);
	assert_true(schedule_next_ms(&schedule) == SCHEDULE_NEVER);
	schedule_synced(&schedule, START + 5, END_WELL, 0);
	schedule_looked(&schedule, START + 5);
	assert_int_equal(schedule_next_ms(&schedule), START + 5 + INTERVAL);
	assert_int_equal(schedule_task(&schedule, START + 4 + INTERVAL), TASK_NONE);
	assert_int_equal(schedule_task(&schedule, START + 5 + INTERVAL), TASK_SYNC);
}

static void events_are_gathered_until_it_is_quiet_but_not_for_ever(void **state)
{
	struct schedule schedule = synced(false);
	int64_t now = START + 60000;

	(void)state;
	schedule_event(&schedule, now, FROM_HERE);
	assert_int_equal(schedule_next_ms(&schedule), now + 200);
	schedule_event(&schedule, now + 150, FROM_HERE);
	assert_int_equal(schedule_next_ms(&schedule), now + 350);
	for (int i = 0; i < 100; i++) {
		schedule_event(&schedule, now + 150 + i * 100, FROM_HERE);
	}
	assert_int_equal(schedule_next_ms(&schedule), now + 2000);
	schedule_begun(&schedule, TASK_SYNC);
	schedule_synced(&schedule, now + 2100, END_WELL, 0);
	schedule_looked(&schedule, now + 2100);
	assert_int_equal(schedule_next_ms(&schedule), now + 2100 + INTERVAL);
}

static void a_sync_that_left_something_unseen_puts_off_no_look(void **state)
{
	struct schedule schedule = synced(false);
	int64_t now = START + INTERVAL - 500;

	(void)state;
	schedule_event(&schedule, now, FROM_SERVER);
	schedule_begun(&schedule, TASK_SYNC);
	schedule_synced(&schedule, now + 100, END_WELL, 0);
	assert_int_equal(schedule_next_ms(&schedule), START + INTERVAL);
	schedule_looked(&schedule, now + 100);
	assert_int_equal(schedule_next_ms(&schedule), now + 100 + INTERVAL);
}

static void a_server_that_says_one_thing_is_heard_at_once(void **state)
{
	struct schedule schedule = synced(false);

	(void)state;
	schedule_event(&schedule, START + 60000, FROM_SERVER);
	assert_in_range(schedule_next_ms(&schedule) - START - 60000, 1, 50);
	schedule_begun(&schedule, TASK_SYNC);
	schedule_event(&schedule, START + 60100, FROM_SERVER); /* amid the sync: once more */
	schedule_synced(&schedule, START + 60150, END_WELL, 0);
	schedule_looked(&schedule, START + 60150);
	assert_int_equal(schedule_next_ms(&schedule), START + 60300);
}

static void failures_are_tried_again_less_and_less_often(void **state)
{
	(void)state;
	assert_in_range(pause_after(END_TEMPORARY, 1), 500, 1000);
	assert_in_range(pause_after(END_TEMPORARY, 3), 2000, 4000);
	assert_in_range(pause_after(END_TEMPORARY, 50), 150000, 300000);
	assert_in_range(pause_after(END_REFUSED, 1), 15000, 30000);
	assert_in_range(pause_after(END_REFUSED, 50), 450000, 900000);
	assert_in_range(pause_after(END_LOCKED, 1), 100, 250);
	assert_in_range(pause_after(END_LOCKED, 50), 1000, 5000);
	assert_in_range(pause_after(END_LOGIN, 1), 1000, INTERVAL);
}

static void events_do_not_shorten_a_pause_but_the_user_and_a_wake_do(void **state)
{
	struct schedule schedule = synced(false);

	(void)state;
	for (int i = 0; i < 20; i++) {
		schedule_begun(&schedule, TASK_SYNC);
		schedule_synced(&schedule, START, END_TEMPORARY, 0);
	}
	schedule_event(&schedule, START + 10, FROM_SERVER);
	schedule_event(&schedule, START + 10, FROM_HERE);
	assert_true(schedule_next_ms(&schedule) > START + 100000);
	struct schedule other = schedule;
	schedule_event(&schedule, START + 20, FROM_USER);
	assert_int_equal(schedule_task(&schedule, START + 20), TASK_SYNC);
	schedule_event(&other, START + 20, FROM_WAKE);
	assert_in_range(schedule_next_ms(&other), START + 20, START + 2020);
}

static void a_server_that_asks_for_time_gets_it(void **state)
{
	struct schedule schedule = synced(false);

	(void)state;
	schedule_begun(&schedule, TASK_SYNC);
	schedule_synced(&schedule, START, END_TEMPORARY, 299961);
	assert_int_equal(schedule_next_ms(&schedule), START + 299961);
}

static void the_server_is_heard_once_a_sync_went_well_and_again_when_it_is_lost(void **state)
{
	struct schedule schedule = begin(true);

	(void)state;
	schedule_begun(&schedule, TASK_SYNC);
	schedule_synced(&schedule, START, END_TEMPORARY, 0);
	assert_int_equal(schedule_task(&schedule, START), TASK_NONE);
	schedule = synced(true);
	assert_int_equal(schedule_task(&schedule, START), TASK_CONNECT);
	schedule_begun(&schedule, TASK_CONNECT);
	schedule_connected(&schedule, START, END_WELL, 0);
	assert_int_equal(schedule_task(&schedule, START + 10), TASK_NONE);
	/* One that is cut again and again is made less and less often. */
	for (int i = 0; i < 20; i++) {
		schedule_lost(&schedule, START + 20, 0);
		schedule_connected(&schedule, START + 20, END_WELL, 0);
	}
	schedule_lost(&schedule, START + 20, 0);
	assert_int_equal(schedule_task(&schedule, START + 100000), TASK_NONE);
	/* One that lived is made at once. */
	schedule_connected(&schedule, START, END_WELL, 0);
	schedule_lost(&schedule, START + 3600000, 0);
	assert_int_equal(schedule.connect.not_before_ms - START > 3600500 - 1, 1);
	assert_true(schedule.connect.not_before_ms <= START + 3601000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_begins_with_a_sync_and_then_looks_each_interval),
		cmocka_unit_test(events_are_gathered_until_it_is_quiet_but_not_for_ever),
		cmocka_unit_test(a_sync_that_left_something_unseen_puts_off_no_look),
		cmocka_unit_test(a_server_that_says_one_thing_is_heard_at_once),
		cmocka_unit_test(failures_are_tried_again_less_and_less_often),
		cmocka_unit_test(events_do_not_shorten_a_pause_but_the_user_and_a_wake_do),
		cmocka_unit_test(a_server_that_asks_for_time_gets_it),
		cmocka_unit_test(
			the_server_is_heard_once_a_sync_went_well_and_again_when_it_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
