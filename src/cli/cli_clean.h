/* Text of servers and file names, made fit for a terminal. */
#ifndef MAILSYNC_CLI_CLEAN_H
#define MAILSYNC_CLI_CLEAN_H

#include "mailsync/base/buf.h"

/* Appends TEXT with a '?' for each control character (C0, DEL, and C1 as UTF-8). */
void cli_clean(struct buf *out, const char *text);

#endif
