/* The last lines of a sync that somebody waited for: what was done, or would be. */
#ifndef MAILSYNC_CLI_SUMMARY_H
#define MAILSYNC_CLI_SUMMARY_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "cli_job.h"

struct cli_summary {
	const struct cli_job *jobs;
	size_t count;
	double seconds;   /* that all of it took */
	bool on_terminal; /* standard error is one */
};

/* Appends a line for each job that took part, and one of their sum where they are several; nothing
 * where by OPTIONS nobody wants to know. */
void cli_summary_write(struct buf *out, const struct cli_summary *summary,
		       const struct cli_options *options);
/* A signal ended one of the jobs. */
bool cli_summary_is_stopped(const struct cli_summary *summary);

#endif
