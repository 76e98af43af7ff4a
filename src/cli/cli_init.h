/* `mailsync init`: a configuration for an address, and what is known of providers. */
#ifndef MAILSYNC_CLI_INIT_H
#define MAILSYNC_CLI_INIT_H

#include "cli_options.h"

/* Writes to standard output and error; the exit status. */
int cli_init_run(const struct cli_options *options);

#endif
