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

/* What is remembered of INBOX now is TEXT. */
static void expect_remembered(struct fixture *fixture, const char *text)
{
	char *letters = NULL;
	must(fixture, maildir_remembered(fixture->maildir, "INBOX", &letters, &fixture->err));
	assert_non_null(letters);
	assert_string_equal(letters, text);
	free(letters);
}

/* INBOX, of which LETTERS are remembered, with two files that bear a and b. */
static void open_remembering(struct fixture *fixture, const char *letters)
{
	fixture_open(fixture);
	must(fixture, maildir_remember(fixture->maildir, "INBOX", letters, &fixture->err));
	write_file(fixture, "INBOX/cur/1.a.h:2,Sa", "");
	write_file(fixture, "INBOX/cur/2.a.h:2,b", "");
}

static void names_that_the_file_lost_are_put_back(void **state)
{
	/* What became of "0 work", "1 home", "2 far", and what is to become of it. */
	static const char *const cases[][2] = {
		{NULL, "0 work\n1 home\n2 far\n"},
		{"", "0 work\n1 home\n2 far\n"},
		{"\xff garbage\n\n1", "0 work\n1 home\n2 far\n"},
		{"0 work\r\n1 home\r\n2 far\r\n", "0 work\n1 home\n2 far\n"},
		{"0 work\n2 far\n", "0 work\n2 far\n1 home\n"},
		{"0 work\n1 \n2 far\n", "0 work\n2 far\n1 home\n"},
		{"0 work\n1 ho", "0 work\n1 home\n2 far\n"},
		{"0 work\n1 home\n2 far\n3 new\n", NULL},
	};
	char text[4096];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture fixture;
		struct maildir_scan scan;
		open_remembering(&fixture, "0 work\n1 home\n2 far\n");
		if (cases[i][0] != NULL) {
			write_file(&fixture, "INBOX/dovecot-keywords", cases[i][0]);
		}
		assert_true(maildir_folder_is_mendable(fixture.folder) == (cases[i][1] != NULL));
		must(&fixture,
		     maildir_folder_scan(fixture.folder, &fixture.keywords, &scan, &fixture.err));
		assert_true(scan.entries[0].flags == (FLAG_SEEN | bit(&fixture, "work")));
		assert_true(scan.entries[1].flags == bit(&fixture, "home"));
		maildir_scan_finish(&scan);
		maildir_folder_mend(fixture.folder);
		assert_false(maildir_folder_is_mendable(fixture.folder));
		read_text(&fixture, "INBOX/dovecot-keywords", text);
		assert_string_equal(text, cases[i][cases[i][1] != NULL]);
		assert_false(is_there(&fixture, "INBOX/dovecot-keywords.lock"));
		fixture_close(&fixture);
	}
}

static void what_the_file_calls_otherwise_means_nothing_while_files_bear_it(void **state)
{
	struct fixture fixture;
	struct maildir_scan scan;
	char text[4096], path[512];
	(void)state;
	open_remembering(&fixture, "0 work\n1 home\n");
	write_file(&fixture, "INBOX/dovecot-keywords", "0 home\n1 urgent\n");
	uint64_t work = bit(&fixture, "work"), home = bit(&fixture, "home");
	uint64_t urgent = bit(&fixture, "urgent");
	must(&fixture, maildir_folder_scan(fixture.folder, &fixture.keywords, &scan, &fixture.err));
	assert_true(scan.entries[0].flags == FLAG_SEEN && scan.entries[1].flags == 0);
	assert_true((scan.lettered & (work | home | urgent)) == 0);
	maildir_scan_finish(&scan);
	assert_int_equal(maildir_folder_adopt_letters(fixture.folder, &fixture.err), 0);
	assert_false(maildir_folder_is_mendable(fixture.folder));
	read_text(&fixture, "INBOX/dovecot-keywords", text);
	assert_string_equal(text, "0 home\n1 urgent\n");
	path_below(&fixture, "INBOX/cur/2.a.h:2,b", path);
	assert_int_equal(unlink(path), 0);
	must(&fixture, maildir_folder_scan(fixture.folder, &fixture.keywords, &scan, &fixture.err));
	maildir_scan_finish(&scan);
	assert_int_equal(maildir_folder_adopt_letters(fixture.folder, &fixture.err), 1);
	expect_remembered(&fixture, "0 work\n1 urgent\n");
	fixture_close(&fixture);
}

static void a_new_letter_of_a_name_does_not_tell_what_its_former_one_did(void **state)
{
	struct fixture fixture;
	struct maildir_scan scan;
	(void)state;
	open_remembering(&fixture, "0 work\n1 home\n");
	write_file(&fixture, "INBOX/dovecot-keywords", "1 work\n2 home\n");
	uint64_t work = bit(&fixture, "work"), home = bit(&fixture, "home");
	for (int round = 0; round < 2; round++) {
		must(&fixture,
		     maildir_folder_scan(fixture.folder, &fixture.keywords, &scan, &fixture.err));
		assert_true(scan.entries[0].flags == (FLAG_SEEN | work));
		assert_true(scan.entries[1].flags == 0);
		assert_true((scan.lettered & (work | home)) == work);
		maildir_scan_finish(&scan);
		assert_int_equal(maildir_folder_adopt_letters(fixture.folder, &fixture.err), 0);
	}
	fixture_close(&fixture);
}

static void letters_that_files_bear_are_not_given_to_new_keywords(void **state)
{
	struct fixture fixture;
	uint64_t mask;
	char text[4096];
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/1.a.h:2,Sac", "");
	write_file(&fixture, "INBOX/new/2.a.h:2,d", "");
	write_file(&fixture, "INBOX/cur/3.a.h:2,", "");
	uint64_t junk = bit(&fixture, "NonJunk"), todo = bit(&fixture, "todo");
	must(&fixture, add_flags(&fixture, "3.a.h:2,", junk | todo, NULL));
	assert_true(is_there(&fixture, "INBOX/cur/3.a.h:2,be"));
	read_text(&fixture, "INBOX/dovecot-keywords", text);
	assert_string_equal(text, "1 NonJunk\n4 todo\n");
	expect_remembered(&fixture, "1 NonJunk\n4 todo\n");
	write_file(&fixture, "INBOX/cur/4.a.h:2,fghijklmnopqrstuvwxy", "");
	struct maildir_scan scan;
	must(&fixture, maildir_folder_scan(fixture.folder, &fixture.keywords, &scan, &fixture.err));
	maildir_scan_finish(&scan);
	uint64_t one = bit(&fixture, "one");
	(void)bit(&fixture, "two");
	must(&fixture,
	     maildir_folder_keyword_mask(fixture.folder, &fixture.keywords, &mask, &fixture.err));
	assert_true(mask == (junk | todo | one)); /* z */
	fixture_close(&fixture);
}

static void gaps_are_given_once_the_last_letter_is(void **state)
{
	struct fixture fixture;
	uint64_t mask;
	char text[4096];
	(void)state;
	open_remembering(&fixture, "3 past\n");
	write_file(&fixture, "INBOX/dovecot-keywords", "25 last\n1 no(atom\n");
	write_file(&fixture, "INBOX/cur/1.a.h:2,a", "");
	write_file(&fixture, "INBOX/cur/2.a.h:2,", "");
	uint64_t one = bit(&fixture, "one");
	uint64_t two = bit(&fixture, "two");
	uint64_t last = bit(&fixture, "last");
	must(&fixture,
	     maildir_folder_keyword_mask(fixture.folder, &fixture.keywords, &mask, &fixture.err));
	assert_int_equal(mask, one | two | last);
	must(&fixture, add_flags(&fixture, "2.a.h:2,", one | two | last, NULL));
	assert_true(is_there(&fixture, "INBOX/cur/2.a.h:2,cez"));
	read_text(&fixture, "INBOX/dovecot-keywords", text);
	assert_string_equal(text, "25 last\n1 no(atom\n3 past\n2 one\n4 two\n");
	fixture_close(&fixture);
}

/* A run opens a folder several times. */
static void what_is_odd_of_a_folder_is_said_once(void **state)
{
	struct fixture fixture;
	struct maildir_params params = {.layout = LAYOUT_FS,
					.inbox_folder = "INBOX",
					.info_delimiter = ':',
					.keywords = true,
					.durability = MAILDIR_SYNC_NONE};
	struct log log;
	struct maildir_scan scan;
	char said[4096] = "";
	FILE *out = fmemopen(said, sizeof(said) - 1, "w");
	(void)state;
	assert_non_null(out);
	assert_int_equal(log_init(&log, out, LOG_INFO), 0);
	params.log = &log;
	fixture_open_as(&fixture, &params);
	must(&fixture, maildir_create_folder(fixture.maildir, "INBOX", &fixture.err));
	must(&fixture, maildir_remember(fixture.maildir, "INBOX", "0 before\n", &fixture.err));
	write_file(&fixture, "INBOX/dovecot-keywords", "0 after\n");
	write_file(&fixture, "INBOX/cur/1.a.h:2,a", "");
	write_file(&fixture, "INBOX/new/1.a.h", "");
	for (int i = 0; i < 3; i++) {
		must(&fixture,
		     maildir_folder_open(fixture.maildir, "INBOX", &fixture.folder, &fixture.err));
		must(&fixture,
		     maildir_folder_scan(fixture.folder, &fixture.keywords, &scan, &fixture.err));
		must(&fixture, maildir_folder_adopt_letters(fixture.folder, &fixture.err));
		assert_int_equal(scan.double_count, 1);
		maildir_scan_finish(&scan);
		maildir_folder_close(&fixture.folder);
	}
	fflush(out);
	char *first = strstr(said, "is a second name of");
	assert_non_null(first);
	assert_null(strstr(first + 1, "is a second name of"));
	first = strstr(said, "calls letter a");
	assert_non_null(first);
	assert_null(strstr(first + 1, "calls letter a"));
	fixture_close(&fixture);
	log_finish(&log);
	fclose(out);
}

static void names_without_info_part_and_garbled_ones_tell_nothing(void **state)
{
	static const struct {
		const char *path;
		uint64_t known;
		uint64_t flags;
	} cases[] = {
		{"INBOX/cur/1.a.h", 0, 0},
		{"INBOX/cur/1.a.h,S=12", 0, 0},
		{"INBOX/new/1.a.h", FLAGS_SYSTEM, 0},
		{"INBOX/cur/1.a.h:2,", FLAGS_SYSTEM | FLAG_KEYWORD(0), 0},
		{"INBOX/new/1.a.h:2,F", FLAGS_SYSTEM | FLAG_KEYWORD(0), FLAG_FLAGGED},
		{"INBOX/cur/1.a.h:2,Sa,x", FLAGS_SYSTEM | FLAG_KEYWORD(0),
		 FLAG_SEEN | FLAG_KEYWORD(0)},
		{"INBOX/cur/1.a.h:2", 0, 0},
		{"INBOX/cur/1.a.h:1,S", 0, 0},
		{"INBOX/cur/1.a.h:3,S", 0, 0},
		{"INBOX/cur/1.a.h:2,S:2,F", 0, 0},
		{"INBOX/cur/1.a.h:2,S\xc3\xa4", 0, 0},
		{"INBOX/new/1.a.h:1,S", 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture fixture;
		struct maildir_scan scan;
		struct maildir_told told;
		fixture_open(&fixture);
		(void)bit(&fixture, "work");
		write_file(&fixture, "INBOX/dovecot-keywords", "0 work\n");
		write_file(&fixture, cases[i].path, "");
		must(&fixture,
		     maildir_folder_scan(fixture.folder, &fixture.keywords, &scan, &fixture.err));
		told = maildir_scan_told(&scan, &scan.entries[0]);
		if (told.known != cases[i].known || told.flags != cases[i].flags) {
			fail_msg("%s tells otherwise", cases[i].path);
		}
		must(&fixture, maildir_folder_read_letters(fixture.folder, scan.entries[0].name,
							   scan.entries[0].in_new,
							   &fixture.keywords, &told, &fixture.err));
		assert_true(told.known == cases[i].known && told.flags == cases[i].flags);
		maildir_scan_finish(&scan);
		fixture_close(&fixture);
	}
}

static void a_table_that_cannot_be_read_is_neither_believed_nor_written(void **state)
{
	struct fixture fixture;
	struct maildir_scan scan;
	uint64_t granted;
	(void)state;
	open_remembering(&fixture, "0 work\n1 home\n");
	make_dirs(&fixture, "INBOX/dovecot-keywords");
	must(&fixture, maildir_folder_scan(fixture.folder, &fixture.keywords, &scan, &fixture.err));
	assert_true(scan.entries[0].flags == (FLAG_SEEN | bit(&fixture, "work")));
	maildir_scan_finish(&scan);
	assert_false(maildir_folder_is_mendable(fixture.folder));
	uint64_t fresh = bit(&fixture, "new");
	must(&fixture, maildir_folder_grant(fixture.folder, fresh | bit(&fixture, "home"),
					    &fixture.keywords, &granted, &fixture.err));
	assert_true(granted == bit(&fixture, "home"));
	fixture_close(&fixture);
}

static void a_moved_files_letters_without_a_name_stay(void **state)
{
	struct fixture fixture;
	struct maildir_folder *work = NULL;
	struct maildir_scan scan;
	(void)state;
	fixture_open(&fixture);
	must(&fixture, maildir_create_folder(fixture.maildir, "Work", &fixture.err));
	must(&fixture, maildir_folder_open(fixture.maildir, "Work", &work, &fixture.err));
	write_file(&fixture, "INBOX/dovecot-keywords", "0 one\n1 two\n");
	write_file(&fixture, "Work/dovecot-keywords", "2 three\n3 two\n");
	write_file(&fixture, "Work/cur/1.a.h:2,Sabcq", "");
	must(&fixture, maildir_folder_scan(fixture.folder, &fixture.keywords, &scan, &fixture.err));
	maildir_scan_finish(&scan);
	const struct maildir_change change = {
		.file = "1.a.h:2,Sabcq",
		.add = bit(&fixture, "two"),
		.keywords = &fixture.keywords,
		.came_from = fixture.folder,
	};
	must(&fixture, maildir_folder_set_flags(work, &change, NULL, &fixture.err));
	assert_true(is_there(&fixture, "Work/cur/1.a.h:2,Sdq"));
	maildir_folder_close(&work);
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
		cmocka_unit_test(names_that_the_file_lost_are_put_back),
		cmocka_unit_test(what_the_file_calls_otherwise_means_nothing_while_files_bear_it),
		cmocka_unit_test(a_new_letter_of_a_name_does_not_tell_what_its_former_one_did),
		cmocka_unit_test(letters_that_files_bear_are_not_given_to_new_keywords),
		cmocka_unit_test(gaps_are_given_once_the_last_letter_is),
		cmocka_unit_test(what_is_odd_of_a_folder_is_said_once),
		cmocka_unit_test(names_without_info_part_and_garbled_ones_tell_nothing),
		cmocka_unit_test(a_table_that_cannot_be_read_is_neither_believed_nor_written),
		cmocka_unit_test(a_moved_files_letters_without_a_name_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
