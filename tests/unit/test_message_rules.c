/* What is decided about messages beside the plan itself: R16, R17, R24 and R25 of
 * rules/message_rules.h, the policy in force (P1 to P4 of rules/policy.h), and answers to uploads
 * (U1 to U10 of rules/transfer_rules.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mailsync/model/flags.h"
#include "rules/policy.h"
#include "rules/transfer_rules.h"

static void local_flags_are_the_system_s_and_those_with_a_letter(void **state) /* R16 */
{
	struct plan_facts mailbox = {.local_keywords = FLAG_KEYWORD(1)};

	(void)state;
	assert_true(message_local_flags(&mailbox) == (FLAGS_SYSTEM | FLAG_KEYWORD(1)));
}

static void remote_flags_are_the_permanent_ones(void **state) /* R17 */
{
	struct plan_facts mailbox = {.permanent_flags = FLAG_SEEN | FLAG_KEYWORD(2)};

	(void)state;
	assert_true(message_remote_flags(&mailbox) == (FLAG_SEEN | FLAG_KEYWORD(2)));
	mailbox.permanent_any = true;
	assert_true(message_remote_flags(&mailbox) == (FLAG_SEEN | FLAG_FORWARDED | ~FLAGS_SYSTEM));
	mailbox.keeps_keywords = true; /* `keywords = pull` */
	assert_true(message_remote_flags(&mailbox) == (FLAG_SEEN | FLAG_FORWARDED));
}

static void idle_is_a_mailbox_with_nothing_to_settle(void **state) /* R24 */
{
	struct idle_facts facts = {.is_active = true, .in_base = true};

	(void)state;
	assert_true(message_is_idle(&facts));
	facts.pending = 1;
	assert_false(message_is_idle(&facts));
	facts.was_left = true;
	assert_true(message_is_idle(&facts));
	facts.has_intents = true;
	assert_false(message_is_idle(&facts));
	facts.is_active = false;
	assert_true(message_is_idle(&facts));
	facts.is_active = true;
	facts.in_base = false;
	assert_true(message_is_idle(&facts));
}

static void settled_rows_count_where_expunge_may_take_them(void **state) /* R24 */
{
	struct idle_facts facts = {.is_active = true, .in_base = true, .expunge = SIDE_REMOTE};

	(void)state;
	assert_false(message_is_idle(&facts));
	facts.was_left = true;
	assert_true(message_is_idle(&facts));
}

static void left_out_is_a_row_that_others_look_after(void **state) /* R25 */
{
	struct left_out_facts facts = {0};
	struct row row;

	(void)state;
	row_init(&row);
	assert_false(message_is_left_out(&row, &facts));
	facts.is_of_move = true;
	assert_true(message_is_left_out(&row, &facts));
	facts = (struct left_out_facts){.has_intent = true};
	assert_true(message_is_left_out(&row, &facts));
	facts = (struct left_out_facts){.is_moving = true};
	assert_false(message_is_left_out(&row, &facts));
	row.local = MESSAGE_GONE;
	assert_true(message_is_left_out(&row, &facts));
	facts = (struct left_out_facts){.is_later_round = true};
	assert_false(message_is_left_out(&row, &facts));
	row.reason = REASON_FAILED;
	assert_true(message_is_left_out(&row, &facts));
	facts.is_later_round = false;
	assert_false(message_is_left_out(&row, &facts));
}

static void sum_of_plans_tells_what_each_does(void **state)
{
	struct op held = {.kind = OP_HOLD, .reason = REASON_TOO_LARGE};
	struct op copied[2] = {{.kind = OP_DOWNLOAD}, {.kind = OP_UPLOAD}};
	struct op braked = {.kind = OP_HOLD, .reason = REASON_BRAKE};
	struct message_plan plan = {.ops = &held, .count = 1, .skipped = 1};
	const struct row sized = {.size = {.is_told = true, .number = 100}}, unsized = {0};
	struct plan_sum sum = {0};

	(void)state;
	plan_sum_add(&sum, &plan, &sized);
	assert_int_equal(sum.shape, PLAN_IDLE);
	assert_int_equal(sum.skipped, 1);
	assert_false(sum.holds_others);
	plan = (struct message_plan){.ops = copied, .count = 2, .deletes = {.local = 3}};
	plan_sum_add(&sum, &plan, &sized);
	assert_int_equal(sum.shape, PLAN_MIXED);
	assert_int_equal(sum.copies, 2);
	assert_int_equal(sum.copy_bytes, 200);
	assert_false(sum.has_unsized);
	plan.deletes = (struct brake_count){0};
	plan_sum_add(&sum, &plan, &unsized);
	assert_true(sum.has_unsized);
	plan = (struct message_plan){
		.ops = &braked, .count = 1, .deletes = {.local = 4, .held_remote = 1}};
	plan_sum_add(&sum, &plan, &sized);
	assert_int_equal(sum.shape, PLAN_MIXED);
	assert_true(sum.holds_others);
	assert_int_equal(sum.deletes.local, 7);
	assert_int_equal(sum.deletes.held_remote, 1);
	assert_int_equal(sum.skipped, 1);
}

static void shape_tells_downloads_from_all_else(void **state)
{
	struct op ops[2] = {{.kind = OP_HOLD}, {.kind = OP_DOWNLOAD}};
	struct message_plan plan = {.ops = ops};

	(void)state;
	assert_int_equal(message_plan_shape(&plan), PLAN_IDLE);
	plan.count = 1;
	assert_int_equal(message_plan_shape(&plan), PLAN_IDLE);
	plan.count = 2;
	assert_int_equal(message_plan_shape(&plan), PLAN_DOWNLOADS);
	ops[0].kind = OP_UPLOAD;
	assert_int_equal(message_plan_shape(&plan), PLAN_MIXED);
	ops[0].kind = OP_DOWNLOAD;
	ops[1].kind = OP_FORGET;
	assert_int_equal(message_plan_shape(&plan), PLAN_MIXED);
}

static void a_retry_is_a_plan_of_what_failed_before(void **state) /* R32 */
{
	struct op ops[2] = {{.kind = OP_UPLOAD, .row = 0}, {.kind = OP_HOLD, .row = 1}};
	struct message_plan plan = {.ops = ops, .count = 2};
	struct row rows[2];

	(void)state;
	row_init(&rows[0]);
	row_init(&rows[1]);
	assert_false(message_plan_is_retry(&plan, rows));
	rows[0].reason = REASON_FAILED;
	assert_true(message_plan_is_retry(&plan, rows));
	ops[0].kind = OP_FLAGS_REMOTE;
	assert_true(message_plan_is_retry(&plan, rows));
	ops[0].kind = OP_FLAGS_LOCAL; /* of a file */
	assert_false(message_plan_is_retry(&plan, rows));
	ops[0].kind = OP_DELETE_REMOTE;
	rows[0].reason = REASON_OBSTACLE;
	assert_true(message_plan_is_retry(&plan, rows));
	ops[1].kind = OP_DOWNLOAD;
	assert_false(message_plan_is_retry(&plan, rows));
}

static void holds_by_policy_are_those_that_only_another_policy_settles(void **state)
{
	struct op ops[2] = {{.kind = OP_HOLD, .reason = REASON_TOO_OLD},
			    {.kind = OP_HOLD, .reason = REASON_POLICY}};
	struct message_plan plan = {.ops = ops, .count = 2};

	(void)state;
	assert_true(message_plan_holds_by_policy(&plan));
	ops[1].reason = REASON_BRAKE;
	assert_false(message_plan_holds_by_policy(&plan));
	ops[1].kind = OP_UPLOAD;
	assert_true(message_plan_holds_by_policy(&plan));
}

static struct run_policy policy_of(const struct account *account,
				   const struct sync_options *options)
{
	struct run_policy policy;
	struct err err;

	assert_int_equal(policy_make(account, options, 1000, &policy, &err), 0);
	return policy;
}

static const struct account everything = {
	.copy = SIDE_BOTH,
	.flags = SIDE_BOTH,
	.delete_ = SIDE_BOTH,
	.expunge = SIDE_BOTH,
	.create = SIDE_BOTH,
	.remove_mailboxes = SIDE_BOTH,
};

static void expect_sides(const struct run_policy *policy, enum side side)
{
	assert_int_equal(policy->messages.copy, side);
	assert_int_equal(policy->messages.flags, side);
	assert_int_equal(policy->messages.delete_, side);
	assert_int_equal(policy->messages.expunge, side);
	assert_int_equal(policy->mailboxes.create, side);
	assert_int_equal(policy->mailboxes.remove, side);
	assert_int_equal(policy->may_write_local, (side & SIDE_LOCAL) != 0);
	assert_int_equal(policy->may_write_remote, (side & SIDE_REMOTE) != 0);
}

static void direction_caps_all_keys(void **state) /* P1 */
{
	struct sync_options options = {0};
	struct account account = everything;
	struct run_policy policy = policy_of(&account, &options);

	(void)state;
	expect_sides(&policy, SIDE_BOTH);
	account.direction = DIRECTION_PULL;
	policy = policy_of(&account, &options);
	expect_sides(&policy, SIDE_LOCAL);
	account.direction = DIRECTION_PUSH;
	policy = policy_of(&account, &options);
	expect_sides(&policy, SIDE_REMOTE);
}

static void a_dry_run_plans_as_a_run_and_may_write_nowhere(void **state) /* P5 */
{
	struct sync_options options = {.dry_run = true};
	struct run_policy policy = policy_of(&everything, &options);

	(void)state;
	assert_int_equal(policy.messages.copy, SIDE_BOTH);
	assert_int_equal(policy.mailboxes.create, SIDE_BOTH);
	assert_false(policy.may_write_local);
	assert_false(policy.may_write_remote);
}

static void pull_and_push_cap_for_one_run(void **state) /* P2 */
{
	struct sync_options options = {.pull = true};
	struct account account = everything;
	struct run_policy policy = policy_of(&account, &options);

	(void)state;
	expect_sides(&policy, SIDE_LOCAL);
	options = (struct sync_options){.push = true};
	policy = policy_of(&account, &options);
	expect_sides(&policy, SIDE_REMOTE);
	account.direction = DIRECTION_PULL;
	policy = policy_of(&account, &options);
	expect_sides(&policy, SIDE_NONE);
}

static void one_run_makes_no_archive(void **state) /* P6 */
{
	struct sync_options options = {.pull = true};
	struct account account = everything;

	(void)state;
	account.delete_ = SIDE_REMOTE;
	assert_false(policy_of(&account, &options).is_archive);
	account.direction = DIRECTION_PULL;
	assert_true(policy_of(&account, &options).is_archive);
	options.pull = false;
	assert_true(policy_of(&account, &options).is_archive);
}

static void max_age_counts_back_from_now(void **state) /* P3 */
{
	struct sync_options options = {0};
	struct account account = everything;
	struct run_policy policy = policy_of(&account, &options);

	(void)state;
	assert_true(policy.messages.oldest == INT64_MIN);
	account.max_age_s = 100;
	policy = policy_of(&account, &options);
	assert_int_equal(policy.messages.oldest, 900);
}

static void hash_is_of_all_that_leaves_rows_alone(void **state) /* P4 */
{
	struct sync_options options = {0};
	struct account account = everything;
	uint64_t hash = policy_of(&account, &options).hash;

	(void)state;
	assert_true(hash != 0);
	assert_true(policy_of(&account, &options).hash == hash);
	account.max_delete_percent = 7;
	assert_true(policy_of(&account, &options).hash != hash);
	account = everything;
	account.trash = "Trash";
	assert_true(policy_of(&account, &options).hash != hash);
	account = everything;
	account.max_age_s = 5;
	assert_true(policy_of(&account, &options).hash != hash);
	account = everything;
	account.copy = SIDE_LOCAL;
	assert_true(policy_of(&account, &options).hash != hash);
}

static void uploads_land_where_all_uids_are_told(void **state) /* U1, U2 */
{
	struct upload_answer answer = {
		.is_taken = true, .tells_uids = true, .uidvalidity = told(5), .uids = 2, .sent = 2};

	(void)state;
	assert_int_equal(upload_outcome(&answer, told(5)), UPLOAD_LANDED);
	assert_int_equal(upload_outcome(&answer, told(6)), UPLOAD_UNKNOWN);
	answer.uids = 1;
	assert_int_equal(upload_outcome(&answer, told(5)), UPLOAD_UNKNOWN);
	answer.uids = 2;
	answer.tells_uids = false;
	assert_int_equal(upload_outcome(&answer, told(5)), UPLOAD_UNKNOWN);
}

static void refused_uploads_wait_go_singly_or_stay(void **state) /* U3, U4, U5 */
{
	struct upload_answer answer = {.is_busy = true, .sent = 2};

	(void)state;
	assert_int_equal(upload_outcome(&answer, told(5)), UPLOAD_PUT_OFF);
	answer.is_busy = false;
	assert_int_equal(upload_outcome(&answer, told(5)), UPLOAD_SPLIT);
	answer.sent = 1;
	assert_int_equal(upload_outcome(&answer, told(5)), UPLOAD_REFUSED);
}

static void U7_what_a_copy_tells_is_believed_as_a_whole_or_not_at_all(void **state)
{
	uint32_t from[] = {5, 6};
	uint32_t to[] = {40, 41};
	struct remote_done done = {.uidvalidity = {true, 9}, .copied = {from, to, 2}};
	const struct numbers base = {.uidvalidity = {true, 9}, .uidnext = {true, 40}};
	const struct numbers other = {.uidvalidity = {true, 8}, .uidnext = {true, 40}};
	const struct numbers later = {.uidvalidity = {true, 9}, .uidnext = {true, 41}};
	const struct numbers untold = {.uidvalidity = {true, 9}};
	struct uidset asked;
	struct err err;

	(void)state;
	uidset_init(&asked);
	assert_int_equal(uidset_add(&asked, 5, 7, &err), 0);
	assert_true(copies_are_told(&done, &asked, &base));
	assert_false(copies_are_told(&done, &asked, &other)); /* another mailbox */
	assert_false(copies_are_told(&done, &asked, &later)); /* it was there before */
	assert_true(copies_are_told(&done, &asked, &untold));
	from[1] = 8; /* not asked for */
	assert_false(copies_are_told(&done, &asked, &base));
	from[1] = 5; /* twice */
	assert_false(copies_are_told(&done, &asked, &base));
	from[1] = 6;
	to[1] = 40;
	assert_false(copies_are_told(&done, &asked, &base));
	done.copied.count = 0;
	assert_false(copies_are_told(&done, &asked, &base));
	uidset_finish(&asked);
}

static void R26_the_original_of_a_move_is_no_deletion(void **state)
{
	static const int64_t moved[] = {3, 8};
	const struct plan_policy policy = {.copy = 3, .flags = 3, .delete_ = 3};
	struct plan_facts mailbox = {
		.braked = SIDE_BOTH, .has_unreadable = true, .moved = moved, .moved_count = 2};
	struct row row = {.id = 8, .uid = 5, .is_agreed = true, .remote = MESSAGE_PRESENT};
	struct message_plan plan = {0};
	struct err err;

	(void)state;
	row.local = MESSAGE_GONE;
	row.reason = REASON_BRAKE;
	assert_int_equal(message_plan_make(&row, 1, &policy, &mailbox, &plan, &err), 0);
	assert_int_equal(plan.count, 1);
	assert_int_equal(plan.ops[0].kind, OP_DELETE_REMOTE);
	assert_int_equal(plan.deletes.remote, 0);
	assert_int_equal(plan.deletes.held_remote, 0);
	message_plan_finish(&plan);
	row.local = MESSAGE_PRESENT; /* it is back */
	assert_false(message_was_moved(&mailbox, &row));
	row.local = MESSAGE_GONE;
	row.id = 7;
	assert_false(message_was_moved(&mailbox, &row));
}

static void R32_what_the_connection_ends_on_waits_and_is_no_deletion(void **state)
{
	static const struct suspect_row suspects[] = {{7, false}, {8, true}};
	const struct plan_policy policy = {.copy = 3, .flags = 3, .delete_ = 3};
	const struct plan_facts mailbox = {
		.permanent_flags = FLAGS_SYSTEM, .suspects = suspects, .suspect_count = 2};
	char none[] = "";
	char name[] = "1.x";
	struct row rows[] = {
		{.id = 7, .uid = 1, .remote = MESSAGE_PRESENT, .unique = none},
		{.id = 8, .is_agreed = true, .uid = 2, .remote = MESSAGE_PRESENT, .unique = name},
		{.id = 9, .uid = 3, .remote = MESSAGE_PRESENT, .unique = none},
	};
	struct message_plan plan = {0};
	struct err err;

	(void)state;
	rows[1].local = MESSAGE_GONE;
	assert_int_equal(message_plan_make(rows, 3, &policy, &mailbox, &plan, &err), 0);
	assert_int_equal(plan.count, 3);
	assert_int_equal(plan.ops[0].kind, OP_HOLD);
	assert_int_equal(plan.ops[0].reason, REASON_FAILED); /* tried later in this run */
	assert_int_equal(plan.ops[1].kind, OP_HOLD);
	assert_int_equal(plan.ops[1].reason, REASON_SUSPECT);
	assert_int_equal(plan.ops[2].kind, OP_DOWNLOAD);
	assert_int_equal(plan.skipped, 1);
	assert_int_equal(plan.deletes.remote, 0);
	message_plan_finish(&plan);
	/* what is to be done here is done */
	rows[1].local = MESSAGE_PRESENT;
	rows[1].remote_flags = FLAG_SEEN;
	assert_int_equal(message_plan_make(&rows[1], 1, &policy, &mailbox, &plan, &err), 0);
	assert_int_equal(plan.count, 1);
	assert_int_equal(plan.ops[0].kind, OP_FLAGS_LOCAL);
	message_plan_finish(&plan);
}

static void a_uid_that_was_told_is_compared_with_base(void **state) /* U6, U9, U10 */
{
	const struct told uidnext = told(8);
	struct row seen;
	struct row sent;
	char unique[] = "1.x";

	(void)state;
	row_init(&seen);
	row_init(&sent);
	assert_int_equal(upload_landing(8, uidnext, NULL, &sent), LANDING_THERE);
	assert_int_equal(upload_landing(3, UNTOLD, NULL, &sent), LANDING_THERE);
	assert_int_equal(upload_landing(8, uidnext, &seen, &sent), LANDING_THERE);
	assert_int_equal(upload_landing(7, uidnext, NULL, &sent), LANDING_UNTOLD);
	assert_int_equal(upload_landing(7, uidnext, &seen, &sent), LANDING_LOOK);
	assert_false(uid_is_taken(&seen));
	seen.unique = unique;
	assert_true(uid_is_taken(&seen));
	assert_int_equal(upload_landing(7, uidnext, &seen, &sent), LANDING_ALIAS);
	sent.has_digest = true;
	assert_int_equal(upload_landing(7, uidnext, &seen, &sent), LANDING_ALIAS);
	seen.has_digest = true;
	assert_int_equal(upload_landing(7, uidnext, &seen, &sent), LANDING_ALIAS);
	seen.digest[3] = 1;
	assert_int_equal(upload_landing(7, uidnext, &seen, &sent), LANDING_UNTOLD);
	assert_int_equal(upload_landing(9, uidnext, &seen, &sent), LANDING_UNTOLD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_flags_are_the_system_s_and_those_with_a_letter),
		cmocka_unit_test(remote_flags_are_the_permanent_ones),
		cmocka_unit_test(idle_is_a_mailbox_with_nothing_to_settle),
		cmocka_unit_test(settled_rows_count_where_expunge_may_take_them),
		cmocka_unit_test(R32_what_the_connection_ends_on_waits_and_is_no_deletion),
		cmocka_unit_test(left_out_is_a_row_that_others_look_after),
		cmocka_unit_test(shape_tells_downloads_from_all_else),
		cmocka_unit_test(sum_of_plans_tells_what_each_does),
		cmocka_unit_test(a_retry_is_a_plan_of_what_failed_before),
		cmocka_unit_test(holds_by_policy_are_those_that_only_another_policy_settles),
		cmocka_unit_test(direction_caps_all_keys),
		cmocka_unit_test(a_dry_run_plans_as_a_run_and_may_write_nowhere),
		cmocka_unit_test(pull_and_push_cap_for_one_run),
		cmocka_unit_test(one_run_makes_no_archive),
		cmocka_unit_test(max_age_counts_back_from_now),
		cmocka_unit_test(hash_is_of_all_that_leaves_rows_alone),
		cmocka_unit_test(uploads_land_where_all_uids_are_told),
		cmocka_unit_test(refused_uploads_wait_go_singly_or_stay),
		cmocka_unit_test(U7_what_a_copy_tells_is_believed_as_a_whole_or_not_at_all),
		cmocka_unit_test(R26_the_original_of_a_move_is_no_deletion),
		cmocka_unit_test(a_uid_that_was_told_is_compared_with_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
