/*
 * Starts a shell command of the configuration. What becomes of the process is the caller's: it
 * waits for PID, always.
 */
#ifndef MAILSYNC_BASE_COMMAND_H
#define MAILSYNC_BASE_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#define COMMAND_NULL   (-1) /* as `in`: /dev/null */
#define COMMAND_STDERR (-2) /* as `out` or `errors`: where our errors go */

/* A command's standard input, output and error, and whether it leads a process group of its own:
 * then it cannot ask on the terminal, and all that it starts can be ended with it. */
struct command_ends {
	int in, out, errors;
	bool leads_group;
};

/* TEXT is run by `/bin/sh -c`, with ENDS, all signals at their defaults, and ENVIRONMENT (NULL:
 * ours). Other descriptors are close-on-exec and stay ours. Returns 0 or an errno. Any thread may
 * call it. */
int command_start(const char *text, const struct command_ends *ends, char *const *environment,
		  pid_t *pid);
/* A pipe, both of whose ends are close-on-exec. Returns 0 or an errno. */
int command_pipe(int ends[2]);

/* Starts TEXT with our environment, /dev/null as its standard input and a pipe as its standard
 * output: what it prints is read from *OUT, which the caller closes. Its standard error is ours, or
 * where ERRORS is not NULL another such pipe, which does not block; it leads a group then.
 * Commands that other threads start do not inherit the pipes: else these would stay open after this
 * one has ended. Returns 0 or an errno. */
int command_read(const char *text, int *out, int *errors, pid_t *pid);

#endif
