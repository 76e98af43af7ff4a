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
/* A dry run's plan: one line an operation. */
void cli_report_plan(struct buf *out, const char *account, const struct report *report);
/* What was done: one line for each mailbox with something to say, and one for the account. */
void cli_report_text(struct buf *out, const char *account, const struct report *report);

/* One line of what the sync of WHOM did: an account, "3 accounts". */
void cli_report_summary(struct buf *out, const char *whom, const struct sync_counts *total,
			double seconds);

#endif
