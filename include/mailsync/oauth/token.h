/*
 * What an authorization server gave an account: the access token of now, the refresh token that
 * gets the next one, and what is needed to ask for it. Without I/O: the file ACCOUNT.token as text,
 * and how fresh it is.
 *
 * The file is one JSON object. `before` is the refresh token that was used last, for one more try
 * where the present one is refused. `grant` is made anew by each `login`, and stays while tokens
 * come and go.
 */
#ifndef MAILSYNC_OAUTH_TOKEN_H
#define MAILSYNC_OAUTH_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/err.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/span.h"
#include "mailsync/oauth/client.h"

#define OAUTH_GRANT_SIZE   33           /* 16 random bytes in hex, NUL included */
#define OAUTH_FILE_MAX     (512 * 1024) /* of the token file: what several replies told */
#define OAUTH_LIFETIME_S   3600         /* where the server does not tell one */
#define OAUTH_LIFETIME_MAX (10LL * 366 * 24 * 3600)

/* The time, as it is to be compared with a token's. */
struct oauth_now {
	int64_t real_s;
	int64_t monotonic_ms;
	char boot[BOOT_ID_SIZE];
};

struct oauth_token {
	struct secret access;
	struct secret refresh; /* not set: the server gave none */
	struct secret before;
	char grant[OAUTH_GRANT_SIZE];
	int64_t granted_s;          /* when `login` got it */
	struct oauth_now received;  /* when the access token came */
	int64_t lifetime_s;         /* of the access token */
	bool is_lifetime_told;      /* else it is a guess */
	char *scope;                /* as granted; NULL: as asked */
	struct oauth_client client; /* where to refresh it, and as whom; the secret of a registered
				      * client only */
	bool is_unsaved;            /* a reply changed it since it was read */
};

void oauth_token_init(struct oauth_token *token);
void oauth_token_finish(struct oauth_token *token);

/* The file. -ERR_LOGIN where TEXT makes no sense; TOKEN is to be finished in any case. */
int oauth_token_read(struct oauth_token *token, struct span text, struct err *err);
/* Appends it; the text holds secrets. */
int oauth_token_write(const struct oauth_token *token, struct buf *text, struct err *err);

/* Whether the access token is good for a while yet: no later than 5 minutes before its end, or
 * 10 % of a short life. Not where the clock says that it comes from the future. */
bool oauth_token_is_fresh(const struct oauth_token *token, const struct oauth_now *now);
/* Wall time of its end. */
int64_t oauth_token_end_s(const struct oauth_token *token);
/* Whether CLIENT may refresh it: same server and same id. */
bool oauth_token_is_of(const struct oauth_token *token, const struct oauth_client *client);

/* Whether its grant may have ended with the 7 days that Google gives to projects in testing: they
 * were over at NOW, and not yet when it was last refreshed. */
bool oauth_token_ended_in_testing(const struct oauth_token *token, const struct oauth_now *now);

/* A reply of the token endpoint, received at NOW, goes into TOKEN; the refresh token that was there
 * becomes `before` when another one came. What cannot be read in it costs nothing else: of a reply
 * without an access token that is of use, -ERR_PROTOCOL, the refresh token is taken all the same:
 * the one before may be spent. */
int oauth_token_take_reply(struct oauth_token *token, struct span text, const struct oauth_now *now,
			   struct err *err);
/* What of SCOPE was asked and not granted, into OUT, separated by blanks. */
void oauth_token_missing(const struct oauth_token *token, const char *scope, struct buf *out);

#endif
