#include "cli_options.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

const char cli_usage[] =
	"Usage: mailsync [OPTION]... [COMMAND] [ACCOUNT[/MAILBOX]]...\n"
	"Keeps Maildirs and IMAP (or POP3) accounts in sync.\n"
	"\n"
	"Commands:\n"
	"  sync    bring local and remote together, once (the default)\n"
	"  watch   sync, stay, and sync again whenever either side changes\n"
	"  status  what is known of each mailbox, without the network\n"
	"  list    log in and print the remote mailboxes\n"
	"  check   validate the configuration, then try each login\n"
	"  login   sign ACCOUNT in by OAuth2, with a browser\n"
	"  token   print a fresh access token of ACCOUNT\n"
	"  logout  take the sign-in of ACCOUNT back, and forget it\n"
	"  init    print the mail providers that are known by name, with --list\n"
	"\n"
	"Options:\n"
	"  -c, --config FILE      configuration (default ~/.config/mailsync/mailsync.conf)\n"
	"  -n, --dry-run          print what sync would do; change nothing\n"
	"      --pull             this run changes nothing on the server\n"
	"      --push             this run changes nothing locally\n"
	"      --allow-mass-delete  this run may pass the deletion brake\n"
	"      --bring-back       copy again what the deletion brake holds as gone\n"
	"      --wait             wait for another run of the same account\n"
	"      --device           login: with a code that is entered on any machine\n"
	"      --paste            login: the browser's last address is pasted here\n"
	"      --no-browser       login: start none\n"
	"      --list             init: the providers\n"
	"      --json             one JSON object a line on standard output\n"
	"  -v                     say what is done; -vv: the wire, without secrets\n"
	"  -q                     errors only\n"
	"      --progress=WHEN    auto, never or always\n"
	"  -h, --help\n"
	"      --version\n"
	"      --print-example    print a configuration with every key, to begin with\n"
	"\n"
	"Exit status: 0 in sync, 1 some of it failed, 64 usage, 69 wrong server, 70 internal,\n"
	"74 local disk, 75 try again, 76 protocol, 77 login, 78 configuration, 79 brake.\n";

enum long_option {
	OPTION_PULL = 256,
	OPTION_PUSH,
	OPTION_MASS_DELETE,
	OPTION_BRING_BACK,
	OPTION_WAIT,
	OPTION_DEVICE,
	OPTION_PASTE,
	OPTION_NO_BROWSER,
	OPTION_LIST,
	OPTION_JSON,
	OPTION_PROGRESS,
	OPTION_VERSION,
	OPTION_PRINT_EXAMPLE,
	OPTION_PRINT_DOCS,
	OPTION_PRINT_MAN
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"dry-run", no_argument, NULL, 'n'},
	{"pull", no_argument, NULL, OPTION_PULL},
	{"push", no_argument, NULL, OPTION_PUSH},
	{"allow-mass-delete", no_argument, NULL, OPTION_MASS_DELETE},
	{"bring-back", no_argument, NULL, OPTION_BRING_BACK},
	{"wait", no_argument, NULL, OPTION_WAIT},
	{"device", no_argument, NULL, OPTION_DEVICE},
	{"paste", no_argument, NULL, OPTION_PASTE},
	{"no-browser", no_argument, NULL, OPTION_NO_BROWSER},
	{"list", no_argument, NULL, OPTION_LIST},
	{"json", no_argument, NULL, OPTION_JSON},
	{"verbose", no_argument, NULL, 'v'},
	{"quiet", no_argument, NULL, 'q'},
	{"progress", required_argument, NULL, OPTION_PROGRESS},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"print-example", no_argument, NULL, OPTION_PRINT_EXAMPLE},
	{"print-docs", no_argument, NULL, OPTION_PRINT_DOCS},
	{"print-man", no_argument, NULL, OPTION_PRINT_MAN},
	{NULL, 0, NULL, 0},
};

static const struct {
	const char *name;
	enum cli_command command;
} commands[] = {
	{"sync", CLI_SYNC},   {"watch", CLI_WATCH},   {"status", CLI_STATUS},
	{"list", CLI_LIST},   {"check", CLI_CHECK},   {"login", CLI_LOGIN},
	{"token", CLI_TOKEN}, {"logout", CLI_LOGOUT}, {"init", CLI_INIT},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

const char *cli_command_word(size_t index)
{
	return index < COMMANDS ? commands[index].name : NULL;
}

static int set_progress(struct cli_options *options, const char *word, struct err *err)
{
	static const char *const words[] = {"auto", "never", "always"};

	for (int i = 0; i < 3; i++) {
		if (strcmp(words[i], word) == 0) {
			options->progress = (enum cli_progress)i;
			return 0;
		}
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN, "--progress can be auto, never or always, not %s",
		       word);
}

static void raise_level(struct cli_options *options)
{
	if (options->level < LOG_INFO) {
		options->level = LOG_INFO;
	} else {
		options->level = LOG_WIRE;
	}
}

/* Those of login alone; false for any other. */
static bool take_login_option(struct cli_options *options, int option)
{
	options->device = options->device || option == OPTION_DEVICE;
	options->paste = options->paste || option == OPTION_PASTE;
	options->no_browser = options->no_browser || option == OPTION_NO_BROWSER;
	return option == OPTION_DEVICE || option == OPTION_PASTE || option == OPTION_NO_BROWSER;
}

static int take_option(struct cli_options *options, int option, const char *value, struct err *err)
{
	switch (option) {
	case 'c':
		options->config = value;
		break;
	case 'n':
		options->dry_run = true;
		break;
	case 'v':
		raise_level(options);
		break;
	case 'q':
		options->level = LOG_ERROR;
		break;
	case 'h':
		options->command = CLI_HELP;
		break;
	case OPTION_PULL:
		options->pull = true;
		break;
	case OPTION_PUSH:
		options->push = true;
		break;
	case OPTION_MASS_DELETE:
		options->allow_mass_delete = true;
		break;
	case OPTION_BRING_BACK:
		options->bring_back = true;
		break;
	case OPTION_WAIT:
		options->wait = true;
		break;
	case OPTION_LIST:
		options->list = true;
		break;
	case OPTION_JSON:
		options->json = true;
		break;
	case OPTION_PROGRESS:
		return set_progress(options, value, err);
	case OPTION_VERSION:
		options->command = CLI_VERSION;
		break;
	case OPTION_PRINT_EXAMPLE:
		options->command = CLI_PRINT_EXAMPLE;
		break;
	case OPTION_PRINT_DOCS:
		options->command = CLI_PRINT_DOCS;
		break;
	case OPTION_PRINT_MAN:
		options->command = CLI_PRINT_MAN;
		break;
	default:
		return err_set(err, ERR_INTERNAL, SCOPE_RUN, "option %d has no row", option);
	}
	return 0;
}

/* ARG: the element of argv that getopt stopped at. */
static int complain_of_option(int option, const char *arg, struct err *err)
{
	if (option == ':') {
		return err_set(err, ERR_USAGE, SCOPE_RUN, "option %s needs a value", arg);
	}
	if (optopt > 0 && optopt < 256 && (arg[0] != '-' || arg[1] != '-')) {
		return err_set(err, ERR_USAGE, SCOPE_RUN, "unknown option -%c", optopt);
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN,
		       "option %s is unknown, not unique, or takes no value", arg);
}

static void take_command(struct cli_options *options)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (options->argument_count > 0 && options->command == CLI_SYNC &&
		    strcmp(options->arguments[0], commands[i].name) == 0) {
			options->command = commands[i].command;
			options->has_command = true;
			options->arguments++;
			options->argument_count--;
			return;
		}
	}
}

static int check_login(const struct cli_options *options, struct err *err)
{
	bool is_login = options->command == CLI_LOGIN;
	bool is_of_one =
		is_login || options->command == CLI_TOKEN || options->command == CLI_LOGOUT;

	if (options->command < CLI_HELP && !is_login &&
	    (options->device || options->paste || options->no_browser)) {
		return err_set(err, ERR_USAGE, SCOPE_RUN,
			       "--device, --paste and --no-browser are for login");
	}
	if (options->device && options->paste) {
		return err_set(err, ERR_USAGE, SCOPE_RUN,
			       "--device and --paste exclude each other");
	}
	if (is_of_one &&
	    (options->argument_count != 1 || strchr(options->arguments[0], '/') != NULL)) {
		return err_set(err, ERR_USAGE, SCOPE_RUN,
			       "login, token and logout take the name of one account");
	}
	return 0;
}

static int check_init(const struct cli_options *options, struct err *err)
{
	if (options->command < CLI_HELP && options->command != CLI_INIT && options->list) {
		return err_set(err, ERR_USAGE, SCOPE_RUN, "--list is for init");
	}
	if (options->command == CLI_INIT && (!options->list || options->argument_count > 0)) {
		return err_set(err, ERR_USAGE, SCOPE_RUN, "init takes --list, and nothing else");
	}
	return 0;
}

static int check_watch(const struct cli_options *options, struct err *err)
{
	for (int i = 0; i < options->argument_count && options->command == CLI_WATCH; i++) {
		if (strchr(options->arguments[i], '/') != NULL) {
			return err_set(
				err, ERR_USAGE, SCOPE_RUN,
				"watch takes names of accounts; which mailboxes take part is "
				"said by the key `mailboxes`");
		}
	}
	return 0;
}

static int check_options(const struct cli_options *options, struct err *err)
{
	bool is_sync = options->command == CLI_SYNC;

	if (options->pull && options->push) {
		return err_set(err, ERR_USAGE, SCOPE_RUN, "--pull and --push exclude each other");
	}
	if (options->allow_mass_delete && options->bring_back) {
		return err_set(err, ERR_USAGE, SCOPE_RUN,
			       "--allow-mass-delete and --bring-back exclude each other");
	}
	if (options->command < CLI_HELP && !is_sync &&
	    (options->dry_run || options->pull || options->push || options->allow_mass_delete ||
	     options->bring_back)) {
		return err_set(err, ERR_USAGE, SCOPE_RUN,
			       "--dry-run, --pull, --push, --allow-mass-delete and --bring-back "
			       "are for sync");
	}
	int code = check_login(options, err);
	if (code < 0 || (code = check_init(options, err)) < 0) {
		return code;
	}
	return check_watch(options, err);
}

int cli_options_read(struct cli_options *options, int argc, char **argv, struct err *err)
{
	int option;

	memset(options, 0, sizeof(*options));
	options->command = CLI_SYNC;
	options->level = LOG_WARN;
	optind = 0; /* glibc and musl: begin anew */
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:nvqh", long_options, NULL)) != -1) {
		if (option == '?' || option == ':') {
			return complain_of_option(option, argv[optind > 0 ? optind - 1 : 0], err);
		}
		int code = take_login_option(options, option)
				 ? 0
				 : take_option(options, option, optarg, err);
		if (code < 0) {
			return code;
		}
	}
	options->arguments = argv + optind;
	options->argument_count = argc - optind;
	take_command(options);
	return check_options(options, err);
}
