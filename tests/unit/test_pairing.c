/* Pairing what both sides have and base does not know: runs against the scripted server. */
#include "pairing_scene.h"
#include "scripted_door.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define A "Message-ID: <a@x>\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nSubject: a\n\nalpha\n"
#define B "Message-ID: <b@x>\nDate: Mon, 1 Jan 2024 00:00:01 +0000\nSubject: b\n\nbeta\n"
/* B as a server rewrites it. */
#define B_REWRITTEN \
	"Message-ID: <b@x>\nDate: Mon, 1 Jan 2024 00:00:01 +0000\nSubject: [list] b\n\nbeta\n"
#define NAMELESS       "Subject: x\n\nsame size 1\n"
#define NAMELESS_OTHER "Subject: x\n\nsame size 2\n"

static void expect_there(struct run_scene *scene, const char *expected)
{
	char *told = scripted_told(scene->server, "INBOX");
	assert_string_equal(told, expected);
	free(told);
}

static void without_base_nothing_is_copied_and_flags_are_joined(void **state)
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "\\Seen", A);
	scripted_add(scene->server, "INBOX", "", B_REWRITTEN);
	run_scene_write(scene, "INBOX/cur/17.a:2,F", A);
	run_scene_write(scene, "INBOX/cur/18.b:2,", B);
	expect_run(scene, 0, 0);
	expect_there(scene, "1 \\Flagged \\Seen, 2");
	char *files = run_scene_files(scene, "INBOX");
	assert_string_equal(files, "17.a:2,FS 18.b:2,");
	free(files);
	expect_run(scene, 0, 0);
}

static void what_does_not_pair_is_copied(void **state)
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "", A);
	run_scene_write(scene, "INBOX/cur/18.b:2,S", B);
	expect_run(scene, 1, 1);
	expect_there(scene, "1, 2 \\Seen");
	expect_run(scene, 0, 0);
}

static void nameless_messages_pair_by_all_of_their_text(void **state)
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "", NAMELESS);
	scripted_add(scene->server, "INBOX", "", NAMELESS_OTHER);
	run_scene_write(scene, "INBOX/cur/17.a:2,S", NAMELESS_OTHER);
	expect_run(scene, 1, 0);
	expect_there(scene, "1, 2 \\Seen");
	expect_run(scene, 0, 0);
}

static void a_database_that_is_lost_is_paired_anew(void **state)
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "", A);
	scripted_add(scene->server, "INBOX", "", B);
	expect_run(scene, 2, 0);
	run_scene_forget_base(scene);
	expect_run(scene, 0, 0);
	expect_there(scene, "1, 2");
	expect_run(scene, 0, 0);
}

static void a_renumbered_mailbox_is_paired_anew(void **state)
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "", A);
	scripted_add(scene->server, "INBOX", "", B);
	expect_run(scene, 2, 0);
	scripted_renumber(scene->server, "INBOX", 40);
	expect_run(scene, 0, 0);
	expect_there(scene, "40, 41");
	expect_run(scene, 0, 0);
}

static void of_more_files_than_messages_none_is_sent(void **state)
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "", B);
	run_scene_write(scene, "INBOX/cur/17.a:2,", B_REWRITTEN);
	run_scene_write(scene, "INBOX/cur/18.b:2,",
			"Message-ID: <b@x>\nDate: Mon, 1 Jan 2024 00:00:01 +0000\nX: y\n\nbeta\n");
	expect_run(scene, 0, 0);
	assert_int_equal(scene->report.total.errors, 1);
	expect_there(scene, "1");
	expect_run(scene, 0, 0);
}

static void renumber(struct scripted *server)
{
	scripted_renumber(server, "INBOX", 1);
}

/* Its UIDs may be the same and stand for other messages. */
static void a_mailbox_renumbered_while_it_is_paired_waits(void **state)
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "", A);
	run_scene_write(scene, "INBOX/cur/17.a:2,S", A);
	/* Another one is viewed after it, so that it has to be opened again. */
	scripted_make(scene->server, "Work");
	scripted_add(scene->server, "Work", "", B);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_SELECT,
							       .what = SCRIPTED_MEANWHILE,
							       .wire = "INBOX",
							       .act = renumber});
	expect_run(scene, 1, 0);
	assert_int_equal(scene->report.total.errors, 1);
	expect_there(scene, "1");
	expect_run(scene, 0, 0);
	expect_there(scene, "1 \\Seen");
	expect_run(scene, 0, 0);
}

static void an_upload_without_a_uid_is_found_again(void **state)
{
	struct run_scene *scene = *state;
	scene->server->tells_appended_uid = false;
	run_scene_write(scene, "INBOX/cur/17.a:2,S", A);
	expect_run(scene, 0, 1);
	expect_there(scene, "1 \\Seen");
	expect_run(scene, 0, 0);
	expect_there(scene, "1 \\Seen");
}

static void arrive_as_40(struct scripted *server)
{
	scripted_find(server, "INBOX")->uidnext = 40;
	scripted_add(server, "INBOX", "", A);
}

/* Of a server from before its backup: for half a minute, all names that we might give UID 40. */
static void write_names_of_40(struct run_scene *scene)
{
	char key[MAILDIR_KEY_SIZE];
	char unique[MAILDIR_UNIQUE_MAX + 1];
	uint32_t uidvalidity = scripted_find(scene->server, "INBOX")->uidvalidity;
	RUN_OK(scene, maildir_folder_key("test", "INBOX", key, &scene->err));
	RUN_OK(scene, maildir_unique_make(unique, key, uidvalidity, 40, &scene->err));
	for (int second = 0; second < 30; second++) {
		char path[MAILDIR_UNIQUE_MAX + 16];
		char text[80];
		snprintf(path, sizeof(path), "INBOX/cur/%s:2,", unique);
		snprintf(text, sizeof(text), "Message-ID: <%d@x>\nSubject: x\n\nx\n", second);
		run_scene_write(scene, path, text);
		maildir_unique_later(unique);
	}
}

/* The uploads, whose UIDs are not told, are paired after all of the mailbox was. */
static void after_a_second_pairing_no_name_is_given_twice(void **state)
{
	struct run_scene *scene = *state;
	scene->server->tells_appended_uid = false;
	write_names_of_40(scene);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_MEANWHILE,
							       .nth = 2,
							       .act = arrive_as_40});
	expect_run(scene, 1, 30);
	assert_int_equal(scene->report.total.errors, 0);
	expect_run(scene, 0, 0);
}

/* The connection broke after APPEND and before its answer. */
static void an_upload_whose_answer_was_lost_is_found_again(void **state)
{
	struct run_scene *scene = *state;
	run_scene_write(scene, "INBOX/cur/17.a:2,S", A);
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_APPEND, .what = SCRIPTED_LOST});
	assert_true(run_scene_sync(scene) < 0);
	expect_there(scene, "1 \\Seen");
	expect_run(scene, 0, 0);
	expect_there(scene, "1 \\Seen");
	expect_run(scene, 0, 0);
}

static void while_a_header_is_missing_nothing_is_settled(void **state)
{
	struct run_scene *scene = *state;
	scene->server->tells_appended_uid = false;
	run_scene_write(scene, "INBOX/cur/17.a:2,S", A);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_OMITTED,
							       .always = true,
							       .uid = 1});
	expect_run(scene, 0, 1);
	expect_run(scene, 0, 0);
	scripted_forget_faults(scene->server);
	expect_run(scene, 0, 0);
	expect_there(scene, "1 \\Seen");
	char *files = run_scene_files(scene, "INBOX");
	assert_string_equal(files, "17.a:2,S");
	free(files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(without_base_nothing_is_copied_and_flags_are_joined),
		RUN_TEST(what_does_not_pair_is_copied),
		RUN_TEST(nameless_messages_pair_by_all_of_their_text),
		RUN_TEST(a_database_that_is_lost_is_paired_anew),
		RUN_TEST(a_renumbered_mailbox_is_paired_anew),
		RUN_TEST(of_more_files_than_messages_none_is_sent),
		RUN_TEST(a_mailbox_renumbered_while_it_is_paired_waits),
		RUN_TEST(an_upload_without_a_uid_is_found_again),
		RUN_TEST(after_a_second_pairing_no_name_is_given_twice),
		RUN_TEST(while_a_header_is_missing_nothing_is_settled),
		RUN_TEST(an_upload_whose_answer_was_lost_is_found_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
