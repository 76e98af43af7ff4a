/*
 * A command whose standard input and output are the connection. What it says on standard error
 * goes to the log, line by line and without secrets: it may well repeat what passes through it.
 * Never blocks but in tunnel_destroy, and there for a second or two at most.
 */
#ifndef MAILSYNC_NET_TUNNEL_H
#define MAILSYNC_NET_TUNNEL_H

#include <stddef.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"
#include "mailsync/net/conn.h"

struct tunnel;

/* Starts /bin/sh -c PARAMS->tunnel. -ERR_LOCAL. PARAMS must outlive it. */
int tunnel_create(struct tunnel **tunnel, const struct conn_params *params, struct err *err);
/* Closes our end, gives the command a moment, then SIGTERM, then SIGKILL; reaps it. */
void tunnel_destroy(struct tunnel **tunnel);
int tunnel_fd(const struct tunnel *tunnel);
/* The other end of its standard error, -1 when there is none (any more); what came there to the
 * log. */
int tunnel_errors_fd(const struct tunnel *tunnel);
void tunnel_take_errors(struct tunnel *tunnel);
/* *SENT and *RECEIVED are 0 when nothing goes now. The end is -ERR_TEMPORARY with the command's
 * exit status, or -ERR_CONFIG where the shell could not run it at all. */
int tunnel_send(struct tunnel *tunnel, struct span data, size_t *sent, struct err *err);
int tunnel_recv(struct tunnel *tunnel, char *data, size_t size, size_t *received, struct err *err);

#endif
