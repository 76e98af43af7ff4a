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
	buf_append_cstr(text, "\tesac\n"
			      "\tCOMPREPLY=()\n"
			      "\tcase ${COMP_WORDS[COMP_CWORD-1]} in\n"
			      "\t-c|--config) compopt -o filenames; COMPREPLY=($(compgen -f -- "
			      "\"$current\")); return ;;\n"
			      "\tesac\n"
			      "\tcase $current in\n"
			      "\t-*) COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
			      "\t    case ${COMPREPLY-} in *=) compopt -o nospace ;; esac ;;\n"
			      "\t*)  IFS=$'\\n'\n"
			      "\t    COMPREPLY=($(compgen -W \"$(" NAMES ")\" -- \"$current\"))\n"
			      "\t    IFS=$' \\n'\n"
			      "\t    [ -n \"$command\" ] || COMPREPLY+=($(compgen -W '");
	add_commands(text, " ");
	buf_append_cstr(text, "' -- \"$current\")) ;;\n"
			      "\tesac\n"
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
			      "\t-c|--config) _files; return ;;\n"
			      "\tesac\n"
			      "\tif [[ $PREFIX == -* ]]; then\n");
	for (size_t i = 0; cli_option_word(i, &option); i++) {
		buf_printf(text, "\t\t[[ \" $options \" == *' --%s%s '* ]] && described+=('--%s:",
			   option.name, option.value != NULL ? "=" : "", option.name);
		shell_append_quoted(text, option.help);
		buf_append_cstr(text, "')\n");
	}
	buf_append_cstr(text, "\t\t_describe option described\n"
			      "\t\treturn\n"
			      "\tfi\n"
			      "\t[[ -n $command ]] || _describe command commands\n"
			      "\tnames=(${(f)\"$(" NAMES ")\"})\n"
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
			      "complete -c mailsync -f -a '(__mailsync_names)'\n");
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
		buf_printf(text, "%s -d '", option.value != NULL ? " -r -F" : "");
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
