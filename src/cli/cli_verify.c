#include "cli_verify.h"

#include <inttypes.h>
#include <string.h>

#include "cli_clean.h"
#include "cli_json.h"
#include "cli_options.h"
#include "cli_share.h"

int cli_verify_take_level(struct cli_options *options, const char *word, struct err *err)
{
	for (int i = VERIFY_FILES; i <= VERIFY_BYTES; i++) {
		if (strcmp(verify_level_word((enum verify_level)i), word) == 0) {
			options->verify.level = (enum verify_level)i;
			return 0;
		}
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN, "--level can be files, server or bytes, not %s",
		       word);
}

int cli_verify_take_sample(struct cli_options *options, const char *text, struct err *err)
{
	struct verify_options *verify = &options->verify;
	struct cli_share share = {0};
	size_t len = strlen(text);

	verify->share = verify->shares = verify->percent = 0;
	if (cli_share_read(text, &share)) {
		verify->share = share.index;
		verify->shares = share.count;
		return 0;
	}
	if (len > 1 && text[len - 1] == '%' &&
	    cli_read_number(text, len - 1, 100, &verify->percent)) {
		return 0;
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN,
		       "--sample can be I/N, such as 1/30, or P%%, such as 5%%, not %s", text);
}

static void print_finding_json(struct buf *out, const char *account,
			       const struct verify_finding *finding)
{
	event_begin(out, "verify");
	event_text(out, "account", account);
	event_text(out, "mailbox", finding->mailbox);
	if (finding->uid != 0) {
		event_number(out, "uid", finding->uid);
	} else {
		event_null(out, "uid");
	}
	event_text(out, "file", finding->file);
	event_text(out, "problem", verify_problem_word(finding->problem));
	event_bool(out, "repaired", finding->is_repaired);
	event_text(out, "message", finding->message);
	event_end(out);
}

static void print_finding(struct buf *err, const char *account,
			  const struct verify_finding *finding)
{
	buf_printf(err, "mailsync: %s/", account);
	cli_clean(err, finding->mailbox);
	if (finding->uid != 0) {
		buf_printf(err, " UID %" PRIu32, finding->uid);
	}
	buf_printf(err, ": %s: ", verify_problem_word(finding->problem));
	cli_clean(err, finding->message);
	if (finding->file) {
		buf_append_cstr(err, " (");
		cli_clean(err, finding->file);
		buf_append_char(err, ')');
	}
	buf_append_cstr(err, finding->is_repaired ? "; repaired\n" : "\n");
}

static void print_sum_json(struct buf *out, const char *account, enum verify_level level,
			   const struct verify_report *report)
{
	event_begin(out, "verified");
	event_text(out, "account", account);
	event_text(out, "level", verify_level_word(level));
	event_number(out, "messages", report->messages);
	event_number(out, "bytes", report->bytes);
	event_number(out, "problems", report->problems);
	event_number(out, "pending", report->pending);
	event_number(out, "repaired", report->repaired);
	event_number(out, "not_compared", report->not_compared);
	event_number(out, "taken", report->taken);
	event_number(out, "accepted", report->accepted);
	if (report->oldest_proof > 0) {
		event_number(out, "oldest_proof", (uint64_t)report->oldest_proof);
	} else {
		event_null(out, "oldest_proof");
	}
	event_number(out, "status", (uint64_t)report->run.status);
	event_seconds(out, "seconds", report->run.seconds);
	event_end(out);
}

static void print_sum(struct buf *err, const char *account, enum verify_level level,
		      const struct verify_report *report)
{
	buf_printf(err,
		   "mailsync: %s: %" PRIu64 " messages verified (%s), %" PRIu64
		   " problems, %" PRIu64 " repaired, %" PRIu64
		   " for the next sync to settle, %.1f s\n",
		   account, report->messages, verify_level_word(level), report->problems,
		   report->repaired, report->pending, report->run.seconds);
	if (report->accepted > 0) {
		buf_printf(err,
			   "mailsync: %s: %" PRIu64
			   " files are gone, which is well (--accept-missing)\n",
			   account, report->accepted);
	}
}

/* The first look at files of an older version cannot tell what they were. */
static void print_taken(struct buf *err, const char *account, const struct verify_report *report)
{
	if (report->taken > 0) {
		buf_printf(err,
			   "mailsync: %s: of %" PRIu64
			   " messages it was not known what their files were: they are taken as "
			   "they are today; --level=bytes compares such with the server first\n",
			   account, report->taken);
	}
}

void cli_print_verify(struct cli_output *output, const char *account, enum verify_level level,
		      const struct verify_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		if (output->json) {
			print_finding_json(&output->out, account, &report->findings[i]);
		}
		print_finding(&output->err, account, &report->findings[i]);
	}
	if (report->problems > report->count) {
		buf_printf(&output->err, "mailsync: %s: %" PRIu64 " more problems like these\n",
			   account, report->problems - report->count);
	}
	for (size_t i = 0; i < report->run.error_count; i++) {
		const struct report_error *error = &report->run.errors[i];
		const struct cli_trouble trouble = {account, error->mailbox, error->uid,
						    error->code, error->text};
		cli_print_error(output, &trouble);
	}
	print_taken(&output->err, account, report);
	if (output->verbose || report->problems > 0) {
		print_sum(&output->err, account, level, report);
	}
	if (output->json) {
		print_sum_json(&output->out, account, level, report);
	}
}
