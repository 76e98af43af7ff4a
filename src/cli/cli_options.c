/*
 * Options are a table: a row says what an option is called, for which commands it is, where its
 * value goes and what --help says of it. A new one is a row and a member of struct cli_options.
 */
#include "cli_options.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mailsync/conf/nearest.h"
#include "cli_transfer.h"

#define FOR(command) (UINT32_C(1) << (command))
#define FOR_ALL      UINT32_MAX
/* Those that may be about many accounts. */
#define FOR_MANY                                                                             \
	(FOR(CLI_SYNC) | FOR(CLI_STATUS) | FOR(CLI_LIST) | FOR(CLI_CHECK) | FOR(CLI_WATCH) | \
	 FOR(CLI_VERIFY) | FOR(CLI_RESTORE) | FOR(CLI_EXPORT))
#define HELP_COLUMN 27 /* where --help begins to say what an option is for */
#define HELP_WIDTH  79
#define FIRST_LONG  256 /* what getopt_long gives for the first row that has no letter */

struct option_row {
	const char *name;
	int letter;        /* 0: none */
	const char *value; /* what --help calls it; NULL: it takes none */
	uint32_t commands; /* those that it is for */
	size_t flag;       /* of the bool that it sets, where there is no function to take it */
	int (*take)(struct cli_options *options, const char *value, struct err *err);
	const char *help; /* NULL: --help is silent of it */
};

static int take_config(struct cli_options *options, const char *value, struct err *err)
{
	(void)err;
	options->config = value;
	return 0;
}

static int take_from(struct cli_options *options, const char *value, struct err *err)
{
	(void)err;
	options->from = options->restore.from = value;
	return 0;
}

static int take_metrics(struct cli_options *options, const char *value, struct err *err)
{
	(void)err;
	options->metrics = value;
	return 0;
}

static int take_verbose(struct cli_options *options, const char *value, struct err *err)
{
	(void)value, (void)err;
	options->level = options->level < LOG_INFO ? LOG_INFO : LOG_WIRE;
	return 0;
}

static int take_quiet(struct cli_options *options, const char *value, struct err *err)
{
	(void)value, (void)err;
	options->level = LOG_ERROR;
	return 0;
}

static int take_progress(struct cli_options *options, const char *value, struct err *err)
{
	static const char *const words[] = {"auto", "never", "always"};

	for (int i = 0; i < 3; i++) {
		if (strcmp(words[i], value) == 0) {
			options->progress = (enum cli_progress)i;
			return 0;
		}
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN, "--progress can be auto, never or always, not %s",
		       value);
}

static int take_help(struct cli_options *options, const char *value, struct err *err)
{
	(void)value, (void)err;
	options->command = CLI_HELP;
	return 0;
}

static int take_version(struct cli_options *options, const char *value, struct err *err)
{
	(void)value, (void)err;
	options->command = CLI_VERSION;
	return 0;
}

static int take_print_example(struct cli_options *options, const char *value, struct err *err)
{
	(void)value, (void)err;
	options->command = CLI_PRINT_EXAMPLE;
	return 0;
}

static int take_print_docs(struct cli_options *options, const char *value, struct err *err)
{
	(void)value, (void)err;
	options->command = CLI_PRINT_DOCS;
	return 0;
}

static int take_print_man(struct cli_options *options, const char *value, struct err *err)
{
	(void)value, (void)err;
	options->command = CLI_PRINT_MAN;
	return 0;
}

static int take_print_completion(struct cli_options *options, const char *value, struct err *err)
{
	(void)err;
	options->command = CLI_PRINT_COMPLETION;
	options->shell = value;
	return 0;
}

#define MEMBER(name) offsetof(struct cli_options, name)

static const struct option_row rows[] = {
	{"config", 'c', "FILE", FOR_ALL, 0, take_config,
	 "configuration, else ~/.config/mailsync/mailsync.conf"},
	{"dry-run", 'n', NULL, FOR(CLI_SYNC) | FOR(CLI_RESTORE), MEMBER(dry_run), NULL,
	 "print what would be done; change nothing"},
	{"pull", 0, NULL, FOR(CLI_SYNC), MEMBER(pull), NULL,
	 "this run changes nothing on the server"},
	{"push", 0, NULL, FOR(CLI_SYNC), MEMBER(push), NULL, "this run changes nothing locally"},
	{"allow-mass-delete", 0, NULL, FOR(CLI_SYNC), MEMBER(allow_mass_delete), NULL,
	 "this run may pass the deletion brake"},
	{"bring-back", 0, NULL, FOR(CLI_SYNC), MEMBER(bring_back), NULL,
	 "copy again what the deletion brake holds as gone"},
	{"wait", 0, NULL, FOR_ALL, MEMBER(wait), NULL, "wait for another run of the same account"},
	{"jobs", 0, "N", FOR_MANY, 0, cli_share_take_jobs, "accounts at once (default 16)"},
	{"shard", 0, "I/N", FOR_MANY, 0, cli_share_take,
	 "only the accounts whose name falls to share I of N"},
	{"metrics", 0, "FILE", FOR(CLI_SYNC) | FOR(CLI_WATCH), 0, take_metrics,
	 "write there, for Prometheus, how it went"},
	{"device", 0, NULL, FOR(CLI_LOGIN), MEMBER(device), NULL,
	 "with a code that is entered on any machine"},
	{"paste", 0, NULL, FOR(CLI_LOGIN), MEMBER(paste), NULL,
	 "the browser's last address is pasted here"},
	{"no-browser", 0, NULL, FOR(CLI_LOGIN), MEMBER(no_browser), NULL, "start no browser"},
	{"write", 0, NULL, FOR(CLI_INIT), MEMBER(write), NULL,
	 "append it to the configuration file"},
	{"list", 0, NULL, FOR(CLI_INIT), MEMBER(list), NULL, "the providers, instead"},
	{"level", 0, "LEVEL", FOR(CLI_VERIFY), 0, cli_verify_take_level,
	 "files (the default), server or bytes"},
	{"sample", 0, "I/N", FOR(CLI_VERIFY), 0, cli_verify_take_sample,
	 "I N-ths of the messages, in turns; or P%, at random"},
	{"repair", 0, NULL, FOR(CLI_VERIFY), MEMBER(verify.repairs), NULL,
	 "fetch again what is missing or damaged here"},
	{"accept-missing", 0, NULL, FOR(CLI_VERIFY), MEMBER(verify.accepts), NULL,
	 "what is missing here is well: never tell it again"},
	{"lost-since", 0, "TIME", FOR(CLI_RESTORE), 0, cli_restore_take_since,
	 "what is missed there since; 2026-11-01, or 7d"},
	{"all", 0, NULL, FOR(CLI_RESTORE), MEMBER(restore.all), NULL, "all that the server lacks"},
	{"from", 0, "PATH", FOR(CLI_INIT) | FOR(CLI_RESTORE), 0, take_from,
	 "init: the configuration of mbsync, offlineimap, mpop, getmail or fetchmail; restore: "
	 "another Maildir tree"},
	{"format", 0, "FORMAT", FOR(CLI_EXPORT), 0, cli_transfer_take_format,
	 "mbox (the default), or eml: a file for each message"},
	{"output", 'o', "PATH", FOR(CLI_EXPORT), 0, cli_transfer_take_output,
	 "the file, or the folder; else standard output"},
	{"json", 0, NULL, FOR_ALL, MEMBER(json), NULL, "one JSON object a line on standard output"},
	{"verbose", 'v', NULL, FOR_ALL, 0, take_verbose,
	 "say what is done; -vv: the wire, without secrets"},
	{"quiet", 'q', NULL, FOR_ALL, 0, take_quiet, "errors only"},
	{"progress", 0, "WHEN", FOR_ALL, 0, take_progress, "auto, never or always"},
	{"help", 'h', NULL, FOR_ALL, 0, take_help, "this"},
	{"version", 0, NULL, FOR_ALL, 0, take_version, "which mailsync this is"},
	{"print-example", 0, NULL, FOR_ALL, 0, take_print_example,
	 "print a configuration with every key, to begin with"},
	{"print-completion", 0, "SHELL", FOR_ALL, 0, take_print_completion,
	 "print what completes the command line in bash, zsh or fish"},
	{"print-docs", 0, NULL, FOR_ALL, 0, take_print_docs, NULL},
	{"print-man", 0, NULL, FOR_ALL, 0, take_print_man, NULL},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Of which at most one may be given. */
static const char *const exclusions[][2] = {
	{"pull", "push"},       {"allow-mass-delete", "bring-back"},
	{"device", "paste"},    {"lost-since", "all"},
	{"lost-since", "from"}, {"list", "write"},
	{"list", "from"},       {"dry-run", "metrics"},
};
#define EXCLUSIONS (sizeof(exclusions) / sizeof(exclusions[0]))

/* What getopt_long needs to know, and which rows it met. */
struct reading {
	struct option longs[ROWS + 1];
	char letters[2 * ROWS + 2];
	bool given[ROWS];
};

static void reading_begin(struct reading *reading)
{
	size_t used = 0;

	memset(reading, 0, sizeof(*reading));
	reading->letters[used++] = ':';
	for (size_t i = 0; i < ROWS; i++) {
		reading->longs[i] = (struct option){
			rows[i].name,
			rows[i].value != NULL ? required_argument : no_argument,
			NULL,
			FIRST_LONG + (int)i,
		};
		if (rows[i].letter != 0) {
			reading->letters[used++] = (char)rows[i].letter;
		}
		if (rows[i].letter != 0 && rows[i].value != NULL) {
			reading->letters[used++] = ':';
		}
	}
}

static size_t row_of(int option)
{
	size_t i = 0;

	while (option < FIRST_LONG && rows[i].letter != option) {
		i++;
	}
	return option < FIRST_LONG ? i : (size_t)(option - FIRST_LONG);
}

/* "--pull, --push, --paste": those that begin with BEGIN; how many there are. */
static size_t list_options(const char *begin, struct buf *out)
{
	size_t count = 0;

	for (size_t i = 0; i < ROWS; i++) {
		if (strncmp(rows[i].name, begin, strlen(begin)) == 0 && rows[i].help != NULL) {
			buf_printf(out, "%s--%s", count++ > 0 ? ", " : "", rows[i].name);
		}
	}
	return count;
}

static int complain_of_unknown(const char *name, struct err *err)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < ROWS; i++) {
		nearest_offer(&nearest, rows[i].name);
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN, "there is no option --%s%s%s%s", name,
		       nearest.best != NULL ? "; did you mean '--" : "",
		       nearest.best != NULL ? nearest.best : "", nearest.best != NULL ? "'?" : "");
}

/* NAME, behind "--", is no option's, or the beginning of several. */
static int complain_of_name(const char *name, struct err *err)
{
	struct buf several;
	int code;

	buf_init(&several, 1024);
	if (list_options(name, &several) > 1) {
		code = err_set(err, ERR_USAGE, SCOPE_RUN, "--%s may be any of %s", name,
			       several.data);
	} else {
		code = complain_of_unknown(name, err);
	}
	buf_finish(&several);
	return code;
}

/* ARG: the element of argv that getopt stopped at. */
static int complain_of_option(int option, const char *arg, struct err *err)
{
	char name[64] = "";

	if (option == ':') {
		return err_set(err, ERR_USAGE, SCOPE_RUN, "option %s needs a value", arg);
	}
	if (optopt > 0 && optopt < FIRST_LONG && (arg[0] != '-' || arg[1] != '-')) {
		return err_set(err, ERR_USAGE, SCOPE_RUN, "unknown option -%c", optopt);
	}
	if (optopt >= FIRST_LONG) {
		return err_set(err, ERR_USAGE, SCOPE_RUN, "option --%s takes no value",
			       rows[row_of(optopt)].name);
	}
	size_t len = strcspn(arg + 2, "=");
	memcpy(name, arg + 2, len < sizeof(name) ? len : sizeof(name) - 1);
	return complain_of_name(name, err);
}

static int take_options(struct cli_options *options, struct reading *reading, int argc, char **argv,
			struct err *err)
{
	int option, code;

	optind = 0; /* glibc and musl: begin anew */
	opterr = 0;
	while ((option = getopt_long(argc, argv, reading->letters, reading->longs, NULL)) != -1) {
		if (option == '?' || option == ':') {
			return complain_of_option(option, argv[optind > 0 ? optind - 1 : 0], err);
		}
		size_t i = row_of(option);
		reading->given[i] = true;
		if (rows[i].take == NULL) {
			*(bool *)((char *)options + rows[i].flag) = true;
		} else if ((code = rows[i].take(options, optarg, err)) < 0) {
			return code;
		}
	}
	return 0;
}

/* The first word, where it is a command's. */
static void take_command(struct cli_options *options)
{
	const struct cli_command_row *row =
		options->argument_count > 0 ? cli_command_find(options->arguments[0]) : NULL;

	if (row != NULL) {
		options->has_command = true;
		options->arguments++;
		options->argument_count--;
		options->command = options->command == CLI_SYNC ? row->command : options->command;
		options->topic = row;
	}
}

static int take_topic(struct cli_options *options, struct err *err)
{
	const struct cli_command_row *row;
	struct nearest nearest;

	options->topic = NULL;
	if (options->argument_count == 0 ||
	    (options->topic = cli_command_find(options->arguments[0])) != NULL) {
		return 0;
	}
	nearest_init(&nearest, options->arguments[0]);
	for (size_t i = 0; (row = cli_command_row(i)) != NULL; i++) {
		nearest_offer(&nearest, row->word);
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN, "there is no command '%s'%s%s%s",
		       options->arguments[0], nearest.best != NULL ? "; did you mean '" : "",
		       nearest.best != NULL ? nearest.best : "", nearest.best != NULL ? "'?" : "");
}

static int check_exclusions(const bool *given, struct err *err)
{
	for (size_t i = 0; i < EXCLUSIONS; i++) {
		int count = 0;
		for (size_t k = 0; k < ROWS; k++) {
			count += given[k] && (strcmp(rows[k].name, exclusions[i][0]) == 0 ||
					      strcmp(rows[k].name, exclusions[i][1]) == 0);
		}
		if (count > 1) {
			return err_set(err, ERR_USAGE, SCOPE_RUN,
				       "--%s and --%s exclude each other", exclusions[i][0],
				       exclusions[i][1]);
		}
	}
	return 0;
}

/* "--pull is for sync". */
static int complain_of_command(const struct option_row *option, struct err *err)
{
	const struct cli_command_row *row;
	char words[128] = "";
	size_t used = 0;

	for (size_t i = 0; (row = cli_command_row(i)) != NULL && used < sizeof(words); i++) {
		if ((option->commands & FOR(row->command)) != 0) {
			used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s",
						 used > 0 ? " and " : "", row->word);
		}
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN, "--%s is for %s", option->name, words);
}

static int check_commands(const struct cli_options *options, const bool *given, struct err *err)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (given[i] && (rows[i].commands & FOR(options->command)) == 0) {
			return complain_of_command(&rows[i], err);
		}
	}
	return 0;
}

/* What init alone demands of its arguments. */
static int check_init(const struct cli_options *options, struct err *err)
{
	if (options->argument_count == (options->list || options->from ? 0 : 1)) {
		return 0;
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN,
		       "init takes one mail address, or --from=FILE, or --list");
}

int cli_options_read(struct cli_options *options, int argc, char **argv, struct err *err)
{
	struct reading reading;
	int code;

	*options = (struct cli_options){
		.command = CLI_SYNC,
		.level = LOG_WARN,
		.jobs = CLI_JOBS_DEFAULT,
	};
	reading_begin(&reading);
	if ((code = take_options(options, &reading, argc, argv, err)) < 0) {
		return code;
	}
	options->arguments = argv + optind;
	options->argument_count = argc - optind;
	bool is_settled = options->command != CLI_SYNC; /* by --help and its like */
	take_command(options);
	if (is_settled) {
		return 0;
	}
	if (options->command == CLI_HELP) {
		return take_topic(options, err);
	}
	if ((code = check_exclusions(reading.given, err)) < 0 ||
	    (code = check_commands(options, reading.given, err)) < 0) {
		return code;
	}
	if (options->command == CLI_INIT) {
		return check_init(options, err);
	}
	if (options->command == CLI_RESTORE && options->argument_count == 0) {
		return err_set(err, ERR_USAGE, SCOPE_RUN,
			       "restore takes the names of accounts, or ACCOUNT/MAILBOX");
	}
	if (options->command == CLI_EXPORT && (code = cli_export_check(options, err)) < 0) {
		return code;
	}
	return cli_command_check(cli_command_of(options->command), options->arguments,
				 options->argument_count, err);
}

/* Of what one command alone has, --help says whose it is. */
static const char *owner_of(const struct option_row *option)
{
	const struct cli_command_row *row;

	for (size_t i = 0; (row = cli_command_row(i)) != NULL; i++) {
		if (option->commands == FOR(row->command) && row->command != CLI_SYNC) {
			return row->word;
		}
	}
	return NULL;
}

/* What --help is silent of is no word to be completed. */
bool cli_option_word(size_t index, struct cli_option_word *word)
{
	size_t i = 0;

	for (; i < ROWS && (rows[i].help == NULL || index > 0); i++) {
		index -= rows[i].help != NULL;
	}
	if (i == ROWS) {
		return false;
	}
	*word = (struct cli_option_word){rows[i].name, rows[i].letter, rows[i].value, rows[i].help,
					 rows[i].commands};
	return true;
}

bool cli_option_is_for(const struct cli_option_word *word, enum cli_command command)
{
	return (word->commands & FOR(command)) != 0;
}

bool cli_option_is_for_all(const struct cli_option_word *word)
{
	return word->commands == FOR_ALL;
}

/* Of "init: one thing; restore: another" what is said of TOPIC; NULL: of all. */
static struct span help_of(const char *help, const struct cli_command_row *topic)
{
	struct span all = span_of(help);
	char owner[32];

	snprintf(owner, sizeof(owner), "%s: ", topic != NULL ? topic->word : "");
	const char *own = topic != NULL ? strstr(help, owner) : NULL;
	if (own == NULL) {
		return all;
	}
	own += strlen(owner);
	const char *end = strstr(own, "; ");
	return (struct span){own, end != NULL ? (size_t)(end - own) : strlen(own)};
}

/* Appends WORDS from column USED on, in lines of HELP_WIDTH. */
static void write_wrapped(struct buf *text, struct span words, size_t used)
{
	while (words.len > 0) {
		const char *blank = memchr(words.data, ' ', words.len);
		size_t len = blank != NULL ? (size_t)(blank - words.data) : words.len;
		if (used + 1 + len > HELP_WIDTH) {
			buf_printf(text, "\n%*s", HELP_COLUMN - 1, "");
			used = HELP_COLUMN - 1;
		}
		buf_append_char(text, ' ');
		buf_append(text, words.data, len);
		used += 1 + len;
		len += blank != NULL;
		words.data += len;
		words.len -= len;
	}
	buf_append_char(text, '\n');
}

static void write_option(struct buf *text, const struct option_row *row,
			 const struct cli_command_row *topic)
{
	const char *owner = topic == NULL ? owner_of(row) : NULL;
	char letter[] = {'-', (char)row->letter, ',', '\0'};
	size_t start = text->len;
	char name[64], help[256];

	snprintf(name, sizeof(name), "--%s%s%s", row->name, row->value != NULL ? "=" : "",
		 row->value != NULL ? row->value : "");
	buf_printf(text, "  %-3s %-20s", row->letter != 0 ? letter : "", name);
	snprintf(help, sizeof(help), "%s%s%s", owner != NULL ? owner : "",
		 owner != NULL ? ": " : "", row->help);
	write_wrapped(text, help_of(help, topic), text->len - start);
}

void cli_options_write_usage(struct buf *text, const struct cli_command_row *topic)
{
	const struct cli_command_row *command;

	if (topic != NULL) {
		buf_printf(text, "Usage: mailsync %s [OPTION]...%s%s\n%s\n", topic->word,
			   topic->shown[0] != '\0' ? " " : "", topic->shown, topic->help);
	} else {
		buf_printf(text,
			   "Usage: mailsync [OPTION]... [COMMAND] [ACCOUNT[/MAILBOX]]...\n"
			   "Keeps Maildirs and IMAP (or POP3) accounts in sync.\n\nCommands:\n");
	}
	for (size_t i = 0; topic == NULL && (command = cli_command_row(i)) != NULL; i++) {
		buf_printf(text, "  %-7s %s\n", command->word, command->help);
	}
	buf_printf(text, "\nOptions:\n");
	for (size_t i = 0; i < ROWS; i++) {
		bool is_for = topic == NULL || (rows[i].commands & FOR(topic->command)) != 0;
		if (is_for && rows[i].help != NULL) {
			write_option(text, &rows[i], topic);
		}
	}
	buf_printf(text,
		   "\nExit status: 0 in sync, 1 some of it failed, 64 usage, 69 wrong server,\n"
		   "70 internal, 74 local disk, 75 try again, 76 protocol, 77 login,\n"
		   "78 configuration, 79 brake.\nMore of it: man %s%s\n",
		   topic != NULL ? topic->page : "mailsync",
		   topic != NULL ? "" : ", man mailsync.conf");
}
