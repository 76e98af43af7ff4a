/* pre_sync, on_new and the like: shell commands of the user around an account's sync. */
#ifndef MAILSYNC_CLI_HOOK_H
#define MAILSYNC_CLI_HOOK_H

#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/stop.h"

struct cli_hook {
	const char *key;     /* "pre_sync" */
	const char *command; /* NULL: there is none */
	const char *account;
	uint64_t new_messages;
	const char *changes;   /* a list (store/changes.h); NULL or "": there is none */
	int status;            /* exit status of the account so far */
	const stop_flag *stop; /* non-zero ends it early; NULL: it runs to its end */
};

/* Runs it; its output goes to stderr, since stdout is ours (JSON). A command that fails
 * is -ERR_PARTIAL. */
int cli_hook_run(const struct cli_hook *hook, struct err *err);

#endif
