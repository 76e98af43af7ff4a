#include "maildir_fixture.h"
#include "mailsync/store/maildir_alone.h"

/* A folder with a message that is flagged by us, from before the first act. */
static void scene_open(struct fixture *fixture)
{
	fixture_open(fixture);
	write_file(fixture, "INBOX/cur/1.a:2,", "x");
	must(fixture, maildir_alone_begin(fixture->maildir, "INBOX", &fixture->err));
}

static void flag(struct fixture *fixture, const char *file, uint64_t add, uint64_t remove)
{
	const struct maildir_change change = {
		.file = file, .add = add, .remove = remove, .keywords = &fixture->keywords};
	must(fixture, maildir_folder_set_flags(fixture->folder, &change, NULL, &fixture->err));
}

static void deliver(struct fixture *fixture, const char *unique)
{
	struct maildir_draft draft;
	must(fixture, maildir_draft_create(fixture->folder, &draft, &fixture->err));
	must(fixture, maildir_draft_close(&draft, told_time(1), &fixture->err));
	must(fixture, maildir_draft_publish(fixture->folder, &draft, unique, FLAG_SEEN,
					    &fixture->keywords, &fixture->err));
}

static bool is_alone(struct fixture *fixture)
{
	struct stamp stamp;
	return maildir_alone_end(fixture->maildir, "INBOX", &stamp);
}

static void who_was_alone_has_a_stamp_that_stands_for_all(void **state)
{
	struct fixture fixture;
	struct stamp stamp, now;
	struct maildir_folder *other = NULL;
	(void)state;
	scene_open(&fixture);
	flag(&fixture, "1.a:2,", FLAG_SEEN, 0);
	flag(&fixture, "1.a:2,S", FLAG_FLAGGED, 0);
	deliver(&fixture, "2.b");
	deliver(&fixture, "3.c");
	must(&fixture, maildir_folder_remove(fixture.folder, "2.b:2,S", false, &fixture.err));
	/* Out of the folder, into another one that is listened to, too. */
	must(&fixture, maildir_create_folder(fixture.maildir, "Work", &fixture.err));
	must(&fixture, maildir_alone_begin(fixture.maildir, "Work", &fixture.err));
	must(&fixture, maildir_folder_open(fixture.maildir, "Work", &other, &fixture.err));
	const struct maildir_transfer transfer = {.from = fixture.folder,
						  .file = "3.c:2,S",
						  .to = other,
						  .unique = "4.d",
						  .keywords = &fixture.keywords};
	must(&fixture, maildir_transfer(&transfer, &fixture.err));
	maildir_folder_close(&other);
	assert_true(maildir_alone_end(fixture.maildir, "INBOX", &stamp));
	assert_true(stamp.is_heard && stamp_is_proven(&stamp));
	must(&fixture, maildir_stat(fixture.maildir, "INBOX", &now, &fixture.err));
	assert_true(stamp_equal(&stamp, &now));
	assert_true(maildir_alone_end(fixture.maildir, "Work", &stamp));
	/* And what comes then shows in it. */
	write_file(&fixture, "INBOX/new/5.e", "x");
	must(&fixture, maildir_alone_begin(fixture.maildir, "INBOX", &fixture.err));
	must(&fixture, maildir_stat(fixture.maildir, "INBOX", &now, &fixture.err));
	assert_false(stamp_equal(&stamp, &now));
	assert_false(is_alone(&fixture));
	fixture_close(&fixture);
}

static void whatever_another_program_does_is_noticed(void **state)
{
	static const char *const acts[][2] = {
		{"INBOX/cur/1.a:2,S", "INBOX/cur/1.a:2,RS"}, /* a flag */
		{"INBOX/cur/1.a:2,S", "INBOX/new/1.a"},
		{"INBOX/cur/1.a:2,S", "elsewhere"}, /* gone */
		{"elsewhere2", "INBOX/new/9.x"},    /* come */
		{"elsewhere2", "INBOX/dovecot-keywords"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		struct fixture fixture;
		char from[512], to[512];
		scene_open(&fixture);
		write_file(&fixture, "elsewhere2", "x");
		flag(&fixture, "1.a:2,", FLAG_SEEN, 0);
		path_below(&fixture, acts[i][0], from);
		path_below(&fixture, acts[i][1], to);
		assert_int_equal(rename(from, to), 0);
		assert_false(is_alone(&fixture));
		/* Undone is not unseen. */
		assert_int_equal(rename(to, from), 0);
		assert_false(is_alone(&fixture));
		fixture_close(&fixture);
	}
}

static void what_programs_keep_beside_the_messages_does_not_count(void **state)
{
	struct fixture fixture;
	(void)state;
	scene_open(&fixture);
	flag(&fixture, "1.a:2,", FLAG_SEEN, 0);
	write_file(&fixture, "INBOX/dovecot.index.log", "");
	write_file(&fixture, "INBOX/tmp/9.x", "");
	assert_true(is_alone(&fixture));
	fixture_close(&fixture);
}

static void an_act_of_ours_that_failed_is_none(void **state)
{
	struct fixture fixture;
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/1.a:2,", "x");
	write_file(&fixture, "INBOX/cur/1.a:2,S", "y");
	must(&fixture, maildir_alone_begin(fixture.maildir, "INBOX", &fixture.err));
	const struct maildir_change change = {
		.file = "1.a:2,", .add = FLAG_SEEN, .keywords = &fixture.keywords};
	assert_int_equal(maildir_folder_set_flags(fixture.folder, &change, NULL, &fixture.err),
			 -ERR_CHANGED);
	deliver(&fixture, "3.c");
	assert_true(is_alone(&fixture));
	fixture_close(&fixture);
}

static void more_acts_than_the_system_keeps_are_all_counted(void **state)
{
	struct fixture fixture;
	(void)state;
	scene_open(&fixture);
	for (int i = 0; i < 10000; i++) {
		flag(&fixture, i % 2 ? "1.a:2,S" : "1.a:2,", i % 2 ? 0 : FLAG_SEEN,
		     i % 2 ? FLAG_SEEN : 0);
	}
	assert_true(is_alone(&fixture));
	fixture_close(&fixture);
}

static void what_is_not_listened_to_is_not_proven(void **state)
{
	struct fixture fixture;
	(void)state;
	fixture_open(&fixture);
	assert_false(is_alone(&fixture));
	must(&fixture, maildir_create_folder(fixture.maildir, "Work", &fixture.err));
	must(&fixture, maildir_alone_begin(fixture.maildir, "Work", &fixture.err));
	assert_false(is_alone(&fixture));
	/* A part is missing. */
	char path[512];
	path_below(&fixture, "INBOX/new", path);
	assert_int_equal(rmdir(path), 0);
	must(&fixture, maildir_alone_begin(fixture.maildir, "INBOX", &fixture.err));
	assert_false(is_alone(&fixture));
	fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_alone_has_a_stamp_that_stands_for_all),
		cmocka_unit_test(whatever_another_program_does_is_noticed),
		cmocka_unit_test(what_programs_keep_beside_the_messages_does_not_count),
		cmocka_unit_test(an_act_of_ours_that_failed_is_none),
		cmocka_unit_test(more_acts_than_the_system_keeps_are_all_counted),
		cmocka_unit_test(what_is_not_listened_to_is_not_proven),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
