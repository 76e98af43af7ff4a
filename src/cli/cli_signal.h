/*
 * Signals: SIGINT, SIGTERM and SIGHUP ask for an end once, and end the process when they come
 * again; SIGPIPE is ignored, so that a closed pipe is an error of the write. In a program that
 * stays SIGHUP and SIGUSR1 ask for something else, and each signal makes a descriptor readable, so
 * that a wait ends.
 */
#ifndef MAILSYNC_CLI_SIGNAL_H
#define MAILSYNC_CLI_SIGNAL_H

#include "mailsync/base/err.h"
#include "mailsync/base/stop.h"

enum cli_signal {
	CLI_SIGNAL_RELOAD = 1 << 0, /* SIGHUP */
	CLI_SIGNAL_NOW = 1 << 1     /* SIGUSR1 */
};

void cli_signal_install(void);
/* Non-zero once an end was asked for. */
const stop_flag *cli_signal_stop(void);

/* From now on this is a program that stays. */
int cli_signal_stay(struct err *err);
/* Readable once something was asked for, or cli_signal_wake was called. */
int cli_signal_fd(void);
/* Ends the wait of who polls that descriptor; from any thread. */
void cli_signal_wake(void);
/* What was asked for since the last call (enum cli_signal); the descriptor is not readable then. */
unsigned cli_signal_take(void);

#endif
