/* The brake's judgement: B1 to B10 of rules/brake.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rules/brake.h"

static enum side held(uint64_t local, uint64_t remote, uint64_t agreed, unsigned percent)
{
	struct brake_count count = {.local = local, .remote = remote, .agreed = agreed};

	return brake_sides(&count, percent);
}

static void brake_needs_more_than_ten_and_more_than_the_share(void **state) /* B1 */
{
	(void)state;
	assert_int_equal(held(10, 0, 10, 50), SIDE_NONE);
	assert_int_equal(held(11, 0, 21, 50), SIDE_LOCAL);
	assert_int_equal(held(11, 0, 22, 50), SIDE_NONE);
	assert_int_equal(held(100, 0, 100, 100), SIDE_NONE);
	assert_int_equal(held(100, 0, 0, 100), SIDE_NONE);
	assert_int_equal(held(11, 0, 100000, 0), SIDE_LOCAL);
}

static void brake_judges_each_side_by_itself(void **state) /* B1 */
{
	(void)state;
	assert_int_equal(held(0, 11, 21, 50), SIDE_REMOTE);
	assert_int_equal(held(11, 11, 21, 50), SIDE_BOTH);
	assert_int_equal(held(11, 10, 21, 50), SIDE_LOCAL);
}

static void brake_is_near_from_eleven_deletions_on(void **state) /* B1 */
{
	(void)state;
	assert_false(brake_is_near(&(struct brake_count){.local = 10, .remote = 10}));
	assert_true(brake_is_near(&(struct brake_count){.local = 11}));
	assert_true(brake_is_near(&(struct brake_count){.remote = 11}));
}

static void brake_of_the_account_has_not_what_a_mailbox_holds(void **state) /* B2 */
{
	struct brake_count total = {0};
	struct brake_count count = {.local = 8, .remote = 7, .agreed = 10, .held_agreed = 2};

	(void)state;
	brake_add(&total, &count, SIDE_LOCAL);
	assert_int_equal(total.local, 0);
	assert_int_equal(total.remote, 7);
	brake_add(&total, &count, SIDE_NONE);
	assert_int_equal(total.local, 8);
	assert_int_equal(total.remote, 14);
	assert_int_equal(total.held_agreed, 4);
	assert_int_equal(total.agreed, 0); /* counted over all mailboxes, these or not */
}

static void a_mailbox_to_be_removed_counts_whole(void **state) /* B3 */
{
	struct brake_count count = brake_of_removal(SIDE_REMOTE, 12);

	(void)state;
	assert_int_equal(count.remote, 12);
	assert_int_equal(count.local, 0);
	assert_int_equal(brake_sides(&count, 50), SIDE_REMOTE);
	count = brake_of_removal(SIDE_LOCAL, 12);
	assert_int_equal(brake_sides(&count, 50), SIDE_LOCAL);
	count = brake_of_removal(SIDE_LOCAL, 10);
	assert_int_equal(brake_sides(&count, 50), SIDE_NONE);
}

static void what_is_held_is_not_judged_again(void **state) /* B4 */
{
	struct brake_count count = {.local = 5, .held_local = 30, .agreed = 40};

	(void)state;
	assert_int_equal(brake_sides(&count, 50), SIDE_NONE);
	assert_false(brake_is_near(&count));
}

static void only_the_user_lets_go_what_was_held(void **state) /* B5 */
{
	struct brake_count count = brake_of_held_removal(SIDE_REMOTE, 30);

	(void)state;
	assert_int_equal(count.held_remote, 30);
	assert_int_equal(count.held_agreed, 30);
	assert_int_equal(brake_sides(&count, 50), SIDE_NONE);
	assert_false(brake_is_off(false, 99)); /* a higher limit is no word */
	assert_true(brake_is_off(false, 100));
	assert_true(brake_is_off(true, 0));
}

static void what_was_deleted_lately_counts_too(void **state) /* B7 */
{
	struct brake_count count = {.remote = 1, .recent_remote = 10, .agreed = 11};

	(void)state;
	assert_true(brake_is_near(&count));
	assert_int_equal(brake_sides(&count, 50), SIDE_REMOTE); /* 11 of 21 */
	count.agreed = 12;
	assert_int_equal(brake_sides(&count, 50), SIDE_NONE); /* 11 of 22 */
	count = (struct brake_count){.recent_remote = 50, .recent_local = 50, .agreed = 1};
	assert_int_equal(brake_sides(&count, 50), SIDE_NONE); /* nothing is to be deleted */
	assert_false(brake_is_near(&count));
	count.local = 1;
	assert_int_equal(brake_sides(&count, 50), SIDE_LOCAL);
}

static void what_this_run_deleted_counts_however_long_it_takes(void **state) /* B7 */
{
	(void)state;
	assert_int_equal(brake_recent_from(1000, 1030), 970);
	assert_int_equal(brake_recent_from(1000, 1060), 1000);
	assert_int_equal(brake_recent_from(1000, 5000), 1000);
	assert_int_equal(brake_recent_from(1000, 500), 440); /* the clock went back */
}

static void a_folder_that_went_with_all_its_messages_is_held(void **state) /* B9 */
{
	const struct brake_shape all = {.has_parts = true, .present = 2, .gone = 2};
	struct brake_shape shape = all;

	(void)state;
	assert_false(brake_holds_gone(&shape, 50)); /* rm * */
	shape.is_other_folder = true;
	assert_true(brake_holds_gone(&shape, 50));
	assert_true(brake_holds_gone(&shape, 99));
	assert_false(brake_holds_gone(&shape, 100));
	shape.gone = 1; /* one is still there */
	assert_false(brake_holds_gone(&shape, 50));
	shape.present = 1; /* one message, deleted */
	assert_false(brake_holds_gone(&shape, 50));
	shape = all;
	shape.has_parts = false;
	assert_true(brake_holds_gone(&shape, 50));
	shape.gone = 0; /* moved to another disk */
	assert_false(brake_holds_gone(&shape, 50));
}

static void a_part_that_went_with_its_messages_is_held(void **state) /* B9 */
{
	struct brake_shape shape = {.present = 8, .gone = 5}; /* the others are in the other part */

	(void)state;
	assert_true(brake_holds_gone(&shape, 50));
	shape.gone = 1;
	assert_false(brake_holds_gone(&shape, 50));
	shape = (struct brake_shape){.has_parts = true,
				     .is_other_folder = true,
				     .is_other_cur = true,
				     .present = 8,
				     .gone = 5};
	assert_true(brake_holds_gone(&shape, 50));
	shape.in_cur = 3; /* a restored one, from which five were deleted */
	assert_false(brake_holds_gone(&shape, 50));
	shape.in_cur = 0;
	shape.is_other_cur = false; /* all of the folder was restored, and has unread mail only */
	assert_false(brake_holds_gone(&shape, 50));
}

static void flags_cleared_by_standing_in_new_are_held(void **state) /* B10 */
{
	struct brake_shape shape = {.has_parts = true, .present = 20, .cleared = 11};

	(void)state;
	assert_true(brake_holds_cleared(&shape, 50));
	assert_false(brake_holds_cleared(&shape, 55));
	assert_false(brake_holds_cleared(&shape, 100));
	shape.cleared = 10;
	assert_false(brake_holds_cleared(&shape, 0));
	assert_false(brake_holds_gone(&shape, 0));
}

static void brake_is_off_when_the_user_says_so(void **state) /* B6 */
{
	(void)state;
	assert_true(brake_is_off(true, 50));
	assert_true(brake_is_off(false, 100));
	assert_false(brake_is_off(false, 99));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brake_needs_more_than_ten_and_more_than_the_share),
		cmocka_unit_test(brake_judges_each_side_by_itself),
		cmocka_unit_test(brake_is_near_from_eleven_deletions_on),
		cmocka_unit_test(brake_of_the_account_has_not_what_a_mailbox_holds),
		cmocka_unit_test(a_mailbox_to_be_removed_counts_whole),
		cmocka_unit_test(what_is_held_is_not_judged_again),
		cmocka_unit_test(only_the_user_lets_go_what_was_held),
		cmocka_unit_test(what_was_deleted_lately_counts_too),
		cmocka_unit_test(what_this_run_deleted_counts_however_long_it_takes),
		cmocka_unit_test(a_folder_that_went_with_all_its_messages_is_held),
		cmocka_unit_test(a_part_that_went_with_its_messages_is_held),
		cmocka_unit_test(flags_cleared_by_standing_in_new_are_held),
		cmocka_unit_test(brake_is_off_when_the_user_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
