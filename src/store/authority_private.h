/* What an authorization server is asked once there are tokens. */
#ifndef STORE_AUTHORITY_PRIVATE_H
#define STORE_AUTHORITY_PRIVATE_H

#include "mailsync/base/blot.h"
#include "mailsync/base/stop.h"
#include "mailsync/oauth/client.h"
#include "mailsync/oauth/flow.h"
#include "mailsync/oauth/token.h"
#include "mailsync/store/authority.h"

struct authority {
	const struct authority_params *params;
	const stop_flag *stop;
	struct oauth_client client;
	struct blot blot; /* what its words must not show */
};

/* With the refresh token REFRESH of TOKEN, which takes what comes. *REFUSAL: how it failed. */
int authority_refresh(struct authority *authority, const struct secret *refresh,
		      struct oauth_token *token, enum oauth_refusal *refusal, struct err *err);
/* Tells the server that the grant of TOKEN is over. 0 too where it takes no such word. */
int authority_revoke(struct authority *authority, const struct oauth_token *token, struct err *err);

/* The time as tokens are dated with it. */
void authority_now(struct oauth_now *now);

#endif
