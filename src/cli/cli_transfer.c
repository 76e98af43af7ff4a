#include "cli_transfer.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli_clean.h"
#include "cli_complain.h"
#include "cli_job.h"
#include "cli_json.h"

int cli_transfer_take_format(struct cli_options *options, const char *word, struct err *err)
{
	options->exports_eml = strcmp(word, "eml") == 0;
	if (!options->exports_eml && strcmp(word, "mbox") != 0) {
		return err_set(err, ERR_USAGE, SCOPE_RUN, "--format can be mbox or eml, not %s",
			       word);
	}
	return 0;
}

int cli_transfer_take_output(struct cli_options *options, const char *path, struct err *err)
{
	if (*path == '\0') {
		return err_set(err, ERR_USAGE, SCOPE_RUN, "-o needs a path");
	}
	options->output = strcmp(path, "-") == 0 ? NULL : path;
	return 0;
}

int cli_export_check(const struct cli_options *options, struct err *err)
{
	if (options->exports_eml && !options->output) {
		return err_set(err, ERR_USAGE, SCOPE_RUN,
			       "--format=eml needs -o and a folder for the files");
	}
	if (!options->output && options->json) {
		return err_set(err, ERR_USAGE, SCOPE_RUN,
			       "--json needs -o, as standard output is where the mail goes else");
	}
	if (!options->output && isatty(STDOUT_FILENO)) {
		return err_set(err, ERR_USAGE, SCOPE_RUN,
			       "an mbox is nothing for a terminal; redirect it, or use -o FILE");
	}
	return 0;
}

/* Gives SINK to all accounts that are written into it. */
static void hand_out(struct cli_run *run, struct mail_sink *sink)
{
	const struct cli_jobs jobs = cli_run_jobs(run);
	size_t wanted = 0;

	for (size_t i = 0; i < jobs.count; i++) {
		wanted += jobs.items[i].is_wanted;
	}
	for (size_t i = 0; i < jobs.count; i++) {
		jobs.items[i].sink = sink;
		jobs.items[i].is_one_of_many = wanted > 1;
	}
}

int cli_export_all(struct cli_run *run, const struct cli_options *options, FILE *out,
		   FILE *err_stream)
{
	const struct mail_sink_params params = {
		.is_folder = options->exports_eml,
		.path = options->output,
	};
	struct mail_sink *sink = NULL;
	struct err err;
	int status = 0;

	int code = mail_sink_open(&sink, &params, &err);
	if (code == 0) {
		hand_out(run, sink);
		status = cli_run_all(run, out, err_stream);
		bool is_whole = status == 0 || status == err_exit_status(ERR_PARTIAL);
		code = is_whole ? mail_sink_finish(sink, &err) : 0;
	}
	mail_sink_close(&sink);
	if (code < 0) {
		cli_complain(options, err.code, err.text);
		status = err_exit_status(err.code);
	}
	return status;
}

int cli_print_export(struct cli_output *output, const char *account,
		     const struct export_result *result)
{
	for (size_t i = 0; i < result->missing.count; i++) {
		const struct cli_trouble trouble = {account, result->missing.items[i], 0,
						    ERR_PARTIAL,
						    "there is no such mailbox in the Maildir"};
		cli_print_error(output, &trouble);
	}
	if (output->json) {
		event_begin(&output->out, "exported");
		event_text(&output->out, "account", account);
		event_number(&output->out, "messages", result->messages);
		event_number(&output->out, "bytes", result->bytes);
		event_end(&output->out);
	} else if (output->verbose) {
		buf_printf(&output->err,
			   "mailsync: %s: %" PRIu64 " messages exported, %" PRIu64 " bytes\n",
			   account, result->messages, result->bytes);
	}
	return result->missing.count > 0 ? err_exit_status(ERR_PARTIAL) : 0;
}

static void print_import_json(struct buf *out, const char *account, const char *mailbox,
			      const struct import_result *result)
{
	event_begin(out, "imported");
	event_text(out, "account", account);
	event_text(out, "mailbox", mailbox);
	event_number(out, "imported", result->imported);
	event_number(out, "bytes", result->bytes);
	event_number(out, "held", result->held);
	event_number(out, "unlike", result->unlike);
	event_number(out, "cut", result->cut);
	event_number(out, "errors", result->strange + result->failed);
	event_end(out);
}

static void print_import_text(struct buf *out, const char *account, const char *mailbox,
			      const struct import_result *result)
{
	buf_printf(out, "%s/", account);
	cli_clean(out, mailbox);
	buf_printf(out, ": %" PRIu64 " imported, %" PRIu64 " held already", result->imported,
		   result->held);
	if (result->unlike > 0) {
		buf_printf(out, ", %" PRIu64 " with another body", result->unlike);
	}
	if (result->cut > 0) {
		buf_printf(out, ", %" PRIu64 " cut off", result->cut);
	}
	buf_append_char(out, '\n');
}

int cli_print_import(struct cli_output *output, const char *account, const char *mailbox,
		     bool is_told, const struct import_result *result)
{
	for (size_t i = 0; i < result->told.count; i++) {
		buf_printf(&output->err, "mailsync: %s: ", account);
		cli_clean(&output->err, result->told.items[i]);
		buf_append_char(&output->err, '\n');
	}
	if (output->json) {
		print_import_json(&output->out, account, mailbox, result);
	} else if (is_told) {
		print_import_text(&output->out, account, mailbox, result);
	}
	bool is_whole = result->cut + result->strange + result->failed == 0;
	return is_whole ? 0 : err_exit_status(ERR_PARTIAL);
}
