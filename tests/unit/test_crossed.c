/*
 * Messages that were moved on both sides, to different mailboxes, between two runs (V15, E15) or in
 * turn (V10): whole runs on a scripted server.
 */
#include "run_scene.h"
#include "scripted_door.h"

#include "gone_scene.h"
#include "observe/observe.h"
#include "rules/move_rules.h"

/* INBOX with three messages, of which the second is flagged, and two mailboxes. */
static void begin(struct run_scene *scene, bool has_ids)
{
	scene->server->facts.has_message_ids = has_ids;
	scripted_make(scene->server, "here");
	scripted_make(scene->server, "there");
	for (int i = 1; i <= 3; i++) {
		char text[128];
		snprintf(text, sizeof(text), "Subject: %d\nMessage-ID: <%d@x>\n\ntext\n", i, i);
		scripted_add(scene->server, "INBOX", i == 2 ? "\\Flagged" : "", text);
	}
	sync_to(scene, 0);
}

static void expect_settled(struct run_scene *scene)
{
	scripted_heard(scene->server);
	run_scene_expect_idle(scene, 0);
	assert_string_equal(scripted_heard(scene->server), "list\nlogout\n");
}

static void expect_at(struct run_scene *scene, const char *inbox, const char *here,
		      const char *there)
{
	run_scene_expect_both(scene, "INBOX", inbox);
	run_scene_expect_both(scene, "here", here);
	run_scene_expect_both(scene, "there", there);
	expect_settled(scene);
}

static void expect_servers_place(struct run_scene *scene, bool has_ids)
{
	begin(scene, has_ids);
	run_scene_move_file(scene, "INBOX", "2", "here", "FS");
	scripted_move(scene->server, "INBOX", 2, "there");
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.downloaded, 0);
	assert_int_equal(scene->report.total.uploaded, 0);
	assert_int_equal(scene->report.total.deleted_local, 0);
	assert_int_equal(scene->report.total.deleted_remote, 0);
	assert_int_equal(scene->report.total.moved, 1);
	expect_at(scene, "1/ 3/", "", "2/FS");
}

static void V15_the_servers_place_wins(void **state)
{
	expect_servers_place(*state, true);
}

static void V15_so_it_does_without_ids(void **state)
{
	expect_servers_place(*state, false);
}

static void V15_also_where_it_came_back(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, true);
	run_scene_move_file(scene, "INBOX", "2", "here", "F");
	scripted_move(scene->server, "INBOX", 2, "there");
	scripted_move(scene->server, "there", 1, "INBOX");
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.moved, 1);
	expect_at(scene, "1/ 2/F 3/", "", "");
}

/* Base was not told the id of what it put there itself. */
static void V10_what_was_moved_here_is_moved_again_there(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, true);
	run_scene_move_file(scene, "INBOX", "2", "here", "F");
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.moved, 1);
	scripted_move(scene->server, "here", 1, "there");
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.moved, 1);
	assert_int_equal(scene->report.total.downloaded, 0);
	assert_int_equal(scene->report.total.deleted_local, 0);
	expect_at(scene, "1/ 3/", "", "2/F");
}

/* Nor does the time of its file matter. */
static void V10_what_was_touched_and_moved_here_is_moved_again_there(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, false);
	scripted_message(scene->server, "INBOX", 2)->date -= 1000;
	run_scene_forget_base(scene);
	sync_to(scene, 0);
	run_scene_move_file(scene, "INBOX", "2", "here", "F");
	sync_to(scene, 0);
	scripted_move(scene->server, "here", 1, "there");
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.moved, 1);
	expect_at(scene, "1/ 3/", "", "2/F");
}

/* Whatever the time of the file that others brought. */
static void V10_what_was_paired_is_known_by_the_servers_date(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, false);
	scripted_add(scene->server, "here", "\\Seen", "Subject: old\nMessage-ID: <o@x>\n\ntext\n");
	run_scene_write(scene, "here/cur/17.old:2,S", "Subject: old\nMessage-ID: <o@x>\n\ntext\n");
	run_scene_forget_base(scene);
	sync_to(scene, 0);
	scripted_move(scene->server, "here", 1, "there");
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.moved, 1);
	assert_int_equal(scene->report.total.downloaded, 0);
	expect_at(scene, "1/ 2/F 3/", "", "old/S");
}

static void V15_what_cannot_be_told_to_be_it_is_in_both(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, true);
	run_scene_move_file(scene, "INBOX", "2", "here", "F");
	scripted_move(scene->server, "INBOX", 2, "there");
	scripted_message(scene->server, "there", 1)->date += 7;
	sync_to(scene, 0);
	expect_at(scene, "1/ 3/", "2/F", "2/F");
}

static void V15_so_it_is_where_nothing_may_be_moved_here(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, true);
	scene->account.delete_ = SIDE_REMOTE;
	run_scene_move_file(scene, "INBOX", "2", "here", "F");
	scripted_move(scene->server, "INBOX", 2, "there");
	sync_to(scene, 0);
	expect_at(scene, "1/ 3/", "2/F", "2/F");
}

/* Another text under the name is a message of its own (V11). */
static void V15_another_text_under_the_name_stays(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, true);
	char *files = run_scene_files(scene, "INBOX");
	char path[256];
	run_scene_move_file(scene, "INBOX", "2", "here", "F");
	free(files);
	files = run_scene_files(scene, "here");
	snprintf(path, sizeof(path), "here/cur/%s", files);
	run_scene_write(scene, path, "Subject: other\nMessage-ID: <other@x>\n\ntext\n");
	free(files);
	scripted_move(scene->server, "INBOX", 2, "there");
	sync_to(scene, 0);
	expect_at(scene, "1/ 3/", "other/F", "2/F");
}

static void V15_a_run_that_is_cut_before_the_file_is_moved_is_taken_up(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, true);
	run_scene_move_file(scene, "INBOX", "2", "here", "F");
	scripted_move(scene->server, "INBOX", 2, "there");
	scene->options.dry_run = true; /* and a dry run changes nothing */
	sync_to(scene, 0);
	assert_int_equal(scene->report.plan_count, 1);
	scene->options.dry_run = false;
	RUN_OK(scene, run_scene_begin(scene));
	RUN_OK(scene, observe_local(&scene->run, &scene->err));
	RUN_OK(scene, observe_remote(&scene->run, &scene->err));
	RUN_OK(scene, plan_moves(&scene->run, &scene->err));
	run_scene_end(scene);
	scripted_move(scene->server, "INBOX", 3, "here"); /* the mailbox is looked at again */
	sync_to(scene, 0);
	expect_at(scene, "1/", "3/", "2/F");
}

static void V15_says_what_may_be_it(void **state)
{
	struct header_identity identity = {.has_message_id = true};
	struct row gone;
	struct row fresh;
	char one[] = "one";
	char other[] = "other";

	(void)state;
	row_init(&gone);
	row_init(&fresh);
	assert_false(move_is_origin(&gone));
	gone.is_agreed = true;
	gone.local = MESSAGE_GONE;
	gone.remote = MESSAGE_GONE;
	assert_true(move_is_origin(&gone));
	assert_false(move_is_crossed(&gone, &fresh, NULL));
	gone.has_digest = true;
	assert_false(move_is_crossed(&gone, &fresh, NULL)); /* no date is told */
	gone.date = fresh.date = told_time(7);
	assert_true(move_is_crossed(&gone, &fresh, NULL));
	assert_true(move_is_crossed(&gone, &fresh, &identity));
	identity.has_message_id = false;
	assert_false(move_is_crossed(&gone, &fresh, &identity));
	gone.emailid = one;
	assert_false(move_is_crossed(&gone, &fresh, &identity));
	fresh.emailid = one;
	assert_true(move_is_crossed(&gone, &fresh, &identity));
	fresh.emailid = other;
	assert_false(move_is_crossed(&gone, &fresh, NULL));
	fresh.emailid = one;
	identity.digest[0] = 1;
	assert_false(move_is_crossed(&gone, &fresh, &identity));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(V15_the_servers_place_wins),
		RUN_TEST(V15_so_it_does_without_ids),
		RUN_TEST(V15_also_where_it_came_back),
		RUN_TEST(V10_what_was_moved_here_is_moved_again_there),
		RUN_TEST(V10_what_was_touched_and_moved_here_is_moved_again_there),
		RUN_TEST(V10_what_was_paired_is_known_by_the_servers_date),
		RUN_TEST(V15_what_cannot_be_told_to_be_it_is_in_both),
		RUN_TEST(V15_so_it_is_where_nothing_may_be_moved_here),
		RUN_TEST(V15_another_text_under_the_name_stays),
		RUN_TEST(V15_a_run_that_is_cut_before_the_file_is_moved_is_taken_up),
		cmocka_unit_test(V15_says_what_may_be_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
