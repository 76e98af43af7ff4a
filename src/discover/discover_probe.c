#include <string.h>

#include "discover_private.h"

#define CONNECT_WAIT_S 8

/* Nobody waits for its answer. */
static void take_leave(struct conn *conn, enum conn_protocol protocol)
{
	struct err ignored;
	char answer[512];
	size_t received;

	if (conn_queue(conn,
		       protocol == CONN_IMAP ? SPAN_LIT("m1 LOGOUT\r\n") : SPAN_LIT("QUIT\r\n"),
		       false, &ignored) == 0) {
		(void)conn_wait(conn, CONN_POLL, answer, sizeof(answer), &received, &ignored);
	}
}

int discover_probe(struct discover *discover, const struct discover_server *server,
		   struct discover_offer *offer, struct err *err)
{
	const struct conn_params params = {
		.protocol = server->protocol,
		.host = server->host,
		.port = server->port,
		.tls = server->tls,
		.proxy = discover->proxy,
		.tls_min = 12,
		.timeout_s = discover_left_s(discover, CONNECT_WAIT_S),
		.log = discover->log,
		.label = "init",
		.stop = discover->stop,
	};
	struct conn *conn = NULL;
	int code = discover_check(discover, err);

	if (code < 0) {
		return code;
	}
	if (params.timeout_s == 0) {
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "%s:%u was not asked: there is no time left", server->host,
			       server->port);
	}
	if ((code = conn_open(&conn, &params, err)) < 0) {
		return code;
	}
	offer_read(server->protocol, conn_preamble(conn), offer);
	take_leave(conn, server->protocol);
	conn_destroy(&conn);
	return 0;
}
