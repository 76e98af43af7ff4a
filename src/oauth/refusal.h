/* What an authorization server's errors mean, a row each. */
#ifndef OAUTH_REFUSAL_H
#define OAUTH_REFUSAL_H

#include "mailsync/base/blot.h"
#include "mailsync/base/err.h"
#include "mailsync/oauth/client.h"

/* The error code NAME with the server's DESCRIPTION (NULL: none), as a sentence with what to do. */
int oauth_refusal_tell(const struct oauth_client *client, const char *name, const char *description,
		       const struct blot *blot, struct err *err);

#endif
