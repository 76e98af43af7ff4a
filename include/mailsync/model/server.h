/* Where a server is and how to get in: what a connection and a login need. Borrowed strings; NULL
 * where unset. */
#ifndef MAILSYNC_MODEL_SERVER_H
#define MAILSYNC_MODEL_SERVER_H

#include <stdbool.h>

#include "mailsync/base/auth.h"
#include "mailsync/base/err.h"
#include "mailsync/base/progress.h"
#include "mailsync/base/strlist.h"

enum server_tls {
	SERVER_TLS_IMPLICIT,
	SERVER_TLS_STARTTLS,
	SERVER_TLS_NONE
};
enum server_compress {
	SERVER_COMPRESS_NO,
	SERVER_COMPRESS_YES,
	SERVER_COMPRESS_AUTO
};

/* The usual causes of a refusal at the provider, in the order in which they are told. */
enum server_help {
	SERVER_HELP_OAUTH_ONLY,
	SERVER_HELP_CODE,
	SERVER_HELP_IMAP_OFF,
	SERVER_HELP_APP_PASSWORD,
	SERVER_HELP_REGION,
	SERVER_HELP_CONNECT, /* of a connection that is refused */
	SERVER_HELP_COUNT
};

struct credential;
struct tls_cache;
struct trust;

struct server {
	const char *host;
	unsigned port;
	enum server_tls tls;
	const char *ca_file;
	const struct trust *trust;   /* ca_file, or the system's, read before; NULL: it was not */
	struct tls_cache *tls_cache; /* the run's; NULL: each handshake is a whole one */
	const char *cert_file;
	const char *key_file;
	const char *pin_sha256;
	int tls_min; /* 12 or 13 */
	const char *proxy;
	const char *tunnel;
	int timeout_s;
	const char *user;
	enum auth auth;
	bool has_token; /* what the credential gives is an access token, whatever `auth` says */
	struct credential *credential; /* asked at each login (store/credential.h); NULL: none */
	enum server_compress compress;
	const struct strlist *disabled; /* capabilities not to use, upper case */
	/* Sentences that end with the page to open; NULL: none. */
	const char *help[SERVER_HELP_COUNT];
	struct progress *progress; /* counted into by all connections; NULL: nobody looks */
};

/*
 * Whose mail an account has: a hash of user and host (or tunnel), to be compared with that of an
 * earlier run. Not of the port: tunnels and forwarded ports come and go. A hash, as a tunnel's
 * command may hold a password.
 */
#define SERVER_FINGERPRINT_SIZE 33 /* 16 bytes in hex, NUL included */
int server_fingerprint(const struct server *server, char out[SERVER_FINGERPRINT_SIZE],
		       struct err *err);
/* Everything but the secret that a login goes by: address, port, TLS, user, mechanism, way. */
int server_login_fingerprint(const struct server *server, char out[SERVER_FINGERPRINT_SIZE],
			     struct err *err);

#endif
