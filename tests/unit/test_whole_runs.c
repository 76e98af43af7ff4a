/* Whole runs against the scripted server, as an account lives them; behind each that settles
 * something stands one that has nothing to do. */
#include "run_scene.h"
#include "scripted_door.h"

#include <string.h>

#define PARTIAL err_exit_status(ERR_PARTIAL)

static void add(struct run_scene *scene, const char *wire, const char *subject, const char *flags)
{
	char text[128];
	snprintf(text, sizeof(text), "Subject: %s\nMessage-ID: <%s@x>\n\n%s\n", subject, subject,
		 subject);
	scripted_add(scene->server, wire, flags, text);
}

static void deliver(struct run_scene *scene, const char *folder, const char *subject,
		    const char *letters)
{
	char path[128];
	char text[128];
	snprintf(path, sizeof(path), "%s/cur/%s.here:2,%s", folder, subject, letters);
	snprintf(text, sizeof(text), "Subject: %s\nMessage-ID: <%s@x>\n\n%s\n", subject, subject,
		 subject);
	run_scene_write(scene, path, text);
}

/* A run that ends with STATUS. */
static void sync_to(struct run_scene *scene, int status)
{
	(void)run_scene_sync(scene);
	if (scene->report.status != status) {
		fail_msg("status %d, not %d: %s%s", scene->report.status, status, scene->err.text,
			 scene->report.error_count > 0 ? scene->report.errors[0].text : "");
	}
}

/* A run that ends well, and one that has nothing to do. */
static void settle(struct run_scene *scene)
{
	sync_to(scene, 0);
	run_scene_expect_idle(scene, 0);
}

/* INBOX with messages 1 to 6 and Archive, in sync. */
static void begin(struct run_scene *scene)
{
	scripted_make(scene->server, "Archive");
	for (char subject[] = "1"; subject[0] <= '6'; subject[0]++) {
		add(scene, "INBOX", subject, "");
	}
	settle(scene);
}

static void a_first_pull_brings_all(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Work");
	add(scene, "INBOX", "1", "\\Seen");
	add(scene, "INBOX", "2", "");
	add(scene, "Work", "3", "\\Flagged \\Answered");
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "1/S 2/");
	run_scene_expect_both(scene, "Work", "3/FR");
}

static void a_first_push_takes_all_there(void **state)
{
	struct run_scene *scene = *state;
	run_scene_folder(scene, "Work");
	deliver(scene, "INBOX", "1", "S");
	deliver(scene, "INBOX", "2", "");
	deliver(scene, "Work", "3", "FR");
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "1/S 2/");
	run_scene_expect_both(scene, "Work", "3/FR");
}

static void a_first_run_doubles_nothing_that_both_have(void **state)
{
	struct run_scene *scene = *state;
	add(scene, "INBOX", "1", "\\Seen");
	add(scene, "INBOX", "2", "");
	deliver(scene, "INBOX", "2", "F");
	deliver(scene, "INBOX", "3", "");
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "1/S 2/F 3/");
}

static void flags_go_both_ways(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	scripted_flag(scene->server, "INBOX", 1, "\\Seen");
	scripted_flag(scene->server, "INBOX", 2, "\\Answered");
	run_scene_move_file(scene, "INBOX", "2", "INBOX", "F");
	run_scene_move_file(scene, "INBOX", "3", "INBOX", "S");
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "1/S 2/FR 3/S 4/ 5/ 6/");
	scripted_flag(scene->server, "INBOX", 1, "");
	run_scene_move_file(scene, "INBOX", "3", "INBOX", "");
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "1/ 2/FR 3/ 4/ 5/ 6/");
}

static void deletions_go_both_ways(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	scripted_expunge(scene->server, "INBOX", 1);
	run_scene_remove_file(scene, "INBOX", "2");
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "3/ 4/ 5/ 6/");
}

static void moves_go_both_ways(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	scripted_move(scene->server, "INBOX", 1, "Archive");
	run_scene_move_file(scene, "INBOX", "2", "Archive", "S");
	settle(scene);
	assert_int_equal(scene->server->asked[SCRIPTED_APPEND], 0);
	run_scene_expect_both(scene, "INBOX", "3/ 4/ 5/ 6/");
	run_scene_expect_both(scene, "Archive", "1/ 2/S");
}

static void what_is_deleted_here_lies_in_the_trash(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Trash");
	scene->account.trash = "Trash";
	begin(scene);
	run_scene_remove_file(scene, "INBOX", "2");
	sync_to(scene, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 3/ 4/ 5/ 6/");
	run_scene_expect_there(scene, "Trash", "2/");
	settle(scene); /* what the trash got since is a download like any other */
	run_scene_expect_both(scene, "Trash", "2/");
	run_scene_remove_file(scene, "Trash", "2");
	settle(scene);
	run_scene_expect_both(scene, "Trash", "");
}

static void a_refused_append_is_told_and_made_good(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	deliver(scene, "INBOX", "7", "");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_APPEND,
							       .what = SCRIPTED_REFUSED,
							       .always = true});
	sync_to(scene, PARTIAL);
	assert_int_equal(scene->report.total.errors, 1);
	run_scene_expect_there(scene, "INBOX", "1/ 2/ 3/ 4/ 5/ 6/");
	run_scene_expect_here(scene, "INBOX", "1/ 2/ 3/ 4/ 5/ 6/ 7/");
	scripted_forget_faults(scene->server);
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/ 4/ 5/ 6/ 7/");
}

/* One thing of each kind to do. */
static void change_everything(struct run_scene *scene)
{
	add(scene, "INBOX", "7", "\\Seen");
	deliver(scene, "INBOX", "8", "S");
	scripted_flag(scene->server, "INBOX", 1, "\\Flagged");
	run_scene_move_file(scene, "INBOX", "2", "INBOX", "R");
	scripted_expunge(scene->server, "INBOX", 3);
	run_scene_remove_file(scene, "INBOX", "4");
	scripted_move(scene->server, "INBOX", 5, "Archive");
	run_scene_move_file(scene, "INBOX", "6", "Archive", "S");
	scripted_make(scene->server, "Work");
	add(scene, "Work", "9", "");
	run_scene_folder(scene, "Home");
	deliver(scene, "Home", "10", "");
}

/* Wherever it breaks, before a command or between command and answer: the run after it makes it
 * good. */
static void check_broken(void **state, enum scripted_what what, enum scripted_op op, bool has_move)
{
	struct run_scene *scene;
	assert_int_equal(run_scene_open(state), 0);
	scene = *state;
	scene->server->facts.has_move = has_move;
	begin(scene);
	change_everything(scene);
	size_t asked = scene->server->asked[op];
	scripted_fault(scene->server, &(struct scripted_fault){.op = op, .what = what});
	(void)run_scene_sync(scene);
	assert_true(scene->server->asked[op] == asked || scene->report.status != 0);
	scripted_forget_faults(scene->server);
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "1/F 2/R 7/S 8/S");
	run_scene_expect_both(scene, "Archive", "5/ 6/S");
	run_scene_expect_both(scene, "Work", "9/");
	run_scene_expect_both(scene, "Home", "10/");
	assert_int_equal(run_scene_close(state), 0);
}

static void a_cut_connection_is_made_good_by_the_next_run(void **state)
{
	for (int op = 0; op < SCRIPTED_OP_COUNT; op++) {
		check_broken(state, SCRIPTED_CUT, (enum scripted_op)op, true);
		check_broken(state, SCRIPTED_CUT, (enum scripted_op)op, false);
	}
}

static void a_lost_answer_is_made_good_by_the_next_run(void **state)
{
	for (int op = 0; op < SCRIPTED_OP_COUNT; op++) {
		check_broken(state, SCRIPTED_LOST, (enum scripted_op)op, true);
		check_broken(state, SCRIPTED_LOST, (enum scripted_op)op, false);
	}
}

static void a_read_only_mailbox_gives_and_takes_nothing(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	scripted_find(scene->server, "INBOX")->is_read_only = true;
	add(scene, "INBOX", "7", "");
	scripted_flag(scene->server, "INBOX", 1, "\\Seen");
	run_scene_move_file(scene, "INBOX", "2", "INBOX", "F");
	run_scene_remove_file(scene, "INBOX", "3");
	sync_to(scene, 0);
	run_scene_expect_there(scene, "INBOX", "1/S 2/ 3/ 4/ 5/ 6/ 7/");
	run_scene_expect_here(scene, "INBOX", "1/S 2/F 4/ 5/ 6/ 7/");
	run_scene_expect_idle(scene, PARTIAL); /* not viewed, it shows when it is to be written */
	run_scene_expect_here(scene, "INBOX", "1/S 2/F 4/ 5/ 6/ 7/");
	scripted_find(scene->server, "INBOX")->is_read_only = false;
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "1/S 2/F 4/ 5/ 6/ 7/");
}

static void a_renumbered_mailbox_is_paired_anew(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	scripted_renumber(scene->server, "INBOX", 40);
	add(scene, "INBOX", "7", "");
	deliver(scene, "INBOX", "8", "");
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/ 4/ 5/ 6/ 7/ 8/");
}

static void the_brake_holds_deletions_until_they_are_allowed(void **state)
{
	struct run_scene *scene = *state;
	scene->account.max_delete_percent = 50;
	for (char subject[] = "a"; subject[0] <= 'l'; subject[0]++) {
		add(scene, "INBOX", subject, "");
	}
	settle(scene);
	for (uint32_t uid = 1; uid <= 11; uid++) {
		scripted_expunge(scene->server, "INBOX", uid);
	}
	sync_to(scene, err_exit_status(ERR_BRAKE));
	run_scene_expect_here(scene, "INBOX", "a/ b/ c/ d/ e/ f/ g/ h/ i/ j/ k/ l/");
	run_scene_expect_idle(scene, err_exit_status(ERR_BRAKE));
	run_scene_expect_here(scene, "INBOX", "a/ b/ c/ d/ e/ f/ g/ h/ i/ j/ k/ l/");
	scene->options.allow_mass_delete = true;
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "l/");
}

static void only_pulled_nothing_goes_there(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	change_everything(scene);
	scene->account.direction = DIRECTION_PULL;
	sync_to(scene, 0);
	run_scene_expect_there(scene, "INBOX", "1/F 2/ 4/ 6/ 7/S");
	run_scene_expect_here(scene, "INBOX", "1/F 2/R 7/S 8/S");
	run_scene_expect_both(scene, "Work", "9/");
	assert_null(scripted_find(scene->server, "Home"));
	run_scene_expect_idle(scene, 0);
	scene->account.direction = DIRECTION_BOTH;
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "1/F 2/R 7/S 8/S");
	run_scene_expect_both(scene, "Home", "10/");
}

static void only_pushed_nothing_comes_here(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	change_everything(scene);
	scene->account.direction = DIRECTION_PUSH;
	sync_to(scene, 0);
	run_scene_expect_there(scene, "INBOX", "1/F 2/R 7/S 8/S");
	run_scene_expect_here(scene, "INBOX", "1/ 2/R 3/ 5/ 8/S");
	run_scene_expect_both(scene, "Home", "10/");
	run_scene_expect_idle(scene, 0);
	scene->account.direction = DIRECTION_BOTH;
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "1/F 2/R 7/S 8/S");
	run_scene_expect_both(scene, "Work", "9/");
}

/* Among others, of which some begin alike. */
static void C5_several_at_once_are_each_its_own(void **state)
{
	static const char *const texts[] = {"one", "two", "three"};
	static const char *const before[] = {"Re: one", "Re, two", "Ra"};
	static const char *const after[] = {"Re, 1", "Re: 2", "Ra: 3"};
	struct run_scene *scene = *state;
	char from[512];
	char to[512];
	char text[64];
	run_scene_write(scene, "INBOX/cur/Re-four:2,", "Subject: four\n\n4\n");
	for (size_t i = 0; i < 3; i++) {
		snprintf(to, sizeof(to), "INBOX/cur/%s:2,S", before[i]);
		snprintf(text, sizeof(text), "Subject: %s\nMessage-ID: <%s@x>\n\n", texts[i],
			 texts[i]);
		run_scene_write(scene, to, text);
	}
	RUN_OK(scene, run_scene_sync(scene));
	for (size_t i = 0; i < 3; i++) {
		snprintf(from, sizeof(from), "%s/INBOX/cur/%s:2,S", scene->maildir, before[i]);
		snprintf(to, sizeof(to), "%s/INBOX/cur/%s:2,FS", scene->maildir, after[i]);
		assert_int_equal(rename(from, to), 0);
	}
	run_scene_write(scene, "INBOX/cur/Re: five:2,", "Subject: five\n\n5\n");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 1);
	assert_int_equal(scene->report.total.deleted_remote, 0);
	run_scene_expect_both(scene, "INBOX", "five/ four/ one/FS three/FS two/FS");
	run_scene_expect_idle(scene, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(a_first_pull_brings_all),
		RUN_TEST(a_first_push_takes_all_there),
		RUN_TEST(a_first_run_doubles_nothing_that_both_have),
		RUN_TEST(flags_go_both_ways),
		RUN_TEST(deletions_go_both_ways),
		RUN_TEST(moves_go_both_ways),
		RUN_TEST(what_is_deleted_here_lies_in_the_trash),
		RUN_TEST(a_refused_append_is_told_and_made_good),
		cmocka_unit_test(a_cut_connection_is_made_good_by_the_next_run),
		cmocka_unit_test(a_lost_answer_is_made_good_by_the_next_run),
		RUN_TEST(a_read_only_mailbox_gives_and_takes_nothing),
		RUN_TEST(a_renumbered_mailbox_is_paired_anew),
		RUN_TEST(the_brake_holds_deletions_until_they_are_allowed),
		RUN_TEST(only_pulled_nothing_goes_there),
		RUN_TEST(only_pushed_nothing_comes_here),
		RUN_TEST(C5_several_at_once_are_each_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
