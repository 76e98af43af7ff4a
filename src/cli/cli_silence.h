/* Whether anybody looks on while something is said. */
#ifndef MAILSYNC_CLI_SILENCE_H
#define MAILSYNC_CLI_SILENCE_H

#include <stdbool.h>

#include "cli_options.h"

/* True where standard error is a mail that cron would send, a file or nothing: neither a terminal
 * nor the journal, and nobody asked for more with -v or for all of it with --json. */
bool cli_is_unattended(const struct cli_options *options);

#endif
