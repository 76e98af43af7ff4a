/* The commands: a row each, of which the usage and the checks of the command line are made. */
#ifndef MAILSYNC_CLI_COMMAND_H
#define MAILSYNC_CLI_COMMAND_H

#include <stddef.h>

#include "mailsync/base/err.h"

enum cli_command {
	CLI_SYNC,
	CLI_WATCH,
	CLI_STATUS,
	CLI_LIST,
	CLI_CHECK,
	CLI_LOGIN,
	CLI_TOKEN,
	CLI_LOGOUT,
	CLI_INIT,
	CLI_VERIFY,
	CLI_RESTORE,
	CLI_EXPORT,
	CLI_IMPORT,
	CLI_HELP,
	CLI_VERSION,
	/* What is generated from the table of keys: options that take a command's place. */
	CLI_PRINT_EXAMPLE,
	CLI_PRINT_COMPLETION,
	CLI_PRINT_DOCS,
	CLI_PRINT_MAN
};

/* What a command is told behind its word. */
enum cli_arguments {
	ARGUMENTS_MAILBOXES, /* ACCOUNT[/MAILBOX]..., none: all */
	ARGUMENTS_ACCOUNTS,  /* ACCOUNT..., none: all */
	ARGUMENTS_ACCOUNT,   /* ACCOUNT, one */
	ARGUMENTS_FILES,     /* ACCOUNT/MAILBOX FILE... */
	ARGUMENTS_OWN,       /* what the command itself reads */
	ARGUMENTS_NONE
};

struct cli_command_row {
	const char *word;
	enum cli_command command;
	enum cli_arguments arguments;
	const char *page;  /* the manual's, which describes it */
	const char *shown; /* of the arguments, in the usage */
	const char *help;  /* a line */
};

/* Row INDEX, in the order of the usage; NULL behind the last. */
const struct cli_command_row *cli_command_row(size_t index);
/* NULL: there is no command WORD. */
const struct cli_command_row *cli_command_find(const char *word);
/* NULL: an option takes its place. */
const struct cli_command_row *cli_command_of(enum cli_command command);
/* -ERR_USAGE: COUNT arguments from ARGUMENTS on are not what the command takes. */
int cli_command_check(const struct cli_command_row *row, char *const *arguments, int count,
		      struct err *err);

#endif
