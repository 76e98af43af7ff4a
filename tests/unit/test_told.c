/* What was not told equals nothing and lies nowhere (model/told.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailsync/model/told.h"

static void the_untold_equals_nothing(void **state)
{
	(void)state;
	assert_true(told_equal(told(0), told(0)));
	assert_false(told_equal(UNTOLD, told(0)));
	assert_false(told_equal(told(0), UNTOLD));
	assert_false(told_equal(UNTOLD, UNTOLD));
	assert_false(told_is(UNTOLD, 0));
	assert_false(told_time_equal((struct told_time){0}, (struct told_time){0}));
	assert_false(told_time_equal(told_time(0), (struct told_time){0}));
	assert_true(told_time_equal(told_time(-5), told_time(-5)));
}

static void the_untold_lies_nowhere(void **state)
{
	(void)state;
	assert_true(told_below(told(0), told(1)));
	assert_false(told_below(told(1), told(1)));
	assert_false(told_below(UNTOLD, told(1)));
	assert_false(told_below(told(0), UNTOLD));
	assert_int_equal(told_or(UNTOLD, 7), 7);
	assert_int_equal(told_or(told(0), 7), 0);
	assert_int_equal(told_time_or(told_time(0), 7), 0);
}

static void a_number_that_cannot_be_0_is_untold_by_it(void **state)
{
	(void)state;
	assert_false(told_unless_0(0).is_told);
	assert_true(told_is(told_unless_0(4), 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_untold_equals_nothing),
		cmocka_unit_test(the_untold_lies_nowhere),
		cmocka_unit_test(a_number_that_cannot_be_0_is_untold_by_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
