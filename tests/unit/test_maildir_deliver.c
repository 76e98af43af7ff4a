#include "maildir_fixture.h"

/* Delivers TEXT, handed over in pieces of STEP bytes. */
static void deliver(struct fixture *fixture, const char *unique, const char *text, size_t step,
		    uint64_t flags)
{
	struct maildir_draft draft;
	size_t len = strlen(text);
	must(fixture, maildir_draft_create(fixture->folder, &draft, &fixture->err));
	for (size_t at = 0; at < len; at += step) {
		size_t part = len - at < step ? len - at : step;
		must(fixture,
		     maildir_draft_write(&draft, (struct span){text + at, part}, &fixture->err));
	}
	must(fixture, maildir_draft_close(&draft, told_time(1000000007), &fixture->err));
	const struct maildir_draft *const drafts[] = {&draft};
	must(fixture, maildir_sync_drafts(drafts, 1, &fixture->err));
	must(fixture, maildir_draft_publish(fixture->folder, &draft, unique, flags,
					    &fixture->keywords, &fixture->err));
	must(fixture, maildir_folder_sync_names(fixture->folder, &fixture->err));
}

static size_t count_entries(const struct fixture *fixture, const char *path)
{
	char full[512];
	size_t count = 0;
	path_below(fixture, path, full);
	DIR *dir = opendir(full);
	assert_non_null(dir);
	while (readdir(dir)) {
		count++;
	}
	closedir(dir);
	return count - 2;
}

static void message_without_letters_goes_to_new_and_others_to_cur(void **state)
{
	struct fixture fixture;
	char text[4096], path[512];
	struct stat st;
	(void)state;
	fixture_open(&fixture);
	deliver(&fixture, "1.a.h", "Subject: x\r\n\r\nbody\r\n", 100, 0);
	deliver(&fixture, "2.a.h", "Subject: y\r\n\r\n", 100, FLAG_SEEN | FLAG_FLAGGED);
	read_text(&fixture, "INBOX/new/1.a.h", text);
	assert_string_equal(text, "Subject: x\n\nbody\n");
	assert_true(is_there(&fixture, "INBOX/cur/2.a.h:2,FS"));
	assert_int_equal(count_entries(&fixture, "INBOX/tmp"), 0);
	path_below(&fixture, "INBOX/new/1.a.h", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mtime, 1000000007);
	assert_int_equal(st.st_mode & 0777, 0600);
	fixture_close(&fixture);
}

static void message_without_a_time_has_that_of_its_writing(void **state)
{
	struct fixture fixture;
	struct maildir_draft draft;
	struct stat st;
	char path[512];
	(void)state;
	fixture_open(&fixture);
	must(&fixture, maildir_draft_create(fixture.folder, &draft, &fixture.err));
	must(&fixture, maildir_draft_write(&draft, span_of("Subject: x\n\n"), &fixture.err));
	must(&fixture, maildir_draft_close(&draft, (struct told_time){0}, &fixture.err));
	must(&fixture, maildir_draft_publish(fixture.folder, &draft, "1.a.h", 0, &fixture.keywords,
					     &fixture.err));
	path_below(&fixture, "INBOX/new/1.a.h", path);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_mtime, time(NULL) - 3600, time(NULL) + 3600);
	fixture_close(&fixture);
}

static void line_ends_are_converted_whatever_the_pieces(void **state)
{
	static const char text[] = "\r\na\r\n\r\r\nb\rc\n\r\r\r\n\rd\r";
	static const char stored[] = "\na\n\r\nb\rc\n\r\r\n\rd\r";
	struct fixture fixture;
	char got[4096], unique[32], path[64];
	(void)state;
	fixture_open(&fixture);
	for (size_t step = 1; step <= sizeof(text); step++) {
		snprintf(unique, sizeof(unique), "%zu.a.h", step);
		snprintf(path, sizeof(path), "INBOX/new/%zu.a.h", step);
		deliver(&fixture, unique, text, step, 0);
		read_text(&fixture, path, got);
		assert_string_equal(got, stored);
	}
	fixture_close(&fixture);
}

static void big_messages_arrive_whole(void **state)
{
	enum {
		LINES = 5000
	};
	struct fixture fixture;
	struct maildir_draft draft;
	struct maildir_file info;
	(void)state;
	fixture_open(&fixture);
	must(&fixture, maildir_draft_create(fixture.folder, &draft, &fixture.err));
	for (int i = 0; i < LINES; i++) {
		char line[64];
		int len = snprintf(line, sizeof(line), "line %030d\r\n", i);
		must(&fixture,
		     maildir_draft_write(&draft, (struct span){line, (size_t)len}, &fixture.err));
	}
	must(&fixture, maildir_draft_close(&draft, told_time(1), &fixture.err));
	assert_int_equal(draft.size_bytes, LINES * 36);
	must(&fixture,
	     maildir_draft_publish(fixture.folder, &draft, "1.a.h", 0, NULL, &fixture.err));
	must(&fixture,
	     maildir_folder_stat_file(fixture.folder, "1.a.h", true, &info, &fixture.err));
	assert_int_equal(info.size_bytes, LINES * 36);
	assert_int_equal(info.mtime, 1);
	fixture_close(&fixture);
}

static void publishing_never_replaces_a_file(void **state)
{
	struct fixture fixture;
	struct maildir_draft draft;
	char text[4096];
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/1.a.h:2,S", "old");
	must(&fixture, maildir_draft_create(fixture.folder, &draft, &fixture.err));
	must(&fixture, maildir_draft_write(&draft, SPAN_LIT("new"), &fixture.err));
	must(&fixture, maildir_draft_close(&draft, told_time(1), &fixture.err));
	assert_int_equal(maildir_draft_publish(fixture.folder, &draft, "1.a.h", FLAG_SEEN, NULL,
					       &fixture.err),
			 -ERR_CHANGED);
	read_text(&fixture, "INBOX/cur/1.a.h:2,S", text);
	assert_string_equal(text, "old");
	assert_int_equal(count_entries(&fixture, "INBOX/tmp"), 1);
	maildir_draft_discard(fixture.folder, &draft);
	maildir_draft_discard(fixture.folder, &draft);
	maildir_draft_discard(fixture.folder, &(struct maildir_draft){.fd = 0});
	assert_int_not_equal(fcntl(0, F_GETFD), -1);
	assert_int_equal(count_entries(&fixture, "INBOX/tmp"), 0);
	fixture_close(&fixture);
}

static void several_drafts_are_open_at_once_and_one_is_discarded(void **state)
{
	struct fixture fixture;
	struct maildir_draft drafts[3];
	struct header_identity first;
	char text[4096];
	(void)state;
	fixture_open(&fixture);
	for (int i = 0; i < 3; i++) {
		must(&fixture, maildir_draft_create(fixture.folder, &drafts[i], &fixture.err));
		must(&fixture, maildir_draft_write(&drafts[i], SPAN_LIT("Message-ID: <1@x>\r\n"),
						   &fixture.err));
	}
	maildir_draft_discard(fixture.folder, &drafts[1]);
	for (int i = 0; i < 3; i += 2) {
		must(&fixture, maildir_draft_write(&drafts[i], SPAN_LIT("\r\nbody"), &fixture.err));
		must(&fixture, maildir_draft_close(&drafts[i], told_time(5), &fixture.err));
	}
	must(&fixture,
	     maildir_draft_publish(fixture.folder, &drafts[0], "1.a.h", 0, NULL, &fixture.err));
	must(&fixture,
	     maildir_draft_publish(fixture.folder, &drafts[2], "2.a.h", 0, NULL, &fixture.err));
	read_text(&fixture, "INBOX/new/2.a.h", text);
	assert_string_equal(text, "Message-ID: <1@x>\n\nbody");
	must(&fixture,
	     maildir_folder_identify(fixture.folder, "1.a.h", true, &first, &fixture.err));
	assert_memory_equal(first.digest, drafts[2].digest, HEADER_DIGEST_SIZE);
	assert_string_equal(first.message_id, "<1@x>");
	fixture_close(&fixture);
}

static void every_durability_delivers(void **state)
{
	static const enum maildir_durability all[] = {MAILDIR_SYNC_BATCH, MAILDIR_SYNC_FILE,
						      MAILDIR_SYNC_NONE};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct maildir_params params = {
			.layout = LAYOUT_FS, .info_delimiter = ';', .durability = all[i]};
		struct fixture fixture;
		fixture_open_as(&fixture, &params);
		must(&fixture, maildir_create_folder(fixture.maildir, "a/b", &fixture.err));
		must(&fixture,
		     maildir_folder_open(fixture.maildir, "a/b", &fixture.folder, &fixture.err));
		deliver(&fixture, "1.a.h", "x", 1, FLAG_DRAFT);
		assert_true(is_there(&fixture, "a/b/cur/1.a.h;2,D"));
		fixture_close(&fixture);
	}
}

static void missing_folders_are_made_when_needed(void **state)
{
	struct fixture fixture;
	(void)state;
	fixture_open(&fixture);
	make_dirs(&fixture, "half/cur");
	maildir_folder_close(&fixture.folder);
	must(&fixture, maildir_folder_open(fixture.maildir, "half", &fixture.folder, &fixture.err));
	deliver(&fixture, "1.a.h", "x", 1, 0);
	assert_true(is_there(&fixture, "half/new/1.a.h"));
	fixture_close(&fixture);
}

static void sweeping_takes_only_our_older_leftovers(void **state)
{
	struct fixture fixture;
	struct maildir_draft draft;
	struct timespec pause = {0, 20000000};
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/tmp/mailsync.1.2.h.3", "old");
	write_file(&fixture, "INBOX/tmp/1.a.h", "an MUA's");
	must(&fixture, maildir_draft_create(fixture.folder, &draft, &fixture.err));
	must(&fixture, maildir_folder_sweep(fixture.folder, &fixture.err));
	assert_true(is_there(&fixture, "INBOX/tmp/mailsync.1.2.h.3")); /* not older than the run */
	assert_int_equal(count_entries(&fixture, "INBOX/tmp"), 3);
	maildir_draft_discard(fixture.folder, &draft);
	maildir_folder_close(&fixture.folder);
	maildir_close(&fixture.maildir);
	nanosleep(&pause, NULL);
	struct maildir_params params = {.root = fixture.root, .info_delimiter = ':'};
	must(&fixture, maildir_open(&fixture.maildir, &params, false, &fixture.err));
	must(&fixture,
	     maildir_folder_open(fixture.maildir, "INBOX", &fixture.folder, &fixture.err));
	must(&fixture, maildir_folder_sweep(fixture.folder, &fixture.err));
	assert_false(is_there(&fixture, "INBOX/tmp/mailsync.1.2.h.3"));
	assert_true(is_there(&fixture, "INBOX/tmp/1.a.h"));
	fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_without_letters_goes_to_new_and_others_to_cur),
		cmocka_unit_test(message_without_a_time_has_that_of_its_writing),
		cmocka_unit_test(line_ends_are_converted_whatever_the_pieces),
		cmocka_unit_test(big_messages_arrive_whole),
		cmocka_unit_test(publishing_never_replaces_a_file),
		cmocka_unit_test(several_drafts_are_open_at_once_and_one_is_discarded),
		cmocka_unit_test(every_durability_delivers),
		cmocka_unit_test(missing_folders_are_made_when_needed),
		cmocka_unit_test(sweeping_takes_only_our_older_leftovers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
