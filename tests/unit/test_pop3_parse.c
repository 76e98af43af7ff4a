#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/buf.h"
#include "mailsync/proto/pop3.h"

/* EVENT as text. */
static void trace_event(struct buf *out, const struct pop3_event *event)
{
	switch (event->type) {
	case POP3_STATUS:
		buf_printf(out, "%s%s(",
			   event->is_broken ? "?"
			   : event->is_ok   ? "+"
					    : "-",
			   event->is_last ? "" : "*");
		buf_append_span(out, event->text);
		buf_append_cstr(out, ")");
		break;
	case POP3_CONTINUE:
	case POP3_CAPA:
		buf_append_char(out, event->type == POP3_CAPA ? 'C' : '>');
		buf_append_span(out, event->text);
		buf_append_char(out, ';');
		break;
	case POP3_UIDL:
		buf_printf(out, "U%s%u ", event->is_broken ? "?" : "", (unsigned)event->number);
		buf_append_span(out, event->text);
		buf_append_char(out, ';');
		break;
	case POP3_LIST:
		buf_printf(out, "L%s%u %u;", event->is_broken ? "?" : "", (unsigned)event->number,
			   (unsigned)event->size_bytes);
		break;
	case POP3_BODY:
		buf_append_span(out, event->text);
		break;
	case POP3_END:
		buf_append_char(out, event->has_lone_dot ? ':' : '.');
		break;
	case POP3_STRAY:
		buf_append_cstr(out, "stray");
		break;
	case POP3_MORE:
		break;
	}
}

/* Gives PARSER the next CHUNK bytes of INPUT; false when there are none left. */
static bool feed(struct pop3_parser *parser, struct span *input, size_t chunk)
{
	size_t len = input->len < chunk ? input->len : chunk;
	struct err err;

	if (len == 0) {
		return false;
	}
	char *room = pop3_parser_reserve(parser, len, &err);
	assert_non_null(room);
	memcpy(room, input->data, len);
	pop3_parser_commit(parser, len);
	input->data += len;
	input->len -= len;
	return true;
}

/* The events that INPUT gives when fed CHUNK bytes at a time, as text; bodies are joined. */
static char *trace(const enum pop3_reply *replies, size_t count, struct span input, size_t chunk)
{
	struct pop3_parser *parser;
	struct err err;
	struct buf out;
	bool in_body = false;
	struct pop3_event event = {.type = POP3_MORE};

	buf_init(&out, 1 << 20);
	assert_int_equal(pop3_parser_create(&parser, &err), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(pop3_parser_expect(parser, replies[i], &err), 0);
	}
	while (event.type != POP3_STRAY) {
		if (pop3_parser_next(parser, &event, &err) != 0) {
			buf_append_cstr(&out, "error");
			break;
		}
		if (event.type == POP3_MORE) {
			if (!feed(parser, &input, chunk)) {
				break;
			}
			continue;
		}
		if (in_body != (event.type == POP3_BODY)) {
			buf_append_char(&out, '|');
			in_body = !in_body;
		}
		trace_event(&out, &event);
	}
	pop3_parser_destroy(&parser);
	return buf_steal(&out);
}

static void check_replies(const enum pop3_reply *replies, size_t count, struct span input,
			  const char *expected)
{
	for (size_t chunk = 1; chunk <= input.len + 1; chunk++) {
		char *got = trace(replies, count, input, chunk);
		assert_non_null(got);
		assert_string_equal(got, expected);
		free(got);
	}
}

static void check(enum pop3_reply reply, const char *input, const char *expected)
{
	check_replies(&reply, 1, span_of(input), expected);
}

static void status_lines_tell_ok_err_and_broken(void **state)
{
	(void)state;
	check(POP3_REPLY_STATUS, "+OK hello\r\n", "+(hello)");
	check(POP3_REPLY_STATUS, "+ok\n", "+()");
	check(POP3_REPLY_STATUS, "-ERR [IN-USE] busy\r\n", "-([IN-USE] busy)");
	check(POP3_REPLY_STATUS, "\r\n", "?()");
	check(POP3_REPLY_STATUS, "+OKAY\r\n", "?(+OKAY)");
	check(POP3_REPLY_STATUS, "+ \r\n", "?(+ )");
}

static void auth_replies_carry_challenges(void **state)
{
	(void)state;
	check(POP3_REPLY_AUTH, "+ YWJj\r\n+\r\n+ \r\n+OK in\r\n", ">YWJj;>;>;+(in)");
	check(POP3_REPLY_AUTH, "-ERR [AUTH] no\r\n", "-([AUTH] no)");
}

static void listings_give_numbers_and_ids(void **state)
{
	(void)state;
	check(POP3_REPLY_UIDL, "+OK\r\n1 abc\r\n2\r\n0 bad\r\n3  d e \r\n.\r\n",
	      "+*()U1 abc;U?2 ;U?0 bad;U3 d e;.");
	check(POP3_REPLY_LIST, "+OK\r\n1 100\r\n2 ten\r\n3 7 extra\r\n.\r\n",
	      "+*()L1 100;L?2 0;L3 7;.");
	check(POP3_REPLY_CAPA, "+OK\nTOP\nSASL PLAIN\n.\n", "+*()CTOP;CSASL PLAIN;.");
	check(POP3_REPLY_UIDL, "-ERR no\r\n", "-(no)");
}

static void bodies_are_unstuffed(void **state)
{
	(void)state;
	check(POP3_REPLY_BODY, "+OK\r\na\r\n..b\r\n...\r\n.\r\n", "+*()|a\r\n.b\r\n..\r\n|.");
	check(POP3_REPLY_BODY, "+OK\r\n.\r\n", "+*().");
	check(POP3_REPLY_BODY, "+OK\r\n..\r\n.\r\n", "+*()|.\r\n|.");
}

static void dots_that_a_server_failed_to_stuff_stay(void **state)
{
	(void)state;
	check(POP3_REPLY_BODY, "+OK\r\n.hidden\r\n\r\n.\r\n", "+*()|.hidden\r\n\r\n|.");
	check(POP3_REPLY_BODY, "+OK\r\n.\rx\r\n.\r\n", "+*()|.\rx\r\n|.");
}

static void a_dot_between_bare_lf_is_data_on_a_crlf_server(void **state)
{
	(void)state;
	check(POP3_REPLY_BODY, "+OK\r\nh\r\nbefore\n.\nafter\r\n.\r\n",
	      "+*()|h\r\nbefore\n.\nafter\r\n|.");
}

static void a_bare_lf_server_ends_bodies_with_dot_lf(void **state)
{
	(void)state;
	check(POP3_REPLY_BODY, "+OK\na\n..b\n.\n", "+*()|a\n.b\n|.");
	check(POP3_REPLY_BODY, "+OK\r\na\n.\n", "+*()|a\n|.");
	check(POP3_REPLY_BODY, "+OK\r\na\n.\r\n", "+*()|a\n|.");
}

static void cr_and_nul_pass_through_bodies(void **state)
{
	static const char input[] = "+OK\r\na\0b\r\r\nc\rd\r\n.\r\n";
	static const enum pop3_reply reply = POP3_REPLY_BODY;

	(void)state;
	for (size_t chunk = 1; chunk < sizeof(input); chunk++) {
		char *got = trace(&reply, 1, SPAN_LIT(input), chunk);
		assert_memory_equal(got, "+*()|a\0b\r\r\nc\rd\r\n|.", 18);
		free(got);
	}
}

static void replies_in_flight_come_in_order(void **state)
{
	static const enum pop3_reply replies[] = {POP3_REPLY_UIDL, POP3_REPLY_BODY, POP3_REPLY_BODY,
						  POP3_REPLY_STATUS};
	(void)state;
	check_replies(replies, 4,
		      SPAN_LIT("+OK\r\n1 a\r\n.\r\n-ERR gone\r\n+OK 3\r\nx\r\n.\r\n+OK bye\r\n"),
		      "+*()U1 a;.-(gone)+*(3)|x\r\n|.+(bye)");
}

static void a_lone_dot_that_a_server_failed_to_stuff_is_told_by_what_follows(void **state)
{
	static const enum pop3_reply replies[] = {POP3_REPLY_BODY, POP3_REPLY_STATUS};

	(void)state;
	check_replies(replies, 2, SPAN_LIT("+OK\r\nseen\r\n.\r\nrest\r\n.\r\n+OK\r\n"),
		      "+*()|seen\r\n.\r\nrest\r\n|:+()");
	check_replies(replies, 2, SPAN_LIT("+OK\r\n.\r\n.\r\n+OK\r\n"), "+*()|.\r\n|:+()");
	check_replies(replies, 2, SPAN_LIT("+OK\r\nx\r\n.\r\n-er\r\n.\r\n-eRR no\r\n"),
		      "+*()|x\r\n.\r\n-er\r\n|:-(no)");
	check_replies(replies, 2, SPAN_LIT("+OK\r\nbare\n.\nlf\r\n.\r\n+OK\r\n"),
		      "+*()|bare\n.\nlf\r\n|:+()");
}

static void what_follows_a_lone_dot_shows_where_nothing_was_to_follow(void **state)
{
	static const enum pop3_reply replies[] = {POP3_REPLY_BODY, POP3_REPLY_STATUS};
	const struct span input = SPAN_LIT("+OK\r\nseen\r\n.\r\nrest\r\n.\r\n+OK\r\n");

	(void)state;
	check_replies(replies, 2, SPAN_LIT("+OK\r\nseen\r\n.\r\n\r\n+OK\r\n"),
		      "+*()|seen\r\n|.?()stray");
	char *got = trace(replies, 1, input, 64);
	assert_string_equal(got, "+*()|seen\r\n|.stray");
	free(got);
}

static void endless_lines_are_refused_but_in_bodies(void **state)
{
	static const enum pop3_reply reply = POP3_REPLY_STATUS, body = POP3_REPLY_BODY;
	struct buf input;

	(void)state;
	buf_init(&input, 1 << 20);
	buf_append_cstr(&input, "+OK\r\n");
	for (int i = 0; i < 100000; i++) {
		buf_append_char(&input, 'x');
	}
	struct span line = {input.data + 5, input.len - 5};
	char *got = trace(&reply, 1, line, 1000);
	assert_string_equal(got, "error");
	free(got);
	got = trace(&body, 1, buf_span(&input), 1000);
	assert_int_equal(strlen(got), 4 + 1 + 100000);
	free(got);
	buf_finish(&input);
}

/* The code of the status line "-ERR TEXT". */
static enum pop3_code code_of(const char *text)
{
	struct pop3_parser *parser;
	struct pop3_event event;
	struct span input;
	struct err err;
	char line[64];

	snprintf(line, sizeof(line), "-ERR %s\r\n", text);
	input = span_of(line);
	assert_int_equal(pop3_parser_create(&parser, &err), 0);
	assert_int_equal(pop3_parser_expect(parser, POP3_REPLY_STATUS, &err), 0);
	assert_true(feed(parser, &input, input.len));
	assert_int_equal(pop3_parser_next(parser, &event, &err), 0);
	assert_int_equal(event.type, POP3_STATUS);
	pop3_parser_destroy(&parser);
	return event.code;
}

static void response_codes_are_known(void **state)
{
	(void)state;
	assert_int_equal(code_of("[IN-USE] x"), POP3_CODE_IN_USE);
	assert_int_equal(code_of("[login-delay]"), POP3_CODE_LOGIN_DELAY);
	assert_int_equal(code_of("[SYS/TEMP] x"), POP3_CODE_SYS_TEMP);
	assert_int_equal(code_of("[SYS/PERM] x"), POP3_CODE_SYS_PERM);
	assert_int_equal(code_of("[AUTH] x"), POP3_CODE_AUTH);
	assert_int_equal(code_of("[X]"), POP3_CODE_OTHER);
	assert_int_equal(code_of("[AUTH"), POP3_CODE_NONE);
	assert_int_equal(code_of(""), POP3_CODE_NONE);
}

static void too_many_expected_replies_are_an_error(void **state)
{
	struct pop3_parser *parser;
	struct err err;

	(void)state;
	assert_int_equal(pop3_parser_create(&parser, &err), 0);
	for (int i = 0; i < POP3_IN_FLIGHT_MAX; i++) {
		assert_int_equal(pop3_parser_expect(parser, POP3_REPLY_STATUS, &err), 0);
	}
	assert_int_equal(pop3_parser_expect(parser, POP3_REPLY_STATUS, &err), -ERR_LIMIT);
	pop3_parser_destroy(&parser);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_lines_tell_ok_err_and_broken),
		cmocka_unit_test(auth_replies_carry_challenges),
		cmocka_unit_test(listings_give_numbers_and_ids),
		cmocka_unit_test(bodies_are_unstuffed),
		cmocka_unit_test(dots_that_a_server_failed_to_stuff_stay),
		cmocka_unit_test(a_dot_between_bare_lf_is_data_on_a_crlf_server),
		cmocka_unit_test(a_bare_lf_server_ends_bodies_with_dot_lf),
		cmocka_unit_test(cr_and_nul_pass_through_bodies),
		cmocka_unit_test(replies_in_flight_come_in_order),
		cmocka_unit_test(a_lone_dot_that_a_server_failed_to_stuff_is_told_by_what_follows),
		cmocka_unit_test(what_follows_a_lone_dot_shows_where_nothing_was_to_follow),
		cmocka_unit_test(endless_lines_are_refused_but_in_bodies),
		cmocka_unit_test(response_codes_are_known),
		cmocka_unit_test(too_many_expected_replies_are_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
