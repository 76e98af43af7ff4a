/*
 * SASL (RFC 4422) without I/O: which mechanism to try, and its messages. The caller does base64
 * and framing. Randomness comes in as an argument. Mechanisms: PLAIN (RFC 4616), LOGIN (draft),
 * CRAM-MD5 (RFC 2195), SCRAM-SHA-1, SCRAM-SHA-256 (RFC 5802, 7677) and their -PLUS forms where
 * the caller has channel binding data, XOAUTH2, OAUTHBEARER (RFC 7628), EXTERNAL.
 *
 *     for (;;) {   mech = sasl_choose(&wish, &offer, tried);
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

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/span.h"

enum sasl_mech {
	SASL_NONE = 0,
	SASL_SCRAM_SHA_256_PLUS,
	SASL_SCRAM_SHA_1_PLUS,
	SASL_SCRAM_SHA_256,
	SASL_SCRAM_SHA_1,
	SASL_CRAM_MD5,
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_XOAUTH2,
	SASL_OAUTHBEARER,
	SASL_EXTERNAL,
	SASL_APOP,    /* POP3's APOP command: not a SASL exchange, chosen here all the same */
	SASL_COMMAND, /* IMAP's LOGIN, POP3's USER and PASS: likewise */
	SASL_MECH_COUNT
};

/* "SCRAM-SHA-256". */
const char *sasl_name(enum sasl_mech mech);
enum sasl_mech sasl_by_name(struct span name);

/* Bit sets of mechanisms: 1u << mech. */
struct sasl_offer {
	unsigned mechs;    /* advertised (AUTH=...), and SASL_COMMAND unless LOGINDISABLED */
	bool is_protected; /* TLS, loopback or a tunnel: a password may be sent in clear */
	bool has_binding;  /* channel binding data is known */
};

/* What the `auth` key asks for: 0 for auto (strongest of the password mechanisms first:
 * SCRAM-256-PLUS down to COMMAND; never the OAuth ones or EXTERNAL, which must be asked for),
 * else one mechanism's bit. TRIED: bits not to choose again. SASL_NONE when nothing is left.
 * Asked-for scram-sha-256 includes its -PLUS form. Asked-for plain falls to none other. Asked-for
 * login: AUTHENTICATE LOGIN, else the LOGIN command. */
enum sasl_mech sasl_choose(unsigned wanted, const struct sasl_offer *offer, unsigned tried);

struct sasl_params {
	const char *user;
	const struct secret *secret; /* password, or access token */
	const char *host;            /* OAUTHBEARER */
	unsigned port;
	struct span nonce; /* SCRAM: printable ASCII but comma, 18 bytes or more */
	/* SCRAM -PLUS: the channel binding data; its name next. For a plain SCRAM: non-empty only
	 * where the server offered no -PLUS at all, which it is then told ("y,,") so that it
	 * notices a stripped offer. */
	struct span binding;
	const char *binding_name; /* "tls-server-end-point", "tls-exporter" */
};

struct sasl;

/* PARAMS' pointers must stay valid as long as the exchange. -ERR_LOGIN for a user or password
 * that the mechanism cannot carry (NUL). */
int sasl_create(struct sasl **sasl, enum sasl_mech mech, const struct sasl_params *params,
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

/* APOP (RFC 1939 7): the digest in hex from the greeting's <timestamp>; -ERR_PROTOCOL where there
 * is none. */
int sasl_apop(struct span greeting, const struct secret *secret, char out[33], struct err *err);

#endif
