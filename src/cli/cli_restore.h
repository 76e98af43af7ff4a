/* What `restore` has to choose from. */
#ifndef MAILSYNC_CLI_RESTORE_H
#define MAILSYNC_CLI_RESTORE_H

#include "mailsync/sync/restore.h"
#include "cli_print.h"

/* Of the mailboxes in ONLY; none: of all. */
void cli_print_missed(struct cli_output *output, const char *account,
		      const struct restore_days *missed, const struct strlist *only);

#endif
