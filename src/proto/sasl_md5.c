/* CRAM-MD5 (RFC 2195) and POP3's APOP (RFC 1939 section 7). */
#include <string.h>

#include "sasl_private.h"

int sasl_cram_md5_step(struct sasl *sasl, struct span challenge, struct buf *response,
		       struct err *err)
{
	uint8_t mac[DIGEST_MAX_SIZE];
	char hex[2 * DIGEST_MAX_SIZE + 1];

	if (sasl->steps != 0 || challenge.len == 0) {
		return sasl_unexpected(sasl, err);
	}
	struct span key = secret_span(sasl->params.secret);
	int code = digest_hmac(DIGEST_MD5, key, challenge, mac, err);
	if (code < 0) {
		return code;
	}
	hex_encode(mac, digest_size(DIGEST_MD5), hex);
	buf_append_cstr(response, sasl->params.user);
	buf_append_char(response, ' ');
	buf_append_cstr(response, hex);
	return 0;
}

/* A msg-id of printable ASCII: anything else could be chosen so that its MD5 betrays the
 * password (CVE-2007-1558). */
static bool timestamp_find(struct span greeting, struct span *timestamp)
{
	const char *open = greeting.len > 0 ? memchr(greeting.data, '<', greeting.len) : NULL;
	const char *end = greeting.data + greeting.len;
	const char *at = NULL;
	const char *c;

	for (c = open; c != NULL && c < end; c++) {
		if (*c <= ' ' || *c > '~') {
			return false;
		}
		if (*c == '@' && c > open + 1) {
			at = c;
		}
		if (*c == '>') {
			*timestamp = (struct span){open, (size_t)(c + 1 - open)};
			return at != NULL && c > at + 1;
		}
	}
	return false;
}

int sasl_apop(struct span greeting, const struct secret *secret, char out[33], struct err *err)
{
	struct span timestamp;
	struct digest *digest = NULL;
	uint8_t md5[DIGEST_MAX_SIZE];
	int code;

	if (!timestamp_find(greeting, &timestamp)) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server's greeting holds no valid timestamp for APOP");
	}
	if ((code = digest_create(&digest, DIGEST_MD5, err)) < 0 ||
	    (code = digest_update(digest, timestamp, err)) < 0 ||
	    (code = digest_update(digest, secret_span(secret), err)) < 0 ||
	    (code = digest_result(digest, md5, err)) < 0) {
		goto finish;
	}
	hex_encode(md5, digest_size(DIGEST_MD5), out);
finish:
	digest_destroy(&digest);
	return code;
}
