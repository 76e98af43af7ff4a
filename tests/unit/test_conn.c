#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/net/preamble.h"
#include "../../src/net/sendq.h"
#include "mailsync/net/conn.h"

#define CAPS "* CAPABILITY IMAP4rev1 STARTTLS\r\n"

static void feed(struct preamble *pre, const char *text, int64_t now_us)
{
	assert_true(preamble_feed(pre, span_of(text), now_us));
}

static void expect_lines(const struct preamble *pre, const char *text)
{
	struct span lines = preamble_lines(pre);

	assert_int_equal(lines.len, strlen(text));
	assert_memory_equal(lines.data, text, lines.len);
}

static void expect_complaint(const struct preamble *pre, const char *text)
{
	assert_true(span_equal_cstr(preamble_complaint(pre), text));
}

static void preamble_counts_libcurls_capability(void **state)
{
	struct preamble pre;

	(void)state;
	preamble_init(&pre, CONN_IMAP, false);
	feed(&pre, "* OK ready\r\n", 1000);
	feed(&pre, CAPS, 41000);
	feed(&pre, "A001 OK done\r\n", 41005);
	preamble_seal(&pre);
	assert_int_equal(pre.commands, 1);
	assert_int_equal(pre.turns, 1);
	assert_int_equal(pre.bytes_out, strlen("A001 CAPABILITY\r\n"));
	assert_int_equal(pre.bytes_in, 12 + strlen(CAPS) + 14);
	assert_int_equal(pre.rtt_us, 40000);
	expect_lines(&pre, "* OK ready\r\n" CAPS "A001 OK done\r\n");
	expect_complaint(&pre, "");
	preamble_finish(&pre);
}

static void preamble_drops_what_came_before_starttls_but_the_greeting(void **state)
{
	struct preamble pre;
	const char *all = "* OK ready\r\n" CAPS "A001 OK done\r\nA002 OK go\r\n"
			  "* CAPABILITY IMAP4rev1\r\nA003 OK done\r\n";
	size_t i;

	(void)state;
	preamble_init(&pre, CONN_IMAP, true);
	for (i = 0; all[i] != '\0'; i++) {
		assert_true(preamble_feed(&pre, (struct span){all + i, 1}, 0));
	}
	preamble_seal(&pre);
	assert_int_equal(pre.commands, 3);
	assert_int_equal(pre.bytes_out, 17 + 15 + 17);
	assert_int_equal(pre.bytes_in, strlen(all));
	expect_lines(&pre, "* OK ready\r\n* CAPABILITY IMAP4rev1\r\nA003 OK done\r\n");
	preamble_finish(&pre);
}

static void preamble_follows_pop3s_capa_and_stls(void **state)
{
	struct preamble pre;

	(void)state;
	preamble_init(&pre, CONN_POP3, true);
	feed(&pre, "+OK hi <1@x>\r\n+OK\r\nSTLS\r\n.\r\n+OK go\r\n+OK\r\nUIDL\r\n.\r\n", 0);
	preamble_seal(&pre);
	assert_int_equal(pre.commands, 3);
	assert_int_equal(pre.bytes_out, 18);
	expect_lines(&pre, "+OK hi <1@x>\r\n+OK\r\nUIDL\r\n.\r\n");
	preamble_finish(&pre);
}

static void preamble_takes_a_refused_capa_as_one_line(void **state)
{
	struct preamble pre;

	(void)state;
	preamble_init(&pre, CONN_POP3, false);
	feed(&pre, "+OK hi\r\n-ERR what?\r\n", 0);
	assert_int_equal(pre.commands, 1);
	expect_complaint(&pre, "-ERR what?");
	preamble_finish(&pre);
}

static void preamble_keeps_the_servers_last_words(void **state)
{
	struct preamble pre;

	(void)state;
	preamble_init(&pre, CONN_IMAP, false);
	feed(&pre, "* BYE too many connections\r\n", 0);
	assert_false(preamble_is_odd(&pre));
	expect_complaint(&pre, "BYE too many connections");
	preamble_finish(&pre);
	preamble_init(&pre, CONN_IMAP, false);
	feed(&pre, "* OK ready\r\nA001 BAD go away\r\n", 0);
	expect_complaint(&pre, "BAD go away");
	preamble_finish(&pre);
}

static void preamble_knows_another_protocols_greeting(void **state)
{
	struct preamble pre;

	(void)state;
	preamble_init(&pre, CONN_IMAP, false);
	assert_false(preamble_is_odd(&pre));
	feed(&pre, "220 smtp.example ES", 0);
	assert_false(preamble_is_odd(&pre));
	feed(&pre, "MTP\r\n", 0);
	assert_true(preamble_is_odd(&pre));
	preamble_finish(&pre);
	preamble_init(&pre, CONN_POP3, false);
	feed(&pre, "* OK IMAP\r\n", 0);
	assert_true(preamble_is_odd(&pre));
	preamble_finish(&pre);
}

static void preamble_has_a_limit(void **state)
{
	struct preamble pre;
	static char line[PREAMBLE_MAX];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	preamble_init(&pre, CONN_IMAP, false);
	feed(&pre, line, 0);
	assert_false(preamble_feed(&pre, SPAN_LIT("yz"), 0));
	preamble_finish(&pre);
}

static void words_that_pass_are_told_from_those_for_good(void **state)
{
	(void)state;
	assert_true(preamble_is_passing(SPAN_LIT("BYE [UNAVAILABLE] no")));
	assert_true(preamble_is_passing(SPAN_LIT("-ERR [IN-USE] you have it open")));
	assert_true(preamble_is_passing(SPAN_LIT("BYE Too Many connections")));
	assert_true(preamble_is_passing(SPAN_LIT("-ERR [SYS/TEMP] disk")));
	assert_true(preamble_is_passing(SPAN_LIT("BYE come back later")));
	assert_false(preamble_is_passing(SPAN_LIT("BYE your address is blocked")));
	assert_false(preamble_is_passing(SPAN_LIT("-ERR [SYS/PERM] no")));
	assert_false(preamble_is_passing(SPAN_LIT("")));
}

static void the_send_queue_keeps_order_and_its_chunk_in_place(void **state)
{
	struct sendq *queue = malloc(sizeof(*queue));
	struct span chunk;
	struct err err;
	char text[40000];
	size_t i;
	size_t seen = 0;

	(void)state;
	assert_non_null(queue);
	for (i = 0; i < sizeof(text); i++) {
		text[i] = (char)(i % 251);
	}
	sendq_init(queue);
	assert_int_equal(sendq_add(queue, (struct span){text, 30000}, false, &err), 0);
	sendq_fill(queue);
	chunk = sendq_chunk(queue);
	assert_int_equal(chunk.len, SENDQ_CHUNK);
	assert_int_equal(sendq_add(queue, (struct span){text + 30000, 10000}, true, &err), 0);
	sendq_fill(queue);
	assert_ptr_equal(sendq_chunk(queue).data, chunk.data);
	assert_int_equal(sendq_chunk(queue).len, chunk.len);
	while (sendq_len(queue) > 0) {
		sendq_fill(queue);
		chunk = sendq_chunk(queue);
		i = chunk.len < 7000 ? chunk.len : 7000;
		assert_memory_equal(chunk.data, text + seen, i);
		seen += i;
		sendq_sent(queue, i);
	}
	assert_int_equal(seen, sizeof(text));
	assert_false(queue->has_secret);
	sendq_finish(queue);
	free(queue);
}

/* A tunnel is the one connection that needs no server. */
static struct conn *tunnel_open(const char *command, int timeout_s, const stop_flag *stop)
{
	struct conn_params params = {
		.protocol = CONN_IMAP,
		.tunnel = command,
		.timeout_s = timeout_s,
		.stop = stop,
	};
	struct conn *conn = NULL;
	struct err err;

	assert_int_equal(conn_open(&conn, &params, &err), 0);
	return conn;
}

static void expect_input(struct conn *conn, const char *text)
{
	char in[256];
	size_t len = 0;

	while (len < strlen(text)) {
		struct err err;
		size_t got = 0;

		assert_int_equal(
			conn_wait(conn, CONN_INPUT, in + len, sizeof(in) - len, &got, &err), 0);
		assert_true(got > 0);
		len += got;
	}
	assert_int_equal(len, strlen(text));
	assert_memory_equal(in, text, len);
}

static void a_tunnel_carries_bytes_both_ways_and_counts_turns(void **state)
{
	struct conn *conn = tunnel_open("cat", 10, NULL);
	struct conn_stats stats;
	struct err err;

	(void)state;
	assert_int_equal(conn_preamble(conn).len, 0);
	assert_true(conn_is_local(conn));
	assert_false(conn_is_tls(conn));
	assert_int_equal(conn_queue(conn, SPAN_LIT("a1 NOOP\r\n"), false, &err), 0);
	assert_int_equal(conn_queue(conn, SPAN_LIT("a2 NOOP\r\n"), true, &err), 0);
	assert_int_equal(conn_queued(conn), 18);
	expect_input(conn, "a1 NOOP\r\na2 NOOP\r\n");
	assert_int_equal(conn_queued(conn), 0);
	conn_get_stats(conn, &stats);
	assert_int_equal(stats.bytes_in, 18);
	assert_int_equal(stats.bytes_out, 18);
	assert_true(stats.round_trips <= 1);
	conn_destroy(&conn);
	assert_null(conn);
	conn_destroy(&conn);
}

/* `cat` stops reading when nobody reads what it writes: sending first would block for ever. */
static void sending_much_while_the_server_sends_does_not_block(void **state)
{
	struct conn *conn = tunnel_open("cat", 10, NULL);
	static char in[65536];
	static const char block[65536];
	size_t sent = 0;
	size_t received = 0;
	struct err err;

	(void)state;
	while (received < 64 * sizeof(block)) {
		size_t got = 0;

		while (sent < 64 && conn_queued(conn) < CONN_LOW_WATER) {
			assert_int_equal(
				conn_queue(conn, (struct span){block, sizeof(block)}, false, &err),
				0);
			sent++;
		}
		assert_int_equal(conn_wait(conn, sent < 64 ? CONN_OUTPUT : CONN_INPUT, in,
					   sizeof(in), &got, &err),
				 0);
		received += got;
	}
	assert_int_equal(received, 64 * sizeof(block));
	conn_destroy(&conn);
}

/* `cat` gives back what was compressed, so that both directions of DEFLATE meet. */
static void deflate_works_in_both_directions_of_a_connection(void **state)
{
	struct conn *conn = tunnel_open("cat", 10, NULL);
	struct err err;

	(void)state;
	assert_int_equal(conn_start_deflate(conn, SPAN_LIT(""), &err), 0);
	assert_int_equal(conn_queue(conn, SPAN_LIT("a1 NOOP\r\n"), false, &err), 0);
	expect_input(conn, "a1 NOOP\r\n");
	assert_int_equal(conn_queue(conn, SPAN_LIT("a2 NOOP\r\n"), false, &err), 0);
	expect_input(conn, "a2 NOOP\r\n");
	conn_destroy(&conn);
}

static void bytes_behind_the_ok_of_compress_are_expanded(void **state)
{
	struct conn *conn = tunnel_open("cat", 10, NULL);
	struct err err;

	(void)state;
	/* "hi" in one stored block. */
	assert_int_equal(conn_start_deflate(conn, SPAN_LIT("\0\2\0\xfd\xffhi"), &err), 0);
	expect_input(conn, "hi");
	conn_destroy(&conn);
}

static void expect_end(const char *command, int code, const char *words)
{
	struct conn *conn = tunnel_open(command, 10, NULL);
	struct err err;
	char in[64];
	size_t got = 0;
	int rc;

	do {
		rc = conn_wait(conn, CONN_INPUT, in, sizeof(in), &got, &err);
	} while (rc == 0);
	assert_int_equal(rc, code);
	assert_non_null(strstr(err.text, words));
	conn_destroy(&conn);
}

static void the_end_of_a_tunnel_is_an_error_that_says_how(void **state)
{
	(void)state;
	expect_end("exit 3", -ERR_TEMPORARY, "exit status 3");
	expect_end("echo '* BYE'; exit 127", -ERR_TEMPORARY, "exit status 127");
	expect_end("exit 127", -ERR_CONFIG, "check `tunnel`");
	expect_end("kill -9 $$", -ERR_TEMPORARY, "signal 9");
}

static void what_the_server_said_is_read_though_sending_fails(void **state)
{
	struct conn *conn = tunnel_open("echo '* BYE'; exit 0", 10, NULL);
	struct err err;

	(void)state;
	assert_int_equal(conn_queue(conn, SPAN_LIT("a1 NOOP\r\n"), false, &err), 0);
	expect_input(conn, "* BYE\n");
	conn_destroy(&conn);
}

static void silence_and_stopping_end_a_wait(void **state)
{
	static const stop_flag stop = 1;
	struct conn *conn = tunnel_open("cat", 0, NULL);
	struct err err;
	char in[16];
	size_t got = 7;

	(void)state;
	assert_int_equal(conn_wait(conn, CONN_INPUT, in, sizeof(in), &got, &err), -ERR_TEMPORARY);
	assert_int_equal(got, 7);
	conn_destroy(&conn);
	conn = tunnel_open("cat", 10, &stop);
	assert_int_equal(conn_wait(conn, CONN_INPUT, in, sizeof(in), &got, &err), -ERR_INTERRUPTED);
	assert_int_equal(conn_wait(conn, CONN_POLL, in, sizeof(in), &got, &err), 0);
	assert_int_equal(got, 0);
	conn_destroy(&conn);
}

static int libcurl_start(void **state)
{
	struct err err;

	(void)state;
	return conn_global_init(&err);
}

static int libcurl_end(void **state)
{
	(void)state;
	conn_global_finish();
	return 0;
}

static void a_bad_host_and_a_bad_proxy_are_the_configurations_fault(void **state)
{
	struct conn_params params = {
		.protocol = CONN_IMAP,
		.host = "a b",
		.port = 143,
		.tls = CONN_TLS_NONE,
		.timeout_s = 5,
		.tls_min = 12,
	};
	struct conn *conn = NULL;
	struct err err;

	(void)state;
	assert_int_equal(conn_open(&conn, &params, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "check `host`"));
	params.host = "user@127.0.0.1";
	assert_int_equal(conn_open(&conn, &params, &err), -ERR_CONFIG);
	params.host = "127.0.0.1";
	params.proxy = "nonsense://127.0.0.1:1";
	assert_int_equal(conn_open(&conn, &params, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "check `proxy`"));
	assert_null(conn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preamble_counts_libcurls_capability),
		cmocka_unit_test(preamble_drops_what_came_before_starttls_but_the_greeting),
		cmocka_unit_test(preamble_follows_pop3s_capa_and_stls),
		cmocka_unit_test(preamble_takes_a_refused_capa_as_one_line),
		cmocka_unit_test(preamble_keeps_the_servers_last_words),
		cmocka_unit_test(preamble_knows_another_protocols_greeting),
		cmocka_unit_test(preamble_has_a_limit),
		cmocka_unit_test(words_that_pass_are_told_from_those_for_good),
		cmocka_unit_test(the_send_queue_keeps_order_and_its_chunk_in_place),
		cmocka_unit_test(a_tunnel_carries_bytes_both_ways_and_counts_turns),
		cmocka_unit_test(sending_much_while_the_server_sends_does_not_block),
		cmocka_unit_test(deflate_works_in_both_directions_of_a_connection),
		cmocka_unit_test(bytes_behind_the_ok_of_compress_are_expanded),
		cmocka_unit_test(the_end_of_a_tunnel_is_an_error_that_says_how),
		cmocka_unit_test(what_the_server_said_is_read_though_sending_fails),
		cmocka_unit_test(silence_and_stopping_end_a_wait),
		cmocka_unit_test(a_bad_host_and_a_bad_proxy_are_the_configurations_fault),
	};

	return cmocka_run_group_tests(tests, libcurl_start, libcurl_end);
}
