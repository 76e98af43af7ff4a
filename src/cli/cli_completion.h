/* Completion scripts for shells, made of the tables of commands and options. */
#ifndef MAILSYNC_CLI_COMPLETION_H
#define MAILSYNC_CLI_COMPLETION_H

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"

/* Appends to TEXT the script for SHELL: bash, zsh or fish. -ERR_USAGE: another one. */
int cli_completion_write(struct buf *text, const char *shell, struct err *err);

#endif
