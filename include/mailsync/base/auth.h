/*
 * The ways to log in, one row each and the strongest first: the words of the key `auth`, what may
 * be asked of a configuration that names them, what `auto` tries in which order, and which function
 * carries the exchange out (src/proto/sasl.c) all come from this table.
 *
 * To add a mechanism of SASL: a row, and src/proto/sasl_NAME.c with `sasl_NAME_step`.
 */
#ifndef MAILSYNC_BASE_AUTH_H
#define MAILSYNC_BASE_AUTH_H

/* Marks of a row. */
#define AUTH_HAS_INITIAL   (1u << 0) /* the client speaks first */
#define AUTH_NEEDS_BINDING (1u << 1) /* only where channel binding data is known */
#define AUTH_SENDS_SECRET  (1u << 2) /* the secret itself goes over the wire */
#define AUTH_PROVES_SERVER (1u << 3) /* the server's OK counts only after its proof */
#define AUTH_TAKES_TOKEN   (1u << 4) /* the secret is an access token */
#define AUTH_NO_SECRET     (1u << 5) /* goes without user and secret */
#define AUTH_ASKED_ONLY    (1u << 6) /* never taken by `auto` */
#define AUTH_POP3_ONLY     (1u << 7)
#define AUTH_BY_LIBCURL    (1u << 8) /* libcurl logs in while it connects: not in a tunnel */

/*
 * ROW(id, word of `auth`, name, step, marks); or, for what has no word of its own, FORM(id, row
 * whose word asks for this, too, name, step, marks). The step is the exchange's function: `plain`
 * is sasl_plain_step. It is `none` for commands of the protocol, and where libcurl logs in.
 *
 * APOP keeps the password from going over the wire in clear, and is worth no more than that. Where
 * TLS does that, APOP comes last, since servers announce it for users who cannot use it.
 */
/* clang-format off */
#define AUTH_TABLE(ROW, FORM) \
	FORM(SCRAM_SHA_256_PLUS, SCRAM_SHA_256, "SCRAM-SHA-256-PLUS", scram_sha_256, \
	     AUTH_HAS_INITIAL | AUTH_PROVES_SERVER | AUTH_NEEDS_BINDING) \
	FORM(SCRAM_SHA_1_PLUS, SCRAM_SHA_1, "SCRAM-SHA-1-PLUS", scram_sha_1, \
	     AUTH_HAS_INITIAL | AUTH_PROVES_SERVER | AUTH_NEEDS_BINDING) \
	ROW(SCRAM_SHA_256, "scram-sha-256", "SCRAM-SHA-256", scram_sha_256, \
	    AUTH_HAS_INITIAL | AUTH_PROVES_SERVER) \
	ROW(SCRAM_SHA_1, "scram-sha-1", "SCRAM-SHA-1", scram_sha_1, \
	    AUTH_HAS_INITIAL | AUTH_PROVES_SERVER) \
	ROW(CRAM_MD5, "cram-md5", "CRAM-MD5", cram_md5, 0) \
	ROW(PLAIN, "plain", "PLAIN", plain, AUTH_HAS_INITIAL | AUTH_SENDS_SECRET) \
	ROW(LOGIN, "login", "LOGIN", login, AUTH_SENDS_SECRET) \
	FORM(COMMAND, LOGIN, "LOGIN command", none, AUTH_SENDS_SECRET) /* POP3: USER and PASS */ \
	ROW(APOP, "apop", "APOP", none, AUTH_POP3_ONLY) \
	ROW(OAUTHBEARER, "oauthbearer", "OAUTHBEARER", oauthbearer, \
	    AUTH_HAS_INITIAL | AUTH_SENDS_SECRET | AUTH_TAKES_TOKEN | AUTH_ASKED_ONLY) \
	ROW(XOAUTH2, "xoauth2", "XOAUTH2", xoauth2, \
	    AUTH_HAS_INITIAL | AUTH_SENDS_SECRET | AUTH_TAKES_TOKEN | AUTH_ASKED_ONLY) \
	ROW(EXTERNAL, "external", "EXTERNAL", external, \
	    AUTH_HAS_INITIAL | AUTH_NO_SECRET | AUTH_ASKED_ONLY) \
	ROW(GSSAPI, "gssapi", "GSSAPI", none, AUTH_NO_SECRET | AUTH_ASKED_ONLY | AUTH_BY_LIBCURL) \
	ROW(NTLM, "ntlm", "NTLM", none, AUTH_ASKED_ONLY | AUTH_BY_LIBCURL)
/* clang-format on */

#define AUTH_ID(id, ...) AUTH_##id,
enum auth {
	AUTH_NONE = 0,
	AUTH_AUTO = AUTH_NONE, /* as a wish: the strongest on offer */
	AUTH_TABLE(AUTH_ID, AUTH_ID) AUTH_COUNT
};
#undef AUTH_ID

/* A set of mechanisms is an `unsigned` of these. */
#define AUTH_BIT(mech) (1u << (mech))

struct auth_row {
	const char *name;   /* on the wire: "SCRAM-SHA-256" */
	const char *word;   /* of `auth`; NULL where only another row's asks for it */
	enum auth asked_as; /* the row whose word asks for it: itself, or that other */
	unsigned marks;
};

/* MECH's row; that of AUTH_NONE has the word "auto", an empty name and no marks. */
const struct auth_row *auth_row(enum auth mech);

#endif
