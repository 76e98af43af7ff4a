#include "cli_watched.h"

#include <stdio.h>
#include <string.h>

#include "mailsync/base/clock.h"
#include "cli_json.h"
#include "cli_signal.h"

static const char *const state_words[] = {
	[WATCHED_NEW] = "waiting",
	[WATCHED_SYNCING] = "syncing",
	[WATCHED_WATCHING] = "watching",
	[WATCHED_WAITING] = "waiting",
};

/* MESSAGE: for people. A state is said once, and again with another reason. */
static void watched_say(struct watched *watched, enum watched_state state, const char *message)
{
	struct cli_job *job = watched->job;

	watched->state = state;
	cli_job_again(job);
	if (watched->options->json) {
		struct buf *out = &job->output.out;
		json_begin(out, "watch");
		json_text(out, "account", job->conf->name);
		json_text(out, "state", state_words[state]);
		json_text(out, "how", "poll");
		json_text(out, "message", message);
		json_end(out);
	} else if (watched->options->level >= LOG_INFO) {
		buf_printf(&job->output.err, "mailsync: %s: %s: %s\n", job->conf->name,
			   state_words[state], message);
	}
	(void)cli_run_tell(watched->run, job, stdout, stderr);
	cli_job_again(job);
}

static int watched_lock(struct watched *watched, struct err *err)
{
	const char *dir = cli_run_options(watched->run)->state_dir;
	char path[FILE_PATH_SIZE];
	int code = file_make_dirs(dir, err);

	snprintf(path, sizeof(path), "%s/%s.watch", dir, watched->job->conf->name);
	code = code < 0 ? code : file_lock_acquire(&watched->lock, path, false, NULL, err);
	if (code == -ERR_LOCKED) {
		err_set(err, ERR_LOCKED, SCOPE_ACCOUNT, "another mailsync watches it already");
	}
	return code;
}

void watched_init(struct watched *watched, struct cli_run *run, struct cli_job *job,
		  const struct cli_options *options)
{
	const struct schedule_params params = {
		.interval_ms = (int64_t)job->conf->watch_interval_s * 1000,
	};
	int64_t now = clock_monotonic_ms();

	memset(watched, 0, sizeof(*watched));
	watched->run = run;
	watched->job = job;
	watched->options = options;
	file_lock_init(&watched->lock);
	atomic_init(&watched->is_done, false);
	schedule_init(&watched->schedule, &params, now,
		      (uint64_t)clock_real_ns() ^ (uint64_t)(uintptr_t)job);
	if (job->refusal.code == ERR_NONE) {
		(void)watched_lock(watched, &job->refusal);
	}
	if (job->refusal.code != ERR_NONE) {
		cli_job_run(job, options, cli_run_options(run));
		(void)cli_run_tell(run, job, stdout, stderr);
		watched->status = job->status;
		watched->is_over = true;
	}
}

void watched_finish(struct watched *watched)
{
	file_lock_finish(&watched->lock);
}

static void *watched_work(void *context)
{
	struct watched *watched = context;

	cli_job_run(watched->job, watched->options, cli_run_options(watched->run));
	atomic_store(&watched->is_done, true);
	cli_signal_wake();
	return NULL;
}

bool watched_begin(struct watched *watched, enum schedule_task task)
{
	watched_say(watched, WATCHED_SYNCING, "looking at both sides");
	atomic_store(&watched->is_done, false);
	if (pthread_create(&watched->thread, NULL, watched_work, watched) != 0) {
		return false;
	}
	watched->task = task;
	schedule_begun(&watched->schedule, task);
	return true;
}

/* What is said again and again is said once. */
static void watched_hush(struct watched *watched)
{
	const struct buf *text = &watched->job->output.err;
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < text->len; i++) {
		hash = (hash ^ (unsigned char)text->data[i]) * 1099511628211u;
	}
	if (hash == watched->said && watched->options->level < LOG_INFO) {
		buf_clear(&watched->job->output.err);
	}
	watched->said = hash;
}

static enum schedule_end end_of(const struct cli_job *job)
{
	if (job->ended == ERR_LOCKED) {
		return END_LOCKED;
	}
	if (job->ended == ERR_LOGIN) {
		return END_LOGIN;
	}
	if (job->ended == ERR_SERVER || job->ended == ERR_PROTOCOL) {
		return END_REFUSED;
	}
	bool is_well = job->status == 0 || job->status == err_exit_status(ERR_PARTIAL) ||
		       job->status == err_exit_status(ERR_BRAKE);
	return is_well ? END_WELL : END_TEMPORARY;
}

/* Trying again would change nothing before the configuration, or the program, is another. */
static bool is_final(const struct cli_job *job)
{
	return job->ended == ERR_CONFIG || job->ended == ERR_INTERNAL || job->ended == ERR_USAGE;
}

static void collect_sync(struct watched *watched)
{
	struct cli_job *job = watched->job;
	enum schedule_end end = end_of(job);
	int64_t now = clock_monotonic_ms();
	char message[80];

	watched->status = job->status;
	watched->is_over = is_final(job);
	watched_hush(watched);
	if (end != END_LOCKED) {
		(void)cli_run_tell(watched->run, job, stdout, stderr);
	}
	schedule_synced(&watched->schedule, now, end, 0);
	if (end == END_WELL) {
		watched_say(watched, WATCHED_WATCHING, "until either side changes");
		return;
	}
	int64_t left_ms = schedule_next_ms(&watched->schedule) - now;
	snprintf(message, sizeof(message), "status %d; the next try is in %lld s", watched->status,
		 (long long)((left_ms + 999) / 1000));
	watched_say(watched, WATCHED_WAITING, message);
}

bool watched_collect(struct watched *watched)
{
	if (watched->task == TASK_NONE || !atomic_load(&watched->is_done)) {
		return false;
	}
	pthread_join(watched->thread, NULL);
	watched->task = TASK_NONE;
	if (watched->job->ended != ERR_INTERRUPTED) {
		collect_sync(watched);
	}
	return true;
}

void watched_join(struct watched *watched)
{
	if (watched->task != TASK_NONE) {
		pthread_join(watched->thread, NULL);
		watched->task = TASK_NONE;
	}
}
