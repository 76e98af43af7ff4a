/*
 * Starts a shell command of the configuration. What becomes of the process is the caller's: it
 * waits for PID, always.
 */
#ifndef MAILSYNC_BASE_COMMAND_H
#define MAILSYNC_BASE_COMMAND_H

#include <sys/types.h>

#define COMMAND_NULL   (-1) /* as `in`: /dev/null */
#define COMMAND_STDERR (-2) /* as `out`: where our errors go */

/* TEXT is run by `/bin/sh -c`, with IN and OUT as its standard input and output, all signals at
 * their defaults, and ENVIRONMENT (NULL: ours). Other descriptors are close-on-exec and stay ours.
 * Returns 0 or an errno. Any thread may call it. */
int command_start(const char *text, int in, int out, char *const *environment, pid_t *pid);

/* Starts TEXT with our environment, /dev/null as its standard input and a pipe as its standard
 * output: what it prints is read from *OUT, which the caller closes. Commands that other threads
 * start do not inherit the pipe: else it would stay open after this one has ended.
 * Returns 0 or an errno. */
int command_read(const char *text, int *out, pid_t *pid);

#endif
