/* Whole runs with --bring-back, the other answer to the brake. Behind each story stands a run that
 * has nothing to do. */
#include "brake_scene.h"

static void what_went_here_is_brought_back(void **state) /* B12 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 30);
	scripted_flag(scene->server, "INBOX", 30, "\\Seen");
	settle(scene);
	remove_files(scene, "INBOX", 30);
	sync_to(scene, HELD);
	add(scene, "INBOX", 31);
	bring(scene);
	assert_int_equal(scene->report.total.downloaded, 0); /* of the idle run */
	expect_counts(scene, "INBOX", 31, 31);
}

static void what_went_there_is_brought_back(void **state) /* B12 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 30);
	expunge_first(scene, "INBOX", 30);
	sync_to(scene, HELD);
	bring(scene);
	expect_counts(scene, "INBOX", 30, 30);
	/* And is a message like any other. */
	remove_files(scene, "INBOX", 3);
	settle(scene);
	expect_counts(scene, "INBOX", 27, 27);
}

static void what_this_run_would_hold_is_brought_back_at_once(void **state) /* B12 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 30);
	remove_files(scene, "INBOX", 30);
	bring(scene);
	expect_counts(scene, "INBOX", 30, 30);
}

static void nothing_else_is_touched_by_it(void **state) /* B12 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 60);
	expunge_first(scene, "INBOX", 3);
	remove_files(scene, "INBOX", 40);
	bring_back_to(scene, 0);
	/* Three deletions there and what is over the limit here are two things. */
	assert_true(scene->report.total.deleted_local <= 3);
	assert_int_equal(scene->report.total.deleted_remote, 0);
	assert_int_equal(scene->report.total.uploaded, 0);
	run_scene_expect_idle(scene, 0);
	expect_counts(scene, "INBOX", 57, 57);
	remove_files(scene, "INBOX", 2);
	bring(scene);
	expect_counts(scene, "INBOX", 55, 55);
}

static void only_in_the_mailboxes_that_are_named(void **state) /* B12 */
{
	struct run_scene *scene = *state;
	shared(scene, "a", 20);
	shared(scene, "b", 20);
	remove_files(scene, "a", 20);
	remove_files(scene, "b", 20);
	sync_to(scene, HELD);
	RUN_OK(scene, strlist_add(&scene->only, span_of("a"), &scene->err));
	bring_back_to(scene, 0);
	strlist_finish(&scene->only);
	strlist_init(&scene->only);
	expect_counts(scene, "a", 20, 20);
	expect_counts(scene, "b", 0, 20);
	run_scene_expect_idle(scene, HELD);
	bring(scene);
	expect_counts(scene, "b", 20, 20);
}

static void what_a_key_bars_stays_held(void **state) /* B12 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 30);
	remove_files(scene, "INBOX", 30);
	sync_to(scene, HELD);
	scene->account.copy = SIDE_REMOTE;
	bring_back_to(scene, HELD);
	expect_said(scene, "30 messages would be deleted on the server");
	scene->account.copy = SIDE_BOTH;
	scene->options.push = true;
	bring_back_to(scene, HELD);
	scene->options.push = false;
	scene->account.max_message_size = 1;
	bring_back_to(scene, HELD);
	scene->account.max_message_size = 0;
	expect_counts(scene, "INBOX", 0, 30);
	bring(scene);
	expect_counts(scene, "INBOX", 30, 30);
}

static void a_dry_run_prints_it(void **state) /* B12 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 30);
	remove_files(scene, "INBOX", 30);
	sync_to(scene, HELD);
	scene->options.dry_run = true;
	bring_back_to(scene, 0);
	scene->options.dry_run = false;
	assert_int_equal(scene->report.plan_count, 30);
	for (size_t i = 0; i < 30; i++) {
		assert_int_equal(scene->report.plan[i].op, REPORT_DOWNLOAD);
	}
	run_scene_expect_idle(scene, HELD);
}

static void a_mailbox_is_made_again(void **state) /* B13, M26 */
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "Work", 20);
	scripted_remove(scene->server, "Work");
	sync_to(scene, HELD);
	scene->account.create = SIDE_LOCAL;
	bring_back_to(scene, HELD); /* what `create` bars stays held */
	scene->account.create = SIDE_BOTH;
	scene->account.copy = SIDE_LOCAL;
	bring_back_to(scene, HELD);
	scene->account.copy = SIDE_BOTH;
	run_scene_expect_idle(scene, HELD);
	bring(scene);
	expect_counts(scene, "Work", 20, 20);
	rename_in(scene, "Work", "../aside");
	sync_to(scene, HELD);
	bring(scene);
	expect_counts(scene, "Work", 20, 20);
}

static void what_is_only_marked_deleted_stays_held(void **state) /* B12 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 20);
	scene->account.expunge = SIDE_BOTH;
	for (uint32_t uid = 1; uid <= 15; uid++) {
		scripted_flag(scene->server, "INBOX", uid, "\\Deleted");
	}
	sync_to(scene, HELD);
	bring_back_to(scene, HELD);
	expect_counts(scene, "INBOX", 20, 20);
	for (uint32_t uid = 1; uid <= 15; uid++) {
		scripted_flag(scene->server, "INBOX", uid, "");
	}
	settle(scene);
	expect_counts(scene, "INBOX", 20, 20);
}

/* An admin restores the mailbox: the same messages, under new UIDs. */
static void restored_there_they_are_back(void **state) /* B14 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 30);
	scripted_flag(scene->server, "INBOX", 7, "\\Seen");
	settle(scene);
	expunge_first(scene, "INBOX", 30);
	sync_to(scene, HELD);
	add_many(scene, "INBOX", 1, 20);
	add(scene, "INBOX", 99);
	sync_to(scene, HELD); /* ten are still gone */
	assert_int_equal(scene->report.total.downloaded, 1);
	expect_counts(scene, "INBOX", 31, 21);
	expect_said(scene, "10 messages would be deleted locally");
	add_many(scene, "INBOX", 21, 10);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.downloaded, 0);
	run_scene_expect_idle(scene, 0);
	expect_counts(scene, "INBOX", 31, 31);
	/* And they are joined: what goes there goes here. */
	expunge_first(scene, "INBOX", 1);
	settle(scene);
	expect_counts(scene, "INBOX", 30, 30);
}

/* The user puts files back, from a backup that gave them other names. */
static void put_back_under_other_names_they_are_back(void **state) /* B14 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 30);
	replace_folder(scene, "INBOX", "../aside");
	sync_to(scene, HELD);
	for (int number = 1; number <= 30; number++) {
		char path[64];
		char text[200];
		snprintf(path, sizeof(path), "INBOX/cur/restored-%02d:2,F", number);
		snprintf(text, sizeof(text),
			 "Subject: %02d\nMessage-ID: <%d@x>\nDate: Mon, 1 Jan 2024 10:00:%02d "
			 "+0000\n\n%d\n",
			 number, number, number % 60, number);
		run_scene_write(scene, path, text);
	}
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.uploaded, 0);
	assert_int_equal(scene->report.total.downloaded, 0);
	assert_int_equal(scene->report.total.flags_remote, 30);
	run_scene_expect_idle(scene, 0);
	expect_counts(scene, "INBOX", 30, 30);
}

/* Wherever it breaks, the next runs make it good, with the option and, once it was begun, without:
 * nothing lost, nothing twice. */
static void check_broken_bring_back(void **state, enum scripted_what what, enum scripted_op op,
				    bool is_here)
{
	struct run_scene *scene;
	assert_int_equal(run_scene_open(state), 0);
	scene = *state;
	shared(scene, "INBOX", 14);
	if (is_here) {
		remove_files(scene, "INBOX", 14);
	} else {
		expunge_first(scene, "INBOX", 14);
	}
	sync_to(scene, HELD);
	scripted_fault(scene->server, &(struct scripted_fault){.op = op, .what = what});
	scene->options.bring_back = true;
	(void)run_scene_sync(scene);
	scripted_forget_faults(scene->server);
	bring(scene);
	expect_counts(scene, "INBOX", 14, 14);
	run_scene_expect_both(scene, "INBOX",
			      "01/ 02/ 03/ 04/ 05/ 06/ 07/ 08/ 09/ 10/ 11/ 12/ 13/ 14/");
	assert_int_equal(run_scene_close(state), 0);
}

static void a_cut_while_bringing_back_is_made_good(void **state)
{
	for (int op = 0; op < SCRIPTED_OP_COUNT; op++) {
		for (int side = 0; side < 2; side++) {
			check_broken_bring_back(state, SCRIPTED_CUT, (enum scripted_op)op, side);
			check_broken_bring_back(state, SCRIPTED_LOST, (enum scripted_op)op, side);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(what_went_here_is_brought_back),
		RUN_TEST(what_went_there_is_brought_back),
		RUN_TEST(what_this_run_would_hold_is_brought_back_at_once),
		RUN_TEST(nothing_else_is_touched_by_it),
		RUN_TEST(only_in_the_mailboxes_that_are_named),
		RUN_TEST(what_a_key_bars_stays_held),
		RUN_TEST(a_dry_run_prints_it),
		RUN_TEST(a_mailbox_is_made_again),
		RUN_TEST(what_is_only_marked_deleted_stays_held),
		RUN_TEST(restored_there_they_are_back),
		RUN_TEST(put_back_under_other_names_they_are_back),
		cmocka_unit_test(a_cut_while_bringing_back_is_made_good),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
