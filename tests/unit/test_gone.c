/*
 * Whether a folder or a mailbox is gone has three answers. Where it cannot be told nothing is
 * deleted, renamed or forgotten, it is told, and the run after it goes on as if nothing had been
 * (M20, M21, M45, M46): whole runs on a scripted server and a disk that fail.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "run_scene.h"
#include "scripted_door.h"
#include "failing_disk.h"
#include "gone_scene.h"

/* Here */

static const struct {
	enum mbname_layout layout;
	struct failing_disk disk;
} blind_disks[] = {
	{LAYOUT_FS, {.call = FAILING_OPEN, .name = "Work"}},
	{LAYOUT_FS, {.call = FAILING_STAT, .name = "Work"}},
	{LAYOUT_FS, {.call = FAILING_STAT, .name = "Work/cur"}},
	{LAYOUT_FS, {.call = FAILING_READ, .name = "seven"}},
	{LAYOUT_MAILDIRPP, {.call = FAILING_OPEN, .name = ".Work"}},
	{LAYOUT_MAILDIRPP, {.call = FAILING_STAT, .name = ".Work/cur"}},
	{LAYOUT_MAILDIRPP, {.call = FAILING_STAT, .name = ".Work"}},
};
static const int errnums[] = {EACCES, EIO, ESTALE, ELOOP, ENOTDIR, ENAMETOOLONG};

static void blind_run(struct run_scene *scene, struct failing_disk disk, enum side remove)
{
	scene->account.remove_mailboxes = remove;
	scripted_expunge(scene->server, "Work", 1);
	scripted_add(scene->server, "INBOX", "", "Message-ID: <other>\n\nother\n");
	failing_disk = disk;
	sync_to(scene, 74);
	failing_disk = (struct failing_disk){0};
	expect_error(scene, "Work", "Work");
	assert_int_equal(scene->report.total.deleted_remote, 0);
	assert_int_equal(scene->report.total.downloaded, 1); /* the other one is not held up */
	expect_there(scene, "Work", "2, 3");
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.deleted_local, 1);
	assert_int_equal(scene->report.total.downloaded, 0);
	assert_int_equal(scene->report.total.uploaded, 0);
	expect_there(scene, "Work", "2, 3");
}

static void M45_a_folder_that_cannot_be_looked_at_is_neither_there_nor_gone(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(blind_disks) / sizeof(blind_disks[0]); i++) {
		for (size_t k = 0; k < sizeof(errnums) / sizeof(errnums[0]); k++) {
			void *state = NULL;
			run_scene_open(&state);
			struct run_scene *scene = state;
			struct failing_disk disk = blind_disks[i].disk;
			disk.errnum = errnums[k];
			scene->account.maildir.layout = blind_disks[i].layout;
			shared(scene, "Work");
			if (disk.call == FAILING_READ) { /* the listing breaks off in it */
				run_scene_folder(scene, "Work/seven");
				sync_to(scene, 0);
			}
			blind_run(scene, disk, k % 2 == 0 ? SIDE_BOTH : SIDE_NONE);
			run_scene_close(&state);
		}
	}
}

static void M45_a_folder_that_vanished_while_the_disk_failed_is_no_rename(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "Work");
	shared(scene, "Other");
	move_folder(scene, "Other", "New");
	failing_disk =
		(struct failing_disk){.call = FAILING_OPEN, .name = "Work", .errnum = EACCES};
	sync_to(scene, 74);
	failing_disk = (struct failing_disk){0};
	assert_non_null(strstr(scripted_heard(scene->server), "rename Other New\n"));
	assert_non_null(scripted_find(scene->server, "Work"));
	sync_to(scene, 0);
	expect_nothing_done(scene);
}

static void M38_a_folder_that_cannot_be_looked_at_may_be_the_new_one(void **unused)
{
	static const char *const news[] = {"New", "Work/New"};
	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		void *state = NULL;
		run_scene_open(&state);
		struct run_scene *scene = state;
		shared(scene, "Work");
		shared(scene, "Other");
		move_folder(scene, "Other", news[i]);
		failing_disk = (struct failing_disk){
			.call = FAILING_OPEN, .name = i == 0 ? "New" : "Work", .errnum = EIO};
		sync_to(scene, 74);
		failing_disk = (struct failing_disk){0};
		expect_nothing_done(scene);
		sync_to(scene, 0);
		expect_nothing_done(scene);
		expect_there(scene, news[i], "1, 2, 3");
		assert_null(scripted_find(scene->server, "Other"));
		run_scene_close(&state);
	}
}

static void M38_a_mailbox_whose_place_here_is_untold_may_be_the_new_one(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "Other");
	scripted_rename(scene->server, "Other", "New");
	failing_disk = (struct failing_disk){.call = FAILING_STAT, .name = "New", .errnum = ESTALE};
	sync_to(scene, 74);
	failing_disk = (struct failing_disk){0};
	expect_nothing_done(scene);
	assert_null(scripted_find(scene->server, "Other"));
	sync_to(scene, 0);
	expect_nothing_done(scene);
	assert_null(scripted_find(scene->server, "Other"));
	expect_there(scene, "New", "1, 2, 3");
}

static void M45_what_lies_in_lost_found_is_not_gone(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "Work");
	scripted_add(scene->server, "INBOX", "", "Subject: 1\n\none\n");
	sync_to(scene, 0);
	run_scene_folder(scene, "lost+found");
	for (int i = 0; i < 3; i++) { /* the parts of a Maildir make no mailbox of it */
		static const char *const parts[] = {"cur", "new", "tmp"};
		char path[512];
		snprintf(path, sizeof(path), "%s/lost+found/%s", scene->maildir, parts[i]);
		assert_int_equal(rmdir(path), 0);
	}
	sync_to(scene, 0); /* empty, as each file system has one */
	run_scene_remove_file(scene, "INBOX", "1");
	move_folder(scene, "Work", "lost+found/#17");
	for (int i = 0; i < 2; i++) {
		sync_to(scene, 74);
		expect_error(scene, "Work", "lost+found");
		expect_nothing_done(scene);
		expect_there(scene, "Work", "1, 2, 3");
		expect_there(scene, "INBOX", "1");
	}
	move_folder(scene, "lost+found/#17", "Work");
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.deleted_remote, 1);
	assert_int_equal(scene->report.total.downloaded, 0);
}

static void M45_a_lost_found_that_only_the_system_may_read_tells_nothing(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "Work");
	run_scene_folder(scene, "lost+found");
	failing_disk =
		(struct failing_disk){.call = FAILING_OPEN, .name = "lost+found", .errnum = EACCES};
	sync_to(scene, 0);
	failing_disk = (struct failing_disk){0};
	assert_null(scripted_find(scene->server, "lost+found"));
}

/* DISK fails while the folder is read; one of its messages was deleted by the user. */
static void unread_run(struct run_scene *scene, struct failing_disk disk, int errnum)
{
	disk.errnum = errnum;
	failing_disk = disk;
	sync_to(scene, 74);
	failing_disk = (struct failing_disk){0};
	expect_error(scene, "Work", "Work");
	expect_nothing_done(scene);
	expect_there(scene, "Work", "1, 2, 3");
}

static void D6_a_folder_that_cannot_be_read_to_its_end_has_lost_nothing(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "Work");
	char *files = run_scene_files(scene, "Work");
	char *second = strchr(files, ' ') + 1;
	char path[512];
	second[-1] = '\0'; /* the first one ends there */
	snprintf(path, sizeof(path), "%s/Work/new/%.*s", scene->maildir, (int)strcspn(second, " "),
		 second);
	assert_int_equal(unlink(path), 0);
	for (size_t k = 0; k < sizeof(errnums) / sizeof(errnums[0]); k++) {
		unread_run(scene, (struct failing_disk){.call = FAILING_OPEN, .name = "cur"},
			   errnums[k]);
		unread_run(scene, (struct failing_disk){.call = FAILING_OPEN, .name = "new"},
			   errnums[k]);
		unread_run(scene, (struct failing_disk){.call = FAILING_READ, .name = files},
			   errnums[k]);
	}
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.deleted_remote, 1);
	free(files);
}

static void an_id_that_cannot_be_read_is_a_failure_of_the_disk(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "Work");
	for (size_t k = 0; k < sizeof(errnums) / sizeof(errnums[0]); k++) {
		enum failing_call call = k % 2 == 0 ? FAILING_STAT : FAILING_OPEN;
		failing_disk = (struct failing_disk){
			.call = call, .name = "mailsync-id", .errnum = errnums[k]};
		sync_to(scene, 74);
		failing_disk = (struct failing_disk){0};
	}
	sync_to(scene, 0);
	expect_nothing_done(scene);
}

static void a_root_that_cannot_be_looked_at_is_a_failure_of_the_disk(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_BOTH;
	shared(scene, "Work");
	for (size_t k = 0; k < sizeof(errnums) / sizeof(errnums[0]); k++) {
		failing_disk = (struct failing_disk){
			.call = FAILING_STAT, .name = scene->maildir, .errnum = errnums[k]};
		sync_to(scene, 74);
		failing_disk = (struct failing_disk){0};
		expect_there(scene, "Work", "1, 2, 3");
	}
	sync_to(scene, 0);
	expect_nothing_done(scene);
}

static void one_file_that_cannot_be_read_holds_up_no_other(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "Work");
	run_scene_write(scene, "INBOX/cur/17.a:2,S", "Subject: 1\n\none\n");
	run_scene_write(scene, "INBOX/cur/18.a:2,S", "Subject: 2\n\ntwo\n");
	run_scene_write(scene, "Work/cur/19.a:2,S", "Subject: 3\n\nthree\n");
	for (size_t k = 0; k < sizeof(errnums) / sizeof(errnums[0]); k++) {
		failing_disk = (struct failing_disk){
			.call = FAILING_OPEN, .name = "17.a:2,S", .errnum = errnums[k]};
		sync_to(scene, 1);
		failing_disk = (struct failing_disk){0};
		expect_error(scene, "INBOX", "17.a:2,S");
		assert_int_equal(scene->report.total.uploaded, k == 0 ? 2 : 0);
	}
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.uploaded, 1);
	expect_there(scene, "INBOX", "1 \\Seen, 2 \\Seen");
}

/* There */

static void hide(struct run_scene *scene, const char *wire)
{
	scripted_find(scene->server, wire)->is_unlisted = true;
}

/* "Right: as if that run had not been." Somebody deletes on either side meanwhile. */
static void left_out_once(struct run_scene *scene, enum side remove)
{
	scene->account.remove_mailboxes = remove;
	sync_to(scene, 1);
	expect_error(scene, "Work", "the server does not list the mailbox any more");
	assert_null(strstr(scripted_heard(scene->server), "create"));
	expect_nothing_done(scene);
	scripted_forget_faults(scene->server);
	scripted_find(scene->server, "Work")->is_unlisted = false;
	scripted_expunge(scene->server, "Work", 1);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.deleted_local, 1);
	assert_int_equal(scene->report.total.downloaded, 0);
	assert_int_equal(scene->report.total.uploaded, 0);
	expect_there(scene, "Work", "2, 3");
}

static const struct scripted_fault refusals_of_count[] = {
	{.op = SCRIPTED_COUNT, .what = SCRIPTED_UNTOLD, .wire = "Work", .always = true},
	{.op = SCRIPTED_COUNT,
	 .what = SCRIPTED_REFUSED,
	 .wire = "Work",
	 .always = true,
	 .code = REMOTE_REFUSAL_OTHER},
	{.op = SCRIPTED_COUNT,
	 .what = SCRIPTED_REFUSED,
	 .wire = "Work",
	 .always = true,
	 .code = REMOTE_REFUSAL_TRYCREATE},
	{.op = SCRIPTED_COUNT, .what = SCRIPTED_BUSY, .wire = "Work", .always = true},
	{.op = SCRIPTED_LIST, .what = SCRIPTED_MEANWHILE}, /* none: the server answers for it */
};

static void nothing_happens(struct scripted *server)
{
	(void)server;
}

static void M20_M21_a_listing_that_lacks_it_is_no_removal(void **unused)
{
	static const enum side removes[] = {SIDE_NONE, SIDE_LOCAL, SIDE_BOTH};
	(void)unused;
	for (size_t i = 0; i < sizeof(refusals_of_count) / sizeof(refusals_of_count[0]); i++) {
		for (size_t k = 0; k < 3; k++) {
			void *state = NULL;
			run_scene_open(&state);
			struct run_scene *scene = state;
			struct scripted_fault fault = refusals_of_count[i];
			fault.act = nothing_happens;
			shared(scene, "Work");
			hide(scene, "Work");
			scripted_fault(scene->server, &fault);
			left_out_once(scene, removes[k]);
			run_scene_close(&state);
		}
	}
}

static void refuse_without_code(struct run_scene *scene)
{
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_COUNT,
							       .what = SCRIPTED_REFUSED,
							       .wire = "Work",
							       .always = true,
							       .code = REMOTE_REFUSAL_UNCODED});
}

static void M21_a_bare_no_proves_nothing_after_a_listing_with_a_broken_line(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "Work");
	hide(scene, "Work");
	refuse_without_code(scene);
	scene->server->lists_badly = true;
	left_out_once(scene, SIDE_BOTH);
}

static void M21_a_bare_no_proves_nothing_while_inbox_is_not_told(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "Work");
	hide(scene, "Work");
	refuse_without_code(scene);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_COUNT,
							       .what = SCRIPTED_UNTOLD,
							       .wire = "INBOX",
							       .always = true});
	left_out_once(scene, SIDE_NONE);
}

static void M21_a_bare_no_of_a_server_in_its_senses_is_a_removal(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_LOCAL;
	shared(scene, "Work");
	scripted_remove(scene->server, "Work");
	refuse_without_code(scene);
	sync_to(scene, 0);
	assert_null(scripted_find(scene->server, "Work"));
	char *files = run_scene_files(scene, "Work");
	assert_string_equal(files, "");
	free(files);
}

static void M38_a_listing_without_inbox_may_be_whole(void **state)
{
	struct run_scene *scene = *state;
	scene->account.remove_mailboxes = SIDE_LOCAL;
	shared(scene, "Work");
	shared(scene, "Other");
	hide(scene, "INBOX");
	scripted_remove(scene->server, "Work");
	sync_to(scene, 0);
	char *files = run_scene_files(scene, "Work");
	assert_string_equal(files, "");
	free(files);
}

/* A server that leaves the new name of one that was renamed out of its first listing. */
static void list_job(struct scripted *server)
{
	scripted_find(server, "Job")->is_unlisted = false;
}

static void list_no_other(struct scripted *server)
{
	scripted_find(server, "Other")->is_unlisted = true;
}

static const struct scripted_fault second_listings[] = {
	{.op = SCRIPTED_LIST, .what = SCRIPTED_MEANWHILE, .nth = 2, .act = list_job},
	{.op = SCRIPTED_LIST, .what = SCRIPTED_REFUSED, .nth = 2},
	{.op = SCRIPTED_LIST, .what = SCRIPTED_MEANWHILE, .nth = 2, .act = list_no_other},
};

static void left_out_of_one_listing(const struct scripted_fault *fault, enum side remove)
{
	void *state = NULL;
	run_scene_open(&state);
	struct run_scene *scene = state;
	scene->account.remove_mailboxes = remove;
	shared(scene, "Work");
	shared(scene, "Other");
	scripted_rename(scene->server, "Work", "Job");
	hide(scene, "Job");
	scripted_fault(scene->server, fault);
	sync_to(scene, 1);
	expect_error(scene, "Work", "does not list the same ones twice");
	expect_nothing_done(scene);
	assert_null(scripted_find(scene->server, "Work"));
	scripted_forget_faults(scene->server);
	scripted_find(scene->server, "Other")->is_unlisted = false;
	scripted_find(scene->server, "Job")->is_unlisted = false;
	scripted_expunge(scene->server, "Job", 1);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.deleted_local, 1);
	assert_int_equal(scene->report.total.downloaded, 0);
	assert_int_equal(scene->report.total.uploaded, 0);
	expect_there(scene, "Job", "2, 3");
	expect_no_folder(scene, "Work");
	run_scene_close(&state);
}

static void M58_one_listing_that_lacks_a_new_name_removes_nothing(void **unused)
{
	static const enum side removes[] = {SIDE_NONE, SIDE_LOCAL, SIDE_BOTH};
	(void)unused;
	for (size_t i = 0; i < sizeof(second_listings) / sizeof(second_listings[0]); i++) {
		for (size_t k = 0; k < 3; k++) {
			left_out_of_one_listing(&second_listings[i], removes[k]);
		}
	}
}

static void M46_inbox_need_not_be_listed(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "Work");
	scripted_add(scene->server, "INBOX", "", "Subject: 1\n\none\n");
	sync_to(scene, 0);
	hide(scene, "INBOX");
	scripted_expunge(scene->server, "INBOX", 1);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.deleted_local, 1);
	assert_int_equal(scene->report.total.uploaded, 0);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_COUNT,
							       .what = SCRIPTED_REFUSED,
							       .wire = "INBOX",
							       .always = true,
							       .code = REMOTE_REFUSAL_NONEXISTENT});
	sync_to(scene, 1);
	expect_error(scene, "INBOX", "does not say either that it is gone");
	assert_null(strstr(scripted_heard(scene->server), "create"));
	expect_nothing_done(scene);
}

/* What looks like it waits until the server tells (M50). */
static void M18_M50_one_that_is_only_not_listed_is_not_lost_in_a_rename(void **state)
{
	struct run_scene *scene = *state;
	scene->server->facts.has_message_ids = false;
	shared(scene, "Work");
	hide(scene, "Work");
	scripted_make(scene->server, "Copy")->uidvalidity =
		scripted_find(scene->server, "Work")->uidvalidity;
	for (int i = 0; i < 3; i++) {
		char text[64];
		snprintf(text, sizeof(text), "Message-ID: <%d@Work>\n\ntext\n", i);
		scripted_add(scene->server, "Copy", "", text);
	}
	sync_to(scene, 1);
	expect_nothing_done(scene);
	scripted_find(scene->server, "Work")->is_unlisted = false;
	scripted_find(scene->server, "Copy")->uidvalidity++;
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.downloaded, 3);
	sync_to(scene, 0);
	expect_nothing_done(scene);
	char *files = run_scene_files(scene, "Work");
	assert_int_not_equal(strlen(files), 0);
	free(files);
}

static void M16_a_rename_whose_outcome_cannot_be_told_waits(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "Work");
	move_folder(scene, "Work", "New");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_RENAME,
							       .what = SCRIPTED_LOST,
							       .for_good = true});
	sync_to(scene, 75);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_COUNT,
							       .what = SCRIPTED_REFUSED,
							       .wire = "Work",
							       .code = REMOTE_REFUSAL_OTHER});
	sync_to(scene, 1);
	expect_nothing_done(scene);
	sync_to(scene, 0);
	expect_nothing_done(scene);
	scripted_expunge(scene->server, "New", 1);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.deleted_local, 1);
}

static void T2_a_trash_that_is_not_listed_is_no_reason_to_expunge(void **state)
{
	struct run_scene *scene = *state;
	scene->account.trash = "Trash";
	scripted_make(scene->server, "Trash");
	scripted_add(scene->server, "INBOX", "", "Subject: 1\n\none\n");
	sync_to(scene, 0);
	run_scene_remove_file(scene, "INBOX", "1");
	hide(scene, "Trash");
	sync_to(scene, 1);
	expect_there(scene, "INBOX", "1");
	scripted_find(scene->server, "Trash")->is_unlisted = false;
	sync_to(scene, 0);
	expect_there(scene, "INBOX", "");
	expect_there(scene, "Trash", "1");
}

static void S4_a_mailbox_of_which_it_cannot_be_told_gives_no_sign(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "Work");
	scripted_renumber(scene->server, "INBOX", 50);
	hide(scene, "Work");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_COUNT,
							       .what = SCRIPTED_UNTOLD,
							       .wire = "Work",
							       .always = true});
	(void)run_scene_sync(scene);
	expect_nothing_done(scene);
	scripted_forget_faults(scene->server);
	scripted_find(scene->server, "Work")->is_unlisted = false;
	sync_to(scene, 0);
	expect_nothing_done(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(M45_a_folder_that_cannot_be_looked_at_is_neither_there_nor_gone),
		RUN_TEST(M45_a_folder_that_vanished_while_the_disk_failed_is_no_rename),
		cmocka_unit_test(M38_a_folder_that_cannot_be_looked_at_may_be_the_new_one),
		RUN_TEST(M38_a_mailbox_whose_place_here_is_untold_may_be_the_new_one),
		RUN_TEST(M45_what_lies_in_lost_found_is_not_gone),
		RUN_TEST(M45_a_lost_found_that_only_the_system_may_read_tells_nothing),
		RUN_TEST(D6_a_folder_that_cannot_be_read_to_its_end_has_lost_nothing),
		RUN_TEST(an_id_that_cannot_be_read_is_a_failure_of_the_disk),
		RUN_TEST(a_root_that_cannot_be_looked_at_is_a_failure_of_the_disk),
		RUN_TEST(one_file_that_cannot_be_read_holds_up_no_other),
		RUN_TEST(T2_a_trash_that_is_not_listed_is_no_reason_to_expunge),
		cmocka_unit_test(M20_M21_a_listing_that_lacks_it_is_no_removal),
		RUN_TEST(M21_a_bare_no_proves_nothing_after_a_listing_with_a_broken_line),
		RUN_TEST(M21_a_bare_no_proves_nothing_while_inbox_is_not_told),
		RUN_TEST(M21_a_bare_no_of_a_server_in_its_senses_is_a_removal),
		RUN_TEST(M38_a_listing_without_inbox_may_be_whole),
		cmocka_unit_test(M58_one_listing_that_lacks_a_new_name_removes_nothing),
		RUN_TEST(M46_inbox_need_not_be_listed),
		RUN_TEST(M18_M50_one_that_is_only_not_listed_is_not_lost_in_a_rename),
		RUN_TEST(M16_a_rename_whose_outcome_cannot_be_told_waits),
		RUN_TEST(S4_a_mailbox_of_which_it_cannot_be_told_gives_no_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
