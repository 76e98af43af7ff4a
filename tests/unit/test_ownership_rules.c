/* Whose Maildir it is: O1 to O9 of rules/guard_rules.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rules/guard_rules.h"

/* A root and a database that belong together. */
static const struct ownership_facts ours = {
	.generation = 7,
	.has_id = true,
	.id_generation = 7,
	.last_run = RUN_END_PROPER,
};

static void another_account_s_root_is_refused(void **state) /* O1 */
{
	struct ownership_facts facts = ours;

	(void)state;
	facts.is_other_account = true;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_REFUSED);
	facts.generation = 0;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_REFUSED);
	facts.has_id = false;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_NEW);
}

static void a_database_that_never_claimed_is_new(void **state) /* O2 */
{
	struct ownership_facts facts = {.has_mailboxes = true};

	(void)state;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_NEW);
	facts.has_id = true;
	facts.is_other_database = true;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_NEW);
}

static void a_filled_root_without_id_is_another_tree(void **state) /* O3 */
{
	struct ownership_facts facts = ours;

	(void)state;
	facts.has_id = false;
	facts.has_mailboxes = true;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_FORGET);
}

static void an_empty_root_without_id_keeps_base(void **state) /* O4 */
{
	struct ownership_facts facts = ours;

	(void)state;
	facts.has_id = false;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_OURS);
	facts.has_mailboxes = true;
	facts.last_run = RUN_END_CLAIMING;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_OURS);
}

static void what_is_of_another_time_is_forgotten(void **state) /* O5 */
{
	struct ownership_facts facts = ours;

	(void)state;
	facts.is_other_database = true;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_FORGET);
	facts = ours;
	facts.id_generation = 8;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_FORGET);
	facts.id_generation = 6;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_FORGET);
	facts.last_run = RUN_END_CLAIMING;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_OURS);
	facts.id_generation = 5;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_FORGET);
}

static void what_the_other_protocol_left_is_forgotten(void **state) /* O6 */
{
	struct ownership_facts facts = ours;

	(void)state;
	facts.is_other_protocol = true;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_FORGET_PROTOCOL);
	facts.is_other_database = true;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_FORGET);
}

static void what_fits_is_ours(void **state) /* O7 */
{
	struct ownership_facts facts = ours;

	(void)state;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_OURS);
	facts.last_run = RUN_END_CUT;
	assert_int_equal(ownership_verdict(&facts), OWNERSHIP_OURS);
}

static void power_was_lost_under_another_boot(void **state) /* O8 */
{
	struct ownership_facts facts = ours;

	(void)state;
	assert_false(ownership_lost_power(&facts));
	facts.has_unsynced = true;
	assert_true(ownership_lost_power(&facts));
	facts.is_same_boot = true;
	assert_false(ownership_lost_power(&facts));
}

static void a_run_was_cut_that_did_not_say_it_ended(void **state) /* O9 */
{
	struct ownership_facts facts = ours;

	(void)state;
	assert_false(ownership_was_unclean(&facts));
	facts.last_run = RUN_END_NONE;
	assert_false(ownership_was_unclean(&facts));
	facts.last_run = RUN_END_CUT;
	assert_true(ownership_was_unclean(&facts));
	facts.last_run = RUN_END_CLAIMING;
	assert_true(ownership_was_unclean(&facts));
	facts = ours;
	facts.has_unsynced = true;
	assert_true(ownership_was_unclean(&facts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_account_s_root_is_refused),
		cmocka_unit_test(a_database_that_never_claimed_is_new),
		cmocka_unit_test(a_filled_root_without_id_is_another_tree),
		cmocka_unit_test(an_empty_root_without_id_keeps_base),
		cmocka_unit_test(what_is_of_another_time_is_forgotten),
		cmocka_unit_test(what_the_other_protocol_left_is_forgotten),
		cmocka_unit_test(what_fits_is_ours),
		cmocka_unit_test(power_was_lost_under_another_boot),
		cmocka_unit_test(a_run_was_cut_that_did_not_say_it_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
