/*
 * The brake over whole runs against the scripted server: what it holds, and how long. Behind each
 * story that ends well stands a run that has nothing to do.
 */
#include "brake_scene.h"

/* Memory */

/* Each run something else happens on both sides. */
static void live_on(struct run_scene *scene, int day)
{
	struct scripted_mailbox *inbox = scripted_find(scene->server, "INBOX");
	uint32_t uid = inbox->messages[inbox->count - 1].uid;
	char path[64];
	char text[64];
	add(scene, "INBOX", 100 + day);
	scripted_flag(scene->server, "INBOX", uid, day % 2 == 0 ? "\\Seen" : "\\Flagged");
	if (day % 3 == 0) {
		scripted_expunge(scene->server, "INBOX", uid);
	}
	snprintf(path, sizeof(path), "INBOX/cur/day%d:2,S", day);
	snprintf(text, sizeof(text), "Subject: day\nMessage-ID: <d%d@x>\n\n%d\n", day, day);
	run_scene_write(scene, path, text);
}

static void check_held_for_a_hundred_runs(struct run_scene *scene, bool is_here)
{
	shared(scene, "INBOX", 30);
	if (is_here) {
		remove_files(scene, "INBOX", 30);
	} else {
		expunge_first(scene, "INBOX", 30);
	}
	for (int day = 0; day < 100; day++) {
		add(scene, "INBOX", 500 + day);
		if (day > 0) {
			live_on(scene, day);
		}
		scene->account.max_delete_percent = day % 2 == 0 ? 50 : 90;
		scene->options.pull = day % 7 == 1;
		scene->options.push = day % 7 == 2;
		if (day % 10 == 0) {
			time_passes(scene, 100);
		}
		/* One that may not change that side says nothing of it. */
		bool is_told = is_here ? !scene->options.pull : !scene->options.push;
		sync_to(scene, is_told ? HELD : 0);
		if (is_told) {
			expect_said(scene, "30 ");
		}
		assert_int_equal(scene->report.total.errors, 0);
	}
	scene->options.pull = scene->options.push = false;
	sync_to(scene, HELD);
	size_t here = count_here(scene, "INBOX");
	size_t there = count_there(scene, "INBOX");
	assert_int_equal(is_here ? there - here : here - there, 30);
	allow(scene);
	assert_int_equal(count_here(scene, "INBOX"), is_here ? here : there);
	assert_int_equal(count_there(scene, "INBOX"), is_here ? here : there);
}

static void what_went_here_is_held_for_a_hundred_runs(void **state)
{
	check_held_for_a_hundred_runs(*state, true);
}

static void what_went_there_is_held_for_a_hundred_runs(void **state)
{
	check_held_for_a_hundred_runs(*state, false);
}

static void status_shows_what_is_held(void **state)
{
	struct run_scene *scene = *state;
	struct status status = {0};
	shared(scene, "INBOX", 30);
	remove_files(scene, "INBOX", 20);
	sync_to(scene, HELD);
	RUN_OK(scene, sync_status(&scene->account, &scene->options, &status, &scene->err));
	assert_int_equal(status.count, 1);
	assert_int_equal(status.items[0].held, 20);
	assert_int_equal(status.items[0].pending, 20);
	status_finish(&status);
}

/* Such a run does not even claim the Maildir. */
static void a_held_run_that_changes_nothing_touches_nothing(void **state)
{
	struct run_scene *scene = *state;
	struct stat before, after;
	char id[128];
	snprintf(id, sizeof(id), "%s/mailsync-id", scene->maildir);
	shared(scene, "INBOX", 30);
	remove_files(scene, "INBOX", 30);
	sync_to(scene, HELD);
	assert_int_equal(stat(id, &before), 0);
	run_scene_expect_idle(scene, HELD);
	run_scene_expect_idle(scene, HELD);
	assert_int_equal(stat(id, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_true(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

static void the_message_names_both_ways_on(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "It's mine", 20);
	remove_files(scene, "It's mine", 20);
	for (int i = 0; i < 2; i++) { /* when it is new, and after that */
		sync_to(scene, HELD);
		expect_said(scene, "mailsync --allow-mass-delete 'test/It'\\''s mine'; if it is "
				   "not: mailsync --bring-back 'test/It'\\''s mine'");
	}
}

static void later_deletions_are_judged_by_themselves(void **state) /* B4 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 60);
	expunge_first(scene, "INBOX", 40);
	sync_to(scene, HELD);
	expect_counts(scene, "INBOX", 60, 20);
	expunge_first(scene, "INBOX", 3);
	sync_to(scene, HELD);
	expect_counts(scene, "INBOX", 57, 17);
	time_passes(scene, 61);
	expunge_first(scene, "INBOX", 11); /* of the 17 that are not held */
	sync_to(scene, HELD);
	expect_counts(scene, "INBOX", 57, 6);
	allow(scene);
	expect_counts(scene, "INBOX", 6, 6);
}

static void a_mailbox_removal_is_held_until_the_user_says(void **state) /* B4 */
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "Work", 20);
	scripted_remove(scene->server, "Work");
	sync_to(scene, HELD);
	add_many(scene, "INBOX", 200, 60); /* as many as would let it go */
	for (int i = 0; i < 5; i++) {
		sync_to(scene, HELD);
		expect_said(scene, "20 messages would be deleted locally");
		expect_said(scene, "--bring-back test/Work");
		assert_int_equal(count_here(scene, "Work"), 20);
	}
	run_scene_expect_idle(scene, HELD);
	/* It is in neither number of the account. */
	expunge_first(scene, "INBOX", 25);
	sync_to(scene, HELD);
	expect_counts(scene, "INBOX", 35, 35);
	allow(scene);
	assert_int_equal(count_here(scene, "Work"), 0);
}

static void a_mailbox_that_is_back_is_held_no_more(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "Work", 20);
	scripted_remove(scene->server, "Work");
	sync_to(scene, HELD);
	scripted_make(scene->server, "Work"); /* restored from a backup */
	add_many(scene, "Work", 1, 20);
	settle(scene);
	expect_counts(scene, "Work", 20, 20);
	scripted_remove(scene->server, "Work");
	sync_to(scene, HELD);
	expect_said(scene, "that is over max_delete"); /* judged anew */
}

/* The last 60 seconds */

static void deleting_in_steps_is_held_from_the_step_over_the_limit_on(void **state) /* B7 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 100);
	for (int step = 1; step <= 10; step++) {
		remove_files(scene, "INBOX", 10);
		sync_to(scene, step <= 5 ? 0 : HELD);
		expect_counts(scene, "INBOX", 100 - 10 * (size_t)step,
			      step <= 5 ? 100 - 10 * (size_t)step : 50);
		time_passes(scene, 5);
	}
	time_passes(scene, 120);
	run_scene_expect_idle(scene, HELD);
	expect_counts(scene, "INBOX", 0, 50);
}

static void deleting_there_in_steps_is_held_too(void **state) /* B7 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 100);
	for (int step = 1; step <= 10; step++) {
		expunge_first(scene, "INBOX", 10);
		sync_to(scene, step <= 5 ? 0 : HELD);
		time_passes(scene, 5);
	}
	expect_counts(scene, "INBOX", 50, 0);
}

static void what_was_deleted_a_minute_ago_counts_no_more(void **state) /* B7 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 100);
	for (int step = 1; step <= 9; step++) {
		remove_files(scene, "INBOX", 10);
		settle(scene);
		time_passes(scene, 61);
	}
	expect_counts(scene, "INBOX", 10, 10);
}

static void what_other_mailboxes_lost_counts_for_the_account(void **state) /* B2, B7 */
{
	struct run_scene *scene = *state;
	shared(scene, "a", 10);
	shared(scene, "b", 10);
	shared(scene, "c", 10);
	remove_files(scene, "a", 8);
	settle(scene);
	remove_files(scene, "b", 8);
	sync_to(scene, HELD);
	expect_said(scene, "--allow-mass-delete test;");
	expect_counts(scene, "b", 2, 10);
	time_passes(scene, 61);
	run_scene_expect_idle(scene, HELD);
}

static void what_the_user_allowed_is_not_counted_against_him(void **state) /* B7 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 30);
	remove_files(scene, "INBOX", 25);
	sync_to(scene, HELD);
	allow(scene);
	remove_files(scene, "INBOX", 1);
	settle(scene);
	expect_counts(scene, "INBOX", 4, 4);
}

/* Shapes */

static void a_missing_cur_is_held_at_any_number(void **state) /* B9 */
{
	struct run_scene *scene = *state;
	shared(scene, "Work", 2);
	scripted_flag(scene->server, "Work", 1, "\\Seen");
	scripted_flag(scene->server, "Work", 2, "\\Seen");
	settle(scene);
	rename_in(scene, "Work/cur", "../Work-cur");
	for (int i = 0; i < 3; i++) {
		sync_to(scene, HELD);
		assert_int_equal(count_there(scene, "Work"), 2);
	}
	/* It is mounted again. */
	char made[512];
	snprintf(made, sizeof(made), "%s/Work/cur", scene->maildir);
	(void)rmdir(made);
	rename_in(scene, "../Work-cur", "Work/cur");
	settle(scene);
	expect_counts(scene, "Work", 2, 2);
}

static void another_folder_in_its_place_is_held_at_any_number(void **state) /* B9 */
{
	struct run_scene *scene = *state;
	shared(scene, "Work", 8);
	replace_folder(scene, "Work", "../aside");
	sync_to(scene, HELD);
	expect_said(scene, "8 messages would be deleted on the server");
	expect_said(scene, "disk");
	run_scene_expect_idle(scene, HELD);
	assert_int_equal(count_there(scene, "Work"), 8);
	bring(scene);
	expect_counts(scene, "Work", 8, 8);
}

static void max_delete_100_switches_the_shapes_off(void **state) /* B6 */
{
	struct run_scene *scene = *state;
	shared(scene, "Work", 8);
	scene->account.max_delete_percent = 100;
	replace_folder(scene, "Work", "../aside");
	settle(scene);
	assert_int_equal(count_there(scene, "Work"), 0);
}

/* The files of FROM are in TO afterwards, up to the info part where BARE. */
static void move_files(const char *from, const char *to, bool bare)
{
	char old[512];
	char new[512];
	struct dirent *entry;
	DIR *dir = opendir(from);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		size_t len = bare ? strcspn(entry->d_name, ":") : strlen(entry->d_name);
		snprintf(old, sizeof(old), "%.200s/%.250s", from, entry->d_name);
		snprintf(new, sizeof(new), "%.200s/%.*s", to, (int)len, entry->d_name);
		if (entry->d_name[0] != '.') {
			assert_int_equal(rename(old, new), 0);
		}
	}
	closedir(dir);
}

/* The same files in directories of other inodes, as on another disk. */
static void copy_folder(struct run_scene *scene, const char *folder)
{
	static const char *const parts[] = {"cur", "new", "tmp"};
	char from[256];
	char to[256];
	replace_folder(scene, folder, "../aside");
	for (size_t i = 0; i < 3; i++) {
		snprintf(from, sizeof(from), "%s/aside/%s", scene->root, parts[i]);
		snprintf(to, sizeof(to), "%s/%s/%s", scene->maildir, folder, parts[i]);
		move_files(from, to, false);
	}
}

static void a_maildir_on_another_disk_is_not_held(void **state) /* B9 */
{
	struct run_scene *scene = *state;
	shared(scene, "Work", 8);
	copy_folder(scene, "Work");
	settle(scene);
	expect_counts(scene, "Work", 8, 8);
	remove_files(scene, "Work", 8);
	settle(scene);
	expect_counts(scene, "Work", 0, 0);
}

/* As a tool does that does not know Maildir: all files into `new`, under their bare names. */
static void unread_all(struct run_scene *scene, const char *folder)
{
	char from[256];
	char to[256];
	snprintf(from, sizeof(from), "%s/%s/cur", scene->maildir, folder);
	snprintf(to, sizeof(to), "%s/%s/new", scene->maildir, folder);
	move_files(from, to, true);
}

static size_t count_seen(struct run_scene *scene, const char *wire)
{
	const struct scripted_mailbox *mailbox = scripted_find(scene->server, wire);
	size_t seen = 0;
	for (size_t i = 0; i < mailbox->count; i++) {
		seen += (mailbox->messages[i].flags & FLAG_SEEN) != 0;
	}
	return seen;
}

static void read_all(struct run_scene *scene, const char *wire, uint32_t count)
{
	for (uint32_t uid = 1; uid <= count; uid++) {
		scripted_flag(scene->server, wire, uid, "\\Seen");
	}
	settle(scene);
}

static void flags_cleared_by_standing_in_new_are_held(void **state) /* B10 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 12);
	read_all(scene, "INBOX", 12);
	unread_all(scene, "INBOX");
	sync_to(scene, HELD);
	expect_said(scene, "flags of 12 messages would be cleared");
	run_scene_expect_idle(scene, HELD);
	assert_int_equal(count_seen(scene, "INBOX"), 12);
	/* Other flags go on. */
	scripted_flag(scene->server, "INBOX", 3, "\\Seen \\Flagged");
	sync_to(scene, HELD);
	assert_int_equal(scene->report.total.flags_local, 1);
	assert_int_equal(count_seen(scene, "INBOX"), 12);
	bring(scene);
	assert_int_equal(count_seen(scene, "INBOX"), 12);
	run_scene_expect_both(scene, "INBOX",
			      "01/S 02/S 03/FS 04/S 05/S 06/S 07/S 08/S 09/S 10/S 11/S 12/S");
}

static void flags_held_as_cleared_are_cleared_where_that_is_allowed(void **state) /* B10 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 12);
	read_all(scene, "INBOX", 12);
	unread_all(scene, "INBOX");
	sync_to(scene, HELD);
	allow(scene);
	assert_int_equal(count_seen(scene, "INBOX"), 0);
}

static void a_few_unread_again_are_not_held(void **state) /* B10 */
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 10);
	read_all(scene, "INBOX", 10);
	unread_all(scene, "INBOX");
	settle(scene);
	assert_int_equal(count_seen(scene, "INBOX"), 0);
}

/* The server's trash */

static void emptying_the_trash_there_is_not_held(void **state) /* B11 */
{
	static const unsigned uses[] = {REMOTE_TRASH, REMOTE_JUNK};
	struct run_scene *scene = *state;
	for (size_t i = 0; i < 2; i++) {
		const char *wire = i == 0 ? "Bin" : "Spam";
		scripted_make(scene->server, wire)->attributes |= uses[i];
		shared(scene, wire, 30);
		expunge_first(scene, wire, 30);
		settle(scene);
		expect_counts(scene, wire, 0, 0);
	}
}

static void so_it_is_with_the_trash_that_the_account_names(void **state) /* B11 */
{
	struct run_scene *scene = *state;
	scene->account.trash = "Bin";
	shared(scene, "Bin", 30);
	expunge_first(scene, "Bin", 30);
	settle(scene);
	expect_counts(scene, "Bin", 0, 0);
}

static void emptying_the_trash_here_is_held(void **state) /* B11 */
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Bin")->attributes |= REMOTE_TRASH;
	shared(scene, "Bin", 30);
	remove_files(scene, "Bin", 30);
	sync_to(scene, HELD);
	expect_counts(scene, "Bin", 0, 30);
}

/* Every path asks */

static void expunge_many(struct scripted *server)
{
	for (int i = 0; i < 30; i++) {
		scripted_expunge(server, "INBOX", scripted_find(server, "INBOX")->messages[0].uid);
	}
}

/* A job that plans anew after it waited asks again: what its look found meanwhile is held. */
static void what_is_found_while_a_job_is_under_way_is_held(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "INBOX", 40);
	scripted_add(scene->server, "INBOX", "", "Subject: late\n\nlate\n");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_NIL,
							       .uid = 41,
							       .always = true});
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_MEANWHILE,
							       .nth = 2,
							       .act = expunge_many});
	(void)run_scene_sync(scene);
	assert_int_equal(count_here(scene, "INBOX"), 40);
	scripted_forget_faults(scene->server);
	sync_to(scene, HELD);
	expect_counts(scene, "INBOX", 41, 11);
	allow(scene);
	expect_counts(scene, "INBOX", 11, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(what_went_here_is_held_for_a_hundred_runs),
		RUN_TEST(what_went_there_is_held_for_a_hundred_runs),
		RUN_TEST(status_shows_what_is_held),
		RUN_TEST(a_held_run_that_changes_nothing_touches_nothing),
		RUN_TEST(the_message_names_both_ways_on),
		RUN_TEST(later_deletions_are_judged_by_themselves),
		RUN_TEST(a_mailbox_removal_is_held_until_the_user_says),
		RUN_TEST(a_mailbox_that_is_back_is_held_no_more),
		RUN_TEST(deleting_in_steps_is_held_from_the_step_over_the_limit_on),
		RUN_TEST(deleting_there_in_steps_is_held_too),
		RUN_TEST(what_was_deleted_a_minute_ago_counts_no_more),
		RUN_TEST(what_other_mailboxes_lost_counts_for_the_account),
		RUN_TEST(what_the_user_allowed_is_not_counted_against_him),
		RUN_TEST(a_missing_cur_is_held_at_any_number),
		RUN_TEST(another_folder_in_its_place_is_held_at_any_number),
		RUN_TEST(max_delete_100_switches_the_shapes_off),
		RUN_TEST(a_maildir_on_another_disk_is_not_held),
		RUN_TEST(flags_cleared_by_standing_in_new_are_held),
		RUN_TEST(flags_held_as_cleared_are_cleared_where_that_is_allowed),
		RUN_TEST(a_few_unread_again_are_not_held),
		RUN_TEST(emptying_the_trash_there_is_not_held),
		RUN_TEST(so_it_is_with_the_trash_that_the_account_names),
		RUN_TEST(emptying_the_trash_here_is_held),
		RUN_TEST(what_is_found_while_a_job_is_under_way_is_held),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
