/* Downloads: whole runs against the scripted server. */
#include "run_scene.h"
#include "scripted_door.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXCHANGE "Retrieval using the IMAP4 protocol failed for the following message"

static size_t files_in(struct run_scene *scene, const char *folder)
{
	char *files = run_scene_files(scene, folder);
	size_t count = files[0] != '\0';
	for (const char *at = files; *at != '\0'; at++) {
		count += *at == ' ';
	}
	free(files);
	return count;
}

/* One run, which ends well, brings DOWNLOADED messages and tells of ERRORS. */
static void expect_run(struct run_scene *scene, uint64_t downloaded, uint64_t errors)
{
	scripted_heard(scene->server);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.downloaded, downloaded);
	assert_int_equal(scene->report.total.errors, errors);
	assert_int_equal(scene->report.error_count, errors);
}

static void three_there(struct run_scene *scene)
{
	scripted_add(scene->server, "INBOX", "", "Subject: 1\n\none\n");
	scripted_add(scene->server, "INBOX", "", "Subject: 2\n\ntwo\n");
	scripted_add(scene->server, "INBOX", "\\Seen", "Subject: 3\n\nthree\n");
}

static void one_mailbox_is_fetched_in_one_command(void **state)
{
	struct run_scene *scene = *state;
	three_there(scene);
	expect_run(scene, 3, 0);
	assert_non_null(strstr(scripted_heard(scene->server), "\nfetch INBOX 1:3\n"));
	char *files = run_scene_files(scene, "INBOX");
	assert_non_null(strstr(files, ":2,S"));
	free(files);
	assert_int_equal(files_in(scene, "INBOX"), 3);
	run_scene_expect_idle(scene, 0);
}

/* Of what was under way nothing is left, under no name. */
static void expect_no_drafts(struct run_scene *scene, const char *folder)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/%s/tmp", scene->maildir, folder);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void several_mailboxes_share_a_pipeline(void **state)
{
	struct run_scene *scene = *state;
	three_there(scene);
	scripted_make(scene->server, "Work");
	scripted_add(scene->server, "Work", "", "Subject: 4\n\nfour\n");
	expect_run(scene, 4, 0);
	const char *heard = scripted_heard(scene->server);
	assert_true(strstr(heard, "open INBOX\nfetch INBOX 1:3\nopen Work\nfetch Work 1\n") !=
			    NULL ||
		    strstr(heard, "\nfetch INBOX 1:3\nopen Work\nfetch Work 1\n") != NULL);
	assert_int_equal(files_in(scene, "Work"), 1);
	run_scene_expect_idle(scene, 0);
}

/* Every way not to give a body: it is asked for again by itself, told of, and comes later. */
static void check_not_given(struct run_scene *scene, enum scripted_what what)
{
	three_there(scene);
	scripted_fault(scene->server,
		       &(struct scripted_fault){
			       .op = SCRIPTED_FETCH, .what = what, .always = true, .uid = 2});
	expect_run(scene, 2, 1);
	assert_int_equal(scene->report.errors[0].uid, 2);
	assert_int_equal(files_in(scene, "INBOX"), 2);
	assert_non_null(strstr(scripted_heard(scene->server), "\nfetch INBOX 2\n"));
	scripted_forget_faults(scene->server);
	expect_run(scene, 1, 0);
	assert_int_equal(files_in(scene, "INBOX"), 3);
	run_scene_expect_idle(scene, 0);
}

static void what_is_left_out_comes_another_time(void **state)
{
	check_not_given(*state, SCRIPTED_OMITTED);
}

static void what_is_nil_comes_another_time(void **state)
{
	check_not_given(*state, SCRIPTED_NIL);
}

static void what_is_empty_is_not_stored(void **state)
{
	check_not_given(*state, SCRIPTED_EMPTY);
}

static void what_exchange_cannot_render_is_not_stored(void **state)
{
	struct run_scene *scene = *state;
	three_there(scene);
	scripted_add(scene->server, "INBOX", "", "Subject: " EXCHANGE ": 4\n\nsorry\n");
	expect_run(scene, 3, 1);
	assert_int_equal(scene->report.errors[0].uid, 4);
	assert_int_equal(files_in(scene, "INBOX"), 3);
}

static void a_second_answer_is_believed_where_the_first_was_empty(void **state)
{
	struct run_scene *scene = *state;
	three_there(scene);
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_FETCH, .what = SCRIPTED_EMPTY, .uid = 2});
	expect_run(scene, 3, 0);
	run_scene_expect_idle(scene, 0);
}

static void expunge_the_second(struct scripted *server)
{
	scripted_expunge(server, "INBOX", 2);
}

static void what_is_expunged_meanwhile_is_no_failure(void **state)
{
	struct run_scene *scene = *state;
	three_there(scene);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_MEANWHILE,
							       .act = expunge_the_second});
	expect_run(scene, 2, 0);
	run_scene_expect_idle(scene, 0);
}

/* What came before the cut is kept, and the one that it broke off at holds up no other. */
static void what_the_connection_breaks_at_is_asked_for_last(void **state)
{
	struct run_scene *scene = *state;
	three_there(scene);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_CUT,
							       .always = true,
							       .uid = 2});
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, err_exit_status(ERR_PARTIAL));
	assert_int_equal(scene->report.total.downloaded, 2);
	run_scene_expect_here(scene, "INBOX", "1/ 3/S");
	expect_no_drafts(scene, "INBOX");
	scripted_forget_faults(scene->server);
	expect_run(scene, 1, 0);
	run_scene_expect_idle(scene, 0);
}

static void a_pipeline_that_breaks_in_a_body_leaves_nothing_of_it(void **state)
{
	struct run_scene *scene = *state;
	three_there(scene);
	scripted_make(scene->server, "Work");
	scripted_add(scene->server, "Work", "", "Subject: 4\n\nfour\n");
	scene->server->piece_len = 3;
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_CUT,
							       .wire = "INBOX",
							       .uid = 3});
	assert_true(run_scene_sync(scene) < 0);
	assert_int_equal(scene->report.status, err_exit_status(ERR_TEMPORARY));
	assert_int_equal(scene->report.total.downloaded, 4);
	expect_no_drafts(scene, "INBOX");
	expect_no_drafts(scene, "Work");
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/S");
	run_scene_expect_both(scene, "Work", "4/");
	run_scene_expect_idle(scene, 0);
}

/* Three slices, by the sizes that are told, of which the second is answered before the first: a
 * body is whose its UID says. */
static void a_body_of_another_slice_is_handed_over(void **state)
{
	struct run_scene *scene = *state;
	three_there(scene);
	scripted_make(scene->server, "Work");
	scripted_add(scene->server, "Work", "", "Subject: 4\n\nfour\n");
	for (uint32_t uid = 1; uid <= 3; uid++) {
		scripted_message(scene->server, "INBOX", uid)->size = 9u << 20;
	}
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_LATE,
							       .wire = "INBOX"});
	expect_run(scene, 4, 0);
	const char *heard = scripted_heard(scene->server);
	assert_non_null(strstr(heard, "\nfetch INBOX 1\nfetch INBOX 2\nfetch INBOX 3\n"));
	assert_int_equal(scene->server->asked[SCRIPTED_FETCH], 4); /* none is asked for again */
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/S");
	expect_no_drafts(scene, "INBOX");
	run_scene_expect_idle(scene, 0);
}

/* Names bear the second in which they are given: MAKE is called with the path of UNIQUE and of what
 * it would be in each second of the next half minute. */
static void for_each_name(struct run_scene *scene, const char *unique, int (*make)(const char *))
{
	char name[MAILDIR_UNIQUE_MAX + 1];
	snprintf(name, sizeof(name), "%s", unique);
	for (int second = 0; second < 30; second++) {
		char path[512];
		snprintf(path, sizeof(path), "%s/INBOX/new/%s", scene->maildir, name);
		assert_int_equal(make(path), 0);
		maildir_unique_later(name);
	}
}

static int take_name(const char *path)
{
	return mkdir(path, 0700);
}

static void a_name_that_is_taken_is_written_over_by_nothing(void **state)
{
	struct run_scene *scene = *state;
	char key[MAILDIR_KEY_SIZE];
	char unique[MAILDIR_UNIQUE_MAX + 1];
	uint32_t uidvalidity = scripted_find(scene->server, "INBOX")->uidvalidity;
	three_there(scene);
	RUN_OK(scene, maildir_folder_key("test", "INBOX", key, &scene->err));
	RUN_OK(scene, maildir_unique_make(unique, key, uidvalidity, 2, &scene->err));
	for_each_name(scene, unique, take_name);
	expect_run(scene, 2, 1);
	assert_int_equal(scene->report.errors[0].uid, 2);
	expect_no_drafts(scene, "INBOX");
	for_each_name(scene, unique, rmdir); /* they are there still, and empty */
	expect_run(scene, 1, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/S");
	run_scene_expect_idle(scene, 0);
}

static void what_bulk_leaves_open_the_mailboxs_job_takes_up(void **state)
{
	struct run_scene *scene = *state;
	three_there(scene);
	scripted_make(scene->server, "Work");
	scripted_add(scene->server, "Work", "", "Subject: 4\n\nfour\n");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_REFUSED,
							       .wire = "Work"});
	expect_run(scene, 4, 0);
	run_scene_expect_idle(scene, 0);
}

static void a_mailbox_that_does_not_open_holds_up_no_other(void **state)
{
	struct run_scene *scene = *state;
	three_there(scene);
	scripted_make(scene->server, "Work");
	scripted_add(scene->server, "Work", "", "Subject: 4\n\nfour\n");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_SELECT,
							       .what = SCRIPTED_REFUSED,
							       .wire = "Work",
							       .always = true});
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(files_in(scene, "INBOX"), 3);
	assert_int_equal(files_in(scene, "Work"), 0);
	scripted_forget_faults(scene->server);
	expect_run(scene, 1, 0);
	run_scene_expect_idle(scene, 0);
}

static void renumber_work(struct scripted *server)
{
	scripted_renumber(server, "Work", 40);
}

/* Its UIDs are not those that were asked for any more. */
static void what_a_renumbered_mailbox_gives_is_not_stored(void **state)
{
	struct run_scene *scene = *state;
	three_there(scene);
	scripted_make(scene->server, "Work");
	scripted_add(scene->server, "Work", "", "Subject: 4\n\nfour\n");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_SELECT,
							       .what = SCRIPTED_MEANWHILE,
							       .wire = "Work",
							       .act = renumber_work});
	RUN_OK(scene, run_scene_sync(scene));
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(files_in(scene, "Work"), 1);
	run_scene_expect_idle(scene, 0);
}

static void a_busy_server_is_asked_again(void **state)
{
	struct run_scene *scene = *state;
	three_there(scene);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_BUSY,
							       .busy_ms = 1});
	expect_run(scene, 3, 0);
	run_scene_expect_idle(scene, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(one_mailbox_is_fetched_in_one_command),
		RUN_TEST(several_mailboxes_share_a_pipeline),
		RUN_TEST(what_is_left_out_comes_another_time),
		RUN_TEST(what_is_nil_comes_another_time),
		RUN_TEST(what_is_empty_is_not_stored),
		RUN_TEST(what_exchange_cannot_render_is_not_stored),
		RUN_TEST(a_second_answer_is_believed_where_the_first_was_empty),
		RUN_TEST(what_is_expunged_meanwhile_is_no_failure),
		RUN_TEST(what_the_connection_breaks_at_is_asked_for_last),
		RUN_TEST(a_pipeline_that_breaks_in_a_body_leaves_nothing_of_it),
		RUN_TEST(a_body_of_another_slice_is_handed_over),
		RUN_TEST(a_name_that_is_taken_is_written_over_by_nothing),
		RUN_TEST(what_bulk_leaves_open_the_mailboxs_job_takes_up),
		RUN_TEST(a_mailbox_that_does_not_open_holds_up_no_other),
		RUN_TEST(what_a_renumbered_mailbox_gives_is_not_stored),
		RUN_TEST(a_busy_server_is_asked_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
