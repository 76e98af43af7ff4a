#include "maildir_private.h"

#include "maildir_fixture.h"

static uint64_t bit(struct fixture *fixture, const char *name)
{
	int index = keywords_intern(&fixture->keywords, span_of(name));
	assert_in_range(index, 0, KEYWORDS_MAX - 1);
	return FLAG_KEYWORD(index);
}

static int add_flags(struct fixture *fixture, const char *file, uint64_t flags,
		     char result[MAILDIR_NAME_MAX + 1])
{
	struct maildir_change change = {
		.file = file,
		.add = flags,
		.keywords = &fixture->keywords,
	};
	return maildir_folder_set_flags(fixture->folder, &change, result, &fixture->err);
}

static void letters_are_read_through_the_folders_table(void **state)
{
	struct fixture fixture;
	struct maildir_scan scan;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/dovecot-keywords", "0 work\n2 $Junk\n");
	write_file(&fixture, "INBOX/cur/1.a.h:2,Sabc", "");
	must(&fixture, maildir_folder_scan(fixture.folder, &fixture.keywords, &scan, &fixture.err));
	assert_int_equal(fixture.keywords.count, 2);
	assert_int_equal(scan.entries[0].flags,
			 FLAG_SEEN | bit(&fixture, "work") | bit(&fixture, "$junk"));
	assert_int_equal(fixture.keywords.count, 2);
	maildir_scan_finish(&scan);
	fixture_close(&fixture);
}

static void new_keywords_get_numbers_never_used_before(void **state)
{
	struct fixture fixture;
	char text[4096];
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/dovecot-keywords", "1 Work\n5 home\nodd line\n30 far");
	write_file(&fixture, "INBOX/cur/1.a.h:2,", "");
	must(&fixture,
	     add_flags(&fixture, "1.a.h:2,", bit(&fixture, "WORK") | bit(&fixture, "new"), NULL));
	assert_true(is_there(&fixture, "INBOX/cur/1.a.h:2,bg"));
	read_text(&fixture, "INBOX/dovecot-keywords", text);
	assert_string_equal(text, "1 Work\n5 home\nodd line\n30 far\n6 new\n");
	assert_false(is_there(&fixture, "INBOX/dovecot-keywords.lock"));
	fixture_close(&fixture);
}

static void tables_changed_by_others_are_read_again(void **state)
{
	struct fixture fixture;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/1.a.h:2,", "");
	write_file(&fixture, "INBOX/cur/2.a.h:2,", "");
	must(&fixture, add_flags(&fixture, "1.a.h:2,", bit(&fixture, "one"), NULL));
	assert_true(is_there(&fixture, "INBOX/cur/1.a.h:2,a"));
	write_file(&fixture, "INBOX/new-table", "0 one\n1 other\n2 two\n");
	char from[512], to[512];
	path_below(&fixture, "INBOX/new-table", from);
	path_below(&fixture, "INBOX/dovecot-keywords", to);
	assert_int_equal(rename(from, to), 0);
	must(&fixture, add_flags(&fixture, "2.a.h:2,", bit(&fixture, "two"), NULL));
	assert_true(is_there(&fixture, "INBOX/cur/2.a.h:2,c"));
	fixture_close(&fixture);
}

static void full_tables_leave_keywords_without_letters(void **state)
{
	struct fixture fixture;
	uint64_t mask, one, two;
	struct buf text;
	(void)state;
	fixture_open(&fixture);
	buf_init(&text, 4096);
	for (int i = 0; i < 25; i++) {
		buf_printf(&text, "%d k%d\n", i, i);
	}
	write_file(&fixture, "INBOX/dovecot-keywords", text.data);
	buf_finish(&text);
	write_file(&fixture, "INBOX/cur/1.a.h:2,", "");
	one = bit(&fixture, "one");
	two = bit(&fixture, "two");
	uint64_t known = bit(&fixture, "K24");
	must(&fixture,
	     maildir_folder_keyword_mask(fixture.folder, &fixture.keywords, &mask, &fixture.err));
	assert_int_equal(mask, one | known);
	must(&fixture, add_flags(&fixture, "1.a.h:2,", one | two | known | FLAG_SEEN, NULL));
	assert_true(is_there(&fixture, "INBOX/cur/1.a.h:2,Syz"));
	must(&fixture,
	     maildir_folder_keyword_mask(fixture.folder, &fixture.keywords, &mask, &fixture.err));
	assert_int_equal(mask, one | known);
	fixture_close(&fixture);
}

static void stale_locks_are_broken(void **state)
{
	struct fixture fixture;
	char path[512];
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/1.a.h:2,", "");
	write_file(&fixture, "INBOX/dovecot-keywords.lock", "");
	path_below(&fixture, "INBOX/dovecot-keywords.lock", path);
	struct timespec times[2] = {{time(NULL) - 121, 0}, {time(NULL) - 121, 0}};
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	must(&fixture, add_flags(&fixture, "1.a.h:2,", bit(&fixture, "one"), NULL));
	assert_true(is_there(&fixture, "INBOX/cur/1.a.h:2,a"));
	fixture_close(&fixture);
}

static void a_held_lock_denies_keywords_their_letters(void **state)
{
	struct fixture fixture;
	uint64_t granted = 0;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/dovecot-keywords", "0 work\n");
	write_file(&fixture, "INBOX/dovecot-keywords.lock", "");
	uint64_t wanted = FLAG_SEEN | bit(&fixture, "work") | bit(&fixture, "new");
	must(&fixture, maildir_folder_grant(fixture.folder, wanted, &fixture.keywords, &granted,
					    &fixture.err));
	assert_int_equal(granted, FLAG_SEEN | bit(&fixture, "work"));
	assert_true(is_there(&fixture, "INBOX/dovecot-keywords.lock"));
	fixture_close(&fixture);
}

static void a_dead_runs_lock_goes_with_its_draft(void **state)
{
	struct fixture fixture;
	char draft[512], lock[512];
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/tmp/" MAILDIR_TEMP_PREFIX "dead-0", "0 half");
	path_below(&fixture, "INBOX/tmp/" MAILDIR_TEMP_PREFIX "dead-0", draft);
	path_below(&fixture, "INBOX/dovecot-keywords.lock", lock);
	assert_int_equal(link(draft, lock), 0);
	fixture.folder->maildir->opened_ns += 3600 * INT64_C(1000000000);
	must(&fixture, maildir_folder_sweep(fixture.folder, &fixture.err));
	assert_false(is_there(&fixture, "INBOX/tmp/" MAILDIR_TEMP_PREFIX "dead-0"));
	assert_false(is_there(&fixture, "INBOX/dovecot-keywords.lock"));
	fixture_close(&fixture);
}

static void keywords_switched_off_are_left_alone(void **state)
{
	struct maildir_params params = {
		.inbox_folder = "INBOX", .info_delimiter = ':', .durability = MAILDIR_SYNC_NONE};
	struct fixture fixture;
	struct maildir_scan scan;
	uint64_t mask;
	(void)state;
	fixture_open_as(&fixture, &params);
	must(&fixture, maildir_create_folder(fixture.maildir, "INBOX", &fixture.err));
	must(&fixture,
	     maildir_folder_open(fixture.maildir, "INBOX", &fixture.folder, &fixture.err));
	write_file(&fixture, "INBOX/dovecot-keywords", "0 work\n");
	write_file(&fixture, "INBOX/cur/1.a.h:2,Sa", "");
	must(&fixture, maildir_folder_scan(fixture.folder, &fixture.keywords, &scan, &fixture.err));
	assert_int_equal(scan.entries[0].flags, FLAG_SEEN);
	maildir_scan_finish(&scan);
	must(&fixture, add_flags(&fixture, "1.a.h:2,Sa", bit(&fixture, "x") | FLAG_FLAGGED, NULL));
	assert_true(is_there(&fixture, "INBOX/cur/1.a.h:2,FSa"));
	must(&fixture,
	     maildir_folder_keyword_mask(fixture.folder, &fixture.keywords, &mask, &fixture.err));
	assert_int_equal(mask, 0);
	fixture_close(&fixture);
}

static void table_that_is_a_link_or_pipe_is_not_read(void **state)
{
	struct fixture fixture;
	struct maildir_scan scan;
	char path[512];
	(void)state;
	fixture_open(&fixture);
	path_below(&fixture, "INBOX/dovecot-keywords", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	write_file(&fixture, "INBOX/cur/1.a.h:2,Sa", "");
	must(&fixture, maildir_folder_scan(fixture.folder, &fixture.keywords, &scan, &fixture.err));
	assert_int_equal(scan.entries[0].flags, FLAG_SEEN);
	maildir_scan_finish(&scan);
	fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_are_read_through_the_folders_table),
		cmocka_unit_test(new_keywords_get_numbers_never_used_before),
		cmocka_unit_test(tables_changed_by_others_are_read_again),
		cmocka_unit_test(full_tables_leave_keywords_without_letters),
		cmocka_unit_test(stale_locks_are_broken),
		cmocka_unit_test(a_held_lock_denies_keywords_their_letters),
		cmocka_unit_test(a_dead_runs_lock_goes_with_its_draft),
		cmocka_unit_test(keywords_switched_off_are_left_alone),
		cmocka_unit_test(table_that_is_a_link_or_pipe_is_not_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
