/* The progress line: when there is one, and what it says. base/log.h puts it on the terminal. */
#ifndef MAILSYNC_CLI_PROGRESS_H
#define MAILSYNC_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/progress.h"
#include "cli_options.h"

enum cli_progress_kind {
	CLI_PROGRESS_NONE,
	CLI_PROGRESS_LINE, /* on a terminal, one line that changes */
	CLI_PROGRESS_LINES /* elsewhere, a line now and then, and one at an account's end */
};

enum cli_progress_kind cli_progress_kind(const struct cli_options *options, FILE *stream);

/* Appends "home: 120 of 5000 messages, 3.1 MB". */
void cli_progress_print(struct buf *out, const char *account, struct progress *progress);

#endif
