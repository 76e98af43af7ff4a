/* The command line as a value. Reading it prints nothing. */
#ifndef MAILSYNC_CLI_OPTIONS_H
#define MAILSYNC_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/log.h"
#include "mailsync/sync/restore.h"
#include "mailsync/sync/verify.h"
#include "cli_command.h"
#include "cli_share.h"

enum cli_progress {
	CLI_PROGRESS_AUTO,
	CLI_PROGRESS_NEVER,
	CLI_PROGRESS_ALWAYS
};

struct cli_options {
	enum cli_command command;
	const char *config; /* NULL: the default places */
	const char *shell;  /* of --print-completion */
	bool dry_run;
	bool pull;
	bool push;
	bool allow_mass_delete;
	bool bring_back;
	bool wait;
	unsigned jobs;          /* accounts at once */
	struct cli_share shard; /* the accounts of which take part */
	const char *metrics;    /* NULL: none are written */
	bool device;            /* of login, as the next two */
	bool paste;
	bool no_browser;
	bool list; /* of init, as the next */
	bool write;
	const char *from; /* of init: another program's configuration; of restore: a Maildir tree */
	struct verify_options verify;
	struct restore_options restore;
	bool exports_eml;   /* of export; else an mbox */
	const char *output; /* likewise: -o; NULL: standard output */
	bool json;
	enum log_level level;
	enum cli_progress progress;
	const struct cli_command_row *topic; /* of help: the command; NULL: all */
	char **arguments;                    /* behind the command, of argv */
	int argument_count;
	bool has_command; /* the command was named */
};

/* argv is permuted, and borrowed by OPTIONS. -ERR_USAGE. Not thread-safe (getopt). */
int cli_options_read(struct cli_options *options, int argc, char **argv, struct err *err);

/* The value of --lost-since: a day, or an age (cli_restore.c). */
int cli_restore_take_since(struct cli_options *options, const char *text, struct err *err);
/* The values of --level and --sample (cli_verify.c). */
int cli_verify_take_level(struct cli_options *options, const char *word, struct err *err);
int cli_verify_take_sample(struct cli_options *options, const char *text, struct err *err);
/* The values of --format and -o (cli_transfer.c). */
int cli_transfer_take_format(struct cli_options *options, const char *word, struct err *err);
int cli_transfer_take_output(struct cli_options *options, const char *path, struct err *err);

/* The values of --shard and --jobs (cli_share.c). */
int cli_share_take(struct cli_options *options, const char *text, struct err *err);
int cli_share_take_jobs(struct cli_options *options, const char *text, struct err *err);

/* An option, for scripts that complete the command line. */
struct cli_option_word {
	const char *name;
	int letter;        /* 0: none */
	const char *value; /* NULL: it takes none */
	const char *help;
	uint32_t commands; /* as the next two read it */
};
/* The option INDEX; false behind the last. */
bool cli_option_word(size_t index, struct cli_option_word *word);
bool cli_option_is_for(const struct cli_option_word *word, enum cli_command command);
bool cli_option_is_for_all(const struct cli_option_word *word);

/* Appends to TEXT what --help says: of TOPIC, or (NULL) of all commands. */
void cli_options_write_usage(struct buf *text, const struct cli_command_row *topic);

#endif
