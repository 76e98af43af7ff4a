/* `export` and `import`: what of them is the command line's. */
#ifndef MAILSYNC_CLI_TRANSFER_H
#define MAILSYNC_CLI_TRANSFER_H

#include <stdio.h>

#include "mailsync/sync/transfer.h"
#include "cli_options.h"
#include "cli_print.h"
#include "cli_run.h"

/* Whether the mail of several accounts goes where OPTIONS say, and how: -ERR_USAGE. */
int cli_export_check(const struct cli_options *options, struct err *err);
/* Runs all accounts, each into what OPTIONS say; a file of that name is replaced only by a whole
 * one. The exit status is returned. */
int cli_export_all(struct cli_run *run, const struct cli_options *options, FILE *out,
		   FILE *err_stream);

/* The exit status of what was done is returned. */
int cli_print_export(struct cli_output *output, const char *account,
		     const struct export_result *result);
/* IS_TOLD: the sum is, too. */
int cli_print_import(struct cli_output *output, const char *account, const char *mailbox,
		     bool is_told, const struct import_result *result);

#endif
