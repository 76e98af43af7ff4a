/* Names that files have in one folder, in whole runs on a scripted server: other names of a message
 * (C5), and several of one (C9 of rules/content_rules.h). */
#include "run_scene.h"
#include "scripted_door.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ONE "Subject: one\nMessage-ID: <one@x>\n\nthe text of one\n"

/* The only file of INBOX. */
static void path_of(struct run_scene *scene, char path[512])
{
	char *name = run_scene_files(scene, "INBOX");
	struct stat st;
	snprintf(path, 512, "%s/INBOX/new/%s", scene->maildir, name);
	assert_int_equal(stat(path, &st), 0);
	free(name);
}

static void expect_clean(struct run_scene *scene)
{
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 0);
	run_scene_expect_idle(scene, 0);
}

/* One message that came down. */
static void begin(struct run_scene *scene)
{
	scripted_add(scene->server, "INBOX", "", ONE);
	RUN_OK(scene, run_scene_sync(scene));
}

static void rename_here(struct run_scene *scene, const char *from, const char *to)
{
	char paths[2][512];
	snprintf(paths[0], sizeof(paths[0]), "%s/%s", scene->maildir, from);
	snprintf(paths[1], sizeof(paths[1]), "%s/%s", scene->maildir, to);
	assert_int_equal(rename(paths[0], paths[1]), 0);
}

static void expect_no_acts(struct run_scene *scene)
{
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 0);
	assert_int_equal(scene->report.total.uploaded, 0);
	assert_int_equal(scene->report.total.flags_remote, 0);
	assert_int_equal(scene->report.total.deleted_remote, 0);
}

static void begin_with_twelve(struct run_scene *scene)
{
	char name[64];
	char text[64];
	scene->account.max_delete_percent = 50;
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "INBOX/cur/17.%d.host:2,S", i);
		snprintf(text, sizeof(text), "Subject: %02d\nMessage-ID: <%02d@x>\n\n", i, i);
		run_scene_write(scene, name, text);
	}
	RUN_OK(scene, run_scene_sync(scene));
}

static void C5_wholly_other_names_are_of_the_same_messages(void **state)
{
	struct run_scene *scene = *state;
	char from[64];
	char to[64];
	begin_with_twelve(scene);
	for (int i = 0; i < 12; i++) {
		snprintf(from, sizeof(from), "INBOX/cur/17.%d.host:2,S", i);
		snprintf(to, sizeof(to), "INBOX/cur/%d.other:2,S", 11 - i);
		rename_here(scene, from, to);
	}
	run_scene_write(scene, "INBOX/cur/18.a:2,", "Subject: 12\nMessage-ID: <12@x>\n\n");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 1);
	assert_int_equal(scene->report.total.deleted_remote, 0);
	expect_clean(scene);
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX",
			      "01/S 02/S 03/S 04/S 05/S 06/S 07/S 08/S 09/S 10/S 11/S 12/");
}

/* A copy under another inode, of which the content tells. */
static void C5_a_copy_under_another_name_stands_for_the_file(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	char path[512];
	path_of(scene, path);
	run_scene_write(scene, "INBOX/cur/17.copy:2,F", ONE);
	assert_int_equal(unlink(path), 0);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 0);
	run_scene_expect_both(scene, "INBOX", "one/F");
	expect_clean(scene);
}

static void C5_another_text_of_that_size_is_new_mail(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	char path[512];
	path_of(scene, path);
	run_scene_write(scene, "INBOX/cur/17.new:2,",
			"Subject: two\nMessage-ID: <two@x>\n\nthe text of two\n");
	assert_int_equal(unlink(path), 0);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 1);
	assert_int_equal(scene->report.total.deleted_remote, 1);
	run_scene_expect_both(scene, "INBOX", "two/");
	expect_clean(scene);
}

/* What the names say by the delimiter of before is not told now: nothing is taken off. */
static void C5_another_delimiter_changes_nothing_there(void **state)
{
	struct run_scene *scene = *state;
	scene->account.maildir.info_delimiter = '!';
	scripted_add(scene->server, "INBOX", "\\Flagged \\Seen", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	scene->account.maildir.info_delimiter = ':';
	expect_no_acts(scene);
	run_scene_expect_there(scene, "INBOX", "one/FS");
	scene->account.maildir.info_delimiter = '!';
	expect_no_acts(scene);
	run_scene_expect_there(scene, "INBOX", "one/FS");
	run_scene_expect_idle(scene, 0);
}

/* B10: as if each file had been put there. */
static void C5_other_names_in_new_clear_no_flags_of_many(void **state)
{
	struct run_scene *scene = *state;
	char from[64];
	char to[64];
	begin_with_twelve(scene);
	for (int i = 0; i < 12; i++) {
		snprintf(from, sizeof(from), "INBOX/cur/17.%d.host:2,S", i);
		snprintf(to, sizeof(to), "INBOX/new/%d.other", i);
		rename_here(scene, from, to);
	}
	(void)run_scene_sync(scene);
	assert_int_equal(scene->report.status, err_exit_status(ERR_BRAKE));
	assert_int_equal(scene->report.total.uploaded, 0);
	run_scene_expect_there(scene, "INBOX",
			       "00/S 01/S 02/S 03/S 04/S 05/S 06/S 07/S 08/S 09/S 10/S 11/S");
}

/* What the brake holds stays held. */
static void C5_other_names_let_nothing_go(void **state)
{
	struct run_scene *scene = *state;
	char from[64];
	char to[64];
	begin_with_twelve(scene);
	for (uint32_t uid = 1; uid <= 12; uid++) {
		scripted_expunge(scene->server, "INBOX", uid);
	}
	(void)run_scene_sync(scene);
	assert_int_equal(scene->report.status, err_exit_status(ERR_BRAKE));
	for (int i = 0; i < 6; i++) {
		snprintf(from, sizeof(from), "INBOX/cur/17.%d.host:2,S", i);
		snprintf(to, sizeof(to), "INBOX/cur/%d.other:2,FS", i);
		rename_here(scene, from, to);
	}
	(void)run_scene_sync(scene);
	assert_int_equal(scene->report.status, err_exit_status(ERR_BRAKE));
	assert_int_equal(scene->report.total.uploaded, 0);
	run_scene_expect_here(scene, "INBOX",
			      "00/FS 01/FS 02/FS 03/FS 04/FS 05/FS 06/S 07/S 08/S 09/S 10/S 11/S");
	scene->options.bring_back = true;
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 12);
	run_scene_expect_both(scene, "INBOX",
			      "00/FS 01/FS 02/FS 03/FS 04/FS 05/FS 06/S 07/S 08/S 09/S 10/S 11/S");
}

/* As a backup of before brings it back, beside the file of now. */
static void C9_an_older_name_takes_no_flag_off(void **state)
{
	static const char *const names[][2] = {{"S", "ST"}, {"FS", "S"}, {"", "S"}, {"F", "FR"}};
	struct run_scene *scene = *state;
	char from[64];
	char to[64];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[64];
		snprintf(text, sizeof(text), "Subject: %zu\nMessage-ID: <%zu@x>\n\n", i, i);
		snprintf(from, sizeof(from), "INBOX/cur/17.%zu:2,%s", i, names[i][0]);
		snprintf(to, sizeof(to), "INBOX/cur/17.%zu:2,%s", i, names[i][1]);
		run_scene_write(scene, from, text);
		RUN_OK(scene, run_scene_sync(scene));
		rename_here(scene, from, to);
		RUN_OK(scene, run_scene_sync(scene));
		run_scene_write(scene, from, text);
	}
	expect_no_acts(scene);
	run_scene_expect_there(scene, "INBOX", "0/ST 1/S 2/S 3/FR");
	run_scene_expect_here(scene, "INBOX", "0/S 0/ST 1/FS 1/S 2/ 2/S 3/F 3/FR");
	run_scene_expect_idle(scene, 0);
}

static void C9_where_none_tells_it_the_file_of_before_speaks(void **state)
{
	struct run_scene *scene = *state;
	run_scene_write(scene, "INBOX/cur/17.a:2,S", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	rename_here(scene, "INBOX/cur/17.a:2,S", "INBOX/cur/17.a:2,ST");
	run_scene_write(scene, "INBOX/cur/17.a:2,", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_expect_there(scene, "INBOX", "one/ST");
	run_scene_expect_idle(scene, 0);
}

/* It cannot be renamed to a name that is taken. */
static void C9_a_name_that_says_already_what_changed_there_speaks_from_then_on(void **state)
{
	struct run_scene *scene = *state;
	run_scene_write(scene, "INBOX/cur/17.a:2,S", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_write(scene, "INBOX/cur/17.a:2,FS", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_expect_there(scene, "INBOX", "one/S");
	scripted_flag(scene->server, "INBOX", 1, "\\Flagged \\Seen");
	expect_clean(scene);
	run_scene_expect_there(scene, "INBOX", "one/FS");
	run_scene_expect_here(scene, "INBOX", "one/FS one/S");
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "");
}

static void C6_other_names_go_along_when_it_is_moved_there(void **state)
{
	static const char *const names[][2] = {{"S", "ST"}, {"FS", "S"}, {"F", "FR"}};
	struct run_scene *scene = *state;
	char from[64];
	char to[64];
	scripted_make(scene->server, "Work");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[64];
		snprintf(text, sizeof(text), "Subject: %zu\nMessage-ID: <%zu@x>\n\n", i, i);
		snprintf(from, sizeof(from), "INBOX/cur/17.%zu:2,%s", i, names[i][0]);
		snprintf(to, sizeof(to), "INBOX/cur/17.%zu:2,%s", i, names[i][1]);
		run_scene_write(scene, from, text);
		RUN_OK(scene, run_scene_sync(scene));
		rename_here(scene, from, to);
		RUN_OK(scene, run_scene_sync(scene));
		run_scene_write(scene, from, text);
	}
	RUN_OK(scene, run_scene_sync(scene));
	for (uint32_t uid = 1; uid <= 3; uid++) {
		scripted_move(scene->server, "INBOX", uid, "Work");
	}
	expect_no_acts(scene);
	assert_int_equal(scene->report.total.moved, 3);
	run_scene_expect_both(scene, "INBOX", "");
	run_scene_expect_both(scene, "Work", "0/ST 1/S 2/FR");
	run_scene_expect_idle(scene, 0);
}

/* Of two that are equal one was deleted on both sides, and the other is called otherwise. */
static void C5_of_equal_ones_the_last_is_not_taken_for_the_deleted(void **state)
{
	struct run_scene *scene = *state;
	char path[512];
	run_scene_write(scene, "INBOX/cur/17.1:2,S", ONE);
	run_scene_write(scene, "INBOX/cur/17.2:2,S", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	snprintf(path, sizeof(path), "%s/INBOX/cur/17.1:2,S", scene->maildir);
	assert_int_equal(unlink(path), 0);
	rename_here(scene, "INBOX/cur/17.2:2,S", "INBOX/cur/other:2,S");
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "one/S");
}

/* As many files as rows: each has one, whichever. */
static void C5_equal_ones_are_not_sent_again(void **state)
{
	struct run_scene *scene = *state;
	char from[64];
	char to[64];
	for (int i = 0; i < 12; i++) {
		snprintf(from, sizeof(from), "INBOX/cur/17.%d.host:2,S", i);
		run_scene_write(scene, from, ONE);
	}
	RUN_OK(scene, run_scene_sync(scene));
	for (int i = 0; i < 12; i++) {
		snprintf(from, sizeof(from), "INBOX/cur/17.%d.host:2,S", i);
		snprintf(to, sizeof(to), "INBOX/cur/%d.other:2,S", 11 - i);
		rename_here(scene, from, to);
	}
	run_scene_write(scene, "INBOX/cur/18.a:2,S", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 1);
	assert_int_equal(scene->report.total.deleted_remote, 0);
	expect_clean(scene);
}

/* Of what was here before the first run base knows the header alone. */
static void C5_the_very_file_is_known_without_a_digest_of_its_content(void **state)
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "\\Seen", ONE);
	run_scene_write(scene, "INBOX/cur/17.a:2,S", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_expect_both(scene, "INBOX", "one/S");
	rename_here(scene, "INBOX/cur/17.a:2,S", "INBOX/cur/18.b:2,S");
	expect_no_acts(scene);
	expect_clean(scene);
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(C5_wholly_other_names_are_of_the_same_messages),
		RUN_TEST(C5_a_copy_under_another_name_stands_for_the_file),
		RUN_TEST(C5_another_text_of_that_size_is_new_mail),
		RUN_TEST(C5_another_delimiter_changes_nothing_there),
		RUN_TEST(C5_equal_ones_are_not_sent_again),
		RUN_TEST(C5_of_equal_ones_the_last_is_not_taken_for_the_deleted),
		RUN_TEST(C5_the_very_file_is_known_without_a_digest_of_its_content),
		RUN_TEST(C5_other_names_in_new_clear_no_flags_of_many),
		RUN_TEST(C5_other_names_let_nothing_go),
		RUN_TEST(C6_other_names_go_along_when_it_is_moved_there),
		RUN_TEST(C9_an_older_name_takes_no_flag_off),
		RUN_TEST(C9_where_none_tells_it_the_file_of_before_speaks),
		RUN_TEST(C9_a_name_that_says_already_what_changed_there_speaks_from_then_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
