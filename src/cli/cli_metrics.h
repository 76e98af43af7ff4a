/*
 * What a run came to, as text for Prometheus (--metrics): a file of gauges, each account's of its
 * last run. A file that is there is replaced at once, keeps its mode, its group and where possible
 * its owner, and tells when an account that failed now, or has not run, last succeeded. What is no
 * regular file, be it a link to one, is left alone.
 *
 * Source: Prometheus, "Exposition formats", text format 0.0.4; its page on naming.
 */
#ifndef MAILSYNC_CLI_METRICS_H
#define MAILSYNC_CLI_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/stop.h"
#include "mailsync/sync/sync.h"

/* An account's last run. Times are seconds since 1970. */
struct cli_measure {
	bool is_known; /* there was one */
	int status;
	int64_t ended_at;
	int64_t success_at; /* of the last run that ended with 0; 0: not known */
	double seconds;
	struct sync_counts counts;
	uint64_t bytes_in, bytes_out;
	bool has_state; /* and so the rest, as the state database had it afterwards */
	uint64_t messages, pending, held, skipped, unproven;
	int64_t oldest_proof; /* 0: some message was never verified, or there is none */
};

struct cli_measured {
	const char *name; /* the account's */
	struct cli_measure measure;
};

/* Fills MEASURE with what REPORT tells of a run that ends now. */
void cli_measure_run(struct cli_measure *measure, const struct report *report);
/* And with what the state database says. */
void cli_measure_state(struct cli_measure *measure, const struct status *status);

/* Appends the text of a FILE of that name; what is not known is left out. */
void cli_metrics_write(struct buf *out, const char *file, const struct cli_measured *accounts,
		       size_t count, int64_t now);
/* When ACCOUNT last succeeded as TEXT, written before, has it; 0: it does not tell. */
int64_t cli_metrics_recall(const char *text, const char *account);
/* Replaces the file PATH. Accounts whose success_at is not known get the file's. Waits for another
 * process that writes it until STOP (may be NULL) is set: -ERR_INTERRUPTED. -ERR_LOCAL: it cannot
 * be written, or is no regular file. */
int cli_metrics_save(const char *path, struct cli_measured *accounts, size_t count,
		     const stop_flag *stop, struct err *err);

#endif
