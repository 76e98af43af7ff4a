#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/login_rules.h"

#define NOW INT64_C(1700000000)

static const struct login_facts refused = {
	.refusals = 1,
	.refused_at = NOW,
	.now = NOW + 899,
	.is_same_secret = true,
	.is_same_server = true,
};

static void Q1_Q2_Q3_what_may_have_changed_is_tried_at_once(void **state)
{
	struct login_facts none = refused;
	struct login_facts attended = refused;
	struct login_facts other_secret = refused;
	struct login_facts other_server = refused;

	(void)state;
	assert_false(login_is_due(&refused)); /* Q5 */
	none.refusals = 0;
	assert_true(login_is_due(&none));
	attended.has_terminal = true;
	assert_true(login_is_due(&attended));
	other_secret.is_same_secret = false;
	assert_true(login_is_due(&other_secret));
	other_server.is_same_server = false;
	assert_true(login_is_due(&other_server));
}

static void Q4_the_wait_doubles_up_to_a_day(void **state)
{
	struct login_facts facts = refused;

	(void)state;
	facts.now = NOW + 900;
	assert_true(login_is_due(&facts));
	facts.refusals = 2;
	assert_false(login_is_due(&facts));
	assert_int_equal(login_next_try(&facts), NOW + 1800);
	facts.refusals = 7;
	assert_int_equal(login_next_try(&facts), NOW + 57600);
	facts.refusals = 8;
	assert_int_equal(login_next_try(&facts), NOW + 86400);
	facts.refusals = 4000000000u;
	assert_int_equal(login_next_try(&facts), NOW + 86400);
	facts.now = NOW - 1;
	assert_true(login_is_due(&facts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(Q1_Q2_Q3_what_may_have_changed_is_tried_at_once),
		cmocka_unit_test(Q4_the_wait_doubles_up_to_a_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
