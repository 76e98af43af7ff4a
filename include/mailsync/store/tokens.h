/*
 * An account's access tokens, for its session: from its token file while they are fresh, else
 * refreshed. Processes and threads that refresh at once take turns, and all but the first find what
 * it got.
 *
 *     tokens_create(&tokens, &params, &err)
 *     tokens_take(tokens, refused, stop, &token, &err)      at each login
 *     tokens_destroy(&tokens)
 *
 *     tokens_keep(&params, &token, stop, &err)     after a sign-in
 *     tokens_forget(&params, stop, ...)            sign out
 *
 * A refresh token that the server says is dead may have been used by somebody else a moment ago:
 * that is believed only after the file was read again, and the token before it was tried, too. The
 * file is not removed for it. Any thread.
 */
#ifndef MAILSYNC_STORE_TOKENS_H
#define MAILSYNC_STORE_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/stop.h"
#include "mailsync/base/strlist.h"

struct authority_params;
struct oauth_token;
struct tokens;

/* PARAMS is borrowed until tokens_destroy. */
int tokens_create(struct tokens **tokens, const struct authority_params *params, struct err *err);
void tokens_destroy(struct tokens **tokens);

/* Sets ACCESS to an access token that is fresh, and another one than REFUSED (NULL: none was).
 * *END_S (may be NULL): wall time of its end. -ERR_LOGIN, with the command to run, when there is
 * none to be had; -ERR_TEMPORARY, -ERR_CONFIG and others as the authorization server has it;
 * -ERR_LOCAL when the next token cannot be kept: then it is not used either. */
int tokens_take(struct tokens *tokens, const struct secret *refused, const stop_flag *stop,
		struct secret *access, int64_t *end_s, struct err *err);
/* What stands for the token file as it is: whether it is another one since. */
int tokens_mark(struct tokens *tokens, struct secret *mark, struct err *err);
/* What of SCOPE, which a mail server asks for, was not granted, into OUT. */
void tokens_missing(struct tokens *tokens, const char *scope, struct buf *out);
/* The scope without which PARAMS' account reads no mail, where it was not granted, into OUT. */
void tokens_lacking(struct tokens *tokens, struct buf *out);
/* Adds what is known of them as lines for people. */
int tokens_explain(struct tokens *tokens, struct strlist *lines, struct err *err);

/* TOKEN takes the place of what was there. */
int tokens_keep(const struct authority_params *params, const struct oauth_token *token,
		const stop_flag *stop, struct err *err);
/* Revokes what was given out, where the server takes that, and removes the file in any case.
 * *WAS_THERE: there was one. -ERR_PARTIAL: it is forgotten here only. */
int tokens_forget(const struct authority_params *params, const stop_flag *stop, bool *was_there,
		  struct err *err);

#endif
