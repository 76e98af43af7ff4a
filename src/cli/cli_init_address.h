/* `mailsync init EMAIL`: looks for the servers of an address and makes a section of them. */
#ifndef MAILSYNC_CLI_INIT_ADDRESS_H
#define MAILSYNC_CLI_INIT_ADDRESS_H

#include "cli_options.h"

/* Writes to standard output and error; the exit status. */
int cli_init_address(const struct cli_options *options);

#endif
