/* What transcripts (tests/wire) cannot show: limits of memory, spans, codes' arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/proto/imap_parse.h"

static void feed(struct imap_parser *parser, const void *data, size_t len)
{
	struct err err;
	char *room = imap_parser_reserve(parser, len, &err);
	assert_non_null(room);
	memcpy(room, data, len);
	imap_parser_commit(parser, len);
}

static void feed_text(struct imap_parser *parser, const char *text)
{
	feed(parser, text, strlen(text));
}

static struct imap_event next(struct imap_parser *parser)
{
	struct imap_event event;
	struct err err;
	if (imap_parser_next(parser, &event, &err) != 0) {
		fail_msg("%s", err.text);
	}
	return event;
}

static struct imap_parser *create(uint64_t body_max)
{
	struct imap_parser *parser = NULL;
	struct err err;
	assert_int_equal(imap_parser_create(&parser, body_max, &err), 0);
	return parser;
}

static void a_line_that_cannot_be_read_says_what_it_was_to_be(void **state)
{
	static const struct {
		const char *line;
		enum imap_event_type meant;
	} cases[] = {
		{"* -1 EXISTS", IMAP_EXISTS},
		{"* 99999999999999999999 EXISTS", IMAP_EXISTS},
		{"* EXISTS 5", IMAP_EXISTS},
		{"* many exists", IMAP_EXISTS},
		{"* 0 EXPUNGE", IMAP_EXPUNGE},
		{"* 3 FETCH (UID 7 FLAGS (\\Seen)", IMAP_FETCH},
		{"* 3 FETCH (UID seven)", IMAP_FETCH},
		{"* x FETCH (UID 7)", IMAP_FETCH},
		{"* 4294967296 FETCH (UID 7)", IMAP_FETCH},
		{"* VANISHED (EARLIER) 1:x", IMAP_VANISHED},
		{"* SEARCH 1 2 x", IMAP_NUMBERS},
		{"* ESEARCH (TAG \"m1\") UID ALL 1:x", IMAP_NUMBERS},
		{"* LIST \"/\" INBOX", IMAP_LIST},
		{"* LSUB (", IMAP_LIST},
		{"* STATUS INBOX", IMAP_STATUS},
		{"* NAMESPACE ((", IMAP_NAMESPACE},
		{"* FLAGS (\\Seen", IMAP_FLAGS},
		{"* 5x 7", IMAP_OTHER},
		{"m5 PERHAPS", IMAP_OTHER},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct imap_parser *parser = create(0);
		struct imap_event event;
		feed_text(parser, cases[i].line);
		feed_text(parser, "\r\n");
		do {
			event = next(parser);
		} while (event.type == IMAP_VANISHED || event.type == IMAP_NUMBERS);
		if (event.type != IMAP_OTHER || !event.is_broken || event.meant != cases[i].meant) {
			fail_msg("%s: type %d, broken %d, meant %d", cases[i].line, event.type,
				 event.is_broken, event.meant);
		}
		imap_parser_destroy(&parser);
	}
}

static void body_data_is_handed_on_where_it_was_received(void **state)
{
	struct imap_parser *parser = create(0);
	struct err err;
	char block[10000];
	(void)state;
	memset(block, 'x', sizeof(block));
	feed_text(parser, "* 1 FETCH (UID 1 BODY[] {20000}\r\n");
	assert_int_equal(next(parser).type, IMAP_BODY_BEGIN);
	assert_int_equal(next(parser).type, IMAP_MORE);
	for (int i = 0; i < 2; i++) {
		char *room = imap_parser_reserve(parser, sizeof(block), &err);
		memcpy(room, block, sizeof(block));
		imap_parser_commit(parser, sizeof(block));
		struct imap_event event = next(parser);
		assert_int_equal(event.type, IMAP_BODY_DATA);
		assert_ptr_equal(event.data.data, room);
		assert_int_equal(event.data.len, sizeof(block));
	}
	assert_int_equal(next(parser).type, IMAP_BODY_END);
	feed_text(parser, ")\r\n");
	assert_int_equal(next(parser).type, IMAP_FETCH);
	imap_parser_destroy(&parser);
	assert_null(parser);
}

static void bodies_of_over_4_gib_are_counted_right(void **state)
{
	struct imap_parser *parser = create(0);
	struct imap_event event;
	(void)state;
	feed_text(parser, "* 1 FETCH (UID 1 BODY[] {9223372036854775807}\r\nabc");
	event = next(parser);
	assert_int_equal(event.type, IMAP_BODY_BEGIN);
	assert_true(event.number == INT64_MAX);
	event = next(parser);
	assert_int_equal(event.type, IMAP_BODY_DATA);
	assert_int_equal(event.data.len, 3);
	assert_int_equal(next(parser).type, IMAP_MORE);
	imap_parser_destroy(&parser);
}

static void skipped_literals_are_not_held(void **state)
{
	struct imap_parser *parser = create(0);
	struct imap_event event;
	char block[65536];
	(void)state;
	memset(block, '\n', sizeof(block));
	feed_text(parser, "* 1 FETCH (X-BIG {67108864}\r\n");
	for (int i = 0; i < 1024; i++) {
		feed(parser, block, sizeof(block));
		assert_int_equal(next(parser).type, IMAP_MORE);
	}
	feed_text(parser, " UID 5)\r\n");
	event = next(parser);
	assert_int_equal(event.type, IMAP_FETCH);
	assert_int_equal(event.fetch.uid, 5);
	imap_parser_destroy(&parser);
}

static void feeding_between_the_events_of_one_response_is_allowed(void **state)
{
	struct imap_parser *parser = create(0);
	struct imap_event event;
	char block[20000];
	(void)state;
	memset(block, 'z', sizeof(block));
	feed_text(parser, "* 1 FETCH (BODY[1] \"one\" BODY[2] \"two\" UID 7)\r\n");
	assert_int_equal(next(parser).type, IMAP_BODY_BEGIN);
	feed(parser, block, sizeof(block));
	event = next(parser);
	assert_true(span_equal_cstr(event.data, "one"));
	feed(parser, block, sizeof(block));
	assert_int_equal(next(parser).type, IMAP_BODY_END);
	feed(parser, block, sizeof(block));
	event = next(parser);
	assert_true(span_equal_cstr(event.section, "2"));
	assert_true(span_equal_cstr(next(parser).data, "two"));
	assert_int_equal(next(parser).type, IMAP_BODY_END);
	event = next(parser);
	assert_int_equal(event.type, IMAP_FETCH);
	assert_int_equal(event.fetch.uid, 7);
	imap_parser_destroy(&parser);
}

static void an_error_stays(void **state)
{
	struct imap_parser *parser = create(10);
	struct imap_event event;
	struct err err;
	(void)state;
	feed_text(parser, "* 1 FETCH (BODY[] {11}\r\n");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(imap_parser_next(parser, &event, &err), -ERR_PROTOCOL);
		assert_non_null(strstr(err.text, "11 bytes"));
		feed_text(parser, "* OK fine\r\n");
	}
	imap_parser_destroy(&parser);
}

static void what_follows_a_line_can_be_taken_out(void **state)
{
	struct imap_parser *parser = create(0);
	struct buf rest;
	struct err err;
	(void)state;
	buf_init(&rest, 100);
	assert_int_equal(imap_parser_take_rest(parser, &rest, &err), 0);
	feed_text(parser, "a1 OK now compressed\r\n\x01\x02\x03");
	assert_int_equal(next(parser).type, IMAP_TAGGED);
	assert_int_equal(imap_parser_take_rest(parser, &rest, &err), 0);
	assert_int_equal(rest.len, 3);
	feed_text(parser, "* 4 EXISTS\r\n");
	assert_int_equal(next(parser).number, 4);
	buf_finish(&rest);
	imap_parser_destroy(&parser);
}

static struct imap_code code_with(const char *args)
{
	return (struct imap_code){.args = span_of(args)};
}

static void appenduid_is_read(void **state)
{
	static const char *const bad[] = {"",      "7",      "7 ",     "0 5",          "7 5 x",
					  "7 0",   "7 1:11", "x 5",    "4294967296 5", "7 9,8",
					  "7 3:1", "7 5,5",  "7 1:3,2"};
	struct imap_code code = code_with("38505 9,3955:3957");
	struct uidset uids;
	struct err err;
	uint32_t uidvalidity = 0;
	(void)state;
	uidset_init(&uids);
	assert_int_equal(imap_code_appenduid(&code, 10, &uidvalidity, &uids, &err), 0);
	assert_int_equal(uidvalidity, 38505);
	assert_int_equal(uidset_size(&uids), 4);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		code = code_with(bad[i]);
		assert_int_equal(imap_code_appenduid(&code, 10, &uidvalidity, &uids, &err),
				 -ERR_PROTOCOL);
		assert_int_equal(uidvalidity, 38505);
	}
	uidset_finish(&uids);
}

static void copyuid_pairs_in_the_order_written(void **state)
{
	static const char *const bad[] = {"",
					  "7",
					  "7 1",
					  "7 1 2 3",
					  "7 1:2 5",
					  "7 2:1 5:6",
					  "7 2,1 5:6",
					  "7 1:2 6,5",
					  "7 1:2 5,5",
					  "7 1,1 5:6",
					  "7 1, 5",
					  "0 1 2",
					  "7 1:11 1:11",
					  "7 0 1",
					  "() C D",
					  "7 , ,",
					  "7 1:4294967295 1:4294967295"};
	struct imap_code code = code_with("38505 304,319:320 3956:3957,3999");
	struct imap_copyuid copied = {0, NULL, NULL, 0};
	struct err err;
	(void)state;
	assert_int_equal(imap_code_copyuid(&code, 10, &copied, &err), 0);
	assert_int_equal(copied.count, 3);
	assert_int_equal(copied.from[2], 320);
	assert_int_equal(copied.to[1], 3957);
	assert_int_equal(copied.to[2], 3999);
	imap_copyuid_finish(&copied);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		code = code_with(bad[i]);
		assert_int_equal(imap_code_copyuid(&code, 10, &copied, &err), -ERR_PROTOCOL);
	}
}

static void words_are_taken_one_by_one(void **state)
{
	struct span list = SPAN_LIT("  a  b\tc ");
	struct span word;
	(void)state;
	assert_true(imap_next_word(&list, &word) && span_equal_cstr(word, "a"));
	assert_true(imap_next_word(&list, &word) && span_equal_cstr(word, "b"));
	assert_true(imap_next_word(&list, &word) && span_equal_cstr(word, "c"));
	assert_false(imap_next_word(&list, &word));
}

static void random_bytes_do_no_harm(void **state)
{
	static const char *const pieces[] = {"* ",
					     "1 FETCH (",
					     "BODY[] ",
					     "{5}\r\n",
					     "{0}\r\n",
					     "\"a\\\"b\"",
					     ")",
					     "(",
					     "\r\n",
					     "UID 7 ",
					     "FLAGS (\\Seen) ",
					     "* SEARCH 1 2",
					     "* VANISHED 1:5",
					     "* ESEARCH (TAG \"x\") ALL 1,",
					     "a1 OK [",
					     "] text",
					     "* LIST () ",
					     "NIL ",
					     "\"",
					     "\\",
					     "hello",
					     "{99}",
					     "* STATUS x (",
					     "MESSAGES 1",
					     "~{2}\r\n"};
	unsigned seed = 1964;
	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 20000; round++) {
		struct imap_parser *parser = create(100);
		struct imap_event event;
		struct err err;
		for (int i = 0; i < 25; i++) {
			int code;
			feed_text(parser,
				  pieces[(size_t)rand() % (sizeof(pieces) / sizeof(pieces[0]))]);
			do {
				code = imap_parser_next(parser, &event, &err);
			} while (code == 0 && event.type != IMAP_MORE);
			if (code != 0) {
				break;
			}
		}
		imap_parser_destroy(&parser);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_that_cannot_be_read_says_what_it_was_to_be),
		cmocka_unit_test(body_data_is_handed_on_where_it_was_received),
		cmocka_unit_test(bodies_of_over_4_gib_are_counted_right),
		cmocka_unit_test(skipped_literals_are_not_held),
		cmocka_unit_test(feeding_between_the_events_of_one_response_is_allowed),
		cmocka_unit_test(an_error_stays),
		cmocka_unit_test(what_follows_a_line_can_be_taken_out),
		cmocka_unit_test(appenduid_is_read),
		cmocka_unit_test(copyuid_pairs_in_the_order_written),
		cmocka_unit_test(words_are_taken_one_by_one),
		cmocka_unit_test(random_bytes_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
