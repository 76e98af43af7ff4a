/*
 * Names of accounts and mailboxes come from `mailsync status`.
 */
#include "cli_completion.h"

#include <string.h>

#include "mailsync/base/shell.h"
#include "cli_options.h"

/* Each account, and each of its mailboxes as ACCOUNT/MAILBOX. */
#define NAMES                                                                           \
	"mailsync status --json 2>/dev/null | "                                         \
	"sed -n 'h; s/.*\"account\":\"\\([^\"]*\\)\".*/\\1/p; g; "                      \
	"s/.*\"account\":\"\\([^\"]*\\)\",\"mailbox\":\"\\([^\"]*\\)\".*/\\1\\/\\2/p' " \
	"| sort -u"

static void add_commands(struct buf *text, const char *joint)
{
	const struct cli_command_row *row;

	for (size_t i = 0; (row = cli_command_row(i)) != NULL; i++) {
		buf_printf(text, "%s%s", i > 0 ? joint : "", row->word);
	}
}

/* What the options take whose values are few. */
static const struct {
	const char *option, *words;
} values[] = {
	{"progress", "auto never always"},
	{"level", "files server bytes"},
	{"format", "mbox eml"},
	{"print-completion", "bash zsh fish"},
};
#define VALUES (sizeof(values) / sizeof(values[0]))

static const char *words_of(const char *option)
{
	for (size_t i = 0; i < VALUES; i++) {
		if (strcmp(values[i].option, option) == 0) {
			return values[i].words;
		}
	}
	return NULL;
}

static bool takes_file(const struct cli_option_word *option)
{
	return option->value != NULL &&
	       (strcmp(option->value, "FILE") == 0 || strcmp(option->value, "PATH") == 0);
}

/* The options that take a file, as patterns of a case, each with BEHIND. */
static void add_file_options(struct buf *text, const char *behind)
{
	struct cli_option_word option;
	const char *joint = "";

	for (size_t i = 0; cli_option_word(i, &option); i++) {
		if (takes_file(&option)) {
			buf_printf(text, "%s--%s%s", joint, option.name, behind);
			joint = "|";
		}
	}
}

/* The commands whose arguments are of one of the KINDS, a set of 1 << enum cli_arguments. */
static void add_commands_with(struct buf *text, unsigned kinds, const char *joint)
{
	const struct cli_command_row *row;
	const char *before = "";

	for (size_t i = 0; (row = cli_command_row(i)) != NULL; i++) {
		if ((kinds & 1U << row->arguments) != 0 && row->command != CLI_HELP) {
			buf_printf(text, "%s%s", before, row->word);
			before = joint;
		}
	}
}

#define ONE_ACCOUNT (1U << ARGUMENTS_ACCOUNT | 1U << ARGUMENTS_ACCOUNTS)
#define NO_NAME     (1U << ARGUMENTS_NONE | 1U << ARGUMENTS_OWN)

static void add_options(struct buf *text, enum cli_command command)
{
	struct cli_option_word option;

	for (size_t i = 0; cli_option_word(i, &option); i++) {
		if (cli_option_is_for(&option, command)) {
			buf_printf(text, " --%s%s", option.name, option.value != NULL ? "=" : "");
		}
	}
}

/* One case a command, which sets OPTIONS. */
static void add_cases(struct buf *text)
{
	const struct cli_command_row *row;

	for (size_t i = 0; (row = cli_command_row(i)) != NULL; i++) {
		buf_printf(text, "\t%s) options='", row->word);
		add_options(text, row->command);
		buf_append_cstr(text, "' ;;\n");
	}
}

static void write_bash(struct buf *text)
{
	buf_append_cstr(
		text,
		"# bash completion for mailsync; made by mailsync --print-completion=bash\n"
		"_mailsync() {\n"
		"\tlocal current=${COMP_WORDS[COMP_CWORD]} word command='' options IFS=$' \\n'\n"
		"\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
		"\t\tcase $word in\n\t\t");
	add_commands(text, "|");
	buf_append_cstr(text, ") command=$word; break ;;\n"
			      "\t\tesac\n"
			      "\tdone\n"
			      "\tcase ${command:-sync} in\n");
	add_cases(text);
	buf_append_cstr(text,
			"\tesac\n"
			"\tCOMPREPLY=()\n"
			"\tlocal before=${COMP_WORDS[COMP_CWORD-1]}\n"
			"\tif [ \"$current\" = = ]; then current=''\n"
			"\telif [ \"$before\" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}\n"
			"\tfi\n"
			"\tcase $before in\n");
	for (size_t i = 0; i < VALUES; i++) {
		buf_printf(text,
			   "\t--%s) COMPREPLY=($(compgen -W '%s' -- \"$current\")); return ;;\n",
			   values[i].option, values[i].words);
	}
	buf_append_cstr(text, "\t-c|-o|");
	add_file_options(text, "");
	buf_append_cstr(text,
			") compopt -o filenames; COMPREPLY=($(compgen -f -- "
			"\"$current\")); return ;;\n"
			"\tesac\n"
			"\tcase $command,$current in\n"
			"\t*,-*) COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
			"\t    case ${COMPREPLY-} in *=) compopt -o nospace ;; esac; return ;;\n"
			"\timport,*/*) compopt -o filenames; COMPREPLY=($(compgen -f -- "
			"\"$current\")) ;;\n"
			"\tesac\n"
			"\tcase $command in\n"
			"\thelp|'') COMPREPLY=($(compgen -W '");
	add_commands(text, " ");
	buf_append_cstr(text, "' -- \"$current\")) ;;\n"
			      "\tesac\n"
			      "\tlocal names=''\n"
			      "\tcase $command in\n\thelp|");
	add_commands_with(text, NO_NAME, "|");
	buf_append_cstr(text, ") ;;\n\t");
	add_commands_with(text, ONE_ACCOUNT, "|");
	buf_append_cstr(text, ") names=$(" NAMES " | grep -v /) ;;\n"
			      "\t*) names=$(" NAMES ") ;;\n"
			      "\tesac\n"
			      "\tIFS=$'\\n'\n"
			      "\tCOMPREPLY+=($(compgen -W \"$names\" -- \"$current\"))\n"
			      "}\n"
			      "complete -F _mailsync mailsync\n");
}

static void write_zsh(struct buf *text)
{
	const struct cli_command_row *row;
	struct cli_option_word option;

	buf_append_cstr(text, "#compdef mailsync\n"
			      "# made by mailsync --print-completion=zsh\n"
			      "_mailsync() {\n"
			      "\tlocal word command= options\n"
			      "\tlocal -a names commands described\n"
			      "\tcommands=(\n");
	for (size_t i = 0; (row = cli_command_row(i)) != NULL; i++) {
		buf_printf(text, "\t\t'%s:", row->word);
		shell_append_quoted(text, row->help);
		buf_append_cstr(text, "'\n");
	}
	buf_append_cstr(text,
			"\t)\n\tfor word in ${words[2,CURRENT-1]}; do\n\t\tcase $word in\n\t\t");
	add_commands(text, "|");
	buf_append_cstr(text, ") command=$word; break ;;\n\t\tesac\n\tdone\n"
			      "\tcase ${command:-sync} in\n");
	add_cases(text);
	buf_append_cstr(text, "\tesac\n"
			      "\tcase ${words[CURRENT-1]} in\n"
			      "\t-c|-o|");
	add_file_options(text, "");
	buf_append_cstr(text, ") _files; return ;;\n"
			      "\tesac\n"
			      "\tcase $PREFIX in\n\t");
	add_file_options(text, "=*");
	buf_append_cstr(text, ") compset -P '*='; _files; return ;;\n");
	for (size_t i = 0; i < VALUES; i++) {
		buf_printf(text, "\t--%s=*) compset -P '*='; compadd %s; return ;;\n",
			   values[i].option, values[i].words);
	}
	buf_append_cstr(text, "\tesac\n"
			      "\tif [[ $PREFIX == -* ]]; then\n");
	for (size_t i = 0; cli_option_word(i, &option); i++) {
		buf_printf(text, "\t\t[[ \" $options \" == *' --%s%s '* ]] && described+=('--%s:",
			   option.name, option.value != NULL ? "=" : "", option.name);
		shell_append_quoted(text, option.help);
		buf_append_cstr(text, "')\n");
	}
	buf_append_cstr(text,
			"\t\t_describe option described\n"
			"\t\treturn\n"
			"\tfi\n"
			"\t[[ -n $command && $command != help ]] || _describe command commands\n"
			"\tcase $command in\n\thelp|");
	add_commands_with(text, NO_NAME, "|");
	buf_append_cstr(text, ") return ;;\n"
			      "\timport) _files ;;\n"
			      "\tesac\n"
			      "\tnames=(${(f)\"$(" NAMES ")\"})\n"
			      "\tcase $command in\n\t");
	add_commands_with(text, ONE_ACCOUNT, "|");
	buf_append_cstr(text, ") names=(${names:#*/*}) ;;\n"
			      "\tesac\n"
			      "\tcompadd -a names\n"
			      "}\n"
			      "_mailsync \"$@\"\n");
}

static void write_fish(struct buf *text)
{
	const struct cli_command_row *row;
	struct cli_option_word option;

	buf_append_cstr(text, "# made by mailsync --print-completion=fish\n"
			      "function __mailsync_names\n\t" NAMES "\nend\n"
			      "complete -c mailsync -f\n"
			      "complete -c mailsync -n '__fish_seen_subcommand_from help' -a '");
	add_commands(text, " ");
	buf_append_cstr(text, "'\ncomplete -c mailsync -n '__fish_seen_subcommand_from ");
	add_commands_with(text, ONE_ACCOUNT, " ");
	buf_append_cstr(text, "' -a '(__mailsync_names | string match -v \"*/*\")'\n"
			      "complete -c mailsync -n 'not __fish_seen_subcommand_from help ");
	add_commands_with(text, ONE_ACCOUNT | NO_NAME, " ");
	buf_append_cstr(text, "' -a '(__mailsync_names)'\n"
			      "complete -c mailsync -n '__fish_seen_subcommand_from import' -F\n");
	for (size_t i = 0; (row = cli_command_row(i)) != NULL; i++) {
		buf_printf(text, "complete -c mailsync -n __fish_use_subcommand -a %s -d '",
			   row->word);
		shell_append_quoted(text, row->help);
		buf_append_cstr(text, "'\n");
	}
	for (size_t i = 0; cli_option_word(i, &option); i++) {
		buf_append_cstr(text, "complete -c mailsync");
		if (!cli_option_is_for_all(&option)) {
			buf_append_cstr(text, " -n '__fish_seen_subcommand_from");
			for (size_t k = 0; (row = cli_command_row(k)) != NULL; k++) {
				if (cli_option_is_for(&option, row->command)) {
					buf_printf(text, " %s", row->word);
				}
			}
			buf_append_cstr(text, cli_option_is_for(&option, CLI_SYNC)
						      ? "; or __fish_use_subcommand'"
						      : "'");
		}
		buf_printf(text, " -l %s", option.name);
		if (option.letter != 0) {
			buf_printf(text, " -s %c", option.letter);
		}
		const char *words = words_of(option.name);
		if (words != NULL) {
			buf_printf(text, " -x -a '%s'", words);
		} else if (option.value != NULL) {
			buf_append_cstr(text, takes_file(&option) ? " -r -F" : " -x");
		}
		buf_append_cstr(text, " -d '");
		shell_append_quoted(text, option.help);
		buf_append_cstr(text, "'\n");
	}
}

int cli_completion_write(struct buf *text, const char *shell, struct err *err)
{
	static const struct {
		const char *shell;
		void (*write)(struct buf *text);
	} writers[] = {{"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};

	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		if (strcmp(writers[i].shell, shell) == 0) {
			writers[i].write(text);
			return buf_status(text, "the completion", err);
		}
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN,
		       "--print-completion can be bash, zsh or fish, not %s", shell);
}
