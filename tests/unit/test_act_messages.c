/* Messages carried over and changed by whole runs against a scripted server: act/, and the brake's
 * part of plan/. */
#include "run_scene.h"
#include "scripted_door.h"

#include <stdlib.h>
#include <string.h>

/* Files that bear these flags, "1.m:2,S" and so on, in INBOX. */
static void write_files(struct run_scene *scene, size_t count, const char *letters)
{
	for (size_t i = 1; i <= count; i++) {
		char path[64];
		char text[64];
		snprintf(path, sizeof(path), "INBOX/cur/%zu.m:2,%s", i, letters);
		snprintf(text, sizeof(text), "Message-ID: <%zu@x>\n\n%zu\n", i, i);
		run_scene_write(scene, path, text);
	}
}

static void add_messages(struct run_scene *scene, size_t count)
{
	for (size_t i = 1; i <= count; i++) {
		char text[64];
		snprintf(text, sizeof(text), "Message-ID: <%zu@x>\n\n%zu\n", i, i);
		scripted_add(scene->server, "INBOX", "", text);
	}
}

static void expect_there(struct run_scene *scene, const char *expected)
{
	char *told = scripted_told(scene->server, "INBOX");
	assert_string_equal(told, expected);
	free(told);
}

static size_t files_here(struct run_scene *scene)
{
	char *names = run_scene_files(scene, "INBOX");
	size_t count = names[0] != '\0';
	for (const char *at = names; *at != '\0'; at++) {
		count += *at == ' ';
	}
	free(names);
	return count;
}

/* A run after which another has nothing to do. */
static void expect_settled(struct run_scene *scene)
{
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 0);
	scripted_heard(scene->server);
	run_scene_expect_idle(scene, 0);
	assert_string_equal(scripted_heard(scene->server), "list\nlogout\n");
}

static void both_sides_get_what_they_lack(void **state)
{
	struct run_scene *scene = *state;
	RUN_OK(scene, run_scene_sync(scene));
	add_messages(scene, 2);
	run_scene_write(scene, "INBOX/cur/9.m:2,S", "Message-ID: <9@x>\n\nnine\n");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.downloaded, 2);
	assert_int_equal(scene->report.total.uploaded, 1);
	expect_there(scene, "1, 2, 3 \\Seen");
	assert_int_equal(files_here(scene), 3);
	expect_settled(scene);
}

static void several_go_up_in_one_command(void **state) /* U1 */
{
	struct run_scene *scene = *state;
	write_files(scene, 3, "");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->server->asked[SCRIPTED_APPEND], 1);
	expect_there(scene, "1, 2, 3");
	expect_settled(scene);
}

static void a_busy_server_gets_the_rest_later(void **state) /* U3 */
{
	struct run_scene *scene = *state;
	write_files(scene, 2, "");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_APPEND,
							       .what = SCRIPTED_BUSY,
							       .busy_ms = 1});
	RUN_OK(scene, run_scene_sync(scene));
	expect_there(scene, "1, 2");
	expect_settled(scene);
}

static void refused_together_each_goes_by_itself(void **state) /* U4, U5 */
{
	struct run_scene *scene = *state;
	write_files(scene, 3, "");
	for (unsigned nth = 1; nth <= 2; nth++) {
		scripted_fault(scene->server,
			       &(struct scripted_fault){.op = SCRIPTED_APPEND,
							.what = SCRIPTED_REFUSED,
							.code = REMOTE_REFUSAL_NOPERM,
							.nth = nth});
	}
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->server->asked[SCRIPTED_APPEND], 4);
	assert_int_equal(scene->report.total.uploaded, 2);
	assert_int_equal(scene->report.total.errors, 1);
	assert_int_equal(scene->report.status, err_exit_status(ERR_PARTIAL));
	expect_settled(scene);
	expect_there(scene, "1, 2, 3");
}

/* WHAT is said of the one APPEND of four messages, of which the first two were taken. */
static void expect_each_once(struct run_scene *scene, const struct scripted_fault *refusal)
{
	struct scripted_fault half = {
		.op = SCRIPTED_APPEND, .what = SCRIPTED_HALF, .uid = 3, .code = refusal->code};
	RUN_OK(scene, run_scene_sync(scene));
	write_files(scene, 4, "S");
	scripted_fault(scene->server, &half);
	if (refusal->what != SCRIPTED_HALF) {
		scripted_fault(scene->server, refusal);
	}
	RUN_OK(scene, run_scene_sync(scene));
	expect_there(scene, "1 \\Seen, 2 \\Seen, 3 \\Seen, 4 \\Seen");
	assert_int_equal(scene->report.total.uploaded, 4);
	assert_int_equal(scene->report.total.errors, 0);
	assert_int_equal(files_here(scene), 4);
	expect_settled(scene);
}

static void what_of_several_was_taken_before_a_refusal_is_not_sent_again(void **state) /* U4 */
{
	expect_each_once(*state, &(struct scripted_fault){.what = SCRIPTED_HALF});
}

static void nor_where_the_server_is_full(void **state)
{
	expect_each_once(*state, &(struct scripted_fault){.what = SCRIPTED_HALF,
							  .code = REMOTE_REFUSAL_OVERQUOTA});
}

static void nor_where_it_asks_for_patience(void **state)
{
	expect_each_once(*state, &(struct scripted_fault){.op = SCRIPTED_APPEND,
							  .what = SCRIPTED_BUSY,
							  .busy_ms = 1});
}

static void while_they_cannot_be_looked_for_none_is_sent_again(void **state)
{
	struct run_scene *scene = *state;
	RUN_OK(scene, run_scene_sync(scene));
	write_files(scene, 4, "S");
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_APPEND, .what = SCRIPTED_HALF, .uid = 3});
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_REFUSED,
							       .always = true});
	RUN_OK(scene, run_scene_sync(scene));
	expect_there(scene, "1 \\Seen, 2 \\Seen");
	assert_int_not_equal(scene->report.total.errors, 0);
	scripted_forget_faults(scene->server);
	expect_settled(scene);
	expect_there(scene, "1 \\Seen, 2 \\Seen, 3 \\Seen, 4 \\Seen");
	assert_int_equal(files_here(scene), 4);
}

static void what_failed_before_takes_no_other_along(void **state) /* U8 */
{
	struct run_scene *scene = *state;
	RUN_OK(scene, run_scene_sync(scene));
	write_files(scene, 1, "");
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_APPEND, .what = SCRIPTED_REFUSED});
	RUN_OK(scene, run_scene_sync(scene));
	write_files(scene, 4, "");
	scene->server->asked[SCRIPTED_APPEND] = 0;
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->server->asked[SCRIPTED_APPEND], 2);
	expect_there(scene, "1, 2, 3, 4");
	expect_settled(scene);
}

static void a_full_server_gets_no_more_of_this_mailbox(void **state)
{
	struct run_scene *scene = *state;
	scene->server->facts.takes_many_appends = false;
	scene->server->facts.appends_without_wait = false;
	write_files(scene, 3, "");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_APPEND,
							       .what = SCRIPTED_REFUSED,
							       .code = REMOTE_REFUSAL_OVERQUOTA});
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->server->asked[SCRIPTED_APPEND], 1);
	expect_settled(scene);
	expect_there(scene, "1, 2, 3");
}

static void uploads_whose_uids_are_untold_are_found(void **state) /* U2 */
{
	struct run_scene *scene = *state;
	scene->server->tells_appended_uid = false;
	write_files(scene, 3, "S");
	RUN_OK(scene, run_scene_sync(scene));
	expect_there(scene, "1 \\Seen, 2 \\Seen, 3 \\Seen");
	expect_settled(scene);
	expect_there(scene, "1 \\Seen, 2 \\Seen, 3 \\Seen");
	assert_int_equal(files_here(scene), 3);
}

/* Three files go up to where messages 1 and 2 are and 3 was, and UIDs are told from FIRST on. */
static void expect_found(struct run_scene *scene, uint32_t first, bool singly)
{
	scene->server->facts.takes_many_appends = !singly;
	add_messages(scene, 3);
	RUN_OK(scene, run_scene_sync(scene));
	scripted_expunge(scene->server, "INBOX", 3);
	for (size_t i = 4; i <= 6; i++) {
		char path[64], text[64];
		snprintf(path, sizeof(path), "INBOX/cur/%zu.m:2,S", i);
		snprintf(text, sizeof(text), "Message-ID: <%zu@x>\n\n%zu\n", i, i);
		run_scene_write(scene, path, text);
	}
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_APPEND,
							       .what = SCRIPTED_MISTOLD,
							       .uid = first,
							       .always = true});
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 0);
	assert_int_equal(scene->report.total.uploaded, 3);
	assert_int_equal(scene->report.total.downloaded, 0);
	expect_settled(scene);
	expect_there(scene, "1, 2, 4 \\Seen, 5 \\Seen, 6 \\Seen");
	assert_int_equal(files_here(scene), 5);
}

static void a_uid_of_another_file_is_untold(void **state) /* U9 */
{
	expect_found(*state, 1, true);
}

static void so_it_is_of_several(void **state)
{
	expect_found(*state, 1, false);
}

static void a_uid_that_came_before_is_untold(void **state) /* U9 */
{
	expect_found(*state, 3, true);
}

static void what_is_not_under_its_uid_is_found_under_another(void **state) /* D40, W26 */
{
	expect_found(*state, 17, true);
}

static void so_are_several(void **state)
{
	expect_found(*state, 17, false);
}

static void keep_not(struct run_scene *scene, uint32_t what)
{
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_APPEND,
							       .what = SCRIPTED_UNKEPT,
							       .uid = what});
}

/* Whatever the server can tell of it. */
static void expect_sent_again(struct run_scene *scene)
{
	RUN_OK(scene, run_scene_sync(scene));
	keep_not(scene, 0);
	write_files(scene, 2, "S");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(files_here(scene), 2);
	assert_int_equal(scene->report.total.deleted_local, 0);
	assert_int_equal(scene->report.total.errors, 1);
	expect_there(scene, "");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 2);
	assert_int_equal(files_here(scene), 2);
	expect_there(scene, "3 \\Seen, 4 \\Seen");
	assert_int_equal(scene->report.status, 0);
	run_scene_expect_idle(scene, 0);
}

static void what_the_server_took_and_did_not_keep_is_sent_again(void **state) /* D40, E14 */
{
	expect_sent_again(*state);
}

static void so_it_is_where_all_is_listed(void **state) /* D40, E14 */
{
	struct run_scene *scene = *state;
	scene->server->tells_gone = false;
	scene->server->facts.tells_changes = false;
	expect_sent_again(scene);
}

/* The look after it was sent failed; the next run finds that it is not there, and sends it. */
static void what_an_earlier_run_sent_is_sent_by_the_one_that_misses_it(void **state) /* W26 */
{
	struct run_scene *scene = *state;
	RUN_OK(scene, run_scene_sync(scene));
	keep_not(scene, 0);
	write_files(scene, 2, "S");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_CUT,
							       .for_good = true});
	assert_true(run_scene_sync(scene) < 0);
	assert_int_equal(scene->server->asked[SCRIPTED_APPEND], 1);
	expect_there(scene, "");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 2);
	assert_int_equal(scene->report.total.errors, 0);
	assert_int_equal(scene->report.status, 0);
	expect_there(scene, "3 \\Seen, 4 \\Seen");
	run_scene_expect_idle(scene, 0);
}

static void what_somebody_removed_after_it_came_is_gone(void **state) /* D40 */
{
	struct run_scene *scene = *state;
	RUN_OK(scene, run_scene_sync(scene));
	write_files(scene, 2, "S");
	RUN_OK(scene, run_scene_sync(scene));
	scripted_expunge(scene->server, "INBOX", 1);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.deleted_local, 1);
	assert_int_equal(files_here(scene), 1);
	expect_settled(scene);
}

static void flags_that_an_append_left_out_are_set_and_not_lost(void **state) /* D39, E13 */
{
	struct run_scene *scene = *state;
	RUN_OK(scene, run_scene_sync(scene));
	keep_not(scene, 1);
	write_files(scene, 2, "FS");
	RUN_OK(scene, run_scene_sync(scene));
	expect_there(scene, "1 \\Flagged \\Seen, 2 \\Flagged \\Seen");
	assert_int_equal(scene->report.total.flags_local, 0);
	expect_settled(scene);
}

/* Its UID was not told, the look after it failed, and before the next run somebody removed it and
 * added another message, which was not made of it. */
static void what_came_since_an_earlier_run_was_not_made_of_its_upload(void **state) /* W18 */
{
	struct run_scene *scene = *state;
	RUN_OK(scene, run_scene_sync(scene));
	scene->server->tells_appended_uid = false;
	write_files(scene, 1, "S");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_CUT,
							       .for_good = true});
	assert_true(run_scene_sync(scene) < 0);
	expect_there(scene, "1 \\Seen");
	scripted_expunge(scene->server, "INBOX", 1);
	scripted_add(scene->server, "INBOX", "", "Subject: other\nMessage-ID: <o@x>\n\nother\n");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 0);
	assert_int_equal(files_here(scene), 2);
	expect_there(scene, "2, 3 \\Seen");
	run_scene_expect_idle(scene, 0);
}

/* By a plain EXPUNGE, whose refusal names no message. */
static void removals_that_are_refused_whole_are_not_done(void **state) /* N11 */
{
	struct run_scene *scene = *state;
	scene->server->facts.has_uid_expunge = false;
	write_files(scene, 3, "S");
	RUN_OK(scene, run_scene_sync(scene));
	for (int i = 1; i <= 2; i++) {
		char path[160];
		snprintf(path, sizeof(path), "%s/INBOX/cur/%d.m:2,S", scene->maildir, i);
		assert_int_equal(remove(path), 0);
	}
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_EXPUNGE_ALL,
							       .what = SCRIPTED_REFUSED,
							       .code = REMOTE_REFUSAL_OTHER});
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_not_equal(scene->report.status, 0);
	assert_int_equal(scene->report.total.downloaded, 0);
	assert_int_equal(files_here(scene), 1);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.downloaded, 0);
	assert_int_equal(files_here(scene), 1);
	expect_there(scene, "3 \\Seen");
}

static void an_upload_whose_answer_is_lost_is_not_sent_again(void **state)
{
	struct run_scene *scene = *state;
	write_files(scene, 2, "");
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_APPEND, .what = SCRIPTED_LOST});
	assert_true(run_scene_sync(scene) < 0);
	expect_there(scene, "1, 2");
	RUN_OK(scene, run_scene_sync(scene));
	expect_there(scene, "1, 2");
	expect_settled(scene);
}

static void flags_of_both_sides_are_merged(void **state)
{
	struct run_scene *scene = *state;
	write_files(scene, 2, "");
	RUN_OK(scene, run_scene_sync(scene));
	scripted_flag(scene->server, "INBOX", 1, "\\Answered");
	char from[160];
	char to[160];
	snprintf(from, sizeof(from), "%s/INBOX/cur/1.m:2,", scene->maildir);
	snprintf(to, sizeof(to), "%s/INBOX/cur/1.m:2,F", scene->maildir);
	assert_int_equal(rename(from, to), 0);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.flags_local, 1);
	assert_int_equal(scene->report.total.flags_remote, 1);
	expect_there(scene, "1 \\Flagged \\Answered, 2");
	char *names = run_scene_files(scene, "INBOX");
	assert_string_equal(names, "1.m:2,FR 2.m:2,");
	free(names);
	expect_settled(scene);
}

static void flags_that_are_refused_are_tried_again(void **state) /* E3 */
{
	struct run_scene *scene = *state;
	write_files(scene, 1, "");
	RUN_OK(scene, run_scene_sync(scene));
	char from[160];
	char to[160];
	snprintf(from, sizeof(from), "%s/INBOX/cur/1.m:2,", scene->maildir);
	snprintf(to, sizeof(to), "%s/INBOX/cur/1.m:2,F", scene->maildir);
	assert_int_equal(rename(from, to), 0);
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_STORE, .what = SCRIPTED_REFUSED});
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.errors, 1);
	assert_int_equal(scene->report.total.flags_remote, 0);
	expect_there(scene, "1");
	expect_settled(scene);
	expect_there(scene, "1 \\Flagged");
}

static void deletions_go_over_both_ways(void **state)
{
	struct run_scene *scene = *state;
	write_files(scene, 3, "");
	RUN_OK(scene, run_scene_sync(scene));
	scripted_expunge(scene->server, "INBOX", 1);
	char path[160];
	snprintf(path, sizeof(path), "%s/INBOX/cur/2.m:2,", scene->maildir);
	assert_int_equal(remove(path), 0);
	RUN_OK(scene, run_scene_sync(scene));
	expect_there(scene, "3");
	char *names = run_scene_files(scene, "INBOX");
	assert_string_equal(names, "3.m:2,");
	free(names);
	expect_settled(scene);
}

/* Twelve that both sides had, all gone on the server. */
static void empty_the_server(struct run_scene *scene)
{
	scene->account.max_delete_percent = 50;
	write_files(scene, 12, "");
	RUN_OK(scene, run_scene_sync(scene));
	for (uint32_t uid = 1; uid <= 12; uid++) {
		scripted_expunge(scene->server, "INBOX", uid);
	}
}

static void the_brake_names_the_mailbox_and_counts_no_error(void **state) /* B1 */
{
	struct run_scene *scene = *state;
	empty_the_server(scene);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, err_exit_status(ERR_BRAKE));
	assert_int_equal(files_here(scene), 12);
	assert_int_equal(scene->report.error_count, 1);
	assert_string_equal(scene->report.errors[0].mailbox, "INBOX");
	assert_int_equal(scene->report.total.errors, 0);
}

static void what_the_brake_holds_outlives_a_grown_mailbox(void **state) /* B4, R21 */
{
	struct run_scene *scene = *state;
	empty_the_server(scene);
	RUN_OK(scene, run_scene_sync(scene));
	for (int i = 0; i < 30; i++) {
		scripted_add(scene->server, "INBOX", "", "Subject: new\n\nnew\n");
	}
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, err_exit_status(ERR_BRAKE));
	assert_int_equal(files_here(scene), 42);
	scene->options.allow_mass_delete = true; /* B5 */
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 0);
	assert_int_equal(files_here(scene), 30);
}

static void the_brake_s_word_leaves_other_errors_as_they_are(void **state)
{
	struct run_scene *scene = *state;
	struct err err;
	empty_the_server(scene);
	RUN_OK(scene, run_scene_begin(scene));
	err_set(&err, ERR_PARTIAL, SCOPE_MESSAGE, "one of many");
	for (int i = 0; i < 1000; i++) {
		run_report_error(&scene->run, NULL, 0, &err);
	}
	run_report_held(&scene->run, run_mailbox(&scene->run, "INBOX"), 1, &err);
	assert_int_equal(scene->report.error_count, 1000);
	assert_null(scene->report.errors[999].mailbox);
}

static size_t count_planned(const struct run_scene *scene, enum report_op op)
{
	size_t count = 0;
	for (size_t i = 0; i < scene->report.plan_count; i++) {
		count += scene->report.plan[i].op == op;
	}
	return count;
}

static void a_dry_run_tells_all_and_changes_nothing(void **state)
{
	struct run_scene *scene = *state;
	write_files(scene, 2, "");
	RUN_OK(scene, run_scene_sync(scene));
	add_messages(scene, 1);
	scripted_flag(scene->server, "INBOX", 1, "\\Flagged");
	scripted_expunge(scene->server, "INBOX", 2);
	run_scene_write(scene, "INBOX/cur/9.m:2,S", "Message-ID: <9@x>\n\nnine\n");
	scene->options.dry_run = true;
	for (int i = 0; i < 2; i++) {
		RUN_OK(scene, run_scene_sync(scene));
		assert_int_equal(count_planned(scene, REPORT_DOWNLOAD), 1);
		assert_int_equal(count_planned(scene, REPORT_UPLOAD), 1);
		assert_int_equal(count_planned(scene, REPORT_FLAGS_LOCAL), 1);
		assert_int_equal(count_planned(scene, REPORT_DELETE_LOCAL), 1);
		assert_int_equal(scene->report.plan_count, 4);
	}
	expect_there(scene, "1 \\Flagged, 3");
	assert_int_equal(files_here(scene), 3);
	scene->options.dry_run = false;
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.downloaded, 1);
	assert_int_equal(scene->report.total.deleted_local, 1);
	expect_settled(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(both_sides_get_what_they_lack),
		RUN_TEST(several_go_up_in_one_command),
		RUN_TEST(a_busy_server_gets_the_rest_later),
		RUN_TEST(refused_together_each_goes_by_itself),
		RUN_TEST(what_of_several_was_taken_before_a_refusal_is_not_sent_again),
		RUN_TEST(nor_where_the_server_is_full),
		RUN_TEST(nor_where_it_asks_for_patience),
		RUN_TEST(while_they_cannot_be_looked_for_none_is_sent_again),
		RUN_TEST(what_failed_before_takes_no_other_along),
		RUN_TEST(a_full_server_gets_no_more_of_this_mailbox),
		RUN_TEST(uploads_whose_uids_are_untold_are_found),
		RUN_TEST(a_uid_of_another_file_is_untold),
		RUN_TEST(so_it_is_of_several),
		RUN_TEST(a_uid_that_came_before_is_untold),
		RUN_TEST(what_is_not_under_its_uid_is_found_under_another),
		RUN_TEST(so_are_several),
		RUN_TEST(what_the_server_took_and_did_not_keep_is_sent_again),
		RUN_TEST(so_it_is_where_all_is_listed),
		RUN_TEST(what_an_earlier_run_sent_is_sent_by_the_one_that_misses_it),
		RUN_TEST(what_somebody_removed_after_it_came_is_gone),
		RUN_TEST(flags_that_an_append_left_out_are_set_and_not_lost),
		RUN_TEST(what_came_since_an_earlier_run_was_not_made_of_its_upload),
		RUN_TEST(removals_that_are_refused_whole_are_not_done),
		RUN_TEST(an_upload_whose_answer_is_lost_is_not_sent_again),
		RUN_TEST(flags_of_both_sides_are_merged),
		RUN_TEST(flags_that_are_refused_are_tried_again),
		RUN_TEST(deletions_go_over_both_ways),
		RUN_TEST(the_brake_names_the_mailbox_and_counts_no_error),
		RUN_TEST(what_the_brake_holds_outlives_a_grown_mailbox),
		RUN_TEST(the_brake_s_word_leaves_other_errors_as_they_are),
		RUN_TEST(a_dry_run_tells_all_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
