#include "mailsync/model/server.h"

#include "mailsync/base/digest.h"

#define WHO_MAX   8192
#define LOGIN_MAX 65536

/* Of TEXT, which is finished. */
static int fingerprint_of(struct buf *text, char out[SERVER_FINGERPRINT_SIZE], struct err *err)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	int code = buf_status(text, "the names of server and user", err);

	if (code == 0) {
		code = digest_of(DIGEST_SHA256, buf_span(text), digest, err);
	}
	if (code == 0) {
		hex_encode(digest, (SERVER_FINGERPRINT_SIZE - 1) / 2, out);
	}
	buf_finish(text);
	return code;
}

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

int server_fingerprint(const struct server *server, char out[SERVER_FINGERPRINT_SIZE],
		       struct err *err)
{
	const char *host = server->tunnel != NULL ? server->tunnel : server->host;
	struct buf text;

	buf_init(&text, WHO_MAX);
	buf_printf(&text, "%s@%s", or_empty(server->user), or_empty(host));
	return fingerprint_of(&text, out, err);
}

int server_login_fingerprint(const struct server *server, char out[SERVER_FINGERPRINT_SIZE],
			     struct err *err)
{
	struct buf text;

	buf_init(&text, LOGIN_MAX);
	buf_printf(&text, "%s|%u|%d|%s|%d|%s|%s", or_empty(server->host), server->port,
		   (int)server->tls, or_empty(server->user), (int)server->auth,
		   or_empty(server->tunnel), or_empty(server->proxy));
	return fingerprint_of(&text, out, err);
}
