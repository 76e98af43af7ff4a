/*
 * Transcripts of IMAP servers: ours under tests/wire/imap, each with the events expected of it,
 * and others' under $MAILSYNC_TEST_DATA/wire/imap where there are any. Each is fed whole, byte by
 * byte and in random pieces, and must give the same events.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "imap_dump.h"

#define FILE_MAX      (16u << 20)
#define DUMP_MAX      (256u << 20)
#define OWN_DIRECTORY "tests/wire/imap"
#define RANDOM_SPLITS 8

static bool file_get(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	char block[65536];
	size_t len;
	if (file == NULL) {
		return false;
	}
	while ((len = fread(block, 1, sizeof(block), file)) > 0) {
		buf_append(out, block, len);
	}
	fclose(file);
	return out->failed == 0;
}

static void expect_same(const char *path, const char *how, const struct buf *expected,
			const struct buf *got)
{
	assert_int_equal(got->failed, 0);
	if (expected->len != got->len || memcmp(expected->data, got->data, got->len) != 0) {
		fail_msg("%s, %s:\nexpected\n%.4000s\ngot\n%.4000s", path, how, expected->data,
			 got->data);
	}
}

static void expect_same_in_pieces(const char *path, struct span input, const struct buf *whole)
{
	static const size_t pieces[] = {1, 2, 3, 7, 1000};
	unsigned seed = 0;
	struct buf got;
	char how[64];
	buf_init(&got, DUMP_MAX);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		buf_clear(&got);
		imap_dump(input, pieces[i], &seed, &got);
		snprintf(how, sizeof(how), "in pieces of %zu", pieces[i]);
		expect_same(path, how, whole, &got);
	}
	for (unsigned round = 1; round <= RANDOM_SPLITS; round++) {
		seed = 2654435761u * round + (unsigned)input.len;
		snprintf(how, sizeof(how), "in random pieces, seed %u", seed);
		buf_clear(&got);
		imap_dump(input, 40, &seed, &got);
		expect_same(path, how, whole, &got);
	}
	buf_finish(&got);
}

/* The path of what is expected of the transcript PATH. */
static void expect_path(const char *path, char *out, size_t size)
{
	snprintf(out, size, "%.*s.expect", (int)(strlen(path) - strlen(".txt")), path);
}

static void check_transcript(const char *path, bool has_expectation)
{
	struct buf input;
	struct buf whole;
	struct buf expected;
	unsigned seed = 0;
	buf_init(&input, FILE_MAX);
	buf_init(&whole, DUMP_MAX);
	buf_init(&expected, DUMP_MAX);
	assert_true(file_get(path, &input));
	imap_dump(buf_span(&input), FILE_MAX, &seed, &whole);
	if (has_expectation) {
		char name[4096];
		expect_path(path, name, sizeof(name));
		if (!file_get(name, &expected)) {
			fail_msg("%s is missing; got\n%s", name, whole.data);
		}
		expect_same(path, "whole", &expected, &whole);
	}
	expect_same_in_pieces(path, buf_span(&input), &whole);
	buf_finish(&expected);
	buf_finish(&whole);
	buf_finish(&input);
}

static bool name_ends_with(const char *name, const char *end)
{
	size_t len = strlen(name);
	return len >= strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

/* Checks every transcript in DIRECTORY and one level below it; how many. */
static int check_directory(const char *directory, bool has_expectation, int depth)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	int count = 0;
	if (dir == NULL) {
		return 0;
	}
	while ((entry = readdir(dir)) != NULL) {
		char path[4096];
		struct stat status;
		if (entry->d_name[0] == '.') {
			continue;
		}
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (stat(path, &status) != 0) {
			continue;
		}
		if (S_ISDIR(status.st_mode) && depth > 0) {
			count += check_directory(path, has_expectation, depth - 1);
		} else if (S_ISREG(status.st_mode) && name_ends_with(path, ".txt")) {
			check_transcript(path, has_expectation);
			count++;
		}
	}
	closedir(dir);
	return count;
}

static void own_transcripts_give_the_events_expected(void **state)
{
	(void)state;
	int count = check_directory(OWN_DIRECTORY, true, 0);
	print_message("%d transcripts\n", count);
	assert_true(count > 0);
}

static void transcripts_of_others_parse_alike_however_cut(void **state)
{
	const char *data = getenv("MAILSYNC_TEST_DATA");
	char path[4096];
	(void)state;
	snprintf(path, sizeof(path), "%s/wire/imap", data != NULL ? data : "../shared");
	int count = check_directory(path, false, 2);
	if (count == 0) {
		print_message("skipped: no transcripts under %s\n", path);
		skip();
	}
	print_message("%d transcripts\n", count);
}

/* One long stream: state that one response leaves behind would show in the next. */
static void responses_do_not_depend_on_those_before(void **state)
{
	static const char *const names[] = {
		"fetch-body",     "search", "fetch-broken",       "vanished", "fetch-literals-held",
		"esearch-broken", "list",   "fetch-body-strings", "garbage",  "status"};
	struct buf input;
	struct buf expected;
	struct buf got;
	unsigned seed = 0;
	(void)state;
	buf_init(&input, FILE_MAX);
	buf_init(&expected, DUMP_MAX);
	buf_init(&got, DUMP_MAX);
	for (size_t i = 0; i < 3 * sizeof(names) / sizeof(names[0]); i++) {
		char path[256];
		const char *name = names[i * 7 % (sizeof(names) / sizeof(names[0]))];
		snprintf(path, sizeof(path), OWN_DIRECTORY "/%s.txt", name);
		assert_true(file_get(path, &input));
		snprintf(path, sizeof(path), OWN_DIRECTORY "/%s.expect", name);
		assert_true(file_get(path, &expected));
	}
	imap_dump(buf_span(&input), 4096, &seed, &got);
	expect_same("all", "one after the other", &expected, &got);
	expect_same_in_pieces("all", buf_span(&input), &expected);
	buf_finish(&got);
	buf_finish(&expected);
	buf_finish(&input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_transcripts_give_the_events_expected),
		cmocka_unit_test(transcripts_of_others_parse_alike_however_cut),
		cmocka_unit_test(responses_do_not_depend_on_those_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
