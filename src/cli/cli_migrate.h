/* `mailsync init --from FILE`: sections made of another program's configuration. */
#ifndef MAILSYNC_CLI_MIGRATE_H
#define MAILSYNC_CLI_MIGRATE_H

#include "cli_options.h"

/* Writes to standard output and error; the exit status. */
int cli_migrate(const struct cli_options *options);

#endif
