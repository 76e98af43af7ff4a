#include "cli_run.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/err.h"
#include "mailsync/base/log.h"
#include "mailsync/sync/sync.h"
#include "cli_account.h"
#include "cli_job.h"
#include "cli_metrics.h"
#include "cli_progress.h"
#include "cli_roots.h"
#include "cli_share.h"
#include "cli_summary.h"
#include "cli_trust.h"

#define LINE_MS          250  /* between two looks of the progress line */
#define LINES_MS         2000 /* and where each look is a line */
#define PROGRESS_COLUMNS 200
#define PROGRESS_MAX     65536

#define SUMMARY_MAX 1048576

struct cli_run {
	const struct cli_options *options;
	const struct conf *conf;
	const stop_flag *stop;
	struct sync_options sync_options;
	struct log log;
	pthread_mutex_t asking; /* held by the account whose password_command runs */
	struct cli_job *jobs;   /* one an account, in file order */
	size_t count;
	pthread_mutex_t mutex; /* guards `next` and the jobs' `is_done` */
	pthread_cond_t done;
	size_t next; /* the first job that no thread has taken */
	struct cli_trusts trusts;
	enum cli_progress_kind progress;
	bool is_broken_told;       /* that the reports cannot be written */
	int64_t began_ms, look_ms; /* of the monotonic clock: when it began, and when the progress
				    * is next looked at */
};

int cli_run_create(struct cli_run **run, const struct cli_options *options, const struct conf *conf,
		   const stop_flag *stop, struct err *err)
{
	struct cli_run *created = calloc(1, sizeof(*created));

	if (!created) {
		return err_nomem(err);
	}
	created->jobs = calloc(conf->count, sizeof(*created->jobs));
	if (!created->jobs) {
		free(created);
		return err_nomem(err);
	}
	created->options = options;
	created->conf = conf;
	created->stop = stop;
	created->count = conf->count;
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&created->mutex, NULL);
	pthread_mutex_init(&created->asking, NULL);
	pthread_cond_init(&created->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	for (size_t i = 0; i < created->count; i++) {
		cli_job_init(&created->jobs[i], &conf->accounts[i], options);
	}
	*run = created;
	return 0;
}

void cli_run_destroy(struct cli_run **run)
{
	if (!*run) {
		return;
	}
	for (size_t i = 0; i < (*run)->count; i++) {
		cli_job_finish(&(*run)->jobs[i]);
	}
	cli_trusts_finish(&(*run)->trusts);
	pthread_cond_destroy(&(*run)->done);
	pthread_mutex_destroy(&(*run)->asking);
	pthread_mutex_destroy(&(*run)->mutex);
	free((*run)->jobs);
	free(*run);
	*run = NULL;
}

int cli_run_select(struct cli_run *run, struct err *err)
{
	struct cli_jobs jobs = cli_run_jobs(run);

	return cli_select(&jobs, run->options, run->conf->path, err);
}

/* Whose tokens CONF's account uses; NULL: it has a password. */
static const struct conf_account *run_signs_in_as(const struct cli_run *run,
						  const struct conf_account *conf)
{
	const struct cli_jobs jobs = cli_run_jobs(run);
	const struct cli_job *other =
		conf->oauth_account ? cli_jobs_find(&jobs, conf->oauth_account) : NULL;

	return conf->oauth ? conf : other ? other->conf : NULL;
}

/* Only on a terminal can a command ask somebody, and take its time. */
static void run_limit(struct cli_run *run, const struct conf_account *conf,
		      struct credential_params *params)
{
	if (isatty(STDERR_FILENO)) {
		params->turn = &run->asking;
	} else {
		params->timeout_s = conf->timeout_s;
	}
	params->log = &run->log;
}

/* The tokens of a job whose account signs in. */
static int run_fill_tokens(struct cli_run *run, struct cli_job *job, struct err *err)
{
	const struct conf_account *owner = run_signs_in_as(run, job->conf);
	struct credential_params secret;
	int code;

	if (!owner) {
		return 0;
	}
	cli_account_authority(owner, &job->oauth, &job->authority);
	job->oauth.is_pop3 = job->conf->protocol == CONF_POP3;
	job->oauth.is_shared = cli_account_is_shared(run->conf, owner);
	job->authority.state_dir = run->conf->state_dir;
	job->authority.log = &run->log;
	if (cli_account_client_secret(owner, &secret)) {
		run_limit(run, owner, &secret);
		if ((code = credential_create(&job->client_secret, &secret, err)) < 0) {
			return code;
		}
		job->authority.client_secret = job->client_secret;
	}
	return tokens_create(&job->tokens, &job->authority, err);
}

static int run_fill_secrets(struct cli_run *run, struct cli_job *job, struct err *err)
{
	struct credential_params params;
	int code = run_fill_tokens(run, job, err);

	if (code < 0) {
		return code;
	}
	cli_account_credential(job->conf, job->tokens, &params);
	run_limit(run, job->conf, &params);
	return credential_create(&job->credential, &params, err);
}

/* Whether its command goes to the mail servers. */
static bool run_connects(const struct cli_run *run)
{
	switch ((int)run->options->command) {
	case CLI_SYNC:
	case CLI_LIST:
	case CLI_CHECK:
	case CLI_WATCH:
	case CLI_RESTORE:
		return true;
	case CLI_VERIFY:
		return run->options->verify.level != VERIFY_FILES;
	default:
		return false;
	}
}

static void run_fill_account(struct cli_run *run, struct cli_job *job)
{
	struct err err;

	if (run_fill_secrets(run, job, &job->refusal) == 0) {
		(void)cli_account_trash(job->conf, &job->trash, &job->refusal);
	}
	cli_account_fill(&job->account, job->conf, run->conf, job->credential, job->trash);
	job->account.server.progress = &job->progress;
	if (cli_job_keep_changes(job, run->conf->state_dir, &err) < 0 &&
	    job->refusal.code == ERR_NONE) {
		job->refusal = err;
	}
	if (job->is_wanted && run_connects(run) && job->conf->tls != CONF_TLS_NONE) {
		bool is_for_long = run->options->command == CLI_WATCH;
		cli_trusts_lend(&run->trusts, is_for_long, &job->account.server);
	}
}

static void run_warn_of_exposed(struct cli_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct cli_job *job = &run->jobs[i];
		if (job->is_wanted && job->refusal.code == ERR_NONE &&
		    conf_password_file_is_exposed(job->conf)) {
			log_line(&run->log, LOG_WARN, "%s: others can read %s; chmod 600 it",
				 job->conf->name, job->conf->password_file);
		}
	}
}

static void *run_work(void *context)
{
	struct cli_run *run = context;

	for (;;) {
		pthread_mutex_lock(&run->mutex);
		while (run->next < run->count && !run->jobs[run->next].is_wanted) {
			run->next++;
		}
		struct cli_job *job = run->next < run->count ? &run->jobs[run->next++] : NULL;
		pthread_mutex_unlock(&run->mutex);
		if (!job) {
			return NULL;
		}
		cli_job_run(job, run->options, &run->sync_options);
		pthread_mutex_lock(&run->mutex);
		job->is_done = true;
		pthread_cond_signal(&run->done);
		pthread_mutex_unlock(&run->mutex);
	}
}

/* 0, or an errno. */
static int write_out(const struct buf *text, FILE *stream)
{
	errno = 0;
	bool is_written = fwrite(text->data, 1, text->len, stream) == text->len;
	bool is_flushed = fflush(stream) == 0;

	if (!is_written || !is_flushed) {
		return errno != 0 ? errno : EIO;
	}
	return text->failed == 0 ? 0 : ENOMEM;
}

/* Says, once, why a report is not whole; the exit status for that. A reader that went away, as
 * `head` does, has what it wanted. */
static int report_broken(struct cli_run *run, int errnum, FILE *err_stream)
{
	struct err err;

	if (errnum == EPIPE) {
		return 0;
	}
	err_set_errno(&err, ERR_LOCAL, SCOPE_RUN, errnum,
		      "the report of this run could not be written");
	if (!run->is_broken_told) {
		fprintf(err_stream, "mailsync: %s\n", err.text);
		run->is_broken_told = true;
	}
	return err_exit_status(err.code);
}

/* A line for each account that has begun and is not done, as far as the screen is high, and where
 * there are several a line of their sum; the mutex is held. */
static void print_progress(struct cli_run *run, const struct cli_screen *screen, struct buf *text)
{
	size_t lines = 0, lines_max = screen->rows > 3 ? screen->rows - 2 : 1;
	int64_t now = clock_monotonic_ms();
	struct cli_progress_sum sum = {.ms = now - run->began_ms};

	for (size_t i = 0; i < run->count; i++) {
		struct cli_job *job = &run->jobs[i];
		sum.wanted += job->is_wanted;
		sum.done += job->is_wanted && job->is_done;
		if (!job->is_wanted || i >= run->next) {
			continue;
		}
		sum.begun++;
		cli_meter_look(&job->meter, &job->progress, now);
		cli_meter_add(&sum.all, &job->meter);
		if (!job->is_done && lines++ < lines_max) {
			buf_append_cstr(text, text->len > 0 ? "\n" : "");
			cli_progress_line(text, job->conf->name, &job->meter, screen->columns);
		}
	}
	if (sum.wanted > 1) {
		buf_append_cstr(text, text->len > 0 ? "\n" : "");
		cli_progress_sum(text, &sum, screen->columns);
	}
}

/* Where the progress is no display: a line of JOB as it is now. */
static void log_progress_line(struct cli_run *run, struct cli_job *job)
{
	struct buf line;

	buf_init(&line, PROGRESS_MAX);
	cli_meter_look(&job->meter, &job->progress, clock_monotonic_ms());
	cli_progress_line(&line, job->conf->name, &job->meter, PROGRESS_COLUMNS);
	log_line(&run->log, LOG_ERROR, "%s", line.data);
	buf_finish(&line);
}

/* The mutex is held. */
static void show_progress(struct cli_run *run)
{
	const struct cli_screen screen = cli_screen_of(run->log.stream);
	struct buf text;

	for (size_t i = 0; run->progress == CLI_PROGRESS_LINES && i < run->next; i++) {
		if (run->jobs[i].is_wanted && !run->jobs[i].is_done) {
			log_progress_line(run, &run->jobs[i]);
		}
	}
	if (run->progress == CLI_PROGRESS_LINE) {
		buf_init(&text, PROGRESS_MAX);
		print_progress(run, &screen, &text);
		log_progress(&run->log, text.len > 0 ? text.data : NULL);
		buf_finish(&text);
	}
}

/* Between two looks at the progress. */
static int64_t look_ms(const struct cli_run *run)
{
	return run->progress == CLI_PROGRESS_LINE ? LINE_MS : LINES_MS;
}

/* Waits for some job, or until the next look at the progress is due, which no end of a job puts
 * off. The mutex is held. */
static void wait_a_while(struct cli_run *run)
{
	int64_t now = clock_monotonic_ms();

	if (run->progress == CLI_PROGRESS_NONE) {
		pthread_cond_wait(&run->done, &run->mutex);
		return;
	}
	if (now >= run->look_ms) {
		show_progress(run);
		run->look_ms = now + look_ms(run);
	}
	const struct timespec until = {
		.tv_sec = run->look_ms / 1000,
		.tv_nsec = run->look_ms % 1000 * 1000000,
	};
	(void)pthread_cond_timedwait(&run->done, &run->mutex, &until);
}

static bool has_words(const struct cli_job *job)
{
	return job->output.out.len + job->output.err.len > 0;
}

static void run_await(struct cli_run *run, struct cli_job *job)
{
	pthread_mutex_lock(&run->mutex);
	while (!job->is_done) {
		wait_a_while(run);
	}
	pthread_mutex_unlock(&run->mutex);
	if (run->progress == CLI_PROGRESS_LINE && has_words(job)) {
		log_progress(&run->log, NULL);
		run->look_ms = 0;
	} else if (run->progress == CLI_PROGRESS_LINES) {
		log_progress_line(run, job);
	}
}

void cli_run_say(struct cli_run *run, const struct cli_output *output)
{
	pthread_mutex_lock(&run->log.mutex);
	(void)write_out(&output->err, stderr);
	(void)write_out(&output->out, stdout);
	pthread_mutex_unlock(&run->log.mutex);
}

int cli_run_tell(struct cli_run *run, struct cli_job *job, FILE *out, FILE *err_stream)
{
	/* The log writes to stderr too; its lock keeps our block whole. */
	pthread_mutex_lock(&run->log.mutex);
	bool is_heard = write_out(&job->output.err, err_stream) == 0;
	int errnum = write_out(&job->output.out, out);
	pthread_mutex_unlock(&run->log.mutex);
	job->measured = job->measure;
	job->is_measured_anew = job->is_measured;
	if (is_heard && job->is_to_be_heard) {
		struct err ignored; /* it is told once more */
		(void)sync_was_heard(&job->account, &run->sync_options, &ignored);
	}
	return errnum == 0 ? 0 : report_broken(run, errnum, err_stream);
}

/* Writes each account's output when it and all before it are done. */
static int run_collect(struct cli_run *run, FILE *out, FILE *err_stream)
{
	int status = 0;
	for (size_t i = 0; i < run->count; i++) {
		struct cli_job *job = &run->jobs[i];
		if (!job->is_wanted) {
			continue;
		}
		run_await(run, job);
		int broken = cli_run_tell(run, job, out, err_stream);
		if (status == 0) {
			status = job->status;
		}
		status = status == 0 ? broken : status;
	}
	return status;
}

/* The last lines: what was done, and that it was not all. */
static void run_sum_up(const struct cli_run *run, double seconds, FILE *err_stream)
{
	const struct cli_summary summary = {run->jobs, run->count, seconds,
					    isatty(fileno(err_stream)) != 0};
	struct err stopped;
	struct buf text;

	buf_init(&text, SUMMARY_MAX);
	cli_summary_write(&text, &summary, run->options);
	if (cli_summary_is_stopped(&summary)) {
		(void)err_stopped(&stopped);
		buf_printf(&text, "mailsync: %s\n", stopped.text);
	}
	(void)write_out(&text, err_stream);
	buf_finish(&text);
}

static size_t run_wanted(const struct cli_run *run)
{
	size_t count = 0;
	for (size_t i = 0; i < run->count; i++) {
		count += run->jobs[i].is_wanted;
	}
	return count;
}

/* Writes the metrics, where they are asked for: of no accounts, too, where the share has none. */
static int write_metrics(const struct cli_run *run, struct err *err)
{
	struct cli_measured *accounts = calloc(run->count + 1, sizeof(*accounts));
	size_t count = 0;

	if (!accounts) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < run->count; i++) {
		const struct cli_job *job = &run->jobs[i];
		if (job->is_wanted) {
			accounts[count++] = (struct cli_measured){job->conf->name, job->measured};
		}
	}
	int code = cli_metrics_save(run->options->metrics, accounts, count, run->stop, err);
	free(accounts);
	return code;
}

/* An exit status. */
static int run_measure(const struct cli_run *run, FILE *err_stream)
{
	struct err err;

	if (!run->options->metrics || write_metrics(run, &err) == 0) {
		return 0;
	}
	/* That an account was stopped is said in the end. */
	const struct cli_summary summary = {.jobs = run->jobs, .count = run->count};
	if (err.code != ERR_INTERRUPTED || !cli_summary_is_stopped(&summary)) {
		fprintf(err_stream, "mailsync: %s\n", err.text);
	}
	return err_exit_status(err.code);
}

/* How many accounts side by side. What goes into one file goes there one after the other. */
static size_t run_most(const struct cli_run *run, size_t wanted)
{
	size_t most = run->options->command == CLI_EXPORT ? 1 : run->options->jobs;

	return wanted < most ? wanted : most;
}

static int run_threads(struct cli_run *run, FILE *out, FILE *err_stream)
{
	size_t wanted = run_wanted(run), started = 0, most = run_most(run, wanted);
	pthread_t *threads = calloc(most + 1, sizeof(*threads));

	if (most > CLI_JOBS_DEFAULT) {
		cli_allow_descriptors();
	}
	while (threads && started < most &&
	       pthread_create(&threads[started], NULL, run_work, run) == 0) {
		started++;
	}
	if (started == 0) {
		(void)run_work(run);
	}
	int status = run_collect(run, out, err_stream);
	if (run->progress == CLI_PROGRESS_LINE) {
		log_progress(&run->log, NULL);
	}
	for (size_t i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
	}
	free(threads);
	int unwritten = run_measure(run, err_stream);
	status = status == 0 ? unwritten : status;
	run_sum_up(run, (double)(clock_monotonic_ms() - run->began_ms) / 1e3, err_stream);
	return status;
}

int cli_run_begin(struct cli_run *run, FILE *err_stream)
{
	const struct cli_options *options = run->options;
	bool uses_mail = options->command != CLI_STATUS && options->command != CLI_TOKEN &&
			 options->command != CLI_LOGOUT;

	if (log_init(&run->log, err_stream, options->level) < 0) {
		return err_exit_status(ERR_INTERNAL);
	}
	run->sync_options = (struct sync_options){
		.dry_run = options->dry_run,
		.pull = options->pull,
		.push = options->push,
		.allow_mass_delete = options->allow_mass_delete,
		.bring_back = options->bring_back,
		.wait = options->wait,
		.has_terminal = options->command != CLI_WATCH && isatty(STDERR_FILENO) != 0,
		.state_dir = run->conf->state_dir,
		.log = &run->log,
		.stop = run->stop,
	};
	run->progress = cli_progress_kind(options, err_stream);
	run->began_ms = clock_monotonic_ms();
	run->look_ms = run->began_ms + look_ms(run);
	for (size_t i = 0; i < run->count; i++) {
		run_fill_account(run, &run->jobs[i]);
	}
	if (uses_mail) {
		cli_roots_check(&(struct cli_jobs){run->jobs, run->count});
		run_warn_of_exposed(run);
	}
	return 0;
}

void cli_run_end(struct cli_run *run)
{
	log_finish(&run->log);
}

struct cli_jobs cli_run_jobs(const struct cli_run *run)
{
	return (struct cli_jobs){run->jobs, run->count};
}

const struct sync_options *cli_run_options(const struct cli_run *run)
{
	return &run->sync_options;
}

int cli_run_all(struct cli_run *run, FILE *out, FILE *err_stream)
{
	int status = cli_run_begin(run, err_stream);

	if (status == 0) {
		status = run_threads(run, out, err_stream);
		cli_run_end(run);
	}
	return status;
}
