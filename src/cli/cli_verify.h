/* What `verify` and `restore` found and did, as text and as JSON lines. */
#ifndef MAILSYNC_CLI_VERIFY_H
#define MAILSYNC_CLI_VERIFY_H

#include "mailsync/sync/verify.h"
#include "cli_print.h"

/* Text goes to standard error, and is silent where all is proven, unless `verbose`. */
void cli_print_verify(struct cli_output *output, const char *account, enum verify_level level,
		      const struct verify_report *report);

#endif
