/* Signals: SIGINT, SIGTERM and SIGHUP ask for an end once, and end the process when they come
 * again; SIGPIPE is ignored, so that a closed pipe is an error of the write. */
#ifndef MAILSYNC_CLI_SIGNAL_H
#define MAILSYNC_CLI_SIGNAL_H

void cli_signal_install(void);
/* Non-zero once an end was asked for. */
const volatile int *cli_signal_stop(void);

#endif
