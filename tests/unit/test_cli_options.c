#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/base/buf.h"
#include "cli_options.h"

static char *arguments[16];

/* Reads "mailsync" and the words of LINE (changed). */
static int read_line(struct cli_options *options, char *line, struct err *err)
{
	static char program[] = "mailsync";
	int count = 0;

	arguments[count++] = program;
	for (char *at = line; *at && count < 15;) {
		arguments[count++] = at;
		at += strcspn(at, " ");
		if (*at) {
			*at++ = '\0';
		}
	}
	arguments[count] = NULL;
	return cli_options_read(options, count, arguments, err);
}

static void no_words_mean_sync_of_everything(void **state)
{
	struct cli_options options;
	struct err err;
	char line[] = "";

	(void)state;
	assert_int_equal(read_line(&options, line, &err), 0);
	assert_int_equal(options.command, CLI_SYNC);
	assert_int_equal(options.argument_count, 0);
	assert_int_equal(options.level, LOG_WARN);
}

static void options_stand_before_and_after_the_command(void **state)
{
	struct cli_options options;
	struct err err;
	char line[] = "-v --json list work -c x.conf -v other/INBOX";

	(void)state;
	assert_int_equal(read_line(&options, line, &err), 0);
	assert_int_equal(options.command, CLI_LIST);
	assert_int_equal(options.level, LOG_WIRE);
	assert_true(options.json);
	assert_string_equal(options.config, "x.conf");
	assert_int_equal(options.argument_count, 2);
	assert_string_equal(options.arguments[0], "work");
	assert_string_equal(options.arguments[1], "other/INBOX");
}

static void two_v_in_one_word_show_the_wire(void **state)
{
	struct cli_options options;
	struct err err;
	char line[] = "-vv";

	(void)state;
	assert_int_equal(read_line(&options, line, &err), 0);
	assert_int_equal(options.level, LOG_WIRE);
}

static void an_account_named_like_a_command_can_be_given(void **state)
{
	struct cli_options options;
	struct err err;
	char line[] = "sync list";

	(void)state;
	assert_int_equal(read_line(&options, line, &err), 0);
	assert_int_equal(options.command, CLI_SYNC);
	assert_string_equal(options.arguments[0], "list");
}

static void what_cannot_be_is_a_usage_error(void **state)
{
	static const char *const lines[] = {"--pull --push",
					    "-x",
					    "--nonsense",
					    "--config",
					    "--json=x",
					    "--progress=x",
					    "list -n",
					    "status --pull",
					    "login",
					    "login a b",
					    "token a/INBOX",
					    "logout",
					    "--device",
					    "token a --paste",
					    "login a --device --paste",
					    "--jobs 0",
					    "--jobs 1025",
					    "--jobs many",
					    "--shard 3/2",
					    "--shard 0/2",
					    "status --metrics x",
					    "import --shard 1/2 a/INBOX x",
					    "-n --metrics x"};
	struct cli_options options;
	struct err err;
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		memcpy(line, lines[i], strlen(lines[i]) + 1);
		assert_int_equal(read_line(&options, line, &err), -ERR_USAGE);
	}
}

static void a_fleet_has_jobs_shares_and_metrics(void **state)
{
	struct cli_options options;
	struct err err;
	char line[] = "--jobs 64 watch --shard=2/3 --metrics x.prom", none[] = "";

	(void)state;
	assert_int_equal(read_line(&options, line, &err), 0);
	assert_int_equal(options.jobs, 64);
	assert_int_equal(options.shard.index, 2);
	assert_int_equal(options.shard.count, 3);
	assert_string_equal(options.metrics, "x.prom");
	assert_int_equal(read_line(&options, none, &err), 0);
	assert_int_equal(options.jobs, 16);
	assert_int_equal(options.shard.count, 0);
	assert_null(options.metrics);
}

/* What one option is for differs by command, and each command tells its own. */
static void help_fits_80_columns_and_keeps_to_its_command(void **state)
{
	struct cli_options options;
	struct err err;
	struct buf text;
	const struct cli_command_row *row = NULL;

	(void)state;
	buf_init(&text, 1 << 16);
	for (size_t i = 0; i == 0 || row != NULL; i++) {
		buf_clear(&text);
		cli_options_write_usage(&text, row);
		for (const char *at = text.data; *at; at += strcspn(at, "\n") + 1) {
			size_t len = strcspn(at, "\n");
			assert_true(len < 80);
			assert_true(len == 0 || at[len - 1] != ' ');
		}
		row = cli_command_row(i);
	}
	char init[] = "help init", restore[] = "help restore";
	assert_int_equal(read_line(&options, init, &err), 0);
	buf_clear(&text);
	cli_options_write_usage(&text, options.topic);
	assert_non_null(strstr(text.data, " the configuration of mbsync,"));
	assert_null(strstr(text.data, "another Maildir"));
	assert_int_equal(read_line(&options, restore, &err), 0);
	buf_clear(&text);
	cli_options_write_usage(&text, options.topic);
	assert_non_null(strstr(text.data, "--from=PATH          another Maildir tree\n"));
	assert_null(strstr(text.data, "sync would"));
	buf_finish(&text);
}

static void help_of_a_command_has_its_own_options_and_those_of_all(void **state)
{
	struct cli_options options;
	struct err err;
	struct buf text;
	char lines[][16] = {"help login", "login --help", "--help login"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(read_line(&options, lines[i], &err), 0);
		assert_int_equal(options.command, CLI_HELP);
		assert_string_equal(options.topic->word, "login");
	}
	buf_init(&text, 1 << 16);
	cli_options_write_usage(&text, options.topic);
	assert_non_null(strstr(text.data, "Usage: mailsync login [OPTION]... ACCOUNT\n"));
	assert_non_null(strstr(text.data, "\n      --paste              the browser"));
	assert_non_null(strstr(text.data, "\n  -c, --config=FILE        configuration"));
	assert_null(strstr(text.data, "--pull"));
	assert_non_null(strstr(text.data, "\nMore of it: man mailsync-login\n"));
	buf_finish(&text);
	char all[] = "help", none[] = "help nothing";
	assert_int_equal(read_line(&options, all, &err), 0);
	assert_null(options.topic);
	assert_int_equal(read_line(&options, none, &err), -ERR_USAGE);
}

static void what_is_wrong_is_said(void **state)
{
	static const char *const cases[][2] = {
		{"--dryrun", "there is no option --dryrun; did you mean '--dry-run'?"},
		{"--allow-mas-delete=1",
		 "there is no option --allow-mas-delete; did you mean '--allow-mass-delete'?"},
		{"--pu", "--pu may be any of --pull, --push"},
		{"--nonsense", "there is no option --nonsense"},
		{"help statsu", "there is no command 'statsu'; did you mean 'status'?"},
		{"help nothing", "there is no command 'nothing'"},
		{"--json=x", "option --json takes no value"},
		{"--config", "option --config needs a value"},
		{"-x", "unknown option -x"},
		{"status --pull", "--pull is for sync"},
		{"list --paste", "--paste is for login"},
		{"--pull --push", "--pull and --push exclude each other"},
		{"token a/INBOX", "token takes the name of an account, not 'a/INBOX'"},
		{"watch a a/b", "watch takes the name of an account, not 'a/b'"},
		{"login", "login takes the name of one account"},
		{"version a", "version takes no arguments"},
	};
	struct cli_options options;
	struct err err;
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(line, cases[i][0], strlen(cases[i][0]) + 1);
		assert_int_equal(read_line(&options, line, &err), -ERR_USAGE);
		assert_string_equal(err.text, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_words_mean_sync_of_everything),
		cmocka_unit_test(options_stand_before_and_after_the_command),
		cmocka_unit_test(two_v_in_one_word_show_the_wire),
		cmocka_unit_test(an_account_named_like_a_command_can_be_given),
		cmocka_unit_test(what_cannot_be_is_a_usage_error),
		cmocka_unit_test(a_fleet_has_jobs_shares_and_metrics),
		cmocka_unit_test(help_fits_80_columns_and_keeps_to_its_command),
		cmocka_unit_test(help_of_a_command_has_its_own_options_and_those_of_all),
		cmocka_unit_test(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
