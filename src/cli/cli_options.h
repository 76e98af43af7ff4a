/* The command line as a value. Reading it prints nothing. */
#ifndef MAILSYNC_CLI_OPTIONS_H
#define MAILSYNC_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "mailsync/base/err.h"
#include "mailsync/base/log.h"

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
	CLI_HELP,
	CLI_VERSION,
	/* What is generated from the table of keys; but the first it is not in --help. */
	CLI_PRINT_EXAMPLE,
	CLI_PRINT_DOCS,
	CLI_PRINT_MAN
};

enum cli_progress {
	CLI_PROGRESS_AUTO,
	CLI_PROGRESS_NEVER,
	CLI_PROGRESS_ALWAYS
};

struct cli_options {
	enum cli_command command;
	const char *config; /* NULL: the default places */
	bool dry_run;
	bool pull;
	bool push;
	bool allow_mass_delete;
	bool bring_back;
	bool wait;
	bool device; /* of login, as the next two */
	bool paste;
	bool no_browser;
	bool list; /* of init */
	bool json;
	enum log_level level;
	enum cli_progress progress;
	char **arguments; /* ACCOUNT[/MAILBOX]..., of argv */
	int argument_count;
	bool has_command; /* the command was named */
};

/* argv is permuted, and borrowed by OPTIONS. -ERR_USAGE. Not thread-safe (getopt). */
int cli_options_read(struct cli_options *options, int argc, char **argv, struct err *err);

extern const char cli_usage[];
/* The words of the commands, in the order of the usage; NULL ends them. */
const char *cli_command_word(size_t index);

#endif
