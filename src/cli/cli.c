#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/base/secret.h"
#include "mailsync/conf/conf.h"
#include "mailsync/net/conn.h"
#include "cli_complain.h"
#include "cli_completion.h"
#include "cli_init.h"
#include "cli_options.h"
#include "cli_run.h"
#include "cli_signal.h"
#include "cli_transfer.h"
#include "cli_watch.h"

#ifndef MAILSYNC_VERSION
#define MAILSYNC_VERSION "0.1.0"
#endif

#define GENERATED_MAX 1048576

/* A reader that went away has what it wanted. */
static int cli_broken(int errnum)
{
	struct err err;

	if (errnum == EPIPE) {
		return 0;
	}
	err_set_errno(&err, ERR_LOCAL, SCOPE_RUN, errnum, "standard output could not be written");
	fprintf(stderr, "mailsync: %s\n", err.text);
	return err_exit_status(err.code);
}

static int cli_flush(int status)
{
	return fflush(stdout) != 0 && status == 0 ? cli_broken(errno) : status;
}

/* What is made of the tables of commands, options and keys. */
static int write_generated(const struct cli_options *options, struct buf *text, struct err *err)
{
	if (options->command == CLI_HELP) {
		cli_options_write_usage(text, options->topic);
		return buf_status(text, "the usage", err);
	}
	if (options->command == CLI_PRINT_COMPLETION) {
		return cli_completion_write(text, options->shell, err);
	}
	if (options->command == CLI_PRINT_EXAMPLE) {
		return conf_write_example(text, err);
	}
	return options->command == CLI_PRINT_DOCS ? conf_write_docs(text, err)
						  : conf_write_man(text, err);
}

static int cli_print_generated(const struct cli_options *options)
{
	struct buf text;
	struct err err;

	buf_init(&text, GENERATED_MAX);
	int status = 0, code = write_generated(options, &text, &err);
	if (code < 0) {
		fprintf(stderr, "mailsync: %s\n", err.text);
		status = err_exit_status(err.code);
	} else if (fwrite(text.data, 1, text.len, stdout) != text.len) {
		status = cli_broken(errno);
	}
	buf_finish(&text);
	return cli_flush(status);
}

static int cli_run_configured(const struct cli_options *options, const struct conf *conf)
{
	struct cli_run *run = NULL;
	struct err err;

	int code = cli_run_create(&run, options, conf, cli_signal_stop(), &err);
	if (code == 0) {
		code = cli_run_select(run, &err);
	}
	if (code == 0) {
		code = conn_global_init(&err);
	}
	bool is_ready = code == 0;
	int status;
	if (code < 0) {
		cli_complain(options, err.code, err.text);
		status = err_exit_status(err.code);
	} else {
		status = options->command == CLI_EXPORT
			       ? cli_export_all(run, options, stdout, stderr)
			       : cli_run_all(run, stdout, stderr);
	}
	cli_run_destroy(&run);
	if (is_ready) {
		conn_global_finish();
	}
	return status;
}

static int cli_run_command(const struct cli_options *options)
{
	struct conf *conf = NULL;
	struct conf_errors errors;
	struct err err;
	int status;

	int code = conf_load(&conf, options->config, &errors, &err);
	for (size_t i = 0; code < 0 && i < errors.count; i++) {
		cli_complain(options, ERR_CONFIG, errors.items[i].text);
	}
	if (code < 0) {
		if (errors.count == 0) {
			cli_complain(options, err.code, err.text);
		}
		status = err_exit_status(err.code);
	} else if (options->command == CLI_WATCH) {
		status = cli_watch(options, &conf);
	} else {
		status = cli_run_configured(options, conf);
	}
	conf_errors_finish(&errors);
	conf_destroy(&conf);
	return status;
}

/* A file that we open must not become the standard output or error of ourselves or of a child.
 * Opened for reading, so that writing to one still fails. */
static void occupy_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0) {
		close(fd);
	}
}

int cli_main(int argc, char **argv)
{
	struct cli_options options;
	struct err err;

	occupy_standard_streams();

	/* For the system's messages only; numbers and names do not depend on it. */
	(void)setlocale(LC_MESSAGES, "");
	/* Names of hosts are UTF-8, whatever the user's terminal speaks: libidn2 goes by this. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	secret_protect_process();
	cli_signal_install();
	if (cli_options_read(&options, argc, argv, &err) < 0) {
		bool is_answered = err.text[strlen(err.text) - 1] == '?'; /* did you mean ...? */
		fprintf(stderr, "mailsync: %s%s\n", err.text,
			is_answered ? "" : "; try mailsync --help");
		return err_exit_status(err.code);
	}
	switch (options.command) {
	case CLI_VERSION:
		puts("mailsync " MAILSYNC_VERSION);
		return cli_flush(0);
	case CLI_HELP:
	case CLI_PRINT_EXAMPLE:
	case CLI_PRINT_COMPLETION:
	case CLI_PRINT_DOCS:
	case CLI_PRINT_MAN:
		return cli_print_generated(&options);
	case CLI_INIT:
		return cli_flush(cli_init_run(&options));
	case CLI_SYNC:
	case CLI_WATCH:
	case CLI_STATUS:
	case CLI_LIST:
	case CLI_CHECK:
	case CLI_LOGIN:
	case CLI_TOKEN:
	case CLI_LOGOUT:
	case CLI_VERIFY:
	case CLI_RESTORE:
	case CLI_EXPORT:
	case CLI_IMPORT:
		break;
	}
	return cli_flush(cli_run_command(&options));
}
