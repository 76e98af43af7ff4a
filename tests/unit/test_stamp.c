#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/model/stamp.h"

static const struct stamp sample = {
	.dirs = {{1, 2, 3000000000, 3000000001}, {1, 3, -4, 5}, {1, 4, 6, 7}},
	.taken_ns = 6000000000,
};

static void stamp_survives_its_text_form(void **state)
{
	struct stamp extreme = {0}, again;
	char text[STAMP_TEXT_SIZE];
	(void)state;
	stamp_format(&sample, text);
	assert_string_equal(text, "1:2:3000000000:3000000001 1:3:-4:5 1:4:6:7 6000000000");
	assert_true(stamp_parse(span_of(text), &again));
	assert_true(stamp_equal(&sample, &again));
	assert_int_equal(again.taken_ns, sample.taken_ns);
	for (int i = 0; i < STAMP_DIRS; i++) {
		extreme.dirs[i] =
			(struct stamp_dir){UINT64_MAX, UINT64_MAX, -INT64_MAX, -INT64_MAX};
	}
	extreme.taken_ns = -INT64_MAX;
	stamp_format(&extreme, text);
	assert_true(stamp_parse(span_of(text), &again));
	assert_true(stamp_equal(&extreme, &again));
}

static void a_stamp_that_is_heard_is_proven_after_a_tick(void **state)
{
	struct stamp stamp = sample, again;
	char text[STAMP_TEXT_SIZE];
	(void)state;
	stamp.taken_ns = 3000000001 + STAMP_TICK_NS;
	assert_false(stamp_is_proven(&stamp));
	stamp.is_heard = true;
	assert_true(stamp_is_proven(&stamp));
	stamp_format(&stamp, text);
	assert_string_equal(text, "1:2:3000000000:3000000001 1:3:-4:5 1:4:6:7 3020000001h");
	assert_true(stamp_parse(span_of(text), &again));
	assert_true(again.is_heard && stamp_is_proven(&again));
	stamp.taken_ns--;
	assert_false(stamp_is_proven(&stamp));
}

static void stamp_refuses_other_text(void **state)
{
	static const char *const bad[] = {
		"",
		"1:2:3:4",
		"1:2:3:4 1:3:4:5 1:4:6:7",
		"1:2:3:4 1:3:4:5 1:4:6:7 ",
		"1:2:3:4 1:3:4:5 1:4:6:7 8 ",
		"1:2:3 1:3:4:5 1:4:6:7 8",
		"-1:2:3:4 1:3:4:5 1:4:6:7 8",
		"1:2:3:9223372036854775808 1:3:4:5 1:4:6:7 8",
		"1:2:3:--4 1:3:4:5 1:4:6:7 8",
		"18446744073709551616:2:3:4 1:3:4:5 1:4:6:7 8",
		"1:2:3:4 1:3:4:5 1:4:6:7 8hh",
		"1:2:3:4 1:3:4:5 1:4:6:7 h",
	};
	struct stamp again;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (stamp_parse(span_of(bad[i]), &again)) {
			fail_msg("taken: \"%s\"", bad[i]);
		}
	}
}

static void stamp_differs_in_any_part_but_the_time_it_was_taken(void **state)
{
	(void)state;
	for (int i = 0; i < STAMP_DIRS; i++) {
		struct stamp other = sample;
		other.taken_ns++;
		assert_true(stamp_equal(&sample, &other));
		other.dirs[i].ctime_ns++;
		assert_false(stamp_equal(&sample, &other));
		other = sample;
		other.dirs[i].inode++;
		assert_false(stamp_equal(&sample, &other));
	}
}

static void stamp_is_proven_two_seconds_after_the_last_change(void **state)
{
	struct stamp stamp = sample;
	(void)state;
	stamp.taken_ns = 3000000001 + STAMP_SETTLE_NS;
	assert_true(stamp_is_proven(&stamp));
	stamp.taken_ns--;
	assert_false(stamp_is_proven(&stamp));
	stamp = sample;
	stamp.dirs[2].mtime_ns = stamp.taken_ns + 1; /* the future */
	assert_false(stamp_is_proven(&stamp));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamp_survives_its_text_form),
		cmocka_unit_test(a_stamp_that_is_heard_is_proven_after_a_tick),
		cmocka_unit_test(stamp_refuses_other_text),
		cmocka_unit_test(stamp_differs_in_any_part_but_the_time_it_was_taken),
		cmocka_unit_test(stamp_is_proven_two_seconds_after_the_last_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
