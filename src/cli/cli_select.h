/* Which accounts take part in a run, and which of their mailboxes, by the arguments. */
#ifndef MAILSYNC_CLI_SELECT_H
#define MAILSYNC_CLI_SELECT_H

#include "cli_job.h"
#include "cli_options.h"

struct cli_jobs {
	struct cli_job *items;
	size_t count;
};

/* NULL: there is none of that name. */
struct cli_job *cli_jobs_find(const struct cli_jobs *jobs, const char *name);
/* Takes the arguments ACCOUNT[/MAILBOX] apart; none: all accounts; and of these those of the share
 * asked for. -ERR_USAGE for one that is not in the file PATH. */
int cli_select(struct cli_jobs *jobs, const struct cli_options *options, const char *path,
	       struct err *err);

#endif
