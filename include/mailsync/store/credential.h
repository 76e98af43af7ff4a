/*
 * Where an account's secret comes from. A connection asks its *credential* each time it logs in:
 * a password is copied; a file is read anew, so that a change counts from the next login on; a
 * command runs once a session, however many connections log in, and again after the server refused
 * what it gave; an access token is taken from the account's tokens (tokens.h), which refresh it.
 *
 *     credential_create(&credential, &params, &err)          an account's, for its session
 *     credential_secret(credential, stop, &secret, &err)     at each login
 *     credential_refused(credential, &secret)                the server would not have it
 *     credential_renew(credential, stop, &err)               is there another one now?
 *     credential_destroy(&credential)
 *
 * Any thread may ask at any time. While an account's command runs, its other logins wait for it.
 */
#ifndef MAILSYNC_STORE_CREDENTIAL_H
#define MAILSYNC_STORE_CREDENTIAL_H

#include <pthread.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/log.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/span.h"
#include "mailsync/base/stop.h"
#include "mailsync/base/strlist.h"

enum credential_kind {
	CREDENTIAL_PASSWORD,
	CREDENTIAL_COMMAND, /* the first line that it prints, as soon as it is there */
	CREDENTIAL_FILE,    /* its first line */
	CREDENTIAL_OAUTH    /* an access token */
};

struct tokens;

/* All borrowed, until credential_destroy. */
struct credential_params {
	enum credential_kind kind;
	const char *account;           /* whose it is, for errors */
	const char *key;               /* what asks for it, for errors: "password_command" */
	const struct secret *password; /* may be empty: none is needed */
	const char *command;           /* for /bin/sh -c; its stdin is /dev/null, its stderr ours */
	const char *file;
	struct tokens *tokens; /* of CREDENTIAL_OAUTH */
	/* The command's line has to come within so many seconds; 0: whenever (somebody is there to
	 * be asked). With a limit the command has a process group of its own, which is ended when
	 * it is over. */
	int timeout_s;
	/* Held while a command runs: those of several accounts are not to ask their questions at
	 * once. NULL: none but this account's. */
	pthread_mutex_t *turn;
	struct log *log; /* shows no progress while a command runs; or NULL */
};

struct credential;

int credential_create(struct credential **credential, const struct credential_params *params,
		      struct err *err);
void credential_destroy(struct credential **credential);

/* Sets SECRET, which the caller finishes. -ERR_LOGIN, with the command's status, when it ends
 * without a line or the line is empty; -ERR_TEMPORARY when none came in time; -ERR_LOCAL when it
 * cannot be started; -ERR_INTERRUPTED when *STOP (NULL:
 * never) turned non-zero meanwhile; -ERR_CONFIG when the file cannot be read; of a token as
 * tokens_take has it. */
int credential_secret(struct credential *credential, const stop_flag *stop, struct secret *secret,
		      struct err *err);
/* The server refused a login with SECRET. A command that gave it is asked again next time; if
 * another login has had it asked since, what that got is kept. */
void credential_refused(struct credential *credential, const struct secret *secret);
/* What stands for what the server refused last, as credential_identity has it; NULL: nothing was
 * refused. Belongs to the credential. */
const struct secret *credential_refused_secret(const struct credential *credential);
/* After the refusal of an access token: 1 where another one can be had now, 0 where it is the same;
 * or the error that keeps it from being refreshed. Not for passwords: repeating wrong ones locks
 * accounts. */
int credential_renew(struct credential *credential, const stop_flag *stop, struct err *err);

/* What tells whether it is another one than at the last refusal: the secret, or the token file.
 * Errors as credential_secret. */
int credential_identity(struct credential *credential, const stop_flag *stop,
			struct secret *identity, struct err *err);
/* The account that signs in: another one where it uses that one's token. */
const char *credential_account(const struct credential *credential);
/* What to do about a refused login, into OUT. WORDS: the server's own of a token, JSON; or "". */
void credential_advise(const struct credential *credential, struct span words, struct buf *out);
/* Adds what is known of it as lines for people; nothing for what is no token. */
int credential_explain(const struct credential *credential, struct strlist *lines, struct err *err);

#endif
