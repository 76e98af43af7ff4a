#include "cli_command.h"

#include <string.h>

static const struct cli_command_row rows[] = {
	{"sync", CLI_SYNC, ARGUMENTS_MAILBOXES, "mailsync", "[ACCOUNT[/MAILBOX]]...",
	 "bring local and remote together, once (the default)"},
	{"watch", CLI_WATCH, ARGUMENTS_ACCOUNTS, "mailsync-watch", "[ACCOUNT]...",
	 "sync, stay, and sync again whenever either side changes"},
	{"status", CLI_STATUS, ARGUMENTS_MAILBOXES, "mailsync-status", "[ACCOUNT[/MAILBOX]]...",
	 "what is known of each mailbox, without the network"},
	{"list", CLI_LIST, ARGUMENTS_MAILBOXES, "mailsync-status", "[ACCOUNT[/MAILBOX]]...",
	 "log in and print the remote mailboxes"},
	{"check", CLI_CHECK, ARGUMENTS_MAILBOXES, "mailsync-init", "[ACCOUNT[/MAILBOX]]...",
	 "validate the configuration, then try each login"},
	{"login", CLI_LOGIN, ARGUMENTS_ACCOUNT, "mailsync-login", "ACCOUNT",
	 "sign ACCOUNT in by OAuth2, with a browser"},
	{"token", CLI_TOKEN, ARGUMENTS_ACCOUNT, "mailsync-login", "ACCOUNT",
	 "print a fresh access token of ACCOUNT"},
	{"logout", CLI_LOGOUT, ARGUMENTS_ACCOUNT, "mailsync-login", "ACCOUNT",
	 "take the sign-in of ACCOUNT back, and forget it"},
	{"init", CLI_INIT, ARGUMENTS_OWN, "mailsync-init", "EMAIL | --from=FILE | --list",
	 "find the servers of an address, print a configuration for it"},
	{"verify", CLI_VERIFY, ARGUMENTS_MAILBOXES, "mailsync-verify", "[ACCOUNT[/MAILBOX]]...",
	 "prove that both sides hold what they should, byte for byte if asked"},
	{"restore", CLI_RESTORE, ARGUMENTS_MAILBOXES, "mailsync-verify", "ACCOUNT[/MAILBOX]...",
	 "append to the server what the Maildir holds and the server lacks"},
	{"export", CLI_EXPORT, ARGUMENTS_MAILBOXES, "mailsync-export", "[ACCOUNT[/MAILBOX]]...",
	 "write mail out, as an mbox or a file for each message"},
	{"import", CLI_IMPORT, ARGUMENTS_FILES, "mailsync-export", "ACCOUNT/MAILBOX FILE...",
	 "take mail in from mbox files, messages and Maildirs"},
	{"help", CLI_HELP, ARGUMENTS_OWN, "mailsync", "[COMMAND]", "this, or what COMMAND takes"},
	{"version", CLI_VERSION, ARGUMENTS_NONE, "mailsync", "", "which mailsync this is"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

const struct cli_command_row *cli_command_row(size_t index)
{
	return index < ROWS ? &rows[index] : NULL;
}

const struct cli_command_row *cli_command_find(const char *word)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].word, word) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

const struct cli_command_row *cli_command_of(enum cli_command command)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].command == command) {
			return &rows[i];
		}
	}
	return NULL;
}

static int check_has_no_mailbox(const struct cli_command_row *row, const char *argument,
				struct err *err)
{
	if (strchr(argument, '/') == NULL) {
		return 0;
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN, "%s takes the name of an account, not '%s'",
		       row->word, argument);
}

static int check_files(const struct cli_command_row *row, char *const *arguments, int count,
		       struct err *err)
{
	const char *slash = count > 0 ? strchr(arguments[0], '/') : NULL;

	if (count > 1 && slash != NULL && slash[1] != '\0') {
		return 0;
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN, "%s takes %s", row->word, row->shown);
}

int cli_command_check(const struct cli_command_row *row, char *const *arguments, int count,
		      struct err *err)
{
	enum cli_arguments takes = row->arguments;

	if (takes == ARGUMENTS_NONE && count > 0) {
		return err_set(err, ERR_USAGE, SCOPE_RUN, "%s takes no arguments", row->word);
	}
	if (takes == ARGUMENTS_FILES) {
		return check_files(row, arguments, count, err);
	}
	if (takes == ARGUMENTS_ACCOUNT && count != 1) {
		return err_set(err, ERR_USAGE, SCOPE_RUN, "%s takes the name of one account",
			       row->word);
	}
	for (int i = 0; i < count && (takes == ARGUMENTS_ACCOUNT || takes == ARGUMENTS_ACCOUNTS);
	     i++) {
		if (check_has_no_mailbox(row, arguments[i], err) < 0) {
			return -ERR_USAGE;
		}
	}
	return 0;
}
