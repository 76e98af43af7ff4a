/*
 * POP3 transcripts: server bytes in, events out, whole and byte by byte. Those in tests/wire/pop3
 * have the expected events beside them (NAME.events); those of MAILSYNC_TEST_DATA (default
 * ../shared) must give the same events however they are cut, and never break the parser.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/buf.h"
#include "mailsync/proto/pop3.h"

#define TRANSCRIPT_MAX (4u << 20)

static void append_quoted(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c == '\n') {
			buf_append_cstr(out, "\\n");
		} else if (c < 0x20 || c > 0x7e || c == '\\') {
			buf_printf(out, "\\x%02x", c);
		} else {
			buf_append_char(out, (char)c);
		}
	}
}

static void append_event(struct buf *out, const struct pop3_event *event, bool *in_body)
{
	static const char *const names[] = {"more", "status", "continue", "capa", "uidl",
					    "list", "body",   "end",      "stray"};

	if (event->type == POP3_BODY) {
		if (!*in_body) {
			buf_append_cstr(out, "body ");
		}
		*in_body = true;
		append_quoted(out, event->text);
		return;
	}
	if (*in_body) {
		buf_append_char(out, '\n');
	}
	*in_body = false;
	buf_append_cstr(out, names[event->type]);
	if (event->type == POP3_STATUS) {
		buf_append_cstr(out, event->is_broken ? " broken" : event->is_ok ? " ok" : " err");
	} else if (event->is_broken) {
		buf_append_cstr(out, " broken");
	} else if (event->type == POP3_UIDL || event->type == POP3_LIST) {
		buf_printf(out, " %u", (unsigned)event->number);
	}
	if (event->type != POP3_END && event->type != POP3_STRAY) {
		buf_append_char(out, ' ');
		append_quoted(out, event->text);
	}
	buf_append_char(out, '\n');
}

/* Everything that INPUT gives as the answer to commands of the kind REPLY, over and over. */
static char *run(enum pop3_reply reply, struct span input, size_t chunk)
{
	struct pop3_parser *parser = NULL;
	struct pop3_event event;
	struct err err;
	struct buf out;
	bool in_body = false, is_awaited = false;
	size_t fed = 0;
	int code = 0;

	buf_init(&out, 4 * TRANSCRIPT_MAX);
	assert_int_equal(pop3_parser_create(&parser, &err), 0);
	while (!code) {
		if (!is_awaited) {
			assert_int_equal(pop3_parser_expect(parser, reply, &err), 0);
			is_awaited = true;
		}
		code = pop3_parser_next(parser, &event, &err);
		if (code || event.type != POP3_MORE) {
			if (!code) {
				append_event(&out, &event, &in_body);
				is_awaited = event.type != POP3_END &&
					     !(event.type == POP3_STATUS && event.is_last);
			}
			continue;
		}
		if (fed == input.len) {
			break;
		}
		size_t n = input.len - fed < chunk ? input.len - fed : chunk;
		char *room = pop3_parser_reserve(parser, n, &err);
		assert_non_null(room);
		memcpy(room, input.data + fed, n);
		pop3_parser_commit(parser, n);
		fed += n;
	}
	if (code) {
		buf_printf(&out, "error %s\n", err_code_name(err.code));
	}
	pop3_parser_destroy(&parser);
	return buf_steal(&out);
}

static bool read_whole(const char *path, struct buf *out)
{
	char block[4096];
	size_t n;
	FILE *file = fopen(path, "rb");

	if (!file) {
		return false;
	}
	while ((n = fread(block, 1, sizeof(block), file)) > 0) {
		buf_append(out, block, n);
	}
	fclose(file);
	return true;
}

static enum pop3_reply reply_by_name(const char *name)
{
	static const struct {
		const char *prefix;
		enum pop3_reply reply;
	} table[] = {
		{"capa", POP3_REPLY_CAPA}, {"uidl", POP3_REPLY_UIDL}, {"list", POP3_REPLY_LIST},
		{"body", POP3_REPLY_BODY}, {"auth", POP3_REPLY_AUTH},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strncmp(name, table[i].prefix, strlen(table[i].prefix)) == 0) {
			return table[i].reply;
		}
	}
	return POP3_REPLY_STATUS;
}

static void check_own(const char *dir, const char *name)
{
	char path[512];
	struct buf input, expected;

	buf_init(&input, TRANSCRIPT_MAX);
	buf_init(&expected, TRANSCRIPT_MAX);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_true(read_whole(path, &input));
	memcpy(path + strlen(path) - 4, ".events", 8);
	if (!read_whole(path, &expected)) {
		fail_msg("%s is missing", path);
	}
	for (size_t chunk = 1; chunk <= 1u << 16; chunk *= 256) {
		char *got = run(reply_by_name(name), buf_span(&input), chunk);
		assert_non_null(got);
		assert_string_equal(got, buf_span(&expected).data);
		free(got);
	}
	buf_finish(&input);
	buf_finish(&expected);
}

static void own_transcripts_give_their_events(void **state)
{
	const char *dir = getenv("MAILSYNC_WIRE_POP3");
	struct dirent *entry;
	int count = 0;

	(void)state;
	dir = dir ? dir : "tests/wire/pop3";
	DIR *list = opendir(dir);
	if (!list) {
		fail_msg("%s: run from the top of the source tree", dir);
		return;
	}
	while ((entry = readdir(list))) {
		size_t len = strlen(entry->d_name);
		if (len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0) {
			check_own(dir, entry->d_name);
			count++;
		}
	}
	closedir(list);
	assert_true(count > 0);
}

static void check_foreign(const char *path)
{
	struct buf input;

	buf_init(&input, TRANSCRIPT_MAX);
	if (!read_whole(path, &input)) {
		buf_finish(&input);
		return;
	}
	for (int reply = POP3_REPLY_STATUS; reply <= POP3_REPLY_BODY; reply++) {
		char *whole = run((enum pop3_reply)reply, buf_span(&input), TRANSCRIPT_MAX);
		char *bytes = run((enum pop3_reply)reply, buf_span(&input), 1);
		assert_non_null(whole);
		assert_non_null(bytes);
		assert_string_equal(whole, bytes);
		free(whole);
		free(bytes);
	}
	buf_finish(&input);
}

static int check_foreign_dir(const char *dir)
{
	struct dirent *entry;
	char path[1024];
	int count = 0;
	DIR *list = opendir(dir);

	while (list && (entry = readdir(list))) {
		size_t len = strlen(entry->d_name);
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0) {
			check_foreign(path);
			count++;
		} else if (entry->d_name[0] != '.' && !strchr(entry->d_name, '.')) {
			count += check_foreign_dir(path);
		}
	}
	if (list) {
		closedir(list);
	}
	return count;
}

static void shared_transcripts_give_the_same_events_whole_and_byte_by_byte(void **state)
{
	const char *data = getenv("MAILSYNC_TEST_DATA");
	char dir[512];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/wire/pop3", data ? data : "../shared");
	int count = check_foreign_dir(dir);
	if (count == 0) {
		print_message("skipped: no transcripts in %s\n", dir);
		skip();
	}
	print_message("%d transcripts\n", count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_transcripts_give_their_events),
		cmocka_unit_test(shared_transcripts_give_the_same_events_whole_and_byte_by_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
