#include "cli_job.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/base/file.h"
#include "mailsync/base/hash.h"
#include "cli_hook.h"
#include "cli_hooks.h"
#include "cli_job_look.h"
#include "cli_job_sign.h"
#include "cli_restore.h"
#include "cli_silence.h"
#include "cli_transfer.h"
#include "cli_verify.h"

void cli_job_init(struct cli_job *job, const struct conf_account *conf,
		  const struct cli_options *options)
{
	memset(job, 0, sizeof(*job));
	job->conf = conf;
	strlist_init(&job->only);
	strlist_init(&job->brought);
	err_clear(&job->refusal);
	cli_output_init(&job->output, options->json, options->level >= LOG_INFO);
	job->output.colours = cli_has_colours(stderr);
	job->output.folds = options->level < LOG_INFO && isatty(STDOUT_FILENO);
	job->is_unattended = cli_is_unattended(options);
	job->is_measured = options->metrics != NULL;
}

void cli_job_finish(struct cli_job *job)
{
	cli_output_finish(&job->output);
	strlist_finish(&job->only);
	strlist_finish(&job->brought);
	free(job->trash);
	free(job->changes);
	credential_destroy(&job->credential);
	tokens_destroy(&job->tokens);
	credential_destroy(&job->client_secret);
}

void cli_job_again(struct cli_job *job)
{
	bool json = job->output.json, verbose = job->output.verbose;

	cli_output_finish(&job->output);
	cli_output_init(&job->output, json, verbose); /* no plan is printed by what stays */
	job->output.colours = cli_has_colours(stderr);
	job->status = 0;
	job->ended = ERR_NONE;
	job->patience_ms = 0;
	job->flags_left = 0;
	strlist_finish(&job->brought);
	strlist_init(&job->brought);
	job->is_done = false;
	job->is_to_be_heard = false;
}

int cli_job_keep_changes(struct cli_job *job, const char *state_dir, struct err *err)
{
	struct buf path;

	if (!cli_hooks_want_changes(job->conf)) {
		return 0;
	}
	buf_init(&path, FILE_PATH_SIZE - 1);
	buf_printf(&path, "%s/%s.changes", state_dir, job->conf->name);
	int code = buf_status(&path, "the path of the list of changes", err);
	if (code == 0 && !(job->changes = buf_steal(&path))) {
		code = err_nomem(err);
	}
	buf_finish(&path);
	job->account.maildir.changes = job->changes;
	return code;
}

/* Another run's lock is not worth a word where nobody waits for one; but a watch is to stay. */
static bool job_bears(const struct cli_job *job, enum err_code code)
{
	return job->is_unattended && !job->stays && code == ERR_LOCKED;
}

/* What is said of it by REPORT. */
static void job_hush(const struct cli_job *job, struct report *report)
{
	if (report->error_count == 1 && job_bears(job, report->errors[0].code)) {
		report->is_borne = true;
		report_hush(report);
	}
}

void cli_job_fail(struct cli_job *job, const struct err *err)
{
	const struct cli_trouble trouble = {job->conf->name, NULL, 0, err->code, err->text};

	if (!job_bears(job, err->code)) {
		cli_print_error(&job->output, &trouble);
	}
	job->status = err_exit_status(err->code);
	job->ended = err->code;
}

/* That a login was refused is told once by a process that stays. */
static void job_hooks(struct cli_job *job, const struct sync_options *options, bool is_ready,
		      struct report *report)
{
	bool is_refused = job->ended == ERR_LOGIN;
	const struct cli_hooks hooks = {
		.conf = job->conf,
		.state_dir = options->state_dir,
		.changes = job->changes,
		.stop = options->stop,
		.is_ready = is_ready,
		.was_told = is_refused && job->was_refused,
	};

	cli_hooks_run(&hooks, report, &job->status);
	job->was_refused = is_refused;
}

static void job_measure(struct cli_job *job, const struct sync_options *options,
			const struct report *report)
{
	struct status status = {0};
	struct err ignored; /* then only what the run tells */

	if (!job->is_measured) {
		return;
	}
	cli_measure_run(&job->measure, report);
	if (sync_status(&job->account, options, &status, &ignored) == 0) {
		cli_measure_state(&job->measure, &status);
		status_finish(&status);
	}
}

/* An account that could not even begin: its JSON lines end with an account event all the same. */
static void job_refuse(struct cli_job *job, const struct cli_options *cli,
		       const struct sync_options *options)
{
	struct report report;

	cli_job_fail(job, &job->refusal);
	if (cli->command != CLI_SYNC && cli->command != CLI_WATCH) {
		return;
	}
	report_init(&report);
	report.status = job->status;
	report.total.errors = 1;
	report.is_borne = job->ended == ERR_INTERRUPTED || job->ended == ERR_LOCKED;
	if (!options->dry_run) {
		job_hooks(job, options, false, &report);
	}
	report.status = job->status;
	job_measure(job, options, &report);
	bool verbose = job->output.verbose;
	job->output.verbose = false;
	cli_print_report(&job->output, job->conf->name, &report);
	job->output.verbose = verbose;
	report_finish(&report);
}

/* Where pre_sync fails, what it was to make ready is not there: the sync has to wait. */
static int job_prepare(struct cli_job *job, const stop_flag *stop, struct err *err)
{
	const struct cli_hook hook = {.key = "pre_sync",
				      .command = job->conf->pre_sync,
				      .account = job->conf->name,
				      .stop = stop};

	if (cli_hook_run(&hook, err) == 0) {
		return 0;
	}
	if (*stop) {
		return err_stopped(err);
	}
	return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT, "%s; nothing was synced", err->text);
}

/* Where there is no memory it is as if nothing came. */
static void job_note_brought(struct cli_job *job, const struct report *report)
{
	struct err ignored;

	for (size_t i = 0; i < report->mailbox_count; i++) {
		const struct sync_counts *counts = &report->mailboxes[i].counts;
		if (counts->downloaded > 0 || counts->deleted_local > 0) {
			(void)strlist_add(&job->brought, span_of(report->mailboxes[i].name),
					  &ignored);
		}
	}
}

/* Where pre_sync fails nothing begins: 75, which is borne as any other. */
static int job_begin(struct cli_job *job, const struct sync_options *options, struct report *report,
		     struct err *err)
{
	int code = options->dry_run ? 0 : job_prepare(job, options->stop, err);

	if (code < 0) {
		sync_put_off(&job->account, options, &report->is_borne);
	}
	return code;
}

/* Of a login that is refused the words say when the next try is: that is no other error. */
static uint64_t hash_errors(const struct report *report)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < report->error_count; i++) {
		const struct report_error *error = &report->errors[i];
		hash = (hash * 31 + error->code) * 31 + hash_span(span_of(error->mailbox));
		hash = hash * 31 + error->uid;
		hash = hash * 31 + (error->code == ERR_LOGIN ? 0 : hash_span(span_of(error->text)));
	}
	return hash;
}

static void job_tell(struct cli_job *job, struct report *report)
{
	size_t count = report->error_count;
	uint64_t said = hash_errors(report);

	if (job->stays && job->said == said) {
		report->error_count = 0;
	}
	cli_print_report(&job->output, job->conf->name, report);
	report->error_count = count;
	job->said = said;
}

static void job_sync(struct cli_job *job, const struct sync_options *options)
{
	struct report report;
	struct err err;

	report_init(&report);
	err_clear(&err);
	int code = job_begin(job, options, &report, &err);
	bool is_ready = code == 0, is_stop_alone = false;
	if (is_ready) {
		code = sync_account(&job->account, options, &report, &err);
	}
	job->status = report.status;
	if (code < 0) {
		job->ended = err.code;
		job->status = report.status ? report.status : err_exit_status(err.code);
		is_stop_alone = report.total.errors == 0 && err.code == ERR_INTERRUPTED;
		report.total.errors += report.total.errors == 0;
	}
	if (code < 0 && report.error_count == 0) {
		report_add_error(&report, NULL, 0, &err);
	}
	if (job->is_unattended) {
		report_hush(&report);
	}
	if (!options->dry_run) {
		job_hooks(job, options, is_ready, &report);
	}
	report.status = job->status;
	job->patience_ms = report.patience_ms;
	job->flags_left = report.flags_left;
	job_measure(job, options, &report);
	job_note_brought(job, &report);
	job_tell(job, &report);
	job->is_to_be_heard = report.is_to_be_heard;
	job->total = report.total;
	job->total.errors -= is_stop_alone; /* a stop is said of the run, and failed nowhere */
	job->bytes = report.bytes_in + report.bytes_out;
	job->seconds = report.seconds;
	cli_plan_add(&job->plan, &report);
	report_finish(&report);
}

static void job_verify(struct cli_job *job, const struct cli_options *cli,
		       const struct sync_options *options)
{
	struct verify_report report;
	struct err err;

	verify_report_init(&report);
	int code = sync_verify(&job->account, options, &cli->verify, &report, &err);
	job->status = report.run.status;
	if (code < 0 && report.run.error_count == 0) {
		cli_job_fail(job, &err);
	}
	job_hush(job, &report.run);
	cli_print_verify(&job->output, job->conf->name, cli->verify.level, &report);
	verify_report_finish(&report);
}

/* With neither --lost-since nor --all: what there is to choose from. */
static void job_missed(struct cli_job *job, const struct sync_options *options)
{
	struct restore_days missed = {0};
	struct err err;

	int code = sync_missed(&job->account, options, &missed, &err);
	if (code == -ERR_CHANGED) {
		cli_print_never_synced(&job->output, job->conf->name);
	} else if (code < 0) {
		cli_job_fail(job, &err);
	} else {
		cli_print_missed(&job->output, job->conf->name, &missed, &job->only);
	}
	job->status = err_exit_status(ERR_USAGE);
	restore_days_finish(&missed);
}

static void job_restore(struct cli_job *job, const struct cli_options *cli,
			const struct sync_options *options)
{
	const struct restore_options *restore = &cli->restore;
	struct report report;
	struct err err;

	if (!restore->all && restore->since == 0) {
		job_missed(job, options);
		return;
	}
	report_init(&report);
	err_clear(&err);
	int code = sync_restore(&job->account, options, restore, &report, &err);
	job->status = code < 0 && report.status == 0 ? err_exit_status(err.code) : report.status;
	if (code < 0 && report.error_count == 0) {
		cli_job_fail(job, &err);
	}
	job_hush(job, &report);
	cli_print_report(&job->output, job->conf->name, &report);
	job->is_to_be_heard = report.is_to_be_heard;
	report_finish(&report);
}

static void job_export(struct cli_job *job, const struct sync_options *options)
{
	struct export_result result;
	struct err err;

	export_result_init(&result);
	const char *folder = job->is_one_of_many ? job->conf->name : NULL;
	int code = sync_export(&job->account, options, job->sink, folder, &result, &err);
	job->status = cli_print_export(&job->output, job->conf->name, &result);
	if (code < 0) {
		cli_job_fail(job, &err);
	}
	export_result_finish(&result);
}

static void job_import(struct cli_job *job, const struct cli_options *cli,
		       const struct sync_options *options)
{
	const struct import_files files = {
		.mailbox = job->only.items[0],
		.paths = cli->arguments + 1,
		.count = (size_t)cli->argument_count - 1,
	};
	struct import_result result;
	struct err err;

	import_result_init(&result);
	int code = sync_import(&job->account, options, &files, &result, &err);
	if (code == 0 || result.imported + result.held > 0) {
		job->status = cli_print_import(&job->output, job->conf->name, files.mailbox,
					       cli->level > LOG_ERROR, &result);
	}
	if (code < 0) {
		cli_job_fail(job, &err);
	}
	import_result_finish(&result);
}

void cli_job_run(struct cli_job *job, const struct cli_options *cli,
		 const struct sync_options *options)
{
	struct sync_options own = *options;

	own.only = &job->only;
	if (job->refusal.code == ERR_NONE && *options->stop) {
		(void)err_stopped(&job->refusal);
	}
	if (job->refusal.code != ERR_NONE) {
		job_refuse(job, cli, options);
		return;
	}
	switch (cli->command) {
	case CLI_STATUS:
		cli_job_status(job, &own);
		break;
	case CLI_LIST:
		cli_job_list(job, &own);
		break;
	case CLI_CHECK:
		cli_job_check(job, &own);
		break;
	case CLI_LOGIN:
		cli_job_login(job, cli, &own);
		break;
	case CLI_TOKEN:
		cli_job_token(job, &own);
		break;
	case CLI_LOGOUT:
		cli_job_logout(job, cli, &own);
		break;
	case CLI_VERIFY:
		job_verify(job, cli, &own);
		break;
	case CLI_RESTORE:
		job_restore(job, cli, &own);
		break;
	case CLI_EXPORT:
		job_export(job, &own);
		break;
	case CLI_IMPORT:
		job_import(job, cli, &own);
		break;
	case CLI_SYNC:
	case CLI_INIT:
	case CLI_WATCH:
	case CLI_HELP:
	case CLI_VERSION:
	case CLI_PRINT_EXAMPLE:
	case CLI_PRINT_COMPLETION:
	case CLI_PRINT_DOCS:
	case CLI_PRINT_MAN:
		job_sync(job, &own);
		break;
	}
}
