/*
 * SCRAM (RFC 5802, 7677) and its -PLUS forms (RFC 5929, 9266).
 *
 * S1. The server's nonce begins with ours and is longer.
 * S2. The login is good only when the server's signature was right: an OK without it is refused.
 * S3. The server cannot make us compute for long: the iteration count has a maximum.
 */
#include "sasl_private.h"

#include <string.h>

#define ITERATIONS_MAX 10000000u
#define SALT_MAX       1024
#define HEADER_MAX     1024

/* saslname: "," and "=" have a meaning of their own. */
void sasl_append_name(struct buf *out, const char *user)
{
	for (; *user != '\0'; user++) {
		if (*user == ',') {
			buf_append_cstr(out, "=2C");
		} else if (*user == '=') {
			buf_append_cstr(out, "=3D");
		} else {
			buf_append_char(out, *user);
		}
	}
}

static bool binds(const struct sasl *sasl)
{
	return (sasl->row->marks & AUTH_NEEDS_BINDING) != 0;
}

/* gs2-header: "y" says that we could bind to the channel and saw no -PLUS offered, so that a
 * server that did offer it notices that somebody took it out. */
static void append_header(const struct sasl *sasl, struct buf *out)
{
	if (binds(sasl)) {
		buf_printf(out, "p=%s,,", sasl->params.binding_name);
	} else {
		buf_append_cstr(out, sasl->params.binding.len > 0 ? "y,," : "n,,");
	}
}

static int client_first(struct sasl *sasl, struct buf *response, struct err *err)
{
	struct buf *bare = &sasl->scram.bare;

	buf_clear(bare);
	buf_append_cstr(bare, "n=");
	sasl_append_name(bare, sasl->params.user);
	buf_append_cstr(bare, ",r=");
	buf_append_span(bare, sasl->params.nonce);
	append_header(sasl, response);
	buf_append_span(response, buf_span(bare));
	return buf_status(bare, "an answer of the login", err);
}

/* Takes "NAME=value" and a comma behind it from the front of REST. */
static bool attribute_take(struct span *rest, char name, struct span *value)
{
	const char *comma;
	size_t len;

	if (rest->len < 2 || rest->data[0] != name || rest->data[1] != '=') {
		return false;
	}
	comma = memchr(rest->data, ',', rest->len);
	len = comma != NULL ? (size_t)(comma - rest->data) : rest->len;
	*value = (struct span){rest->data + 2, len - 2};
	len += comma != NULL ? 1 : 0;
	rest->data += len;
	rest->len -= len;
	return true;
}

struct server_first {
	struct span nonce;
	struct span salt; /* base64 */
	uint32_t iterations;
};

/* "r=...,s=...,i=..." and extensions that may be ignored; a mandatory one ("m=") comes first and
 * so does not match. */
static bool server_first_parse(const struct sasl *sasl, struct span challenge,
			       struct server_first *first)
{
	struct span ours = sasl->params.nonce;
	struct span count;

	return attribute_take(&challenge, 'r', &first->nonce) &&
	       attribute_take(&challenge, 's', &first->salt) &&
	       attribute_take(&challenge, 'i', &count) && first->salt.len > 0 &&
	       span_to_u32(count, &first->iterations) && first->iterations >= 1 &&
	       first->nonce.len > ours.len && memcmp(first->nonce.data, ours.data, ours.len) == 0;
}

/* client-final-message-without-proof */
static int final_bare(const struct sasl *sasl, struct span nonce, struct buf *out, struct err *err)
{
	struct buf binding;

	buf_init(&binding, HEADER_MAX);
	append_header(sasl, &binding);
	if (binds(sasl)) {
		buf_append_span(&binding, sasl->params.binding);
	}
	buf_append_cstr(out, "c=");
	base64_encode(buf_span(&binding), out);
	buf_append_cstr(out, ",r=");
	buf_append_span(out, nonce);
	int code = buf_status(&binding, "the channel binding", err);
	buf_finish(&binding);
	return code;
}

/* The proof for the server, and what its own must be, from SaltedPassword and AuthMessage. */
static int proofs_make(struct sasl *sasl, const uint8_t *salted, struct span auth, uint8_t *proof,
		       struct err *err)
{
	enum digest_kind kind = sasl->scram.digest;
	size_t size = digest_size(kind);
	struct span salted_span = {(const char *)salted, size};
	uint8_t client_key[DIGEST_MAX_SIZE];
	uint8_t key[DIGEST_MAX_SIZE]; /* StoredKey, then ServerKey */
	uint8_t signature[DIGEST_MAX_SIZE];
	struct span client_span = {(const char *)client_key, size};
	struct span key_span = {(const char *)key, size};
	int code;

	if ((code = digest_hmac(kind, salted_span, SPAN_LIT("Client Key"), client_key, err)) < 0 ||
	    (code = digest_of(kind, client_span, key, err)) < 0 ||
	    (code = digest_hmac(kind, key_span, auth, signature, err)) < 0 ||
	    (code = digest_hmac(kind, salted_span, SPAN_LIT("Server Key"), key, err)) < 0 ||
	    (code = digest_hmac(kind, key_span, auth, sasl->scram.server_signature, err)) < 0) {
		goto finish;
	}
	for (size_t i = 0; i < size; i++) {
		proof[i] = client_key[i] ^ signature[i];
	}
finish:
	secret_wipe(client_key, sizeof(client_key));
	secret_wipe(key, sizeof(key));
	secret_wipe(signature, sizeof(signature)); /* with the proof it is the client's key */
	return code;
}

static int password_salt(const struct sasl *sasl, const struct server_first *first, uint8_t *salted,
			 struct err *err)
{
	struct buf salt;
	int code;

	buf_init(&salt, SALT_MAX);
	if (base64_decode(first->salt, &salt, err) != 0 || salt.len == 0) {
		code = sasl_unexpected(sasl, err);
	} else {
		code = digest_pbkdf2(sasl->scram.digest, secret_span(sasl->params.secret),
				     buf_span(&salt), first->iterations, salted, err);
	}
	buf_finish(&salt);
	return code;
}

/* AuthMessage: what all three messages said. */
static int auth_message(const struct sasl *sasl, struct span challenge, struct span final,
			struct buf *out, struct err *err)
{
	buf_append_span(out, buf_span(&sasl->scram.bare));
	buf_append_char(out, ',');
	buf_append_span(out, challenge);
	buf_append_char(out, ',');
	buf_append_span(out, final);
	return buf_status(out, "the login's messages", err);
}

/* "e=...": the server's NO follows our empty answer. What it says of the TLS connection is no word
 * about user or password. */
static int server_error(struct sasl *sasl, struct span text, struct err *err)
{
	sasl_keep_error(sasl, text);
	if (span_equal_cstr(text, "channel-bindings-dont-match")) {
		return err_set(err, ERR_SERVER, SCOPE_ACCOUNT,
			       "the server's TLS connection is not ours (%s: the channel bindings "
			       "do not match): something between us ends it, or listens; where "
			       "that is a proxy of the server's own, set `auth = plain`",
			       sasl->row->name);
	}
	if (span_equal_cstr(text, "server-does-support-channel-binding")) {
		return err_set(err, ERR_SERVER, SCOPE_ACCOUNT,
			       "the server can bind a login to its connection, and its offer to do "
			       "so (%s-PLUS) did not reach us: something between us took it out",
			       sasl->row->name);
	}
	return 0;
}

static int client_final(struct sasl *sasl, struct span challenge, struct buf *response,
			struct err *err)
{
	struct server_first first;
	struct span said;
	struct buf auth;
	uint8_t salted[DIGEST_MAX_SIZE];
	uint8_t proof[DIGEST_MAX_SIZE];
	int code;

	if (attribute_take(&challenge, 'e', &said)) {
		return server_error(sasl, said, err);
	}
	if (!server_first_parse(sasl, challenge, &first)) {
		return sasl_unexpected(sasl, err);
	}
	if (first.iterations > ITERATIONS_MAX) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server asks for %lu rounds of %s, more than %u are refused",
			       (unsigned long)first.iterations, sasl->row->name, ITERATIONS_MAX);
	}
	buf_init(&auth, 4 * SASL_CHALLENGE_MAX);
	if ((code = final_bare(sasl, first.nonce, response, err)) < 0 ||
	    (code = auth_message(sasl, challenge, buf_span(response), &auth, err)) < 0 ||
	    (code = password_salt(sasl, &first, salted, err)) < 0 ||
	    (code = proofs_make(sasl, salted, buf_span(&auth), proof, err)) < 0) {
		goto finish;
	}
	buf_append_cstr(response, ",p=");
	base64_encode((struct span){(const char *)proof, digest_size(sasl->scram.digest)},
		      response);
finish:
	secret_wipe(salted, sizeof(salted));
	buf_finish(&auth);
	return code;
}

static bool signature_matches(const struct sasl *sasl, struct span theirs)
{
	size_t size = digest_size(sasl->scram.digest);
	uint8_t difference = 0;
	size_t i;

	if (theirs.len != size) {
		return false;
	}
	for (i = 0; i < size; i++) {
		difference |= (uint8_t)theirs.data[i] ^ sasl->scram.server_signature[i];
	}
	return difference == 0;
}

/* "v=..." must be right. */
static int server_final(struct sasl *sasl, struct span challenge, struct err *err)
{
	struct buf signature;
	struct span value;
	struct err ignored;

	if (attribute_take(&challenge, 'e', &value)) {
		return server_error(sasl, value, err);
	}
	if (!attribute_take(&challenge, 'v', &value)) {
		return sasl_unexpected(sasl, err);
	}
	err_clear(&ignored);
	buf_init(&signature, 2 * DIGEST_MAX_SIZE);
	sasl->is_proven = base64_decode(value, &signature, &ignored) == 0 &&
			  signature_matches(sasl, buf_span(&signature));
	buf_finish(&signature);
	return sasl->is_proven ? 0 : sasl_check_done(sasl, err);
}

bool sasl_is_binding_refused(const struct sasl *sasl)
{
	struct span said = span_of(sasl_error_text(sasl));

	return binds(sasl) &&
	       (sasl->steps < 2 || span_equal_cstr(said, "unsupported-channel-binding-type") ||
		span_equal_cstr(said, "channel-binding-not-supported"));
}

static int scram_step(struct sasl *sasl, struct span challenge, struct buf *response,
		      struct err *err)
{
	switch (sasl->steps) {
	case 0:
		return client_first(sasl, response, err);
	case 1:
		return client_final(sasl, challenge, response, err);
	case 2:
		return server_final(sasl, challenge, err);
	default:
		return sasl_unexpected(sasl, err);
	}
}

int sasl_scram_sha_1_step(struct sasl *sasl, struct span challenge, struct buf *response,
			  struct err *err)
{
	sasl->scram.digest = DIGEST_SHA1;
	return scram_step(sasl, challenge, response, err);
}

int sasl_scram_sha_256_step(struct sasl *sasl, struct span challenge, struct buf *response,
			    struct err *err)
{
	sasl->scram.digest = DIGEST_SHA256;
	return scram_step(sasl, challenge, response, err);
}
