/*
 * The hooks behind an account's sync, in this order: on_new, on_change, post_sync, on_error. Two
 * runs' hooks of one account never run at once: a run waits for those of the one before. Inside a
 * hook of that account they do not run: what calls mailsync would be called again.
 */
#ifndef MAILSYNC_CLI_HOOKS_H
#define MAILSYNC_CLI_HOOKS_H

#include <stdbool.h>

#include "mailsync/base/stop.h"
#include "mailsync/conf/conf.h"
#include "mailsync/sync/sync.h"

struct cli_hooks {
	const struct conf_account *conf;
	const char *state_dir;
	const char *changes;   /* the list of changes (store/changes.h); NULL: none is kept */
	const stop_flag *stop; /* non-zero ends the wait for another run's hooks */
	bool is_ready;         /* pre_sync made ready, and a sync ran: else on_error alone */
	bool was_told;         /* of that error before: not on_error */
};

/* True where a list of changes is to be kept for them. */
bool cli_hooks_want_changes(const struct conf_account *conf);
/* Runs them; what fails is added to REPORT, and to *STATUS where that is 0. */
void cli_hooks_run(const struct cli_hooks *hooks, struct report *report, int *status);

#endif
