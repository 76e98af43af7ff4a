/* An error of the whole run, not of an account: written at once. */
#ifndef MAILSYNC_CLI_COMPLAIN_H
#define MAILSYNC_CLI_COMPLAIN_H

#include "mailsync/base/err.h"
#include "cli_options.h"

/* As text and, with --json, as an event. */
void cli_complain(const struct cli_options *options, enum err_code code, const char *text);

#endif
