#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/base/buf.h"
#include "mailsync/proto/header.h"

static void identify(struct span message, size_t piece, struct header_identity *identity)
{
	struct header_scan *scan = NULL;
	struct err err;
	assert_int_equal(header_scan_create(&scan, &err), 0);
	for (size_t at = 0; at < message.len; at += piece) {
		size_t len = message.len - at < piece ? message.len - at : piece;
		assert_int_equal(
			header_scan_feed(scan, (struct span){message.data + at, len}, &err), 0);
	}
	assert_int_equal(header_scan_result(scan, identity, &err), 0);
	header_scan_destroy(&scan);
	assert_null(scan);
}

static void expect_same_digest(const char *one, const char *other)
{
	struct header_identity first;
	struct header_identity second;
	identify(span_of(one), 4096, &first);
	identify(span_of(other), 4096, &second);
	assert_memory_equal(first.digest, second.digest, HEADER_DIGEST_SIZE);
}

static void identity_is_read_from_the_header(void **state)
{
	struct header_identity identity;
	(void)state;
	static const char message[] = "From: a@b\r\nmessage-id :\r\n  <x y@z>\t(c)\r\n"
				      "Date: Thu, 1 Feb 2024 03:04:05 +0100\r\n"
				      "Message-ID: <second@z>\r\n\r\nDate: body\r\n";
	identify(span_of(message), 4096, &identity);
	assert_true(identity.is_complete);
	assert_true(identity.has_message_id);
	assert_string_equal(identity.message_id, "<xy@z>");
	assert_true(identity.has_date);
	assert_int_equal(identity.date, 1706753045);
}

static void digest_is_equal_for_what_servers_and_tools_change(void **state)
{
	(void)state;
	expect_same_digest("A: b\r\nC: d\r\n\r\nbody", "A: b\nC: d\n\nother");
	expect_same_digest("A: b  \t\r\nC: d\r\n\r\n", "A: b\nC: d\n\n");
	expect_same_digest("A: b\nX-TUID: abc\n def\nC: d\n\n", "A: b\nC: d\n\n");
	expect_same_digest("A: b\nC: d\nx-offlineimap: 123\n\n", "A: b\nC: d\n\n");
	expect_same_digest("A: b\nC: d", "A: b\nC: d\n\n");
	expect_same_digest("A: b\r\nC: d\r", "A: b\nC: d\n");
	expect_same_digest("", "\r\n");
}

static void bytes_left_out_of_the_digest_are_counted_with_crlf(void **state)
{
	struct header_identity identity;
	(void)state;
	identify(SPAN_LIT("A: b\r\nC: d\r\n\r\n"), 4096, &identity);
	assert_int_equal(identity.left_out_bytes, 0);
	identify(SPAN_LIT("A: b\r\nX-TUID: abc\r\n def\r\nC: d\r\n\r\n"), 4096, &identity);
	assert_int_equal(identity.left_out_bytes, 13 + 6);
	identify(SPAN_LIT("X-OfflineIMAP: 1\nX-TUID: abc\n\nX-TUID: body\n"), 3, &identity);
	assert_int_equal(identity.left_out_bytes, 18 + 13);
}

static void digest_tells_other_headers_apart(void **state)
{
	struct header_identity first;
	struct header_identity second;
	(void)state;
	identify(SPAN_LIT("A: b\nC: d\n\n"), 4096, &first);
	identify(SPAN_LIT("A: b\nC:  d\n\n"), 4096, &second);
	assert_memory_not_equal(first.digest, second.digest, HEADER_DIGEST_SIZE);
	identify(SPAN_LIT("C: d\nA: b\n\n"), 4096, &second);
	assert_memory_not_equal(first.digest, second.digest, HEADER_DIGEST_SIZE);
}

static void broken_headers_are_read_as_far_as_they_go(void **state)
{
	struct header_identity identity;
	(void)state;
	identify((struct span){"", 0}, 1, &identity);
	assert_false(identity.is_complete || identity.has_message_id || identity.has_date);
	identify(SPAN_LIT("no header at all\nMessage-ID:\n\n"), 4096, &identity);
	assert_true(identity.is_complete);
	assert_false(identity.has_message_id);
	identify(SPAN_LIT("Date: never\nMessage-ID: \0<a\0b@c>\xff"), 4096, &identity);
	assert_false(identity.is_complete);
	assert_false(identity.has_date);
	assert_string_equal(identity.message_id, "<ab@c>");
}

static void long_message_ids_are_cut(void **state)
{
	struct header_identity identity;
	char header[4096];
	(void)state;
	memset(header, 'x', sizeof(header));
	memcpy(header, "Message-ID: <", 13);
	identify((struct span){header, sizeof(header)}, 100, &identity);
	assert_int_equal(strlen(identity.message_id), HEADER_ID_MAX);
}

static size_t random_header(char *text, size_t max)
{
	static const char *const pieces[] = {"A: b",
					     "\n",
					     "\r\n",
					     " ",
					     "\t",
					     "\r",
					     "X-TUID: q",
					     "Message-ID: <a@b>",
					     "Date: 1 Jan 2020 00:00 +0000",
					     "\n ",
					     "x",
					     ":",
					     "\n"};
	size_t len = 0;
	int count = rand() % 30;
	for (int i = 0; i < count; i++) {
		const char *piece = pieces[(size_t)rand() % (sizeof(pieces) / sizeof(pieces[0]))];
		memcpy(text + len, piece, strlen(piece));
		len += strlen(piece);
		if (rand() % 20 == 0) {
			size_t run = (size_t)rand() % 1500;
			run = run < max - len - 100 ? run : 0;
			memset(text + len, rand() % 2 == 0 ? ' ' : 'y', run);
			len += run;
		}
	}
	return len;
}

static void a_date_beyond_its_maximum_reads_alike_with_lf_and_crlf(void **state)
{
	static const char *const ends[] = {"\n", "\r\n"};
	(void)state;
	for (int pad = 60; pad < 130; pad++) {
		struct header_identity identity[2];
		for (int i = 0; i < 2; i++) {
			char message[512];
			snprintf(message, sizeof(message), "Date: %*s%s 1 Jan 70 00:00 EST%s%s",
				 pad, "", ends[i], ends[i], ends[i]);
			identify(span_of(message), 4096, &identity[i]);
		}
		assert_int_equal(identity[0].has_date, identity[1].has_date);
		if (identity[0].has_date) {
			assert_int_equal(identity[0].date, identity[1].date);
		}
	}
}

static void result_does_not_depend_on_the_pieces(void **state)
{
	unsigned seed = 8086;
	char text[65536];
	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 2000; round++) {
		struct header_identity whole;
		struct header_identity pieces;
		size_t len = random_header(text, sizeof(text));
		identify((struct span){text, len}, len + 1, &whole);
		identify((struct span){text, len}, 1 + (size_t)rand() % 40, &pieces);
		assert_memory_equal(whole.digest, pieces.digest, HEADER_DIGEST_SIZE);
		assert_string_equal(whole.message_id, pieces.message_id);
		assert_int_equal(whole.has_date, pieces.has_date);
		assert_int_equal(whole.is_complete, pieces.is_complete);
	}
}

static void a_scan_serves_one_message_after_the_other(void **state)
{
	struct header_scan *scan = NULL;
	struct header_identity first;
	struct header_identity second;
	struct err err;
	(void)state;
	assert_int_equal(header_scan_create(&scan, &err), 0);
	assert_int_equal(header_scan_feed(scan, SPAN_LIT("Message-ID: <a>\n\nx"), &err), 0);
	assert_int_equal(header_scan_result(scan, &first, &err), 0);
	assert_int_equal(header_scan_feed(scan, SPAN_LIT("Message-ID: <a>\n\nx"), &err), 0);
	assert_int_equal(header_scan_result(scan, &second, &err), 0);
	assert_memory_equal(first.digest, second.digest, HEADER_DIGEST_SIZE);
	assert_string_equal(second.message_id, "<a>");
	header_scan_destroy(&scan);
}

static void dates_are_read_in_many_forms(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
		{"Thu, 01 Feb 2024 03:04:05 +0000", 1706756645},
		{"1 Feb 2024 03:04:05 GMT", 1706756645},
		{"Thu,  1 Feb 24 03:04:05 UT", 1706756645},
		{"Thu Feb  1 03:04:05 2024", 1706756645},
		{"Thu Feb 1 03:04:05 UTC 2024", 1706756645},
		{"Feb 1, 2024 03:04:05 +0000", 1706756645},
		{"1-Feb-2024 03:04:05 +0000", 1706756645},
		{"2024-02-01T03:04:05Z", 1706756645},
		{"2024-02-01 04:04:05.250 +01:00", 1706756645},
		{"Wed, 31 Jan 2024 22:04:05 EST (comment (nested))", 1706756645},
		{"(c) Thu (c), 1 (c) February 2024 05:34:05 +0230", 1706756645},
		{"Thu, 1 Feb 2024 3:04 +0000", 1706756640},
		{"Sat, 13 Jun 92 11:23:08 JST", 708402188},
		{"Fri, 29 Feb 1900 00:00:00 +0000", -2203891200},
		{"1 Jan 102 00:00:00 +0000", 1009843200},
	};
	static const char *const bad[] = {"",
					  "never",
					  "Thu, 32 Feb 2024 03:04:05 +0000",
					  "1 Feb 2024",
					  "(",
					  "1 Foo 2024 00:00:00",
					  "1 Feb 2024 25:00:00 +0000",
					  "9999999999"};
	int64_t seconds;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!header_parse_date(span_of(cases[i].text), &seconds) ||
		    seconds != cases[i].seconds) {
			fail_msg("%s gave %lld", cases[i].text, (long long)seconds);
		}
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (header_parse_date(span_of(bad[i]), &seconds)) {
			fail_msg("accepted %s", bad[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_is_read_from_the_header),
		cmocka_unit_test(digest_is_equal_for_what_servers_and_tools_change),
		cmocka_unit_test(bytes_left_out_of_the_digest_are_counted_with_crlf),
		cmocka_unit_test(digest_tells_other_headers_apart),
		cmocka_unit_test(broken_headers_are_read_as_far_as_they_go),
		cmocka_unit_test(long_message_ids_are_cut),
		cmocka_unit_test(a_date_beyond_its_maximum_reads_alike_with_lf_and_crlf),
		cmocka_unit_test(result_does_not_depend_on_the_pieces),
		cmocka_unit_test(a_scan_serves_one_message_after_the_other),
		cmocka_unit_test(dates_are_read_in_many_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
