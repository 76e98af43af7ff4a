#include "mailsync/model/server.h"

#include "mailsync/base/digest.h"

#define WHO_MAX 8192

int server_fingerprint(const struct server *server, char out[SERVER_FINGERPRINT_SIZE],
		       struct err *err)
{
	const char *host = server->tunnel != NULL ? server->tunnel : server->host;
	uint8_t digest[DIGEST_MAX_SIZE];
	struct buf text;

	buf_init(&text, WHO_MAX);
	buf_printf(&text, "%s@%s", server->user == NULL ? "" : server->user,
		   host == NULL ? "" : host);
	int code = buf_status(&text, "the names of server and user", err);
	if (code == 0) {
		code = digest_of(DIGEST_SHA256, buf_span(&text), digest, err);
	}
	if (code == 0) {
		hex_encode(digest, (SERVER_FINGERPRINT_SIZE - 1) / 2, out);
	}
	buf_finish(&text);
	return code;
}
