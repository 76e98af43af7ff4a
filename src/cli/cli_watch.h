/*
 * `watch`: one process that stays and syncs its accounts as either side changes. One thread waits,
 * for all of them; what takes time is done in others (cli_watched.h).
 */
#ifndef MAILSYNC_CLI_WATCH_H
#define MAILSYNC_CLI_WATCH_H

#include "mailsync/conf/conf.h"
#include "cli_options.h"

/* Until a signal, or until no account is left to be watched; the exit status. CONF is taken
 * over, for the file may be read again. */
int cli_watch(const struct cli_options *options, struct conf **conf);

#endif
