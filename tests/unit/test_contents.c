/* Files that changed under their names, in whole runs on a scripted server: names propose, contents
 * decide (rules/content_rules.h). */
#include "run_scene.h"
#include "scripted_door.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ONE       "Subject: one\nMessage-ID: <one@x>\n\nthe text of one\n"
#define ONE_AGAIN "Subject: two\nMessage-ID: <one@x>\n\nthe text of one, edited\n"

/* The only file of FOLDER. */
static void path_of(struct run_scene *scene, const char *folder, char path[512])
{
	char *name = run_scene_files(scene, folder);
	struct stat st;
	snprintf(path, 512, "%s/%s/new/%s", scene->maildir, folder, name);
	if (stat(path, &st) != 0) {
		snprintf(path, 512, "%s/%s/cur/%s", scene->maildir, folder, name);
	}
	assert_int_equal(stat(path, &st), 0);
	free(name);
}

/* As editors do: another file, renamed over the one of FOLDER. */
static void replace(struct run_scene *scene, const char *folder, const char *text)
{
	char path[512];
	char draft[512];
	path_of(scene, folder, path);
	run_scene_write(scene, "INBOX/tmp/draft", text);
	snprintf(draft, sizeof(draft), "%s/INBOX/tmp/draft", scene->maildir);
	assert_int_equal(rename(draft, path), 0);
}

/* What this version notes of contents is forgotten, as if an older one had written the rows. */
static void make_old(struct run_scene *scene)
{
	char path[FILE_PATH_SIZE];
	sqlite3 *db;
	account_path(&scene->account, &scene->options, ".db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "UPDATE row SET content = NULL, mark_size = 0,"
				      " mark_mtime = 0, mark_inode = 0",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
}

/* One message, in sync in INBOX; it came down, or went up. */
static void begin(struct run_scene *scene, bool is_upload)
{
	if (is_upload) {
		run_scene_write(scene, "INBOX/cur/17.draft:2,D", ONE);
	} else {
		scripted_add(scene->server, "INBOX", "", ONE);
	}
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_expect_both(scene, "INBOX", is_upload ? "one/D" : "one/");
}

static void expect_clean(struct run_scene *scene)
{
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 0);
	run_scene_expect_idle(scene, 0);
}

static void an_edited_draft_outlives_the_removal_of_its_old_text(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, true);
	replace(scene, "INBOX", ONE_AGAIN);
	scripted_expunge(scene->server, "INBOX", 1);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.deleted_local, 0);
	assert_int_equal(scene->report.total.uploaded, 1);
	run_scene_expect_both(scene, "INBOX", "two/D");
	expect_clean(scene);
}

static void an_edited_download_outlives_the_removal_of_its_old_text(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, false);
	replace(scene, "INBOX", ONE_AGAIN);
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "two/");
}

/* rsync, a restore from a backup, another file system: another inode, another mtime. */
static void an_equal_copy_is_removed_with_its_message(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, false);
	replace(scene, "INBOX", ONE);
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "");
}

static void a_copy_with_crlf_is_equal(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, true);
	replace(scene, "INBOX", "Subject: one\r\nMessage-ID: <one@x>\r\n\r\nthe text of one\r\n");
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "");
}

static void a_touched_file_is_removed_with_its_message(void **state)
{
	struct run_scene *scene = *state;
	char path[512];
	begin(scene, false);
	path_of(scene, "INBOX", path);
	assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "");
}

static void rows_of_before_go_by_header_and_size(void **state) /* C3 */
{
	struct run_scene *scene = *state;
	begin(scene, false);
	make_old(scene);
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "");
}

static void an_edit_under_a_row_of_before_is_kept(void **state) /* C3 */
{
	struct run_scene *scene = *state;
	begin(scene, false);
	make_old(scene);
	replace(scene, "INBOX", ONE_AGAIN);
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "two/");
}

/* One of a pair that was found by its header: the file had the text before. */
static void a_paired_file_that_is_edited_is_kept(void **state)
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "", ONE);
	run_scene_write(scene, "INBOX/cur/17.mine:2,", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.downloaded + scene->report.total.uploaded, 0);
	replace(scene, "INBOX", ONE_AGAIN);
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "two/");
}

static void expunge_looks_too(void **state)
{
	struct run_scene *scene = *state;
	scene->account.expunge = SIDE_BOTH;
	begin(scene, false);
	replace(scene, "INBOX", ONE_AGAIN);
	scripted_flag(scene->server, "INBOX", 1, "\\Deleted");
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "two/");
}

static void a_move_there_leaves_an_edited_file_where_it_is(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Archive");
	begin(scene, false);
	replace(scene, "INBOX", ONE_AGAIN);
	scripted_move(scene->server, "INBOX", 1, "Archive");
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "two/");
	run_scene_expect_both(scene, "Archive", "one/");
}

static void a_move_there_takes_an_equal_copy_along(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Archive");
	begin(scene, false);
	replace(scene, "INBOX", ONE);
	scripted_move(scene->server, "INBOX", 1, "Archive");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 1);
	assert_int_equal(scene->report.total.downloaded, 0);
	run_scene_expect_both(scene, "INBOX", "");
	run_scene_expect_both(scene, "Archive", "one/");
}

/* The file of one is gone from INBOX, and under its name TEXT lies in Archive. */
static void swap_into_archive(struct run_scene *scene, const char *text)
{
	char *name = run_scene_files(scene, "INBOX");
	char path[512];
	snprintf(path, sizeof(path), "Archive/cur/%s", name);
	run_scene_write(scene, path, text);
	free(name);
	path_of(scene, "INBOX", path);
	assert_int_equal(unlink(path), 0);
}

static void V11_another_text_under_a_name_that_vanished_is_new_mail(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Archive");
	begin(scene, true);
	swap_into_archive(scene, ONE_AGAIN);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 0);
	assert_int_equal(scene->report.total.uploaded, 1);
	run_scene_expect_both(scene, "INBOX", "");
	run_scene_expect_both(scene, "Archive", "two/D");
	expect_clean(scene);
}

static void a_file_that_was_copied_and_removed_has_moved(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Archive");
	begin(scene, true);
	swap_into_archive(scene, ONE);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 1);
	assert_int_equal(scene->report.total.uploaded, 0);
	run_scene_expect_both(scene, "Archive", "one/D");
	expect_clean(scene);
	scripted_expunge(scene->server, "Archive", 1); /* base knows what is in the copy */
	expect_clean(scene);
	run_scene_expect_both(scene, "Archive", "");
}

static void V11_rows_of_before_go_by_header_and_size(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Archive");
	begin(scene, true);
	make_old(scene);
	swap_into_archive(scene, ONE);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 1);
	expect_clean(scene);
}

/* EMAILIDs that are the same for all. */
static void V13_one_emailid_for_all_moves_no_other_message(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Archive");
	begin(scene, false);
	scripted_add(scene->server, "Archive", "", ONE_AGAIN);
	struct scripted_message *fresh = scripted_message(scene->server, "Archive", 1);
	struct scripted_message *gone = scripted_message(scene->server, "INBOX", 1);
	memcpy(fresh->emailid, gone->emailid, sizeof(fresh->emailid));
	fresh->date = gone->date;
	scripted_expunge(scene->server, "INBOX", 1);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 0);
	run_scene_expect_both(scene, "INBOX", "");
	run_scene_expect_both(scene, "Archive", "two/");
	expect_clean(scene);
}

/* Ids that say nothing: none, or the same for all. Then date and header tell. */
static void move_by_date_and_header(struct run_scene *scene, const char *id)
{
	scripted_make(scene->server, "Archive");
	scene->server->facts.has_message_ids = true;
	for (uint32_t uid = 1; uid <= 3; uid++) {
		char text[96];
		snprintf(text, sizeof(text), "Subject: %u\nMessage-ID: <%u@x>\n\nx\n", uid, uid);
		scripted_add(scene->server, "INBOX", "", text);
		struct scripted_message *message = scripted_message(scene->server, "INBOX", uid);
		snprintf(message->emailid, sizeof(message->emailid), "%s", id);
	}
	RUN_OK(scene, run_scene_sync(scene));
	scripted_move(scene->server, "INBOX", 2, "Archive");
	struct scripted_message *moved = scripted_message(scene->server, "Archive", 1);
	snprintf(moved->emailid, sizeof(moved->emailid), "%s", id);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 1);
	assert_int_equal(scene->report.total.downloaded, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 3/");
	run_scene_expect_both(scene, "Archive", "2/");
	run_scene_expect_idle(scene, 0);
}

static void V14_where_all_have_one_emailid_date_and_header_tell(void **state)
{
	move_by_date_and_header(*state, "X");
}

static void V10_where_none_is_told_so_they_do(void **state)
{
	move_by_date_and_header(*state, "");
}

/* cp -r: the names of one folder once more in another. */
static void a_folder_that_was_copied_is_new_mail(void **state)
{
	struct run_scene *scene = *state;
	char path[512];
	begin(scene, false);
	char *name = run_scene_files(scene, "INBOX");
	run_scene_folder(scene, "Copy");
	snprintf(path, sizeof(path), "Copy/new/%s", name);
	free(name);
	run_scene_write(scene, path, ONE);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 0);
	assert_int_equal(scene->report.total.uploaded, 1);
	run_scene_expect_both(scene, "INBOX", "one/");
	run_scene_expect_both(scene, "Copy", "one/");
	expect_clean(scene);
}

/* Work is gone here, and its names lie in Job, with these texts. */
static void copy_work(struct run_scene *scene, const char *text)
{
	char path[512];
	scripted_make(scene->server, "Work");
	scripted_add(scene->server, "Work", "", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	char *name = run_scene_files(scene, "Work");
	run_scene_folder(scene, "Job");
	snprintf(path, sizeof(path), "Job/new/%s", name);
	free(name);
	run_scene_write(scene, path, text);
	path_of(scene, "Work", path);
	assert_int_equal(unlink(path), 0);
	static const char *const parts[] = {"/cur", "/new", "/tmp", ""};
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/Work%s", scene->maildir, parts[i]);
		assert_int_equal(rmdir(path), 0);
	}
	RUN_OK(scene, run_scene_sync(scene));
}

static void M32_a_folder_of_equal_names_and_texts_is_renamed(void **state)
{
	struct run_scene *scene = *state;
	copy_work(scene, ONE);
	assert_null(scripted_find(scene->server, "Work"));
	run_scene_expect_both(scene, "Job", "one/");
	expect_clean(scene);
}

static void M32_a_folder_of_equal_names_and_other_texts_is_another(void **state)
{
	struct run_scene *scene = *state;
	copy_work(scene, ONE_AGAIN);
	run_scene_expect_both(scene, "Job", "two/");
	run_scene_expect_there(scene, "Work", "one/");
	expect_clean(scene);
}

static void remove_here(struct run_scene *scene, const char *path)
{
	char full[512];
	snprintf(full, sizeof(full), "%s/%s", scene->maildir, path);
	assert_int_equal(unlink(full), 0);
}

#define TWO "Subject: two\nMessage-ID: <two@x>\n\nthe text of two\n"

/* Names that people gave. */
static void names_with_a_comma_are_messages_of_their_own(void **state)
{
	struct run_scene *scene = *state;
	run_scene_write(scene, "INBOX/cur/Invoice, 2019.eml:2,", ONE);
	run_scene_write(scene, "INBOX/cur/Invoice, 2020.eml:2,", TWO);
	run_scene_write(scene, "INBOX/cur/Re: one:2,S", "Subject: three\n\n3\n");
	run_scene_write(scene, "INBOX/cur/Re: two:2,S", "Subject: four\n\n4\n");
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_expect_both(scene, "INBOX", "four/S one/ three/S two/");
	expect_clean(scene);
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "four/S three/S two/");
}

static void C5_a_name_that_lost_its_rest_is_the_same_message(void **state)
{
	struct run_scene *scene = *state;
	char path[512];
	char shorter[512];
	run_scene_write(scene, "INBOX/cur/Re: one:2,", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	path_of(scene, "INBOX", path);
	snprintf(shorter, sizeof(shorter), "%s/INBOX/cur/Re:2,S", scene->maildir);
	assert_int_equal(rename(path, shorter), 0); /* as mutt does */
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 0);
	assert_int_equal(scene->report.total.deleted_remote, 0);
	run_scene_expect_both(scene, "INBOX", "one/S");
	expect_clean(scene);
}

/* Older versions took "Invoice" for the unique part. */
static void C5_rows_of_before_get_the_whole_name(void **state)
{
	struct run_scene *scene = *state;
	char path[FILE_PATH_SIZE];
	sqlite3 *db;
	run_scene_write(scene, "INBOX/cur/Invoice, 2019.eml:2,", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	make_old(scene);
	account_path(&scene->account, &scene->options, ".db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE row SET uniq = 'Invoice'", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	run_scene_write(scene, "INBOX/cur/Invoice, 2020.eml:2,", TWO);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 1);
	assert_int_equal(scene->report.total.deleted_remote, 0);
	run_scene_expect_both(scene, "INBOX", "one/ two/");
	expect_clean(scene);
}

static void C6_a_second_name_of_a_message_is_no_second_message(void **state)
{
	struct run_scene *scene = *state;
	run_scene_write(scene, "INBOX/cur/17.a:2,S", ONE);
	run_scene_write(scene, "INBOX/new/17.a", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 1);
	run_scene_expect_there(scene, "INBOX", "one/S");
	run_scene_expect_here(scene, "INBOX", "one/ one/S");
	expect_clean(scene);
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "");
}

static void C7_one_name_in_new_and_cur_with_other_texts_is_two_messages(void **state)
{
	struct run_scene *scene = *state;
	run_scene_write(scene, "INBOX/cur/17.a:2,S", ONE);
	run_scene_write(scene, "INBOX/new/17.a", TWO);
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_expect_both(scene, "INBOX", "one/S two/");
	expect_clean(scene);
	scripted_expunge(scene->server, "INBOX", 1);
	expect_clean(scene);
}

/* The one that base knows keeps the name, even where the other one comes first. */
static void C7_the_message_that_base_knows_keeps_its_name(void **state)
{
	struct run_scene *scene = *state;
	run_scene_write(scene, "INBOX/new/17.a", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_write(scene, "INBOX/cur/17.a:2,S", TWO);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 1);
	assert_int_equal(scene->report.total.flags_remote, 0);
	run_scene_expect_both(scene, "INBOX", "one/ two/S");
	expect_clean(scene);
	remove_here(scene, "INBOX/new/17.a");
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "two/S");
}

static void C8_where_nothing_may_be_renamed_both_names_are_told(void **state)
{
	struct run_scene *scene = *state;
	run_scene_write(scene, "INBOX/cur/17.a:2,S", ONE);
	run_scene_write(scene, "INBOX/new/17.a", TWO);
	scene->account.direction = DIRECTION_PUSH;
	(void)run_scene_sync(scene);
	assert_int_equal(scene->report.status, err_exit_status(ERR_PARTIAL));
	assert_non_null(strstr(scene->report.errors[0].text, "17.a:2,S and 17.a "));
	run_scene_expect_here(scene, "INBOX", "one/S two/");
	scene->account.direction = DIRECTION_BOTH;
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "one/S two/");
}

static void D5_another_text_under_a_name_that_was_gone_is_new_mail(void **state)
{
	struct run_scene *scene = *state;
	run_scene_write(scene, "INBOX/cur/Invoice.eml:2,S", ONE);
	scene->account.delete_ = SIDE_NONE;
	RUN_OK(scene, run_scene_sync(scene));
	remove_here(scene, "INBOX/cur/Invoice.eml:2,S");
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_expect_there(scene, "INBOX", "one/S");
	run_scene_write(scene, "INBOX/cur/Invoice.eml:2,", TWO);
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_expect_there(scene, "INBOX", "one/S two/");
	run_scene_expect_here(scene, "INBOX", "two/");
	scene->account.delete_ = SIDE_BOTH;
	expect_clean(scene);
	run_scene_expect_both(scene, "INBOX", "two/");
}

static void D5_the_same_text_is_back(void **state)
{
	struct run_scene *scene = *state;
	run_scene_write(scene, "INBOX/cur/Invoice.eml:2,S", ONE);
	scene->account.delete_ = SIDE_NONE;
	RUN_OK(scene, run_scene_sync(scene));
	remove_here(scene, "INBOX/cur/Invoice.eml:2,S");
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_write(scene, "INBOX/cur/Invoice.eml:2,F", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.uploaded, 0);
	run_scene_expect_both(scene, "INBOX", "one/F");
	expect_clean(scene);
}

/* Work, with one message, is removed there; the file holds TEXT by then. */
static void remove_work(struct run_scene *scene, const char *text)
{
	scene->account.remove_mailboxes = SIDE_LOCAL;
	scripted_make(scene->server, "Work");
	scripted_add(scene->server, "Work", "", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	replace(scene, "Work", text);
	scripted_remove(scene->server, "Work");
	(void)run_scene_sync(scene);
}

static void M22_a_folder_with_an_edited_file_is_kept(void **state)
{
	struct run_scene *scene = *state;
	remove_work(scene, ONE_AGAIN);
	assert_int_equal(scene->report.status, err_exit_status(ERR_PARTIAL));
	run_scene_expect_here(scene, "Work", "two/");
}

static void M23_a_folder_of_equal_copies_goes(void **state)
{
	struct run_scene *scene = *state;
	char path[512];
	remove_work(scene, ONE);
	assert_int_equal(scene->report.status, 0);
	snprintf(path, sizeof(path), "%s/Work", scene->maildir);
	assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(an_edited_draft_outlives_the_removal_of_its_old_text),
		RUN_TEST(an_edited_download_outlives_the_removal_of_its_old_text),
		RUN_TEST(an_equal_copy_is_removed_with_its_message),
		RUN_TEST(a_copy_with_crlf_is_equal),
		RUN_TEST(a_touched_file_is_removed_with_its_message),
		RUN_TEST(rows_of_before_go_by_header_and_size),
		RUN_TEST(an_edit_under_a_row_of_before_is_kept),
		RUN_TEST(a_paired_file_that_is_edited_is_kept),
		RUN_TEST(expunge_looks_too),
		RUN_TEST(a_move_there_leaves_an_edited_file_where_it_is),
		RUN_TEST(a_move_there_takes_an_equal_copy_along),
		RUN_TEST(V11_another_text_under_a_name_that_vanished_is_new_mail),
		RUN_TEST(a_file_that_was_copied_and_removed_has_moved),
		RUN_TEST(V11_rows_of_before_go_by_header_and_size),
		RUN_TEST(V13_one_emailid_for_all_moves_no_other_message),
		RUN_TEST(V14_where_all_have_one_emailid_date_and_header_tell),
		RUN_TEST(V10_where_none_is_told_so_they_do),
		RUN_TEST(a_folder_that_was_copied_is_new_mail),
		RUN_TEST(M32_a_folder_of_equal_names_and_texts_is_renamed),
		RUN_TEST(M32_a_folder_of_equal_names_and_other_texts_is_another),
		RUN_TEST(names_with_a_comma_are_messages_of_their_own),
		RUN_TEST(C5_a_name_that_lost_its_rest_is_the_same_message),
		RUN_TEST(C5_rows_of_before_get_the_whole_name),
		RUN_TEST(C6_a_second_name_of_a_message_is_no_second_message),
		RUN_TEST(C7_one_name_in_new_and_cur_with_other_texts_is_two_messages),
		RUN_TEST(C7_the_message_that_base_knows_keeps_its_name),
		RUN_TEST(C8_where_nothing_may_be_renamed_both_names_are_told),
		RUN_TEST(D5_another_text_under_a_name_that_was_gone_is_new_mail),
		RUN_TEST(D5_the_same_text_is_back),
		RUN_TEST(M22_a_folder_with_an_edited_file_is_kept),
		RUN_TEST(M23_a_folder_of_equal_copies_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
