#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/base/digest.h"
#include "mailsync/model/content.h"

static struct content_scan *scan;

static int open_scan(void **state)
{
	struct err err;
	(void)state;
	return content_scan_create(&scan, &err);
}

static int close_scan(void **state)
{
	(void)state;
	content_scan_destroy(&scan);
	return 0;
}

static void digest_in_pieces(struct span data, size_t step, uint8_t out[CONTENT_DIGEST_SIZE])
{
	struct err err;
	for (size_t at = 0; at < data.len; at += step) {
		size_t len = data.len - at < step ? data.len - at : step;
		assert_int_equal(content_scan_feed(scan, (struct span){data.data + at, len}, &err),
				 0);
	}
	assert_int_equal(content_scan_result(scan, out, &err), 0);
}

/* SENT has the digest of the bytes STORED, whatever the pieces. */
static void expect_as(struct span sent, struct span stored)
{
	uint8_t expected[DIGEST_MAX_SIZE];
	uint8_t got[CONTENT_DIGEST_SIZE];
	struct err err;
	assert_int_equal(digest_of(DIGEST_SHA256, stored, expected, &err), 0);
	for (size_t step = 1; step <= sent.len + 1; step++) {
		digest_in_pieces(sent, step, got);
		if (memcmp(got, expected, sizeof(got)) != 0) {
			fail_msg("another digest in pieces of %zu: %.*s", step, (int)sent.len,
				 sent.data);
		}
	}
}

static void line_ends_do_not_change_the_digest(void **state)
{
	(void)state;
	expect_as(SPAN_LIT("Subject: x\r\n\r\nbody\r\n"), SPAN_LIT("Subject: x\n\nbody\n"));
	expect_as(SPAN_LIT("Subject: x\n\nbody\n"), SPAN_LIT("Subject: x\n\nbody\n"));
	expect_as(SPAN_LIT("mixed\r\nends\nhere\r\n"), SPAN_LIT("mixed\nends\nhere\n"));
	expect_as(SPAN_LIT(""), SPAN_LIT(""));
	expect_as(SPAN_LIT("\r\n"), SPAN_LIT("\n"));
}

/* A file has one CR less than the wire that it came over; sent again it has one more. */
static void several_crs_before_a_lf_are_one_line_end(void **state)
{
	(void)state;
	expect_as(SPAN_LIT("a\r\r\nb\r\r\r\n"), SPAN_LIT("a\nb\n"));
	expect_as(SPAN_LIT("a\r\nb\r\r\n"), SPAN_LIT("a\nb\n"));
}

static void crs_without_a_lf_are_content(void **state)
{
	(void)state;
	expect_as(SPAN_LIT("a\rb\r\rc\r"), SPAN_LIT("a\rb\r\rc\r"));
	expect_as(SPAN_LIT("\r\r"), SPAN_LIT("\r\r"));
	expect_as(SPAN_LIT("\rx\r\n\r"), SPAN_LIT("\rx\n\r"));
}

static void long_messages_are_digested_whole(void **state)
{
	enum {
		SIZE = 100000
	};
	char *data = malloc(SIZE);
	uint8_t expected[DIGEST_MAX_SIZE];
	uint8_t got[CONTENT_DIGEST_SIZE];
	struct err err;
	(void)state;
	for (size_t i = 0; i < SIZE; i++) {
		data[i] = i % 77 == 76 ? '\n' : (char)('a' + i % 23);
	}
	assert_int_equal(digest_of(DIGEST_SHA256, (struct span){data, SIZE}, expected, &err), 0);
	static const size_t steps[] = {1, 13, 4095, 4096, 4097, 65536, SIZE};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		digest_in_pieces((struct span){data, SIZE}, steps[i], got);
		assert_memory_equal(got, expected, sizeof(got));
	}
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(line_ends_do_not_change_the_digest, open_scan,
						close_scan),
		cmocka_unit_test_setup_teardown(several_crs_before_a_lf_are_one_line_end, open_scan,
						close_scan),
		cmocka_unit_test_setup_teardown(crs_without_a_lf_are_content, open_scan,
						close_scan),
		cmocka_unit_test_setup_teardown(long_messages_are_digested_whole, open_scan,
						close_scan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
