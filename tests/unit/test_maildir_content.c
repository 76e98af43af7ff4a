/* One digest for a message, wherever its bytes come by. */
#include "maildir_fixture.h"

static const char wire[] = "Subject: x\r\n\r\nbody\rwith\r\r\nodd ends\r\n";
static const char stored[] = "Subject: x\n\nbody\rwith\r\nodd ends\n";

static struct maildir_reading read_file(struct fixture *fixture, const char *file, bool in_new)
{
	struct maildir_reading reading;
	must(fixture, maildir_folder_read(fixture->folder, file, in_new, &reading, &fixture->err));
	return reading;
}

static struct maildir_draft draft_of(struct fixture *fixture, const char *text)
{
	struct maildir_draft draft;
	must(fixture, maildir_draft_create(fixture->folder, &draft, &fixture->err));
	for (size_t i = 0; i < strlen(text); i++) {
		must(fixture,
		     maildir_draft_write(&draft, (struct span){text + i, 1}, &fixture->err));
	}
	must(fixture, maildir_draft_close(&draft, told_time(1000000007), &fixture->err));
	return draft;
}

static void download_file_and_upload_give_one_digest(void **state)
{
	struct fixture fixture;
	struct maildir_reader *reader = NULL;
	char text[4096];
	(void)state;
	fixture_open(&fixture);
	struct maildir_draft draft = draft_of(&fixture, wire);
	must(&fixture, maildir_draft_publish(fixture.folder, &draft, "1.a.h", 0, &fixture.keywords,
					     &fixture.err));
	read_text(&fixture, "INBOX/new/1.a.h", text);
	assert_string_equal(text, stored);
	struct maildir_reading reading = read_file(&fixture, "1.a.h", true);
	assert_memory_equal(reading.content, draft.content, CONTENT_DIGEST_SIZE);
	assert_memory_equal(reading.identity.digest, draft.digest, HEADER_DIGEST_SIZE);
	must(&fixture, maildir_reader_open(fixture.folder, "1.a.h", true, &reader, &fixture.err));
	assert_memory_equal(maildir_reader_content(reader), draft.content, CONTENT_DIGEST_SIZE);
	maildir_reader_close(&reader);
	write_file(&fixture, "INBOX/cur/2.a.h:2,S", wire);
	reading = read_file(&fixture, "2.a.h:2,S", false);
	assert_memory_equal(reading.content, draft.content, CONTENT_DIGEST_SIZE);
	fixture_close(&fixture);
}

static void a_draft_has_the_mark_of_its_file(void **state)
{
	struct fixture fixture;
	struct maildir_file file;
	(void)state;
	fixture_open(&fixture);
	struct maildir_draft draft = draft_of(&fixture, wire);
	must(&fixture, maildir_draft_publish(fixture.folder, &draft, "1.a.h", FLAG_SEEN,
					     &fixture.keywords, &fixture.err));
	must(&fixture,
	     maildir_folder_stat_file(fixture.folder, "1.a.h:2,S", false, &file, &fixture.err));
	const struct file_mark mark = maildir_file_mark(&file);
	assert_true(file_mark_equal(&mark, &draft.mark));
	fixture_close(&fixture);
}

/* Its scans are ready for the next, whatever was left in them. */
static void a_discarded_draft_leaves_nothing_in_the_next_digest(void **state)
{
	struct fixture fixture;
	struct maildir_draft torn;
	(void)state;
	fixture_open(&fixture);
	struct maildir_draft first = draft_of(&fixture, wire);
	must(&fixture, maildir_draft_create(fixture.folder, &torn, &fixture.err));
	must(&fixture, maildir_draft_write(&torn, SPAN_LIT("Subject: torn\r"), &fixture.err));
	maildir_draft_discard(fixture.folder, &torn);
	struct maildir_draft second = draft_of(&fixture, wire);
	assert_memory_equal(first.content, second.content, CONTENT_DIGEST_SIZE);
	maildir_draft_discard(fixture.folder, &first);
	maildir_draft_discard(fixture.folder, &second);
	fixture_close(&fixture);
}

static void what_is_no_file_cannot_be_read(void **state)
{
	struct fixture fixture;
	struct maildir_reading reading;
	(void)state;
	fixture_open(&fixture);
	assert_int_equal(maildir_folder_read(fixture.folder, "1.a.h", true, &reading, &fixture.err),
			 -ERR_CHANGED);
	make_dirs(&fixture, "INBOX/new/2.a.h");
	assert_int_equal(maildir_folder_read(fixture.folder, "2.a.h", true, &reading, &fixture.err),
			 -ERR_CHANGED);
	fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(download_file_and_upload_give_one_digest),
		cmocka_unit_test(a_draft_has_the_mark_of_its_file),
		cmocka_unit_test(a_discarded_draft_leaves_nothing_in_the_next_digest),
		cmocka_unit_test(what_is_no_file_cannot_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
