#include "maildir_fixture.h"

/* Reads the wire form of TEXT into OUT; returns what the last call answered. */
static int read_wire(struct fixture *fixture, const char *text, struct buf *out)
{
	struct maildir_reader *reader = NULL;
	struct span piece;
	int rc;
	write_file(fixture, "INBOX/cur/1.a.h:2,S", text);
	must(fixture,
	     maildir_reader_open(fixture->folder, "1.a.h:2,S", false, &reader, &fixture->err));
	do {
		rc = maildir_reader_next(reader, &piece, &fixture->err);
		if (rc == 0) {
			buf_append_span(out, piece);
		}
	} while (rc == 0 && piece.len > 0);
	assert_int_equal(out->len, maildir_reader_wire_size(reader));
	maildir_reader_close(&reader);
	return rc;
}

static void line_ends_become_crlf_and_nothing_else_changes(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"a\n", "a\r\n"},
		{"\n\n", "\r\n\r\n"},
		{"a\r\nb\n", "a\r\nb\r\n"},
		{"a\rb\r", "a\rb\r"},
		{"a\r\r\n", "a\r\r\n"},
		{"no end", "no end"},
	};
	struct fixture fixture;
	struct buf out;
	(void)state;
	fixture_open(&fixture);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&out, 4096);
		assert_int_equal(read_wire(&fixture, cases[i][0], &out), 0);
		assert_string_equal(out.data, cases[i][1]);
		buf_finish(&out);
	}
	fixture_close(&fixture);
}

static void long_files_are_read_in_pieces(void **state)
{
	struct fixture fixture;
	struct buf text, wire, out;
	(void)state;
	fixture_open(&fixture);
	buf_init(&text, 1 << 20);
	buf_init(&wire, 1 << 20);
	buf_init(&out, 1 << 20);
	for (int i = 0; i < 20000; i++) { /* CRs, LFs and pairs at every place of a piece */
		buf_append_cstr(&text, i % 3 == 0 ? "abc\n" : i % 3 == 1 ? "\r\n" : "d\r");
		buf_append_cstr(&wire, i % 3 == 0 && i > 0 ? "abc\r\n"
				       : i % 3 == 0        ? "abc\r\n"
				       : i % 3 == 1        ? "\r\n"
							   : "d\r");
	}
	assert_int_equal(read_wire(&fixture, text.data, &out), 0);
	assert_int_equal(out.len, wire.len);
	assert_memory_equal(out.data, wire.data, wire.len);
	buf_finish(&out);
	buf_finish(&wire);
	buf_finish(&text);
	fixture_close(&fixture);
}

static void file_that_grows_while_it_is_read_is_not_sent_whole(void **state)
{
	struct fixture fixture;
	struct maildir_reader *reader = NULL;
	struct span piece;
	char path[512];
	(void)state;
	fixture_open(&fixture);
	write_file(&fixture, "INBOX/cur/1.a.h:2,S", "Subject: x\n\nbody\n");
	must(&fixture,
	     maildir_reader_open(fixture.folder, "1.a.h:2,S", false, &reader, &fixture.err));
	path_below(&fixture, "INBOX/cur/1.a.h:2,S", path);
	FILE *file = fopen(path, "ab");
	assert_non_null(file);
	fputs("more\n", file);
	fclose(file);
	assert_int_equal(maildir_reader_next(reader, &piece, &fixture.err), -ERR_CHANGED);
	maildir_reader_close(&reader);
	fixture_close(&fixture);
}

static void only_regular_files_are_opened(void **state)
{
	struct fixture fixture;
	struct maildir_file info;
	char path[512];
	int fd;
	(void)state;
	fixture_open(&fixture);
	path_below(&fixture, "INBOX/cur/1.a.h", path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	path_below(&fixture, "INBOX/cur/2.a.h", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	make_dirs(&fixture, "INBOX/cur/3.a.h");
	static const char *const names[] = {"1.a.h", "2.a.h", "3.a.h", "4.a.h"};
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(maildir_folder_open_file(fixture.folder, names[i], false, &fd,
							  &info, &fixture.err),
				 i == 0 ? -ERR_LOCAL : -ERR_CHANGED); /* a link: untold */
		assert_int_equal(maildir_folder_stat_file(fixture.folder, names[i], false, &info,
							  &fixture.err),
				 -ERR_CHANGED);
	}
	fixture_close(&fixture);
}

static void identity_is_the_same_however_it_is_found(void **state)
{
	struct fixture fixture;
	struct maildir_reader *reader = NULL;
	struct header_identity identity;
	struct maildir_reading reading;
	struct buf text;
	(void)state;
	fixture_open(&fixture);
	buf_init(&text, 1 << 20);
	buf_append_cstr(&text, "Message-ID: <a@b>\nDate: Thu, 1 Jan 1970 00:01:00 +0000\n");
	for (int i = 0; i < 1000; i++) {
		buf_printf(&text, "X-Field-%d: value\n", i);
	}
	buf_append_cstr(&text, "\nbody\n\nMessage-ID: <no>\n");
	write_file(&fixture, "INBOX/cur/1.a.h:2,S", text.data);
	size_t size = text.len;
	buf_finish(&text);
	must(&fixture,
	     maildir_folder_identify(fixture.folder, "1.a.h:2,S", false, &identity, &fixture.err));
	must(&fixture, maildir_folder_read_header(fixture.folder, "1.a.h:2,S", false, &reading,
						  &fixture.err));
	assert_memory_equal(reading.identity.digest, identity.digest, HEADER_DIGEST_SIZE);
	assert_int_equal(reading.file.size_bytes, size);
	must(&fixture,
	     maildir_reader_open(fixture.folder, "1.a.h:2,S", false, &reader, &fixture.err));
	assert_string_equal(identity.message_id, "<a@b>");
	assert_true(identity.has_date);
	assert_int_equal(identity.date, 60);
	assert_true(identity.is_complete);
	maildir_reader_close(&reader);
	fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_ends_become_crlf_and_nothing_else_changes),
		cmocka_unit_test(long_files_are_read_in_pieces),
		cmocka_unit_test(file_that_grows_while_it_is_read_is_not_sent_whole),
		cmocka_unit_test(only_regular_files_are_opened),
		cmocka_unit_test(identity_is_the_same_however_it_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
