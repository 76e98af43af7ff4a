/*
 * SASL (RFC 4422) without I/O: which mechanism to try, and its messages. The caller does base64
 * and framing. Randomness comes in as an argument. The mechanisms are those of base/auth.h; the
 * commands that are no SASL exchange (LOGIN, USER and PASS, APOP) are chosen here all the same.
 *
 *     for (;;) {   mech = sasl_choose(wish, &offer, tried);
 *       sasl_create(&sasl, mech, &params, &err);
 *       initial = sasl_has_initial(sasl)  -> sasl_step(sasl, SPAN_LIT(""), &response)
 *       each challenge: sasl_step(sasl, challenge, &response)
 *       at the server's OK: sasl_check_done(sasl) -- SCRAM must have seen the server's proof
 *     }
 */
#ifndef MAILSYNC_PROTO_SASL_H
#define MAILSYNC_PROTO_SASL_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/auth.h"
#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/span.h"

/* "SCRAM-SHA-256". */
const char *sasl_name(enum auth mech);
/* The exchange of that name, in any case; AUTH_NONE where none is known, such as libcurl's. */
enum auth sasl_by_name(struct span name);

struct sasl_offer {
	unsigned mechs;    /* AUTH_BIT of each advertised, and of AUTH_COMMAND and AUTH_APOP */
	bool is_protected; /* TLS, loopback or a tunnel: a password may be sent in clear */
	bool has_binding;  /* the connection can be bound to */
	bool has_token;    /* the secret is an access token */
};

/* What to try next. WANTED: what the `auth` key asks for. AUTH_AUTO takes the strongest of those
 * that it may take, with a token only those that take one; a mechanism that is named gives way to
 * its own forms only (scram-sha-256: first its -PLUS; login: AUTHENTICATE LOGIN, else the LOGIN
 * command). TRIED: a set not to choose from again. AUTH_NONE when nothing is left. */
enum auth sasl_choose(enum auth wanted, const struct sasl_offer *offer, unsigned tried);

struct sasl_params {
	const char *user;
	const struct secret *secret; /* password, or access token */
	const char *host;            /* OAUTHBEARER */
	unsigned port;
	struct span nonce; /* SCRAM: printable ASCII but comma, 18 bytes or more */
	/* SCRAM -PLUS: the channel binding data; its name next. For a plain SCRAM: non-empty where
	 * we could bind, and take it that the server cannot, which it is then told ("y,,") so that
	 * it notices a stripped offer. */
	struct span binding;
	const char *binding_name; /* "tls-server-end-point" */
};

struct sasl;

/* PARAMS' pointers must stay valid as long as the exchange. -ERR_LOGIN for a user or password
 * that the mechanism cannot carry (NUL). */
int sasl_create(struct sasl **sasl, enum auth mech, const struct sasl_params *params,
		struct err *err);
void sasl_destroy(struct sasl **sasl);
/* True when the client speaks first (all but LOGIN and CRAM-MD5). */
bool sasl_has_initial(const struct sasl *sasl);
/* Answers a decoded challenge (empty for the initial response) into RESPONSE (cleared first; it
 * holds secrets). -ERR_PROTOCOL for a challenge that makes no sense, -ERR_SERVER for a SCRAM
 * server that cannot prove that it knows the password. XOAUTH2 and OAUTHBEARER answer the error
 * challenge so that the server's NO follows; sasl_error_text then has its words. */
int sasl_step(struct sasl *sasl, struct span challenge, struct buf *response, struct err *err);
int sasl_check_done(const struct sasl *sasl, struct err *err);
/* The server's own error report in the exchange (JSON of the OAuth mechanisms, e= of SCRAM), or
 * "". */
const char *sasl_error_text(const struct sasl *sasl);

/* After the server's refusal of SCRAM -PLUS: true where it is due to the kind of channel binding,
 * not to user or password; the server said so, or could not know our proof yet. */
bool sasl_is_binding_refused(const struct sasl *sasl);

/* APOP (RFC 1939 7): the digest in hex from the greeting's <timestamp>; -ERR_PROTOCOL where there
 * is none. */
int sasl_apop(struct span greeting, const struct secret *secret, char out[33], struct err *err);

#endif
