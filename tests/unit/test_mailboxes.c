/* Mailboxes made, removed and renamed: whole runs on a scripted server and a Maildir. */
#include "run_scene.h"
#include "scripted_door.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEARD(scene, command) (strstr(scripted_heard((scene)->server), command) != NULL)

static bool is_here(const struct run_scene *scene, const char *folder)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s/cur", scene->maildir, folder);
	return access(path, F_OK) == 0;
}

static bool is_there(struct run_scene *scene, const char *wire)
{
	return scripted_find(scene->server, wire) != NULL;
}

static void rename_here(struct run_scene *scene, const char *from, const char *to)
{
	char old[512];
	char new[512];
	snprintf(old, sizeof(old), "%s/%s", scene->maildir, from);
	snprintf(new, sizeof(new), "%s/%s", scene->maildir, to);
	assert_int_equal(rename(old, new), 0);
}

static void remove_here(struct run_scene *scene, const char *folder)
{
	char out[64];
	snprintf(out, sizeof(out), "gone-%s", folder);
	char old[512];
	char new[512];
	snprintf(old, sizeof(old), "%s/%s", scene->maildir, folder);
	snprintf(new, sizeof(new), "%s/%s", scene->root, out);
	assert_int_equal(rename(old, new), 0);
}

/* A run whose outcome is STATUS. */
static void sync_to(struct run_scene *scene, int status)
{
	scripted_heard(scene->server);
	(void)run_scene_sync(scene);
	if (scene->report.status != status) {
		fail_msg("status %d, not %d: %s", scene->report.status, status,
			 scene->report.error_count > 0 ? scene->report.errors[0].text : "");
	}
}

/* A mailbox with three messages, which both sides hold. */
static void shared(struct run_scene *scene, const char *wire)
{
	scripted_make(scene->server, wire);
	for (int i = 0; i < 3; i++) {
		char text[64];
		snprintf(text, sizeof(text), "Message-ID: <%d@%s>\n\ntext\n", i, wire);
		scripted_add(scene->server, wire, "", text);
	}
	sync_to(scene, 0);
	assert_true(is_here(scene, wire));
}

static void expect_counts(const struct run_scene *scene, uint64_t downloaded, uint64_t uploaded)
{
	assert_int_equal(scene->report.total.downloaded, downloaded);
	assert_int_equal(scene->report.total.uploaded, uploaded);
	assert_int_equal(scene->report.total.deleted_local, 0);
	assert_int_equal(scene->report.total.deleted_remote, 0);
}

static void expect_error(const struct run_scene *scene, const char *text)
{
	assert_int_equal(scene->report.error_count, 1);
	if (strstr(scene->report.errors[0].text, text) == NULL) {
		fail_msg("not \"%s\": %s", text, scene->report.errors[0].text);
	}
}

/* Created */

static void M7_what_is_new_here_is_created_and_subscribed_there(void **state)
{
	struct run_scene *scene = *state;
	run_scene_folder(scene, "a");
	run_scene_folder(scene, "b");
	run_scene_write(scene, "a/cur/17.a:2,S", "Subject: 1\n\none\n");
	sync_to(scene, 0);
	assert_true(is_there(scene, "a") && is_there(scene, "b"));
	assert_true(HEARD(scene, "create a\ncreate b\nsubscribe a\nsubscribe b\n"));
	expect_counts(scene, 0, 1);
}

static void M7_what_is_new_there_is_created_here_and_not_subscribed(void **state)
{
	struct run_scene *scene = *state;
	scene->server->facts.lists_counts = false;
	shared(scene, "a");
	assert_false(HEARD(scene, "subscribe"));
	expect_counts(scene, 3, 0);
}

static void M7_a_refused_one_is_told_and_holds_up_no_other(void **state)
{
	struct run_scene *scene = *state;
	run_scene_folder(scene, "a");
	run_scene_folder(scene, "b");
	run_scene_write(scene, "b/cur/17.a:2,S", "Subject: 1\n\none\n");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_CREATE,
							       .what = SCRIPTED_REFUSED,
							       .wire = "a"});
	sync_to(scene, 1);
	expect_error(scene, "the mailbox could not be created");
	expect_counts(scene, 0, 1);
	sync_to(scene, 0);
	assert_true(is_there(scene, "a"));
}

static void create_a(struct scripted *server)
{
	scripted_make(server, "a");
}

static void M7_one_that_somebody_made_meanwhile_will_do(void **state)
{
	struct run_scene *scene = *state;
	run_scene_folder(scene, "a");
	run_scene_write(scene, "a/cur/17.a:2,S", "Subject: 1\n\none\n");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_CREATE,
							       .what = SCRIPTED_MEANWHILE,
							       .act = create_a});
	sync_to(scene, 0);
	expect_counts(scene, 0, 1);
}

static void M9_what_create_does_not_cover_is_left_alone(void **state)
{
	struct run_scene *scene = *state;
	scene->account.create = SIDE_LOCAL;
	run_scene_folder(scene, "a");
	scripted_make(scene->server, "b");
	sync_to(scene, 0);
	assert_false(is_there(scene, "a"));
	assert_true(is_here(scene, "b"));
}

/* Removed */

static void M3_M25_what_was_removed_here_is_removed_there(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "a");
	remove_here(scene, "a");
	sync_to(scene, 0);
	assert_false(is_there(scene, "a"));
	expect_counts(scene, 0, 0);
}

static void add_to_a(struct scripted *server)
{
	scripted_add(server, "a", "", "Subject: late\n\nlate\n");
}

static void M24_mail_that_came_meanwhile_keeps_the_servers_mailbox(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "a");
	remove_here(scene, "a");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_COUNT,
							       .what = SCRIPTED_MEANWHILE,
							       .act = add_to_a});
	sync_to(scene, 1);
	expect_error(scene, "it holds mail that was never here");
	assert_true(is_there(scene, "a"));
}

static void M24_counts_that_are_not_told_keep_it(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "a");
	remove_here(scene, "a");
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_COUNT, .what = SCRIPTED_UNTOLD});
	sync_to(scene, 1);
	assert_true(is_there(scene, "a"));
}

static void M23_what_was_removed_there_is_removed_here(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "a");
	scripted_remove(scene->server, "a");
	sync_to(scene, 0);
	assert_false(is_here(scene, "a"));
}

static void M20_one_that_is_only_not_listed_is_kept(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "a");
	scripted_find(scene->server, "a")->is_unlisted = true;
	sync_to(scene, 1);
	expect_error(scene, "and yet has it");
	assert_true(is_here(scene, "a"));
}

static void M21_a_refusal_of_another_kind_keeps_it(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "a");
	scripted_remove(scene->server, "a");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_COUNT,
							       .what = SCRIPTED_REFUSED,
							       .wire = "a",
							       .code = REMOTE_REFUSAL_OTHER});
	sync_to(scene, 1);
	expect_error(scene, "does not say either that it is gone");
	assert_true(is_here(scene, "a"));
}

static void M22_mail_that_the_server_never_had_keeps_the_folder(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "a");
	scripted_remove(scene->server, "a");
	run_scene_write(scene, "a/new/18.b", "Subject: late\n\nlate\n");
	sync_to(scene, 1);
	expect_error(scene, "its folder holds mail that the server never had");
	assert_true(is_here(scene, "a"));
}

static void M5_what_is_not_to_be_removed_comes_back(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	remove_here(scene, "a");
	sync_to(scene, 0);
	expect_counts(scene, 3, 0);
	assert_true(is_here(scene, "a") && is_there(scene, "a"));
}

static void M4_a_run_that_may_not_remove_it_leaves_it_to_one_that_may(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "a");
	remove_here(scene, "a");
	scene->options.pull = true;
	sync_to(scene, 0);
	assert_true(is_there(scene, "a") && !is_here(scene, "a"));
	scene->options.pull = false;
	sync_to(scene, 0);
	assert_false(is_there(scene, "a"));
}

/* Renamed */

static void M15_a_rename_here_is_one_there(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	rename_here(scene, "a", "z");
	sync_to(scene, 0);
	assert_true(HEARD(scene, "rename a z\nsubscribe z\nunsubscribe a\n"));
	expect_counts(scene, 0, 0);
	sync_to(scene, 0);
	assert_string_equal(scripted_heard(scene->server), "list\nlogout\n");
}

static void M15_a_rename_there_is_one_here(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	scripted_rename(scene->server, "a", "z");
	sync_to(scene, 0);
	assert_true(is_here(scene, "z") && !is_here(scene, "a"));
	expect_counts(scene, 0, 0);
}

static void M59_of_two_new_names_the_servers_wins(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	rename_here(scene, "a", "y");
	scripted_rename(scene->server, "a", "z");
	sync_to(scene, 0);
	assert_true(is_here(scene, "z") && !is_here(scene, "y") && !is_here(scene, "a"));
	assert_true(is_there(scene, "z") && !is_there(scene, "y") && !is_there(scene, "a"));
	expect_counts(scene, 0, 0);
	sync_to(scene, 0);
	assert_string_equal(scripted_heard(scene->server), "list\nlogout\n");
}

static void M59_while_the_server_does_not_show_its_name_both_wait(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	rename_here(scene, "a", "y");
	scripted_rename(scene->server, "a", "z");
	scripted_find(scene->server, "z")->is_unlisted = true;
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_LIST, .what = SCRIPTED_REFUSED, .nth = 2});
	sync_to(scene, 1);
	assert_false(HEARD(scene, "create"));
	scripted_find(scene->server, "z")->is_unlisted = false;
	sync_to(scene, 0);
	assert_true(is_here(scene, "z") && !is_here(scene, "y") && !is_there(scene, "y"));
	expect_counts(scene, 0, 0);
}

static void M36_without_ids_a_sample_tells(void **state)
{
	struct run_scene *scene = *state;
	scene->server->facts.has_message_ids = false;
	shared(scene, "a");
	scripted_rename(scene->server, "a", "z");
	sync_to(scene, 0);
	assert_true(HEARD(scene, "open z\nheader z 1:3\n"));
	assert_true(is_here(scene, "z") && !is_here(scene, "a"));
	expect_counts(scene, 0, 0);
}

/* Two of the three headers by which a mailbox is known are not told, once. */
static void M36_headers_that_are_not_told_prove_no_other_mailbox(void **state)
{
	struct run_scene *scene = *state;
	scene->server->facts.has_message_ids = false;
	shared(scene, "a");
	scripted_rename(scene->server, "a", "z");
	for (uint32_t uid = 1; uid <= 2; uid++) {
		scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
								       .what = SCRIPTED_OMITTED,
								       .wire = "z",
								       .uid = uid});
	}
	sync_to(scene, 1);
	expect_error(scene, "whether this is a mailbox that was renamed");
	assert_true(is_here(scene, "a") && !is_here(scene, "z") && !is_there(scene, "a"));
	sync_to(scene, 0);
	assert_true(is_here(scene, "z") && !is_here(scene, "a"));
	expect_counts(scene, 0, 0);
}

static void M36_messages_that_are_gone_are_told(void **state)
{
	struct run_scene *scene = *state;
	scene->server->facts.has_message_ids = false;
	shared(scene, "a");
	scripted_rename(scene->server, "a", "z");
	scripted_expunge(scene->server, "z", 1);
	scripted_expunge(scene->server, "z", 2);
	sync_to(scene, 0);
	assert_true(is_there(scene, "a") && is_here(scene, "a"));
	expect_counts(scene, 1, 3);
}

/* The new name is in the line that cannot be read, or in the folder that cannot be looked into
 * (test_gone). */
static void M38_a_listing_that_is_not_whole_may_lack_the_new_name(void **unused)
{
	static const enum side removes[] = {SIDE_NONE, SIDE_BOTH};
	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		void *state = NULL;
		run_scene_open(&state);
		struct run_scene *scene = state;
		scene->account.remove_mailboxes = removes[i];
		shared(scene, "a");
		scripted_rename(scene->server, "a", "z");
		scripted_find(scene->server, "z")->is_unlisted = true;
		scene->server->lists_badly = true;
		sync_to(scene, 1);
		expect_error(scene, "in which it may have another name");
		expect_counts(scene, 0, 0);
		assert_true(is_here(scene, "a") && !is_there(scene, "a"));
		scripted_find(scene->server, "z")->is_unlisted = false;
		scene->server->lists_badly = false;
		sync_to(scene, 0);
		assert_true(is_here(scene, "z") && !is_here(scene, "a"));
		expect_counts(scene, 0, 0);
		run_scene_close(&state);
	}
}

/* So may one of which the name cannot be had. */
static void M38_a_line_without_a_name_may_be_that_of_the_new_one(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	scripted_rename(scene->server, "a", "z");
	scripted_find(scene->server, "z")->is_unlisted = true;
	scripted_make(scene->server, "");
	sync_to(scene, 1);
	expect_counts(scene, 0, 0);
	assert_true(is_here(scene, "a") && !is_there(scene, "a"));
	scripted_remove(scene->server, "");
	scripted_find(scene->server, "z")->is_unlisted = false;
	sync_to(scene, 0);
	assert_true(is_here(scene, "z") && !is_here(scene, "a"));
	expect_counts(scene, 0, 0);
}

/* As a mail program does in that moment: of these nothing tells what they were. */
static void M36_files_that_are_gone_meanwhile_say_nothing(void **state)
{
	struct run_scene *scene = *state;
	scene->server->facts.has_message_ids = false;
	shared(scene, "a");
	scripted_rename(scene->server, "a", "z");
	char *files = run_scene_files(scene, "a");
	for (int i = 0; i < 2; i++) {
		char path[512];
		const char *name = files + (size_t)i * (strcspn(files, " ") + 1);
		snprintf(path, sizeof(path), "%s/a/new/%.*s", scene->maildir,
			 (int)strcspn(name, " "), name);
		assert_int_equal(remove(path), 0);
	}
	free(files);
	sync_to(scene, 0);
	assert_true(is_here(scene, "z") && !is_here(scene, "a"));
	assert_int_equal(scene->report.total.downloaded, 0);
	assert_int_equal(scene->report.total.deleted_remote, 2);
}

static void M13_a_name_that_is_taken_there_is_no_rename(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	scripted_make(scene->server, "z")->attributes |= REMOTE_NOSELECT;
	rename_here(scene, "a", "z");
	(void)run_scene_sync(scene);
	assert_false(HEARD(scene, "rename"));
}

static void M15_a_refused_rename_is_told_and_both_names_wait(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	rename_here(scene, "a", "z");
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_RENAME, .what = SCRIPTED_REFUSED});
	sync_to(scene, 1);
	expect_error(scene, "the mailbox could not be renamed on the server");
	assert_true(is_there(scene, "a") && !is_there(scene, "z"));
	expect_counts(scene, 0, 0);
	sync_to(scene, 0);
	assert_true(is_there(scene, "z") && !is_there(scene, "a"));
	expect_counts(scene, 0, 0);
}

static void M52_a_rename_that_was_said_to_be_done_and_was_not_waits(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	shared(scene, "a/b");
	rename_here(scene, "a", "z");
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_RENAME, .what = SCRIPTED_UNKEPT});
	sync_to(scene, 1);
	expect_error(scene, "still has it under its old name");
	expect_counts(scene, 0, 0);
	assert_true(is_there(scene, "a") && !is_there(scene, "z") && !is_here(scene, "a"));
	sync_to(scene, 0);
	assert_true(is_there(scene, "z/b") && !is_there(scene, "a"));
	expect_counts(scene, 0, 0);
	sync_to(scene, 0);
	assert_string_equal(scripted_heard(scene->server), "list\nlogout\n");
}

static void M16_a_rename_whose_answer_was_lost_is_taken_for_done(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	rename_here(scene, "a", "z");
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_RENAME, .what = SCRIPTED_LOST});
	sync_to(scene, 75);
	sync_to(scene, 0);
	expect_counts(scene, 0, 0);
	scripted_expunge(scene->server, "z", 1);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.deleted_local, 1);
}

static void M17_a_rename_that_was_not_carried_out_is_tried_again(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	rename_here(scene, "a", "z");
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_RENAME, .what = SCRIPTED_CUT});
	sync_to(scene, 75);
	sync_to(scene, 0);
	assert_true(is_there(scene, "z") && !is_there(scene, "a"));
	expect_counts(scene, 0, 0);
}

static void M14_children_go_along_and_those_left_out_are_put_back(void **state)
{
	static const char *const patterns[] = {"*", "!*/out"};
	struct run_scene *scene = *state;
	scene->account.patterns = patterns;
	scene->account.pattern_count = 2;
	shared(scene, "a");
	shared(scene, "a/b");
	scripted_make(scene->server, "a/out");
	rename_here(scene, "a", "z");
	sync_to(scene, 0);
	assert_true(HEARD(scene, "rename a z\nrename z/out a/out\n"));
	assert_true(is_there(scene, "z/b") && is_there(scene, "a/out"));
	expect_counts(scene, 0, 0);
}

/* A dry run */

static bool is_planned(const struct run_scene *scene, enum report_op op, const char *mailbox)
{
	for (size_t i = 0; i < scene->report.plan_count; i++) {
		const struct report_plan *plan = &scene->report.plan[i];
		if (plan->op == op && strcmp(plan->mailbox, mailbox) == 0) {
			return true;
		}
	}
	return false;
}

static void a_dry_run_tells_of_mailboxes_and_touches_none(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "gone");
	shared(scene, "old");
	remove_here(scene, "gone");
	rename_here(scene, "old", "renamed");
	run_scene_folder(scene, "here");
	scripted_make(scene->server, "there");
	scene->options.dry_run = true;
	sync_to(scene, 0);
	assert_true(is_planned(scene, REPORT_REMOVE_REMOTE, "gone"));
	assert_true(is_planned(scene, REPORT_RENAME_REMOTE, "renamed"));
	assert_true(is_planned(scene, REPORT_CREATE_REMOTE, "here"));
	assert_true(is_planned(scene, REPORT_CREATE_LOCAL, "there"));
	assert_int_equal(scene->report.plan_count, 4);
	assert_true(is_there(scene, "gone") && is_there(scene, "old"));
	assert_false(is_there(scene, "here") || is_here(scene, "there"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(M7_what_is_new_here_is_created_and_subscribed_there),
		RUN_TEST(M7_what_is_new_there_is_created_here_and_not_subscribed),
		RUN_TEST(M7_a_refused_one_is_told_and_holds_up_no_other),
		RUN_TEST(M7_one_that_somebody_made_meanwhile_will_do),
		RUN_TEST(M9_what_create_does_not_cover_is_left_alone),
		RUN_TEST(M3_M25_what_was_removed_here_is_removed_there),
		RUN_TEST(M24_mail_that_came_meanwhile_keeps_the_servers_mailbox),
		RUN_TEST(M24_counts_that_are_not_told_keep_it),
		RUN_TEST(M23_what_was_removed_there_is_removed_here),
		RUN_TEST(M20_one_that_is_only_not_listed_is_kept),
		RUN_TEST(M21_a_refusal_of_another_kind_keeps_it),
		RUN_TEST(M22_mail_that_the_server_never_had_keeps_the_folder),
		RUN_TEST(M5_what_is_not_to_be_removed_comes_back),
		RUN_TEST(M4_a_run_that_may_not_remove_it_leaves_it_to_one_that_may),
		RUN_TEST(M15_a_rename_here_is_one_there),
		RUN_TEST(M15_a_rename_there_is_one_here),
		RUN_TEST(M59_of_two_new_names_the_servers_wins),
		RUN_TEST(M59_while_the_server_does_not_show_its_name_both_wait),
		RUN_TEST(M36_without_ids_a_sample_tells),
		RUN_TEST(M36_headers_that_are_not_told_prove_no_other_mailbox),
		RUN_TEST(M36_messages_that_are_gone_are_told),
		cmocka_unit_test(M38_a_listing_that_is_not_whole_may_lack_the_new_name),
		RUN_TEST(M38_a_line_without_a_name_may_be_that_of_the_new_one),
		RUN_TEST(M36_files_that_are_gone_meanwhile_say_nothing),
		RUN_TEST(M13_a_name_that_is_taken_there_is_no_rename),
		RUN_TEST(M15_a_refused_rename_is_told_and_both_names_wait),
		RUN_TEST(M52_a_rename_that_was_said_to_be_done_and_was_not_waits),
		RUN_TEST(M16_a_rename_whose_answer_was_lost_is_taken_for_done),
		RUN_TEST(M17_a_rename_that_was_not_carried_out_is_tried_again),
		RUN_TEST(M14_children_go_along_and_those_left_out_are_put_back),
		RUN_TEST(a_dry_run_tells_of_mailboxes_and_touches_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
