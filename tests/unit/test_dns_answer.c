#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dns_answer.h"

/* A packet that grows; names are written as they stand on the wire. */
struct packet {
	char data[4096];
	size_t len;
};

static void put(struct packet *packet, const void *data, size_t len)
{
	assert_true(packet->len + len <= sizeof(packet->data));
	memcpy(packet->data + packet->len, data, len);
	packet->len += len;
}

static void put_number(struct packet *packet, unsigned value)
{
	const char bytes[] = {(char)(value >> 8), (char)value};

	put(packet, bytes, 2);
}

static void begin(struct packet *packet, unsigned flags, unsigned answers)
{
	static const char question[] = "\7example\3org\0\0\17\0\1";

	packet->len = 0;
	put_number(packet, 4711);
	put_number(packet, flags);
	put_number(packet, 1);
	put_number(packet, answers);
	put_number(packet, 0);
	put_number(packet, 0);
	put(packet, question, sizeof(question) - 1);
}

/* DATA of a record of the name in the question, which is at 12. */
static void put_record(struct packet *packet, unsigned type, const char *data, size_t len)
{
	put(packet, "\xC0\x0C", 2);
	put_number(packet, type);
	put_number(packet, 1);
	put_number(packet, 0);
	put_number(packet, 300);
	put_number(packet, (unsigned)len);
	put(packet, data, len);
}

#define PUT(packet, type, data) put_record(packet, type, data, sizeof(data) - 1)
#define ANSWER                  0x8180U

static int read_packet(const struct packet *packet, enum dns_type type, struct dns_answer *answer)
{
	struct err err;

	dns_answer_init(answer);
	return dns_answer_read(answer, type, (struct span){packet->data, packet->len}, &err);
}

static void an_mx_names_its_host_in_lower_case(void **state)
{
	struct packet packet;
	struct dns_answer answer;

	(void)state;
	begin(&packet, ANSWER, 2);
	PUT(&packet, 15, "\0\24\2MX\300\14");
	PUT(&packet, 15, "\0\12\5aspmx\1l\6google\3com\0");
	assert_int_equal(read_packet(&packet, DNS_MX, &answer), 0);
	assert_int_equal(answer.count, 2);
	assert_string_equal(answer.items[0].host, "aspmx.l.google.com");
	assert_int_equal(answer.items[0].priority, 10);
	assert_string_equal(answer.items[1].host, "mx.example.org");
	dns_answer_finish(&answer);
}

static void the_strings_of_a_text_are_one(void **state)
{
	struct packet packet;
	struct dns_answer answer;

	(void)state;
	begin(&packet, ANSWER, 3);
	PUT(&packet, 16, "\5v=UAA\4C1; \1x");
	PUT(&packet, 16, "\3a\nb");
	PUT(&packet, 16, "\11too long");
	assert_int_equal(read_packet(&packet, DNS_TXT, &answer), 0);
	assert_int_equal(answer.count, 1);
	assert_string_equal(answer.items[0].text, "v=UAAC1; x");
	dns_answer_finish(&answer);
}

static void the_lowest_priority_then_the_largest_weight_comes_first(void **state)
{
	struct packet packet;
	struct dns_answer answer;

	(void)state;
	begin(&packet, ANSWER, 4);
	PUT(&packet, 33, "\0\1\0\1\3\341\1a\300\14");
	PUT(&packet, 33, "\0\0\0\1\3\341\1b\300\14");
	PUT(&packet, 33, "\0\0\0\2\3\342\1c\300\14");
	PUT(&packet, 33, "\0\2\0\0\3\341\0");
	assert_int_equal(read_packet(&packet, DNS_SRV, &answer), 0);
	assert_int_equal(answer.count, 4);
	assert_string_equal(answer.items[0].host, "c.example.org");
	assert_int_equal(answer.items[0].port, 994);
	assert_string_equal(answer.items[1].host, "b.example.org");
	assert_string_equal(answer.items[2].host, "a.example.org");
	assert_string_equal(answer.items[3].host, "");
	dns_answer_finish(&answer);
}

static void what_stands_behind_an_alias_counts_and_other_types_do_not(void **state)
{
	struct packet packet;
	struct dns_answer answer;

	(void)state;
	begin(&packet, ANSWER, 3);
	PUT(&packet, 5, "\4mail\3net\0");
	PUT(&packet, 46, "anything");
	PUT(&packet, 15, "\0\12\2mx\3net\0");
	assert_int_equal(read_packet(&packet, DNS_MX, &answer), 0);
	assert_int_equal(answer.count, 1);
	assert_string_equal(answer.items[0].host, "mx.net");
	dns_answer_finish(&answer);
}

static void a_name_that_is_no_hosts_is_left_out(void **state)
{
	struct packet packet;
	struct dns_answer answer;

	(void)state;
	begin(&packet, ANSWER, 7);
	PUT(&packet, 15, "\0\12\3a b\3net\0");
	PUT(&packet, 15, "\0\12\3a.b\3net\0");
	PUT(&packet, 15, "\0\12\3a\nb\3net\0");
	PUT(&packet, 15, "\0\12\2\303\274\3net\0");
	PUT(&packet, 15, "\0\12\3-ab\3net\0");
	PUT(&packet, 15, "\0\12");
	PUT(&packet, 15, "\0\12\2mx\3net\0");
	assert_int_equal(read_packet(&packet, DNS_MX, &answer), 0);
	assert_int_equal(answer.count, 1);
	assert_string_equal(answer.items[0].host, "mx.net");
	dns_answer_finish(&answer);
}

static void a_name_that_jumps_forwards_or_in_circles_ends(void **state)
{
	/* To itself, forwards, into the header, back to a jump forwards, beyond the end. */
	static const char *const jumps[] = {"\0\12\300\53", "\0\12\300\55", "\0\12\300\2",
					    "\0\12\1a\300\53", "\0\12\377\377"};
	struct packet packet;
	struct dns_answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		begin(&packet, ANSWER, 1);
		put_record(&packet, 15, jumps[i], i == 3 ? 6 : 4);
		assert_int_equal(read_packet(&packet, DNS_MX, &answer), 0);
		assert_int_equal(answer.count, 0);
		dns_answer_finish(&answer);
	}
}

static void a_packet_cut_anywhere_is_broken(void **state)
{
	struct packet packet;
	struct dns_answer answer;

	(void)state;
	begin(&packet, ANSWER, 2);
	PUT(&packet, 33, "\0\0\0\1\3\341\1b\300\14");
	PUT(&packet, 33, "\0\1\0\1\3\341\1a\300\14");
	for (size_t whole = packet.len--; whole > 0; whole--, packet.len--) {
		assert_int_equal(read_packet(&packet, DNS_SRV, &answer), -ERR_PROTOCOL);
		dns_answer_finish(&answer);
		if (packet.len == 0) {
			break;
		}
	}
}

static void a_question_and_a_cut_answer_are_none(void **state)
{
	struct packet packet;
	struct dns_answer answer;

	(void)state;
	begin(&packet, 0x0100, 0);
	assert_int_equal(read_packet(&packet, DNS_MX, &answer), -ERR_PROTOCOL);
	begin(&packet, ANSWER | 0x0200, 0);
	assert_int_equal(read_packet(&packet, DNS_MX, &answer), -ERR_PROTOCOL);
	begin(&packet, ANSWER | 2, 0);
	assert_int_equal(read_packet(&packet, DNS_MX, &answer), -ERR_TEMPORARY);
	begin(&packet, ANSWER | 5, 0);
	assert_int_equal(read_packet(&packet, DNS_MX, &answer), -ERR_PROTOCOL);
	dns_answer_finish(&answer);
}

static void a_name_that_is_not_there_has_no_records(void **state)
{
	struct packet packet;
	struct dns_answer answer;

	(void)state;
	begin(&packet, ANSWER | 3, 0);
	assert_int_equal(read_packet(&packet, DNS_MX, &answer), 0);
	assert_true(answer.is_no_name);
	begin(&packet, ANSWER, 0);
	assert_int_equal(read_packet(&packet, DNS_MX, &answer), 0);
	assert_false(answer.is_no_name);
	assert_int_equal(answer.count, 0);
}

static void no_more_records_than_the_maximum_are_kept(void **state)
{
	struct packet packet;
	struct dns_answer answer;

	(void)state;
	begin(&packet, ANSWER, 100);
	for (int i = 0; i < 100; i++) {
		PUT(&packet, 15, "\0\12\2mx\3net\0");
	}
	assert_int_equal(read_packet(&packet, DNS_MX, &answer), 0);
	assert_int_equal(answer.count, DNS_RECORDS_MAX);
	dns_answer_finish(&answer);
}

static void a_domain_is_told_in_ascii(void **state)
{
	static const struct {
		const char *domain;
		const char *ascii; /* NULL: it is none */
	} cases[] = {
		{"Example.ORG", "example.org"},
		{"example.org.", "example.org"},
		{"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"localhost", NULL},
		{"", NULL},
		{".", NULL},
		{"a..b", NULL},
		{".example.org", NULL},
		{"-a.example", NULL},
		{"a-.example", NULL},
		{"a_b.example", NULL},
		{"a b.example", NULL},
		{"a/b.example", NULL},
		{"a@b.example", NULL},
		{"a:1.example", NULL},
		{"[127.0.0.1]", NULL},
		{"a%2e.example", NULL},
		{"a\\b.example", NULL},
	};
	struct buf out;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&out, 1024);
		int code = dns_domain(span_of(cases[i].domain), &out, &err);
		assert_int_equal(code, cases[i].ascii ? 0 : -ERR_USAGE);
		assert_string_equal(buf_span(&out).len > 0 ? out.data : "",
				    cases[i].ascii ? cases[i].ascii : "");
		buf_finish(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_mx_names_its_host_in_lower_case),
		cmocka_unit_test(the_strings_of_a_text_are_one),
		cmocka_unit_test(the_lowest_priority_then_the_largest_weight_comes_first),
		cmocka_unit_test(what_stands_behind_an_alias_counts_and_other_types_do_not),
		cmocka_unit_test(a_name_that_is_no_hosts_is_left_out),
		cmocka_unit_test(a_name_that_jumps_forwards_or_in_circles_ends),
		cmocka_unit_test(a_packet_cut_anywhere_is_broken),
		cmocka_unit_test(a_question_and_a_cut_answer_are_none),
		cmocka_unit_test(a_name_that_is_not_there_has_no_records),
		cmocka_unit_test(no_more_records_than_the_maximum_are_kept),
		cmocka_unit_test(a_domain_is_told_in_ascii),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
