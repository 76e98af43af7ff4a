/*
 * By what names the server's mailboxes go, whatever it says of them: its namespace and separator,
 * subscriptions (L1 to L6), and names that it takes for one (M47 to M49). Whole runs on a scripted
 * server.
 */
#include "run_scene.h"
#include "scripted_door.h"

#include "gone_scene.h"

/* The namespace */

/* A mailbox under a prefix, which both sides hold. */
static void shared_below_prefix(struct run_scene *scene)
{
	snprintf(scene->server->prefix, sizeof(scene->server->prefix), "INBOX.");
	scene->server->separator = '.';
	scripted_make(scene->server, "INBOX.Work.a");
	scripted_add(scene->server, "INBOX.Work.a", "", "Message-ID: <1>\n\ntext\n");
	sync_to(scene, 0);
	char *files = run_scene_files(scene, "Work/a");
	assert_int_not_equal(strlen(files), 0);
	free(files);
}

static void L1_L2_the_prefix_that_is_known_stands_where_none_is_told(void **state)
{
	static const enum remote_naming silent[] = {REMOTE_NAMING_UNTOLD, REMOTE_NAMING_NONE};
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared_below_prefix(scene);
	for (size_t i = 0; i < 2; i++) {
		scene->server->naming = silent[i];
		sync_to(scene, 75);
		expect_error(scene, NULL, "the prefix \"INBOX.\" that is known stands");
		expect_nothing_done(scene);
		expect_no_folder(scene, "INBOX/Work");
		scene->server->naming = REMOTE_NAMING_TOLD;
		sync_to(scene, 0);
		expect_nothing_done(scene);
	}
	scripted_expunge(scene->server, "INBOX.Work.a", 1);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.deleted_local, 1);
}

static void L3_without_a_known_prefix_nothing_is_done(void **state)
{
	static const enum remote_naming silent[] = {REMOTE_NAMING_UNTOLD, REMOTE_NAMING_NONE};
	struct run_scene *scene = *state;
	snprintf(scene->server->prefix, sizeof(scene->server->prefix), "INBOX.");
	scene->server->separator = '.';
	scripted_make(scene->server, "INBOX.Work");
	for (size_t i = 0; i < 2; i++) {
		scene->server->naming = silent[i];
		sync_to(scene, 75);
		expect_error(scene, NULL, "does not tell its namespace");
		expect_no_folder(scene, "INBOX/Work");
	}
	scene->server->naming = REMOTE_NAMING_TOLD;
	sync_to(scene, 0);
	char *files = run_scene_files(scene, "Work");
	free(files);
	expect_no_folder(scene, "INBOX/Work");
}

static void believe_beside_inbox(struct run_scene *scene, enum remote_naming naming)
{
	scene->server->separator = '.';
	scene->server->naming = naming;
	sync_to(scene, 0); /* INBOX alone */
	scripted_make(scene->server, "INBOX.Child");
	scripted_make(scene->server, "Work");
	sync_to(scene, 0);
	free(run_scene_files(scene, "Work"));
	free(run_scene_files(scene, "INBOX/Child"));
}

static void L3_nil_is_believed_where_a_mailbox_stands_beside_inbox(void **state)
{
	believe_beside_inbox(*state, REMOTE_NAMING_NONE);
}

static void L3_so_is_that_none_is_offered(void **state)
{
	believe_beside_inbox(*state, REMOTE_NAMING_UNOFFERED);
}

static void L4_a_separator_that_is_not_told_stands(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared_below_prefix(scene);
	scene->server->separator = '\0';
	sync_to(scene, 0);
	expect_nothing_done(scene);
	scene->server->separator = '.';
	sync_to(scene, 0);
	expect_nothing_done(scene);
}

static void L5_another_separator_or_prefix_removes_nothing(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared_below_prefix(scene);
	scene->server->separator = '/';
	sync_to(scene, 79);
	expect_error(scene, NULL, "names its mailboxes otherwise");
	expect_nothing_done(scene);
	scene->server->separator = '.';
	scene->server->prefix[0] = '\0';
	sync_to(scene, 79);
	expect_no_folder(scene, "INBOX/Work");
	scene->options.allow_mass_delete = true;
	scene->options.dry_run = true;
	sync_to(scene, 0); /* with leave it goes on */
	scene->options.allow_mass_delete = false;
	scene->options.dry_run = false;
	snprintf(scene->server->prefix, sizeof(scene->server->prefix), "INBOX.");
	sync_to(scene, 0);
	expect_nothing_done(scene);
}

static void L5_a_server_that_was_set_up_anew_goes_on(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared_below_prefix(scene);
	scripted_rename(scene->server, "INBOX.Work.a", "Work/a");
	scene->server->separator = '/';
	scene->server->prefix[0] = '\0';
	for (int i = 0; i < 2; i++) {
		sync_to(scene, 0);
		expect_nothing_done(scene);
	}
	scripted_expunge(scene->server, "Work/a", 1);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.deleted_local, 1);
}

/* Subscriptions */

static void L6_subscriptions_that_are_not_told_change_nothing(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "Work");
	scripted_make(scene->server, "Other")->attributes = 0; /* nobody subscribed to it */
	scene->account.subscribed_only = true;
	sync_to(scene, 0);
	scene->server->hides_subscriptions = true;
	scripted_expunge(scene->server, "Work", 1);
	sync_to(scene, 1);
	expect_error(scene, NULL, "which mailboxes you are subscribed to");
	assert_int_equal(scene->report.total.deleted_local, 1);
	expect_no_folder(scene, "Other");
	scene->server->hides_subscriptions = false;
	sync_to(scene, 0);
	expect_nothing_done(scene);
	scripted_find(scene->server, "Work")->attributes = 0;
	scripted_find(scene->server, "INBOX")->attributes = 0;
	sync_to(scene, 1); /* none at all: it may be that it does not tell */
	expect_nothing_done(scene);
	assert_non_null(scripted_find(scene->server, "Work"));
}

/* Names that the server takes for one */

/* The folder is kept as it is, the mailbox comes down no second time, and it is told each time. */
static void expect_folded(struct run_scene *scene, const char *folder)
{
	sync_to(scene, 1);
	expect_error(scene, folder, "letters' case, Unicode form or blanks");
	expect_nothing_done(scene);
	assert_int_equal(scene->report.error_count, 1);
	char *files = run_scene_files(scene, folder);
	assert_string_equal(files, "17.a:2,S");
	free(files);
}

static void M48_a_name_that_the_server_takes_for_another_is_not_made(void **state)
{
	static const char *const folders[] = {"archive", "ARCHIVE", "Archive "};
	struct run_scene *scene = *state;
	scene->server->folds_names = true;
	shared(scene, "Archive");
	for (size_t i = 0; i < 3; i++) {
		char path[64];
		run_scene_folder(scene, folders[i]);
		snprintf(path, sizeof(path), "%s/cur/17.a:2,S", folders[i]);
		run_scene_write(scene, path, "Subject: mine\n\nmine\n");
		for (int k = 0; k < 2; k++) {
			expect_folded(scene, folders[i]);
			assert_null(strstr(scripted_heard(scene->server), "create"));
		}
		snprintf(path, sizeof(path), "Other%zu", i);
		move_folder(scene, folders[i], path);
		sync_to(scene, 0);
		assert_int_equal(scene->report.total.uploaded, 1);
	}
	scripted_expunge(scene->server, "Archive", 1);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.deleted_local, 1);
}

static void M48_a_dry_run_does_not_plan_it_either(void **state)
{
	struct run_scene *scene = *state;
	scene->server->folds_names = true;
	shared(scene, "Archive");
	run_scene_folder(scene, "archive");
	scene->options.dry_run = true;
	sync_to(scene, 1);
	assert_int_equal(scene->report.plan_count, 0);
}

static void M49_one_that_is_made_and_not_listed_is_made_once(void **state)
{
	struct run_scene *scene = *state;
	scene->server->folds_names = true;
	shared(scene, "Archive");
	run_scene_folder(scene, "archive");
	run_scene_write(scene, "archive/cur/17.a:2,S", "Subject: mine\n\nmine\n");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_COUNT,
							       .what = SCRIPTED_REFUSED,
							       .wire = "archive",
							       .always = true,
							       .code = REMOTE_REFUSAL_UNCODED});
	expect_folded(scene, "archive");
	assert_non_null(strstr(scripted_heard(scene->server), "create archive\n"));
	for (int i = 0; i < 2; i++) {
		expect_folded(scene, "archive");
		assert_null(strstr(scripted_heard(scene->server), "create"));
	}
	scripted_forget_faults(scene->server);
	scene->server->folds_names = false;
	scripted_make(scene->server, "archive"); /* and once there is one it takes part */
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.uploaded, 1);
}

/* Two folders are to be made there; the server answers OK and makes none of archive, which it says
 * afterwards with CODE. */
static void expect_unmade(struct run_scene *scene, enum remote_refusal code, bool is_unsaid)
{
	run_scene_folder(scene, "archive");
	run_scene_folder(scene, "other");
	run_scene_write(scene, "archive/cur/17.a:2,S", "Subject: mine\n\nmine\n");
	run_scene_write(scene, "other/cur/18.a:2,S", "Subject: other\n\nmine\n");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_CREATE,
							       .what = SCRIPTED_UNKEPT,
							       .wire = "archive",
							       .always = true});
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_COUNT,
							       .what = SCRIPTED_REFUSED,
							       .wire = "archive",
							       .always = true,
							       .code = code});
	for (int i = 0; i < 3; i++) {
		sync_to(scene, 1);
		assert_int_equal(scene->report.error_count, 1);
		assert_int_equal(scene->report.total.uploaded, i == 0);
		expect_error(scene, "archive", is_unsaid ? "does not list it" : "does not have it");
		is_unsaid = false;
		scene->server->faults[1].code = REMOTE_REFUSAL_NONEXISTENT;
	}
	scripted_forget_faults(scene->server);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.uploaded, 1);
	assert_non_null(scripted_find(scene->server, "archive"));
	sync_to(scene, 0);
}

static void M51_one_that_was_made_and_is_not_there_waits_and_is_made_again(void **state)
{
	expect_unmade(*state, REMOTE_REFUSAL_UNCODED, false);
}

static void M51_so_it_is_by_a_code(void **state)
{
	expect_unmade(*state, REMOTE_REFUSAL_NONEXISTENT, false);
}

static void M51_and_where_that_was_not_clear_at_first(void **state)
{
	expect_unmade(*state, REMOTE_REFUSAL_OTHER, true);
}

/* The server lists one mailbox twice. */
static void list_twice(struct run_scene *scene, bool has_ids)
{
	const struct scripted_mailbox *one = scripted_find(scene->server, "Archive");
	uint32_t uidvalidity = one->uidvalidity;
	char id[32];
	snprintf(id, sizeof(id), "%s", one->mailboxid);
	struct scripted_mailbox *other = scripted_make(scene->server, "archive");
	other->uidvalidity = uidvalidity;
	if (has_ids) {
		memcpy(other->mailboxid, id, sizeof(id));
	}
	for (int i = 0; i < 3; i++) {
		char text[64];
		snprintf(text, sizeof(text), "Message-ID: <%d@Archive>\n\ntext\n", i);
		scripted_add(scene->server, "archive", "", text);
	}
}

static void M47_a_mailbox_that_is_listed_twice_comes_down_once(void **state)
{
	struct run_scene *scene = *state;
	for (int i = 0; i < 4; i++) {
		scene->server->facts.has_message_ids = i % 2 == 0;
		scene->server->facts.lists_counts = i < 2;
		if (scripted_find(scene->server, "Archive") == NULL) {
			shared(scene, "Archive");
		}
		list_twice(scene, i % 2 == 0);
		sync_to(scene, 1);
		expect_error(scene, "archive", "the server takes this name for that of Archive");
		expect_nothing_done(scene);
		expect_no_folder(scene, "archive");
		scripted_remove(scene->server, "archive");
		sync_to(scene, 0);
		expect_nothing_done(scene);
	}
}

static void M47_another_one_of_the_same_second_is_another(void **state)
{
	struct run_scene *scene = *state;
	scene->server->facts.has_message_ids = false;
	shared(scene, "Archive");
	uint32_t uidvalidity = scripted_find(scene->server, "Archive")->uidvalidity;
	scripted_make(scene->server, "Other")->uidvalidity = uidvalidity;
	for (int i = 0; i < 3; i++) {
		char text[64];
		snprintf(text, sizeof(text), "Message-ID: <%d@other>\n\nother\n", i);
		scripted_add(scene->server, "Other", "", text);
	}
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.downloaded, 3);
}

/* A server that gives all mailboxes one UIDVALIDITY. */
static void M47_a_copy_of_all_is_another_where_uidvalidity_says_nothing(void **state)
{
	static const char *const names[] = {"Other", "archive", "Ar chive"};
	struct run_scene *scene = *state;
	scene->server->facts.has_message_ids = false;
	shared(scene, "Archive");
	uint32_t uidvalidity = scripted_find(scene->server, "Archive")->uidvalidity;
	scripted_make(scene->server, "Third")->uidvalidity = uidvalidity;
	scripted_add(scene->server, "Third", "", "Message-ID: <third>\n\ntext\n");
	sync_to(scene, 0);
	for (size_t i = 0; i < 3; i++) {
		scripted_make(scene->server, names[i])->uidvalidity = uidvalidity;
		for (int k = 0; k < 3; k++) {
			char text[64];
			snprintf(text, sizeof(text), "Message-ID: <%d@Archive>\n\ntext\n", k);
			scripted_add(scene->server, names[i], "", text);
		}
		sync_to(scene, i == 0 ? 0 : 1);
		assert_int_equal(scene->report.total.downloaded, i == 0 ? 3 : 0);
		if (i > 0) {
			scripted_remove(scene->server, names[i]);
		}
	}
}

static void M47_names_are_alike_but_for_case_and_blanks(void **state)
{
	(void)state;
	assert_true(names_are_alike("Archive", "archive "));
	assert_true(names_are_alike(" A b", "aB"));
	assert_true(names_are_alike("Gr\303\266\303\237e", "other"));
	assert_false(names_are_alike("Archive", "Archives"));
	assert_false(names_are_alike("Archive", "Other"));
	assert_false(names_are_alike("", "x"));
	assert_true(names_are_alike("", "  "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(L1_L2_the_prefix_that_is_known_stands_where_none_is_told),
		RUN_TEST(L3_without_a_known_prefix_nothing_is_done),
		RUN_TEST(L3_nil_is_believed_where_a_mailbox_stands_beside_inbox),
		RUN_TEST(L3_so_is_that_none_is_offered),
		RUN_TEST(L4_a_separator_that_is_not_told_stands),
		RUN_TEST(L5_another_separator_or_prefix_removes_nothing),
		RUN_TEST(L5_a_server_that_was_set_up_anew_goes_on),
		RUN_TEST(L6_subscriptions_that_are_not_told_change_nothing),
		RUN_TEST(M48_a_name_that_the_server_takes_for_another_is_not_made),
		RUN_TEST(M48_a_dry_run_does_not_plan_it_either),
		RUN_TEST(M51_one_that_was_made_and_is_not_there_waits_and_is_made_again),
		RUN_TEST(M51_so_it_is_by_a_code),
		RUN_TEST(M51_and_where_that_was_not_clear_at_first),
		RUN_TEST(M49_one_that_is_made_and_not_listed_is_made_once),
		RUN_TEST(M47_a_mailbox_that_is_listed_twice_comes_down_once),
		RUN_TEST(M47_a_copy_of_all_is_another_where_uidvalidity_says_nothing),
		cmocka_unit_test(M47_names_are_alike_but_for_case_and_blanks),
		RUN_TEST(M47_another_one_of_the_same_second_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
