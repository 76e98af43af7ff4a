/*
 * The requests of the OAuth 2.0 flows (RFC 6749, 7636, 7009, 8628) and what comes back, without
 * I/O. Bodies are forms and hold secrets.
 */
#ifndef MAILSYNC_OAUTH_FLOW_H
#define MAILSYNC_OAUTH_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/blot.h"
#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/span.h"
#include "mailsync/oauth/client.h"

#define OAUTH_WORD_SIZE 44 /* 32 random bytes in base64url, NUL included */

/* What one authorization is bound to. */
struct oauth_flow {
	char state[OAUTH_WORD_SIZE];
	char verifier[OAUTH_WORD_SIZE]; /* a secret (RFC 7636) */
	char *redirect;
};

/* RANDOM: 64 bytes. REDIRECT is copied. */
int oauth_flow_init(struct oauth_flow *flow, const uint8_t random[64], const char *redirect,
		    struct err *err);
void oauth_flow_finish(struct oauth_flow *flow);

/* The address to open. USER becomes the hint of whose login it is. */
int oauth_flow_write_url(const struct oauth_flow *flow, const struct oauth_client *client,
			 const char *user, struct buf *url, struct err *err);

/* What a redirect's query says. */
enum oauth_answer {
	OAUTH_ANSWER_STRAY,  /* it is not the answer to this flow: wait on */
	OAUTH_ANSWER_CODE,   /* CODE is set */
	OAUTH_ANSWER_REFUSED /* ERR is set, as by oauth_refusal_read */
};
enum oauth_answer oauth_flow_read(const struct oauth_flow *flow, const struct oauth_client *client,
				  struct span query, struct secret *code, struct err *err);
/* The query in TEXT that somebody pasted: an address whole, or its query alone, with quotes,
 * brackets and blanks around it. */
struct span oauth_query_of(struct span text);

/* Bodies for the token endpoint. */
int oauth_write_code(const struct oauth_flow *flow, const struct oauth_client *client,
		     const struct secret *code, struct buf *body, struct err *err);
int oauth_write_refresh(const struct oauth_client *client, const struct secret *refresh,
			struct buf *body, struct err *err);
int oauth_write_revoke(const struct oauth_client *client, const struct secret *token,
		       struct buf *body, struct err *err);
/* What stands in the header Authorization, a secret; empty: nothing does. */
int oauth_write_basic(const struct oauth_client *client, struct buf *out, struct err *err);

/* A refusal of the authorization server. */
enum oauth_refusal {
	OAUTH_REFUSED,         /* the error says what */
	OAUTH_REFUSED_GRANT,   /* invalid_grant: the refresh token is dead, or was used */
	OAUTH_REFUSED_PENDING, /* device flow: ask again */
	OAUTH_REFUSED_SLOWLY   /* device flow: ask again, and 5 s less often from now on */
};

/* The device flow. */
struct oauth_device {
	struct secret code;
	char *user_code;
	char *url;       /* to open */
	char *whole_url; /* with the code in it; NULL */
	int64_t lifetime_s;
	int interval_s;
	enum oauth_refusal refusal; /* of the last time that it was asked for a token */
};
void oauth_device_init(struct oauth_device *device);
void oauth_device_finish(struct oauth_device *device);
int oauth_write_device(const struct oauth_client *client, struct buf *body, struct err *err);
int oauth_device_read(struct oauth_device *device, struct span text, struct err *err);
int oauth_write_poll(const struct oauth_client *client, const struct oauth_device *device,
		     struct buf *body, struct err *err);

/* True for a reply that is an error whatever its status says: some send 200 all the same. */
bool oauth_reply_is_error(struct span text);
/* The reply STATUS with TEXT, that is none of success, as a sentence with what to do: -ERR_LOGIN,
 * -ERR_CONFIG (this client), -ERR_TEMPORARY or -ERR_SERVER in ERR. BLOT: what of the server's words
 * is not to be shown. RETRY_S: what Retry-After says; 0: nothing. */
struct oauth_reply {
	long status;
	struct span text;
	long retry_s;
};
enum oauth_refusal oauth_refusal_read(const struct oauth_client *client,
				      const struct oauth_reply *reply, const struct blot *blot,
				      struct err *err);

/* What a mail server says of a token that it does not take (RFC 7628, and XOAUTH2's). */
struct oauth_challenge {
	long status;     /* 0: none */
	char scope[256]; /* "": none */
};
/* False when TEXT is no such object. */
bool oauth_challenge_read(struct span text, struct oauth_challenge *challenge);

#endif
