/* Text of servers and file names, made fit for a terminal. */
#ifndef MAILSYNC_CLI_CLEAN_H
#define MAILSYNC_CLI_CLEAN_H

#include "mailsync/base/buf.h"

/* Appends TEXT, cleaned as errors and the log are (text_clean). */
void cli_clean(struct buf *out, const char *text);

#endif
