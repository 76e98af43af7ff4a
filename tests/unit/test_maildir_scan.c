#include "maildir_fixture.h"

static const struct maildir_entry *entry_of(const struct maildir_scan *scan, const char *unique)
{
	return maildir_scan_find(scan, span_of(unique));
}

static void scan(struct fixture *fixture, struct maildir_scan *scan)
{
	must(fixture,
	     maildir_folder_scan(fixture->folder, &fixture->keywords, scan, &fixture->err));
}

static void scan_gives_names_flags_and_folders_by_unique_part(void **state)
{
	struct fixture fixture;
	struct maildir_scan found;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/3.c.h:2,FS", "");
	write_file(&fixture, "INBOX/cur/1.a.h,S=5:2,aS", "");
	write_file(&fixture, "INBOX/new/2.b.h", "");
	write_file(&fixture, "INBOX/cur/2.b", "");
	scan(&fixture, &found);
	assert_int_equal(found.count, 4);
	assert_true(found.is_still);
	assert_string_equal(found.entries[0].name, "1.a.h,S=5:2,aS");
	assert_string_equal(found.entries[1].name, "2.b");
	assert_string_equal(found.entries[2].name, "2.b.h");
	assert_string_equal(found.entries[3].name, "3.c.h:2,FS");
	assert_int_equal(entry_of(&found, "1.a.h")->flags, FLAG_SEEN);
	assert_int_equal(entry_of(&found, "3.c.h")->flags, FLAG_SEEN | FLAG_FLAGGED);
	assert_true(entry_of(&found, "2.b.h")->in_new);
	assert_false(entry_of(&found, "2.b")->in_new);
	assert_null(entry_of(&found, "2"));
	assert_null(entry_of(&found, "2.b.h.x"));
	assert_null(entry_of(&found, ""));
	maildir_scan_finish(&found);
	fixture_close(&fixture);
}

static void scan_leaves_out_what_is_no_message(void **state)
{
	struct fixture fixture;
	struct maildir_scan found;
	char path[512];
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/.hidden", "");
	write_file(&fixture, "INBOX/cur/:2,S", "");
	make_dirs(&fixture, "INBOX/cur/1.d.h");
	path_below(&fixture, "INBOX/cur/2.l.h:2,S", path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	path_below(&fixture, "INBOX/cur/3.p.h", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	scan(&fixture, &found);
	assert_int_equal(found.count, 0);
	maildir_scan_finish(&found);
	fixture_close(&fixture);
}

static void scan_prefers_cur_where_a_message_has_two_names(void **state)
{
	struct fixture fixture;
	struct maildir_scan found;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/new/1.a.h", "");
	write_file(&fixture, "INBOX/cur/1.a.h:2,S", "");
	write_file(&fixture, "INBOX/cur/1.a.h:2,F", "");
	scan(&fixture, &found);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.entries[0].name, "1.a.h:2,F");
	maildir_scan_finish(&found);
	fixture_close(&fixture);
}

static void scan_tells_of_the_other_names_of_a_message(void **state)
{
	struct fixture fixture;
	struct maildir_scan found;
	size_t count = 9;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/new/1.a.h", "");
	write_file(&fixture, "INBOX/cur/1.a.h:2,S", "");
	write_file(&fixture, "INBOX/cur/1.a.h:2,F", "");
	write_file(&fixture, "INBOX/cur/2.a.h,S=1:2,F", "");
	write_file(&fixture, "INBOX/cur/2.a.h,S=2:2,F", "");
	write_file(&fixture, "INBOX/cur/3.a.h:2,F", "");
	scan(&fixture, &found);
	assert_int_equal(found.count, 3);
	assert_int_equal(found.double_count, 3);
	const struct maildir_entry *doubles =
		maildir_scan_doubles(&found, SPAN_LIT("1.a.h"), &count);
	assert_int_equal(count, 2);
	assert_string_equal(doubles[0].name, "1.a.h:2,S");
	assert_string_equal(doubles[1].name, "1.a.h");
	doubles = maildir_scan_doubles(&found, SPAN_LIT("2.a.h"), &count);
	assert_int_equal(count, 1);
	assert_string_equal(doubles[0].name, "2.a.h,S=2:2,F");
	assert_null(maildir_scan_doubles(&found, SPAN_LIT("3.a.h"), &count));
	assert_int_equal(count, 0);
	maildir_scan_finish(&found);
	fixture_close(&fixture);
}

static void names_that_people_gave_are_whole(void **state)
{
	struct fixture fixture;
	struct maildir_scan found;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/Invoice, 2019.eml", "");
	write_file(&fixture, "INBOX/cur/Invoice, 2020.eml:2,S", "");
	write_file(&fixture, "INBOX/new/Re: one", "");
	write_file(&fixture, "INBOX/new/Re: two", "");
	scan(&fixture, &found);
	assert_int_equal(found.count, 4);
	assert_int_equal(entry_of(&found, "Invoice, 2020.eml")->flags, FLAG_SEEN);
	assert_non_null(entry_of(&found, "Invoice, 2019.eml"));
	assert_non_null(entry_of(&found, "Re: one"));
	assert_non_null(entry_of(&found, "Re: two"));
	maildir_scan_finish(&found);
	fixture_close(&fixture);
}

static void a_message_gets_a_unique_part_of_its_own(void **state)
{
	static const uint8_t content[CONTENT_DIGEST_SIZE] = {0x12, 0x34};
	struct fixture fixture;
	struct maildir_scan found;
	struct maildir_unique parsed;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/2.a.h,S=1:2,Fa", "");
	write_file(&fixture, "INBOX/cur/2.a.h,S=2:2,Fa", "");
	must(&fixture, maildir_folder_set_unique(fixture.folder, "2.a.h,S=2:2,Fa", false, content,
						 fixture.result, &fixture.err));
	assert_non_null(strstr(fixture.result, ".123400000000000000000000."));
	assert_non_null(strstr(fixture.result, ",S=2:2,Fa"));
	scan(&fixture, &found);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.double_count, 0);
	assert_false(maildir_unique_parse(span_of(fixture.result), &parsed));
	maildir_scan_finish(&found);
	char first[MAILDIR_NAME_MAX + 1];
	memcpy(first, fixture.result, sizeof(first));
	write_file(&fixture, "INBOX/cur/2.a.h,S=2:2,Fa", "");
	must(&fixture, maildir_folder_set_unique(fixture.folder, "2.a.h,S=2:2,Fa", false, content,
						 fixture.result, &fixture.err));
	assert_string_not_equal(fixture.result, first);
	fixture_close(&fixture);
}

static void scan_of_many_is_sorted_and_findable(void **state)
{
	enum {
		MANY = 3000
	};
	struct fixture fixture;
	struct maildir_scan found;
	char name[64];
	(void)state;
	fixture_open(&fixture);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "INBOX/cur/%d.0123456789abcdef_7_%d.host:2,S",
			 1700000000 + i / 7, i * 7919 % MANY + 1);
		write_file(&fixture, name, "");
	}
	scan(&fixture, &found);
	assert_int_equal(found.count, MANY);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d.0123456789abcdef_7_%d.host", 1700000000 + i / 7,
			 i * 7919 % MANY + 1);
		if (!entry_of(&found, name)) {
			fail_msg("%s is not found", name);
		}
	}
	maildir_scan_finish(&found);
	fixture_close(&fixture);
}

static void stamp_of_scan_and_stat_agree_and_change_with_the_folder(void **state)
{
	struct fixture fixture;
	struct maildir_scan found;
	struct stamp stamp;
	(void)state;
	fixture_open(&fixture);
	scan(&fixture, &found);
	must(&fixture, maildir_stat(fixture.maildir, "INBOX", &stamp, &fixture.err));
	assert_true(stamp_equal(&stamp, &found.stamp));
	nanosleep(&(struct timespec){0, 20000000}, NULL);
	write_file(&fixture, "INBOX/new/1.a.h", "");
	must(&fixture, maildir_stat(fixture.maildir, "INBOX", &stamp, &fixture.err));
	assert_false(stamp_equal(&stamp, &found.stamp));
	maildir_scan_finish(&found);
	assert_int_equal(maildir_stat(fixture.maildir, "none", &stamp, &fixture.err), -ERR_CHANGED);
	fixture_close(&fixture);
}

static void file_is_found_again_by_its_unique_part(void **state)
{
	struct fixture fixture;
	char name[MAILDIR_NAME_MAX + 1];
	bool in_new;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/new/1.a.h", "");
	write_file(&fixture, "INBOX/cur/1.a.hh:2,S", "");
	write_file(&fixture, "INBOX/cur/2.a.h,S=1:2,RS", "");
	must(&fixture,
	     maildir_folder_find(fixture.folder, SPAN_LIT("1.a.h"), name, &in_new, &fixture.err));
	assert_string_equal(name, "1.a.h");
	assert_true(in_new);
	must(&fixture,
	     maildir_folder_find(fixture.folder, SPAN_LIT("2.a.h"), name, &in_new, &fixture.err));
	assert_string_equal(name, "2.a.h,S=1:2,RS");
	assert_false(in_new);
	assert_int_equal(
		maildir_folder_find(fixture.folder, SPAN_LIT("3.a.h"), name, &in_new, &fixture.err),
		-ERR_CHANGED);
	fixture_close(&fixture);
}

static void expect_guess(struct fixture *fixture, const char *unique, uint64_t flags,
			 const char *expected)
{
	const struct maildir_known known = {unique, flags, &fixture->keywords};
	char name[MAILDIR_NAME_MAX + 1] = "";
	char path[MAILDIR_NAME_MAX + 8] = "none";
	bool in_new = false;
	if (maildir_folder_guess(fixture->folder, &known, name, &in_new, &fixture->err) == 0) {
		snprintf(path, sizeof(path), "%s/%s", in_new ? "new" : "cur", name);
	}
	assert_string_equal(path, expected);
}

static void names_that_follow_from_the_flags_are_guessed(void **state)
{
	struct fixture fixture;
	uint64_t work;
	(void)state;
	fixture_open(&fixture);
	work = FLAG_KEYWORD(keywords_intern(&fixture.keywords, SPAN_LIT("work")));
	write_file(&fixture, "INBOX/dovecot-keywords", "0 junk\n1 work\n");
	write_file(&fixture, "INBOX/cur/1.a.h:2,RSb", "");
	write_file(&fixture, "INBOX/new/2.a.h", "");
	write_file(&fixture, "INBOX/cur/3.a.h:2,", "");
	write_file(&fixture, "INBOX/cur/4.a.h", "");
	write_file(&fixture, "INBOX/new/5.a.h:2,F", "");
	write_file(&fixture, "INBOX/cur/Re: one, two:2,S", "");
	expect_guess(&fixture, "1.a.h", FLAG_SEEN | FLAG_ANSWERED | work, "cur/1.a.h:2,RSb");
	expect_guess(&fixture, "2.a.h", 0, "new/2.a.h");
	expect_guess(&fixture, "2.a.h", FLAG_SEEN, "new/2.a.h"); /* that it does not tell */
	expect_guess(&fixture, "3.a.h", 0, "cur/3.a.h:2,");
	expect_guess(&fixture, "4.a.h", FLAG_SEEN | work, "cur/4.a.h");
	expect_guess(&fixture, "5.a.h", FLAG_FLAGGED, "new/5.a.h:2,F");
	expect_guess(&fixture, "Re: one, two", FLAG_SEEN, "cur/Re: one, two:2,S");
	fixture_close(&fixture);
}

static void other_names_are_not_guessed(void **state)
{
	struct fixture fixture;
	char path[512];
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/1.a.h:2,SX", "");
	write_file(&fixture, "INBOX/cur/2.a.h,S=1:2,S", "");
	write_file(&fixture, "INBOX/cur/3.a.h:2,Sz", "");
	path_below(&fixture, "INBOX/cur/4.a.h:2,S", path);
	assert_int_equal(symlink("1.a.h:2,SX", path), 0);
	expect_guess(&fixture, "1.a.h", FLAG_SEEN, "none");
	expect_guess(&fixture, "2.a.h", FLAG_SEEN, "none");
	expect_guess(&fixture, "3.a.h", FLAG_SEEN, "none");
	expect_guess(&fixture, "4.a.h", FLAG_SEEN, "none");
	expect_guess(&fixture, "5.a.h", FLAG_SEEN, "none");
	fixture_close(&fixture);
}

static void mbsync_uidvalidity_is_read(void **state)
{
	struct fixture fixture;
	(void)state;
	fixture_open(&fixture);
	assert_int_equal(maildir_folder_mbsync_uidvalidity(fixture.folder), 0);
	write_file(&fixture, "INBOX/.uidvalidity", "1700000001\n42\n");
	assert_int_equal(maildir_folder_mbsync_uidvalidity(fixture.folder), 1700000001);
	write_file(&fixture, "INBOX/.uidvalidity", "x\n");
	assert_int_equal(maildir_folder_mbsync_uidvalidity(fixture.folder), 0);
	fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scan_gives_names_flags_and_folders_by_unique_part),
		cmocka_unit_test(scan_leaves_out_what_is_no_message),
		cmocka_unit_test(scan_prefers_cur_where_a_message_has_two_names),
		cmocka_unit_test(scan_tells_of_the_other_names_of_a_message),
		cmocka_unit_test(names_that_people_gave_are_whole),
		cmocka_unit_test(a_message_gets_a_unique_part_of_its_own),
		cmocka_unit_test(scan_of_many_is_sorted_and_findable),
		cmocka_unit_test(stamp_of_scan_and_stat_agree_and_change_with_the_folder),
		cmocka_unit_test(file_is_found_again_by_its_unique_part),
		cmocka_unit_test(names_that_follow_from_the_flags_are_guessed),
		cmocka_unit_test(other_names_are_not_guessed),
		cmocka_unit_test(mbsync_uidvalidity_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
