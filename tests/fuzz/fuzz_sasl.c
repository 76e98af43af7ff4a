/* A server's challenges, lines of any bytes: no crash, and no login counts as done that the server
 * has not proved. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/proto/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_exchange(enum auth mech)
{
	return sasl_by_name(span_of(sasl_name(mech))) == mech;
}

static bool needs_proof(enum auth mech)
{
	return (auth_row(mech)->marks & AUTH_PROVES_SERVER) != 0;
}

/* The first byte chooses the mechanism; the rest are challenges, each up to a line feed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct secret secret;
	struct sasl *sasl = NULL;
	struct buf response;
	struct err err;

	if (size == 0) {
		return 0;
	}
	enum auth mech = (enum auth)(1 + data[0] % (AUTH_COUNT - 1));
	struct span rest = {(const char *)data + 1, size - 1};
	char digest[33];
	secret_init(&secret);
	if (secret_set(&secret, SPAN_LIT("pencil"), &err) < 0) {
		abort();
	}
	(void)sasl_apop(rest, &secret, digest, &err);
	(void)sasl_by_name(rest);
	struct sasl_params params = {
		.user = "user",
		.secret = &secret,
		.host = "mail.example.org",
		.port = 993,
		.nonce = SPAN_LIT("fyko+d2lbbFgONRv9qkxdawL"),
		.binding = SPAN_LIT("0123456789abcdef0123456789abcdef"),
		.binding_name = "tls-server-end-point",
	};
	buf_init(&response, 1u << 20);
	if (is_exchange(mech) && sasl_create(&sasl, mech, &params, &err) == 0) {
		int code =
			sasl_has_initial(sasl) ? sasl_step(sasl, SPAN_LIT(""), &response, &err) : 0;
		while (code == 0 && rest.len > 0) {
			const char *end = memchr(rest.data, '\n', rest.len);
			size_t len = end == NULL ? rest.len : (size_t)(end - rest.data);
			code = sasl_step(sasl, (struct span){rest.data, len}, &response, &err);
			len += end != NULL;
			rest.data += len;
			rest.len -= len;
		}
		/* The proof hangs on the nonce above and on iterated HMACs: not to be hit upon. */
		assert(!needs_proof(mech) || sasl_check_done(sasl, &err) < 0);
		assert(strlen(sasl_error_text(sasl)) < 4096);
	}
	sasl_destroy(&sasl);
	buf_finish_secret(&response);
	secret_finish(&secret);
	return 0;
}
