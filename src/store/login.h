/*
 * What IMAP and POP3 have in common on the way in: the account's secret, the settings of a
 * connection, and which mechanism is next.
 *
 *     login_begin(&login, server)
 *     login_connect(&login, &conn_params, &conn, &err)     asks for the secret, then connects
 *     while ((mech = login_next(&login, &offer)) != AUTH_NONE)
 *             login_exchange(&login, mech, &sasl, &err)     or a command of the protocol
 *     login_binding_refused(&login, sasl) after a refusal: goes on to the next all the same
 *     login_refused(&login, &err)         where the server would not have the secret
 *     login_finish(&login)
 */
#ifndef STORE_LOGIN_H
#define STORE_LOGIN_H

#include "login_binding.h"
#include "mailsync/base/blot.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/stop.h"
#include "mailsync/model/server.h"
#include "mailsync/net/conn.h"
#include "mailsync/proto/sasl.h"

#define LOGIN_NONCE_SIZE 37                      /* 18 random bytes in hex, NUL included */
#define LOGIN_LINE_MAX   (SECRET_MAX * 2 + 1024) /* of a line, challenge or response */
#define LOGIN_WORDS_MAX  8192

struct login {
	const struct server *server;
	struct secret secret;         /* wiped by login_finish */
	struct blot *blot;            /* gets what this login sends, and what is made of it */
	enum auth mech;               /* tried last */
	struct sasl_offer offer;      /* it was chosen from */
	unsigned tried;               /* set of mechanisms */
	struct login_binding binding; /* of the connection; once it is there */
	char nonce[LOGIN_NONCE_SIZE];
};

/* BLOT is the connection's, and outlives it. */
void login_begin(struct login *login, const struct server *server, struct blot *blot);
void login_finish(struct login *login);

/* Opens *CONN. PARAMS has protocol, log, label and stop; the rest is filled in here. The secret is
 * asked for before, lest the server's patience runs out meanwhile. Where libcurl logs in it has
 * then done so, and `login_mech` of PARAMS says how. Errors as credential_secret and conn_open. */
int login_connect(struct login *login, struct conn_params *params, struct conn **conn,
		  struct err *err);

/* The mechanism to try next, AUTH_NONE when no other is left. OFFER: what the server offers and how
 * the connection is protected; what it can be bound by is known here. */
enum auth login_next(struct login *login, const struct sasl_offer *offer);
/* After a refusal: true where it was the kind of channel binding that the server would not have, so
 * that login_next gives the same mechanism once more, with another kind, or the form without. */
bool login_binding_refused(struct login *login, const struct sasl *sasl);
/* Why none was ever tried: -ERR_LOGIN. MORE is said behind the offer. */
int login_nothing_fits(const struct login *login, const char *more, struct err *err);
/* Begins the exchange of MECH; *SASL is the caller's, and uses LOGIN. */
int login_exchange(struct login *login, enum auth mech, struct sasl **sasl, struct err *err);
/* Answers the challenge TEXT, in base64 as it came, into RESPONSE, which holds secrets. Errors as
 * sasl_step, and -ERR_PROTOCOL where it is no base64. */
int login_answer(struct login *login, struct sasl *sasl, struct span text, struct buf *response,
		 struct err *err);
enum login_trouble {
	LOGIN_NO_CONNECTION,
	LOGIN_NOT_OFFERED, /* no mechanism that would do */
	LOGIN_REFUSED
};
/* Puts the usual causes of TROUBLE at the account's provider behind the sentence of ERR. */
void login_help(const struct server *server, enum login_trouble trouble, struct err *err);
/* Into OUT: that a password sent as it is (inside TLS) may do where a proof of it was refused;
 * nothing where that cannot be. */
void login_append_another_way(const struct login *login, struct buf *out);
/* For the error of a refusal: what the server said behind it in SASL (NULL: none was tried), with a
 * blank before it, and what to do; into OUT. */
void login_append_words(const struct login *login, const struct sasl *sasl, struct buf *out);
/* Microsoft's words for a token that is right, of a user without a mailbox: in the answer to any
 * command, and in the BYE behind it. */
bool login_is_unconnected(struct span words);
/* -ERR_LOGIN. PROTOCOL: for people. */
int login_unconnected(const struct server *server, const char *protocol, struct err *err);
/* The server refused what it was told, as ERR says: the credential is asked anew next time, and the
 * usual causes are told. */
void login_refused(const struct login *login, struct err *err);
/* After -ERR_LOGIN, in ERR: 1 where a new connection may try once more, as there is another access
 * token now; else what the login came to. */
int login_again(const struct server *server, const stop_flag *stop, struct err *err);

#endif
