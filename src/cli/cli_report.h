/* The report of one account's run as text and as JSON lines. */
#ifndef MAILSYNC_CLI_REPORT_H
#define MAILSYNC_CLI_REPORT_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "mailsync/sync/sync.h"

/* "plan" and "mailbox" events; IS_LAST: the "account" event instead, which ends an account's
 * lines. */
void cli_report_json(struct buf *out, const char *account, const struct report *report,
		     bool is_last);
/* What was done: one line for each mailbox with something to say, and one for the account. */
void cli_report_text(struct buf *out, const char *account, const struct report *report);

/* Appends "3 downloaded, 1 flagged here"; false, and nothing, when all are 0. */
bool cli_report_counts(struct buf *out, const struct sync_counts *counts);

#endif
