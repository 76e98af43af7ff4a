#include "maildir_fixture.h"

/* A file given as "new/..." or "cur/...". The new name is left in fixture->result. */
static int set_flags(struct fixture *fixture, const char *path, uint64_t add, uint64_t remove)
{
	struct maildir_change change = {
		.file = path + 4,
		.in_new = path[0] == 'n',
		.add = add,
		.remove = remove,
		.keywords = &fixture->keywords,
	};
	return maildir_folder_set_flags(fixture->folder, &change, fixture->result, &fixture->err);
}

static void setting_flags_renames_and_moves_to_cur(void **state)
{
	struct fixture fixture;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/new/1.a.h", "");
	must(&fixture, set_flags(&fixture, "new/1.a.h", 0, FLAG_SEEN));
	assert_string_equal(fixture.result, "1.a.h");
	assert_true(is_there(&fixture, "INBOX/new/1.a.h"));
	must(&fixture, set_flags(&fixture, "new/1.a.h", FLAG_SEEN | FLAG_ANSWERED, 0));
	assert_string_equal(fixture.result, "1.a.h:2,RS");
	assert_true(is_there(&fixture, "INBOX/cur/1.a.h:2,RS"));
	assert_false(is_there(&fixture, "INBOX/new/1.a.h"));
	must(&fixture, set_flags(&fixture, "cur/1.a.h:2,RS", 0, FLAG_SEEN | FLAG_ANSWERED));
	assert_true(is_there(&fixture, "INBOX/cur/1.a.h:2,"));
	must(&fixture, maildir_folder_sync_names(fixture.folder, &fixture.err));
	fixture_close(&fixture);
}

static void setting_flags_keeps_what_is_not_ours(void **state)
{
	struct fixture fixture;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/1.a.h,S=1:2,SqZ", "");
	must(&fixture, set_flags(&fixture, "cur/1.a.h,S=1:2,SqZ", FLAG_FLAGGED, FLAG_SEEN));
	assert_true(is_there(&fixture, "INBOX/cur/1.a.h,S=1:2,FZq"));
	fixture_close(&fixture);
}

static void setting_flags_answers_changed_when_the_file_or_target_is_not_as_seen(void **state)
{
	struct fixture fixture;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/1.a.h:2,S", "one");
	write_file(&fixture, "INBOX/cur/1.a.h:2,FS", "two");
	assert_int_equal(set_flags(&fixture, "cur/1.a.h:2,", FLAG_SEEN, 0), -ERR_CHANGED);
	assert_int_equal(set_flags(&fixture, "cur/1.a.h:2,S", FLAG_FLAGGED, 0), -ERR_CHANGED);
	assert_int_equal(set_flags(&fixture, "cur/1.b.h:2,S", FLAG_SEEN, 0), -ERR_CHANGED);
	assert_true(is_there(&fixture, "INBOX/cur/1.a.h:2,S"));
	fixture_close(&fixture);
}

static void removing_takes_exactly_the_named_file(void **state)
{
	struct fixture fixture;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/1.a.h:2,S", "");
	write_file(&fixture, "INBOX/x", "");
	assert_int_equal(maildir_folder_remove(fixture.folder, "1.a.h:2,", false, &fixture.err),
			 -ERR_CHANGED);
	assert_int_equal(maildir_folder_remove(fixture.folder, "../x", false, &fixture.err),
			 -ERR_PARTIAL);
	must(&fixture, maildir_folder_remove(fixture.folder, "1.a.h:2,S", false, &fixture.err));
	assert_false(is_there(&fixture, "INBOX/cur/1.a.h:2,S"));
	assert_true(is_there(&fixture, "INBOX/x"));
	fixture_close(&fixture);
}

static void transfer(struct fixture *fixture, bool copy, const char *file, const char *unique,
		     int expected)
{
	struct maildir_folder *to = NULL;
	must(fixture, maildir_create_folder(fixture->maildir, "Other", &fixture->err));
	must(fixture, maildir_folder_open(fixture->maildir, "Other", &to, &fixture->err));
	struct maildir_transfer transfer = {.from = fixture->folder,
					    .file = file,
					    .copy = copy,
					    .to = to,
					    .unique = unique,
					    .flags = FLAG_SEEN,
					    .keywords = &fixture->keywords};
	assert_int_equal(maildir_transfer(&transfer, &fixture->err), expected);
	must(fixture, maildir_folder_sync_names(to, &fixture->err));
	maildir_folder_close(&to);
}

static void messages_move_and_are_copied_to_other_mailboxes(void **state)
{
	struct fixture fixture;
	char text[4096];
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/1.a.h:2,F", "one");
	write_file(&fixture, "INBOX/cur/2.a.h:2,F", "a\r\nb");
	transfer(&fixture, false, "1.a.h:2,F", "1.a.h", 0);
	assert_false(is_there(&fixture, "INBOX/cur/1.a.h:2,F"));
	read_text(&fixture, "Other/cur/1.a.h:2,S", text);
	assert_string_equal(text, "one");
	transfer(&fixture, true, "2.a.h:2,F", "9.a.h", 0);
	assert_true(is_there(&fixture, "INBOX/cur/2.a.h:2,F"));
	read_text(&fixture, "Other/cur/9.a.h:2,S", text);
	assert_string_equal(text, "a\r\nb");
	transfer(&fixture, false, "2.a.h:2,F", "9.a.h", -ERR_CHANGED);
	transfer(&fixture, true, "2.a.h:2,F", "9.a.h", -ERR_CHANGED);
	transfer(&fixture, false, "3.a.h:2,F", "3.a.h", -ERR_CHANGED);
	assert_true(is_there(&fixture, "INBOX/cur/2.a.h:2,F"));
	fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_flags_renames_and_moves_to_cur),
		cmocka_unit_test(setting_flags_keeps_what_is_not_ours),
		cmocka_unit_test(
			setting_flags_answers_changed_when_the_file_or_target_is_not_as_seen),
		cmocka_unit_test(removing_takes_exactly_the_named_file),
		cmocka_unit_test(messages_move_and_are_copied_to_other_mailboxes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
