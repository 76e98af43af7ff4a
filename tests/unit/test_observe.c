/* What changed on each side since base, as rows: observe/ on a scripted server and a Maildir. */
#include "run_scene.h"
#include "scripted_door.h"

#include <stdlib.h>
#include <unistd.h>

#include "observe/observe.h"
#include "recover/recover.h"

/* A run as far as both sides' deltas. */
static void observe(struct run_scene *scene)
{
	RUN_OK(scene, run_scene_begin(scene));
	RUN_OK(scene, observe_local(&scene->run, &scene->err));
	RUN_OK(scene, observe_remote(&scene->run, &scene->err));
}

static void observe_again(struct run_scene *scene)
{
	run_scene_end(scene);
	scripted_heard(scene->server);
	observe(scene);
}

/* Three messages that a first run has seen. */
static void three_seen(struct run_scene *scene)
{
	scripted_add(scene->server, "INBOX", "\\Seen", "Subject: 1\n\none\n");
	scripted_add(scene->server, "INBOX", "", "Subject: 2\n\ntwo\n");
	scripted_add(scene->server, "INBOX", "$Work", "Subject: 3\n\nthree\n");
	observe(scene);
	run_scene_expect_rows(scene, "INBOX", "1 - +(\\Seen) -()\n2 - +() -()\n3 - +($Work) -()\n");
}

static void both_sides_are_written_down(void **state)
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "\\Seen", "Subject: 1\n\none\n");
	run_scene_write(scene, "INBOX/cur/17.a:2,F", "Subject: 2\n\ntwo\n");
	run_scene_write(scene, "INBOX/new/18.b", "Subject: 3\n\nthree\n");
	observe(scene);
	run_scene_expect_rows(scene, "INBOX",
			      "1 - +(\\Seen) -()\n- 17.a -() +(\\Flagged)\n- 18.b -() +()\n");
}

static void an_idle_mailbox_is_not_opened_again(void **state)
{
	struct run_scene *scene = *state;
	observe(scene);
	observe_again(scene);
	assert_string_equal(scripted_heard(scene->server), "list\n");
	scripted_add(scene->server, "INBOX", "", "x\n");
	observe_again(scene);
	assert_string_equal(scripted_heard(scene->server), "list\nview INBOX\n");
}

/* The same changes, however the server tells them. */
static void change_there(struct run_scene *scene)
{
	three_seen(scene);
	scripted_flag(scene->server, "INBOX", 1, "\\Answered");
	scripted_expunge(scene->server, "INBOX", 2);
	scripted_add(scene->server, "INBOX", "\\Draft", "Subject: 4\n\nfour\n");
	observe_again(scene);
	run_scene_expect_rows(scene, "INBOX",
			      "1 - +(\\Answered) -()\n3 - +($Work) -()\n4 - +(\\Draft) -()\n");
	assert_true(told_is(run_mailbox(&scene->run, "INBOX")->base.numbers.messages, 3));
}

static void changes_are_told_by_the_server(void **state)
{
	struct run_scene *scene = *state;
	change_there(scene);
	assert_string_equal(scripted_heard(scene->server), "list\nview INBOX for writing\n");
}

static void removals_are_listed_where_only_changes_are_told(void **state)
{
	struct run_scene *scene = *state;
	scene->server->tells_gone = false;
	change_there(scene);
	assert_string_equal(scripted_heard(scene->server),
			    "list\nview INBOX for writing\nopen INBOX\nuids INBOX\n");
}

static void all_is_listed_where_nothing_is_told(void **state)
{
	struct run_scene *scene = *state;
	scene->server->tells_gone = false;
	scene->server->facts.tells_changes = false;
	change_there(scene);
}

static void a_listing_that_does_not_fit_the_count_removes_nothing(void **state)
{
	struct run_scene *scene = *state;
	scene->server->tells_gone = false;
	scene->server->facts.tells_changes = false;
	three_seen(scene);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_OMITTED,
							       .uid = 2,
							       .always = true});
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_UIDS, .what = SCRIPTED_OMITTED, .uid = 2});
	observe_again(scene);
	run_scene_expect_rows(scene, "INBOX", "1 - +(\\Seen) -()\n2 - +() -()\n3 - +($Work) -()\n");
}

static void a_mailbox_that_tells_no_count_is_left_out(void **state)
{
	struct run_scene *scene = *state;
	three_seen(scene);
	scripted_expunge(scene->server, "INBOX", 1);
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_VIEW, .what = SCRIPTED_UNTOLD});
	observe_again(scene);
	run_scene_expect_rows(scene, "INBOX", "1 - +(\\Seen) -()\n2 - +() -()\n3 - +($Work) -()\n");
	assert_int_equal(run_mailbox(&scene->run, "INBOX")->decided.exclusion, EXCLUDED_FAILED);
	assert_int_equal(scene->report.error_count, 1);
}

static void a_refused_mailbox_holds_up_no_other(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Work");
	run_scene_folder(scene, "Work");
	scripted_add(scene->server, "INBOX", "", "x\n");
	scripted_add(scene->server, "Work", "", "x\n");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_REFUSED,
							       .wire = "INBOX"});
	observe(scene);
	run_scene_expect_rows(scene, "INBOX", "");
	run_scene_expect_rows(scene, "Work", "1 - +() -()\n");
	assert_int_equal(scene->report.error_count, 1);
}

static void a_busy_server_is_asked_once_more(void **state)
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "", "x\n");
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_VIEW, .what = SCRIPTED_BUSY, .busy_ms = 1});
	observe(scene);
	run_scene_expect_rows(scene, "INBOX", "1 - +() -()\n");
	assert_int_equal(scene->report.error_count, 0);
}

static void a_cut_connection_changes_nothing(void **state)
{
	struct run_scene *scene = *state;
	three_seen(scene);
	run_scene_end(scene);
	scripted_expunge(scene->server, "INBOX", 1);
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_VIEW, .what = SCRIPTED_CUT});
	RUN_OK(scene, run_scene_begin(scene));
	assert_int_equal(observe_remote(&scene->run, &scene->err), -ERR_TEMPORARY);
	run_scene_expect_rows(scene, "INBOX", "1 - +(\\Seen) -()\n2 - +() -()\n3 - +($Work) -()\n");
}

static void a_renumbered_mailbox_is_forgotten_and_listed_anew(void **state)
{
	struct run_scene *scene = *state;
	three_seen(scene);
	scripted_renumber(scene->server, "INBOX", 7);
	observe_again(scene);
	run_scene_expect_rows(scene, "INBOX", "7 - +(\\Seen) -()\n8 - +() -()\n9 - +($Work) -()\n");
	assert_true(told_is(run_mailbox(&scene->run, "INBOX")->base.numbers.uidvalidity,
			    scripted_find(scene->server, "INBOX")->uidvalidity));
}

/* D32, D33: what a view leaves out and UID SEARCH lists. */
static void a_message_that_only_uid_search_tells_of_is_listed(void **state)
{
	struct run_scene *scene = *state;
	three_seen(scene);
	scripted_add(scene->server, "INBOX", "", "Subject: 4\n\nfour\n");
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_VIEW, .what = SCRIPTED_OMITTED, .uid = 4});
	observe_again(scene);
	run_scene_expect_rows(scene, "INBOX",
			      "1 - +(\\Seen) -()\n2 - +() -()\n3 - +($Work) -()\n4 - +() -()\n");
	assert_int_equal(scene->server->asked[SCRIPTED_UIDS], 1);
	assert_true(told_is(run_mailbox(&scene->run, "INBOX")->base.numbers.messages, 4));
}

static void one_comes_and_one_goes(struct scripted *server)
{
	scripted_expunge(server, "INBOX", 2);
	scripted_add(server, "INBOX", "", "Subject: 4\n\nfour\n");
}

/* D35: between the counts and the view, so that the count of messages stays. */
static void new_and_old_are_counted_apart(void **state)
{
	struct run_scene *scene = *state;
	scene->server->tells_gone = false;
	three_seen(scene);
	scripted_flag(scene->server, "INBOX", 1, "");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_MEANWHILE,
							       .act = one_comes_and_one_goes});
	observe_again(scene);
	run_scene_expect_rows(scene, "INBOX", "1 - +() -()\n3 - +($Work) -()\n4 - +() -()\n");
}

static void mail_comes(struct scripted *server)
{
	scripted_add(server, "INBOX", "", "Subject: 1\n\none\n");
}

static void mail_that_comes_to_an_empty_mailbox_meanwhile_is_seen(void **state)
{
	struct run_scene *scene = *state;
	observe(scene);
	scene->server->facts.tells_changes = scene->server->tells_gone = false;
	run_scene_end(scene);
	scripted_find(scene->server, "INBOX")->uidnext++; /* something came and went */
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_MEANWHILE,
							       .act = mail_comes});
	observe(scene);
	run_scene_expect_rows(scene, "INBOX", "2 - +() -()\n");
	assert_int_equal(scene->report.error_count, 0);
	assert_int_equal(scene->server->asked[SCRIPTED_UIDS], 0);
}

/* D36: no number is stored before it is read. */
static void a_change_that_cannot_be_read_is_looked_for_in_the_same_run(void **state)
{
	struct run_scene *scene = *state;
	three_seen(scene);
	scripted_flag(scene->server, "INBOX", 2, "\\Flagged");
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_VIEW, .what = SCRIPTED_UNREAD, .uid = 2});
	observe_again(scene);
	run_scene_expect_rows(scene, "INBOX",
			      "1 - +(\\Seen) -()\n2 - +(\\Flagged) -()\n3 - +($Work) -()\n");
	assert_int_equal(scene->server->asked[SCRIPTED_UIDS], 0);
}

static void a_change_that_is_never_read_is_told_and_looked_for_in_the_next_run(void **state)
{
	struct run_scene *scene = *state;
	three_seen(scene);
	scripted_flag(scene->server, "INBOX", 2, "\\Flagged");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_UNREAD,
							       .uid = 2,
							       .always = true});
	observe_again(scene);
	run_scene_expect_rows(scene, "INBOX", "1 - +(\\Seen) -()\n2 - +() -()\n3 - +($Work) -()\n");
	assert_int_equal(scene->report.error_count, 1);
	assert_false(run_mailbox(&scene->run, "INBOX")->base.numbers.modseq.is_told);
	scripted_forget_faults(scene->server);
	observe_again(scene);
	run_scene_expect_rows(scene, "INBOX",
			      "1 - +(\\Seen) -()\n2 - +(\\Flagged) -()\n3 - +($Work) -()\n");
}

/* What a listing of all leaves out may have other flags, though UID SEARCH lists it. */
static void flags_that_a_listing_does_not_show_are_looked_for_again(void **state)
{
	struct run_scene *scene = *state;
	three_seen(scene);
	run_mailbox(&scene->run, "INBOX")->base.numbers.modseq = UNTOLD;
	RUN_OK(scene, state_begin(scene->session.state, &scene->err));
	RUN_OK(scene, mailbox_store(&scene->run, run_mailbox(&scene->run, "INBOX"), &scene->err));
	RUN_OK(scene, state_commit(scene->session.state, &scene->err));
	scripted_flag(scene->server, "INBOX", 2, "\\Flagged");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_OMITTED,
							       .uid = 2,
							       .always = true});
	observe_again(scene);
	assert_false(run_mailbox(&scene->run, "INBOX")->base.numbers.modseq.is_told);
	scripted_forget_faults(scene->server);
	observe_again(scene);
	run_scene_expect_rows(scene, "INBOX",
			      "1 - +(\\Seen) -()\n2 - +(\\Flagged) -()\n3 - +($Work) -()\n");
}

static void a_server_that_stays_busy_is_asked_only_once_more(void **state)
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "", "x\n");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_BUSY,
							       .busy_ms = 1,
							       .always = true});
	observe(scene);
	run_scene_expect_rows(scene, "INBOX", "");
	assert_int_equal(scene->server->asked[SCRIPTED_VIEW], 2);
	assert_int_equal(run_mailbox(&scene->run, "INBOX")->decided.exclusion, EXCLUDED_FAILED);
	assert_int_equal(scene->report.error_count, 1);
}

/* D24. */
static void a_job_keeps_its_rows_where_the_mailbox_is_renumbered(void **state)
{
	struct run_scene *scene = *state;
	three_seen(scene);
	struct mailbox *mailbox = run_mailbox(&scene->run, "INBOX");
	scripted_renumber(scene->server, "INBOX", 7);
	RUN_OK(scene, observe_remote_mailbox(&scene->run, scene->session.remote, mailbox,
					     LOOK_IN_JOB, &scene->err));
	run_scene_expect_rows(scene, "INBOX", "1 - +(\\Seen) -()\n2 - +() -()\n3 - +($Work) -()\n");
	assert_int_equal(mailbox->decided.exclusion, EXCLUDED_FAILED);
	assert_int_equal(scene->report.error_count, 1);
}

/* A run as far as the local delta, after one that downloaded a message of whose file a power cut
 * left only the beginning. */
static void observe_damage(struct run_scene *scene, bool dry_run)
{
	char path[512];
	scripted_add(scene->server, "INBOX", "", "Subject: 1\n\none\n");
	RUN_OK(scene, run_scene_sync(scene));
	char *file = run_scene_files(scene, "INBOX");
	snprintf(path, sizeof(path), "INBOX/new/%s", file);
	run_scene_write(scene, path, "Subj");
	free(file);
	scene->options.dry_run = dry_run;
	RUN_OK(scene, run_scene_begin(scene));
	scene->session.lost_power = true;
	scene->session.was_unclean = true;
	RUN_OK(scene, observe_local(&scene->run, &scene->err));
	run_scene_expect_rows(scene, "INBOX", "1 - +() -()\n");
}

static void expect_files(struct run_scene *scene, size_t count)
{
	char *files = run_scene_files(scene, "INBOX");
	size_t found = files[0] != '\0';
	for (const char *at = files; *at != '\0'; at++) {
		found += *at == ' ';
	}
	free(files);
	assert_int_equal(found, count);
}

/* D9. */
static void a_file_that_a_power_cut_damaged_goes_and_is_to_be_downloaded_again(void **state)
{
	observe_damage(*state, false);
	expect_files(*state, 0);
}

static void a_dry_run_leaves_a_damaged_file_where_it_is(void **state)
{
	observe_damage(*state, true);
	expect_files(*state, 1);
}

static void what_a_dead_run_left_of_a_folder_is_completed(void **state)
{
	struct run_scene *scene = *state;
	char path[512];
	snprintf(path, sizeof(path), "%s/INBOX/new", scene->maildir);
	assert_int_equal(rmdir(path), 0);
	RUN_OK(scene, run_scene_begin(scene));
	RUN_OK(scene, recover_leftovers(&scene->run, &scene->err));
	assert_int_equal(access(path, F_OK), -1);
	scene->session.was_unclean = true;
	RUN_OK(scene, recover_leftovers(&scene->run, &scene->err));
	assert_int_equal(access(path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(both_sides_are_written_down),
		RUN_TEST(an_idle_mailbox_is_not_opened_again),
		RUN_TEST(changes_are_told_by_the_server),
		RUN_TEST(removals_are_listed_where_only_changes_are_told),
		RUN_TEST(all_is_listed_where_nothing_is_told),
		RUN_TEST(a_listing_that_does_not_fit_the_count_removes_nothing),
		RUN_TEST(a_mailbox_that_tells_no_count_is_left_out),
		RUN_TEST(a_refused_mailbox_holds_up_no_other),
		RUN_TEST(a_busy_server_is_asked_once_more),
		RUN_TEST(a_cut_connection_changes_nothing),
		RUN_TEST(a_renumbered_mailbox_is_forgotten_and_listed_anew),
		RUN_TEST(a_message_that_only_uid_search_tells_of_is_listed),
		RUN_TEST(new_and_old_are_counted_apart),
		RUN_TEST(mail_that_comes_to_an_empty_mailbox_meanwhile_is_seen),
		RUN_TEST(a_change_that_cannot_be_read_is_looked_for_in_the_same_run),
		RUN_TEST(a_change_that_is_never_read_is_told_and_looked_for_in_the_next_run),
		RUN_TEST(flags_that_a_listing_does_not_show_are_looked_for_again),
		RUN_TEST(a_server_that_stays_busy_is_asked_only_once_more),
		RUN_TEST(a_job_keeps_its_rows_where_the_mailbox_is_renumbered),
		RUN_TEST(a_file_that_a_power_cut_damaged_goes_and_is_to_be_downloaded_again),
		RUN_TEST(a_dry_run_leaves_a_damaged_file_where_it_is),
		RUN_TEST(what_a_dead_run_left_of_a_folder_is_completed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
