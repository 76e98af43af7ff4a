/*
 * What a dry run says: its plan, a line for each operation, and what they come to.
 *
 *     cli_plan_text(&out, "home", &report, true);
 *     cli_plan_add(&sum, &report);
 *     cli_plan_summary(&err, "home", &sum);
 */
#ifndef MAILSYNC_CLI_PLAN_H
#define MAILSYNC_CLI_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/sync/sync.h"

#define CLI_PLAN_OPS (REPORT_RENAME_REMOTE + 1)

/* How many operations of each kind, and the bytes of what they copy; zeroed there are none. */
struct cli_plan_sum {
	uint64_t counts[CLI_PLAN_OPS];
	uint64_t bytes[CLI_PLAN_OPS];
};

/* "plan" events. */
void cli_plan_json(struct buf *out, const char *account, const struct report *report);
/* A line an operation. FOLDS: more than ten of a kind in a mailbox are one line. */
void cli_plan_text(struct buf *out, const char *account, const struct report *report, bool folds);

void cli_plan_add(struct cli_plan_sum *sum, const struct report *report);
void cli_plan_sum_add(struct cli_plan_sum *sum, const struct cli_plan_sum *other);
bool cli_plan_is_empty(const struct cli_plan_sum *sum);
/* "mailsync: home: would download 1,240 messages (9.3 MB), create 2 mailboxes here". */
void cli_plan_summary(struct buf *out, const char *whom, const struct cli_plan_sum *sum);

#endif
