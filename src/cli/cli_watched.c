#include "cli_watched.h"

#include <stdio.h>
#include <string.h>

#include "mailsync/base/clock.h"
#include "cli_signal.h"
#include "cli_watched_say.h"

#define KEEP_MS       300000 /* a sync's connection waits so long for the next one */
#define LOCK_TRIES    2
#define DEAF_GRACE_MS 10000   /* what a look found may be told a moment later */
#define DEAF_PAUSE_MS 3600000 /* before a server that did not tell is listened to again */

/* False: another process has it. Where its file cannot be made, the sync says what is wrong with
 * the disk, and it is tried again before the next one. */
static bool watched_lock(struct watched *watched)
{
	const char *dir = watched->sync_options.state_dir;
	char path[FILE_PATH_SIZE];
	struct err err;

	if (watched->lock.fd >= 0 || file_make_dirs(dir, &err) < 0) {
		return true;
	}
	snprintf(path, sizeof(path), "%s/%s.watch", dir, watched->job->conf->name);
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (file_lock_acquire(&watched->lock, path, false, NULL, &err) != -ERR_LOCKED) {
			return true;
		}
		clock_sleep_ms(1); /* a sync looks for a moment whether we are here */
	}
	err_set(&watched->job->refusal, ERR_LOCKED, SCOPE_ACCOUNT,
		"another mailsync watches it already");
	return false;
}

/* It is watched no more: nothing of it is open, which the loop would have to wait for. */
static void watched_end(struct watched *watched)
{
	hearing_close(&watched->hearing);
	sync_keep_finish(&watched->keep);
	maildir_watch_close(&watched->here);
	file_lock_finish(&watched->lock);
	watched->deaf_ms = 0;
	watched->is_over = true;
}

void watched_init(struct watched *watched, struct cli_run *run, struct cli_job *job,
		  struct maildir_watcher *watcher, const struct cli_options *options)
{
	const struct conf_account *conf = job->conf;
	const struct schedule_params params = {
		.interval_ms = (int64_t)conf->watch_interval_s * 1000,
		.hears = conf->protocol == CONF_IMAP && conf->watch != CONF_WATCH_POLL,
	};
	struct err ignored;

	memset(watched, 0, sizeof(*watched));
	watched->run = run;
	watched->job = job;
	watched->options = options;
	watched->sync_options = *cli_run_options(run);
	watched->sync_options.stop = &watched->stop;
	watched->sync_options.is_watch = true;
	watched->is_certain = watched->is_whole = true;
	job->stays = true;
	file_lock_init(&watched->lock);
	atomic_init(&watched->task.is_done, false);
	schedule_init(&watched->schedule, &params, clock_monotonic_ms(),
		      (uint64_t)clock_real_ns() ^ (uint64_t)(uintptr_t)job);
	if (job->refusal.code == ERR_NONE) {
		/* Without it the interval has to do. */
		(void)maildir_watch_open(&watched->here, watcher, &job->account.maildir, &ignored);
	}
}

void watched_finish(struct watched *watched)
{
	watched_end(watched);
	hearing_close(&watched->task.hearing);
	remote_mailboxes_finish(&watched->task.told);
}

/* Whether the syncs leave a connection beside those that hear. */
static bool keeps_connection(const struct watched *watched)
{
	return watched->job->conf->connections > 1 && watched->schedule.params.hears;
}

static bool is_news(const struct watched *watched)
{
	bool is_so = true;
	struct err ignored;

	(void)sync_is_news(&watched->job->account, &watched->sync_options, &watched->task.told,
			   &is_so, &ignored);
	return is_so;
}

/* An account of one connection: what hears gives way to the sync, and is made anew behind it. What
 * is told then, and is news again after the sync that it led to, leads to no further one. */
static void give_way(struct watched_task *task)
{
	task->is_second_look = !task->is_certain && hearing_count(task->hearing) == 0;
	hearing_close(&task->hearing);
}

static void work_sync(struct watched *watched)
{
	struct watched_task *task = &watched->task;
	struct sync_options options = watched->sync_options;

	options.keep = keeps_connection(watched) ? &watched->keep : NULL;
	options.flags_told = task->is_whole ? NULL : &task->told;
	task->was_spared = !task->is_certain && !is_news(watched);
	if (task->was_spared) {
		return;
	}
	if (task->is_lent) {
		give_way(task);
	}
	cli_job_run(watched->job, watched->options, &options);
}

static void work_connect(struct watched *watched)
{
	const struct conf_account *conf = watched->job->conf;
	size_t spare = conf->connections > 1 ? (size_t)conf->connections - 1 : 1;
	const struct hearing_params params = {
		.account = &watched->job->account,
		.options = &watched->sync_options,
		.may_notify = conf->watch == CONF_WATCH_AUTO || conf->watch == CONF_WATCH_NOTIFY,
		.may_idle = conf->watch == CONF_WATCH_AUTO || conf->watch == CONF_WATCH_IDLE,
		.patterns = (const char *const *)conf->watch_mailboxes.items,
		.pattern_count = conf->watch_mailboxes.count,
		.connections = spare,
		.renew_ms = (int64_t)conf->watch_renew_s * 1000,
	};

	watched->task.code = hearing_open(&watched->task.hearing, &params, clock_monotonic_ms(),
					  &watched->task.err);
}

static void *watched_work(void *context)
{
	struct watched *watched = context;

	if (watched->task.kind == TASK_SYNC) {
		work_sync(watched);
	} else {
		work_connect(watched);
	}
	atomic_store(&watched->task.is_done, true);
	cli_signal_wake();
	return NULL;
}

/* Those that hear are of the account's, too. */
static void spare_connections(struct watched *watched)
{
	int fds[HEARING_FDS_MAX];
	int most = watched->job->conf->connections;
	int taken = watched->hearing ? (int)hearing_fds(watched->hearing, fds) : 0;

	watched->job->account.connections = most - taken > 1 ? most - taken : 1;
}

/* What the hearing told so far is for this sync. */
static void prepare_sync(struct watched *watched)
{
	struct watched_task *task = &watched->task;
	bool is_all = false;
	int64_t now = clock_monotonic_ms();

	remote_mailboxes_finish(&task->told);
	task->was_spared = task->is_second_look = false;
	if (watched->hearing) {
		task->heard = hearing_count(watched->hearing);
		hearing_told(watched->hearing, &task->told, &is_all);
	}
	task->is_whole = watched->is_whole || is_all || watched->schedule.sync.failures > 0 ||
			 now >= watched->schedule.look_ms;
	task->is_certain = task->is_whole || watched->is_certain;
	watched->is_certain = watched->is_whole = false;
	spare_connections(watched);
}

static void take_back(struct watched *watched)
{
	struct watched_task *task = &watched->task;

	if (task->is_lent) {
		watched->hearing = task->hearing;
		watched->schedule.is_hearing = watched->hearing != NULL;
		task->hearing = NULL;
		task->is_lent = false;
	}
}

/* The thread sees whether the sync is worth what hears, where there is no connection for both. */
static void lend_hearing(struct watched *watched)
{
	struct watched_task *task = &watched->task;

	task->is_lent = watched->hearing && !keeps_connection(watched);
	if (task->is_lent) {
		task->hearing = watched->hearing;
		watched->hearing = NULL;
		watched->deaf_ms = 0;
	}
}

static bool begin_thread(struct watched *watched, enum schedule_task kind)
{
	struct watched_task *task = &watched->task;

	cli_job_again(watched->job);
	task->kind = kind;
	atomic_store(&task->is_done, false);
	if (pthread_create(&task->thread, NULL, watched_work, watched) == 0) {
		return true;
	}
	task->kind = TASK_NONE;
	return false;
}

bool watched_begin(struct watched *watched, enum schedule_task kind)
{
	bool is_refused = watched->job->refusal.code != ERR_NONE ||
			  (kind == TASK_SYNC && !watched_lock(watched));

	if (kind == TASK_SYNC && !is_refused) {
		prepare_sync(watched);
		if (watched->task.is_certain) {
			watched_say_syncing(watched);
		}
		lend_hearing(watched);
	} else if (is_refused) {
		watched->task.is_certain = watched->task.is_whole = true;
	}
	if (!begin_thread(watched, kind)) {
		take_back(watched);
		watched->is_certain = watched->is_whole = true;
		return false;
	}
	schedule_begun(&watched->schedule, kind);
	return true;
}

/* PATIENCE_MS: that the server asked for. */
static enum schedule_end end_of_err(enum err_code code, int64_t patience_ms)
{
	if (patience_ms != 0) {
		return END_REFUSED;
	}
	switch ((int)code) {
	case ERR_LOCKED:
		return END_LOCKED;
	case ERR_LOGIN:
		return END_LOGIN;
	case ERR_SERVER:
	case ERR_PROTOCOL:
	case ERR_REFUSED:
	case ERR_CONFIG:
	case ERR_INTERNAL:
	case ERR_USAGE:
		return END_REFUSED;
	default:
		return END_TEMPORARY;
	}
}

static enum schedule_end end_of(const struct cli_job *job)
{
	bool is_well = job->ended == ERR_NONE &&
		       (job->status == 0 || job->status == err_exit_status(ERR_PARTIAL) ||
			job->status == err_exit_status(ERR_BRAKE));
	return is_well ? END_WELL : end_of_err(job->ended, job->patience_ms);
}

/* Trying again would change nothing before the configuration, or the program, is another. What went
 * well once is configured: then it is a file, or a descriptor, that was not to be had just now. */
static bool is_final(const struct watched *watched)
{
	enum err_code ended = watched->job->ended;

	return watched->job->refusal.code != ERR_NONE ||
	       (!watched->was_well &&
		(ended == ERR_CONFIG || ended == ERR_INTERNAL || ended == ERR_USAGE));
}

static void say_watching(struct watched *watched)
{
	const struct conf_account *conf = watched->job->conf;
	char message[80];

	snprintf(message, sizeof(message), "until either side changes; a look each %d s",
		 conf->watch_interval_s);
	watched_say(watched, WATCHED_WATCHING, message);
}

/* A sync found what should have been told, and nothing was since the last one that went well began:
 * is the hearing deaf? */
static void suspect_deaf(struct watched *watched, int64_t now)
{
	const struct cli_job *job = watched->job;
	bool found = false;

	for (size_t i = 0; watched->hearing && i < job->brought.count; i++) {
		found = found || hearing_is_of(watched->hearing, job->brought.items[i]);
	}
	if (found && hearing_count(watched->hearing) == watched->heard) {
		watched->deaf_ms = now + DEAF_GRACE_MS;
		watched->deaf_heard = watched->heard;
	}
}

static void listen_here(struct watched *watched)
{
	struct maildir_news news;
	struct err ignored;

	if (!watched->here || !maildir_watch_has_news(watched->here)) {
		return;
	}
	if (maildir_watch_take(watched->here, &news, &ignored) == 0) {
		if (news.mailboxes.count > 0) {
			snprintf(watched->changed, sizeof(watched->changed), "%s",
				 news.mailboxes.items[0]);
		}
		watched->changed_count += news.mailboxes.count;
		maildir_news_finish(&news);
	}
	watched->is_certain = true;
	schedule_event(&watched->schedule, clock_monotonic_ms(), FROM_HERE);
}

/* Is the directory in the root's place another one now? What is not heard of it is said once, and
 * not before the first sync, which makes it. */
static void renew_here(struct watched *watched)
{
	struct err ignored;

	if (!watched->here) {
		return;
	}
	(void)maildir_watch_renew(watched->here, &ignored);
	const char *why = maildir_watch_why(watched->here);
	if (why && !watched->told_why && watched->was_well) {
		log_line(cli_run_options(watched->run)->log, LOG_WARN, "%s: %s",
			 watched->job->conf->name, why);
	}
	watched->told_why = why && watched->was_well;
	listen_here(watched);
}

static void collect_sync(struct watched *watched)
{
	struct cli_job *job = watched->job;
	enum schedule_end end = end_of(job);
	int64_t now = clock_monotonic_ms();

	watched->status = job->status;
	watched->was_well = watched->was_well || end == END_WELL;
	suspect_deaf(watched, now);
	if (end != END_LOCKED || job->refusal.code != ERR_NONE) {
		(void)cli_run_tell(watched->run, job, stdout, stderr);
	}
	if (is_final(watched)) {
		watched_end(watched);
		return;
	}
	schedule_synced(&watched->schedule, now, end, job->patience_ms);
	if (end == END_WELL && job->flags_left == 0) {
		schedule_looked(&watched->schedule, now);
	}
	renew_here(watched);
	if (end != END_WELL) {
		char why[32];
		snprintf(why, sizeof(why), "status %d", watched->status);
		watched_say_why(watched, WATCHED_WAITING, why,
				schedule_next_ms(&watched->schedule));
		return;
	}
	if (watched->hearing) {
		/* What this one left undone, a later one finds without having been told. */
		watched->heard = job->status == 0 ? watched->task.heard : UINT64_MAX;
	}
	if (schedule_task(&watched->schedule, now) != TASK_CONNECT) {
		say_watching(watched);
	}
}

static void collect_connect(struct watched *watched)
{
	struct watched_task *task = &watched->task;
	int64_t now = clock_monotonic_ms();

	if (task->code == 0) {
		watched->hearing = task->hearing;
		watched->heard = UINT64_MAX; /* what came before it was made, it need not tell */
		task->heard = 0;
		task->hearing = NULL;
		schedule_connected(&watched->schedule, now, END_WELL, 0);
		if (!task->is_second_look) {
			schedule_event(&watched->schedule, now, FROM_SERVER);
		}
		task->is_second_look = false;
		say_watching(watched);
		return;
	}
	if (task->err.code == ERR_INTERRUPTED) {
		schedule_connected(&watched->schedule, now, END_TEMPORARY, 0);
		return;
	}
	schedule_connected(&watched->schedule, now,
			   end_of_err(task->err.code, task->err.patience_ms),
			   task->err.patience_ms);
	watched_say_why(watched, WATCHED_WATCHING, task->err.text,
			watched->schedule.connect.not_before_ms);
}

/* PAUSE_MS: it is not worth to be made anew before; 0: as after any failure. */
static void watched_lose(struct watched *watched, int64_t pause_ms, const char *why)
{
	enum watched_state state = pause_ms > 0 ? WATCHED_WATCHING : WATCHED_WAITING;
	struct remote_mailboxes told = {0};
	bool is_all = false;

	/* What it told before is news all the same. */
	hearing_told(watched->hearing, &told, &is_all);
	if (is_all || hearing_count(watched->hearing) != watched->task.heard) {
		watched->is_certain = watched->is_whole = true;
		schedule_event(&watched->schedule, clock_monotonic_ms(), FROM_SERVER);
	}
	remote_mailboxes_finish(&told);
	hearing_close(&watched->hearing);
	watched->deaf_ms = 0;
	schedule_lost(&watched->schedule, clock_monotonic_ms(), pause_ms);
	watched_say_why(watched, state, why, watched->schedule.connect.not_before_ms);
}

static void note_server(struct watched *watched, int code, const struct err *err)
{
	int64_t now = clock_monotonic_ms();

	if (code < 0) {
		watched_lose(watched, 0, err->text);
	} else if (code > 0) {
		schedule_event(&watched->schedule, now, FROM_SERVER);
	}
	if (code >= 0 && watched->deaf_ms != 0 && now >= watched->deaf_ms) {
		watched->deaf_ms = 0;
		if (hearing_count(watched->hearing) == watched->deaf_heard) {
			watched_lose(watched, DEAF_PAUSE_MS,
				     "the server did not tell of what a look found");
		}
	}
}

/* Is it alive? */
static void probe(struct watched *watched)
{
	int64_t now = clock_monotonic_ms();
	struct err err;

	watched->is_to_be_probed = watched->task.is_lent;
	if (watched->hearing) {
		note_server(watched, hearing_probe(watched->hearing, now, &err), &err);
	}
}

bool watched_is_busy(const struct watched *watched)
{
	return watched->task.kind != TASK_NONE && !atomic_load(&watched->task.is_done);
}

bool watched_collect(struct watched *watched)
{
	struct watched_task *task = &watched->task;
	enum schedule_task kind = task->kind;

	if (kind == TASK_NONE || !atomic_load(&task->is_done)) {
		return false;
	}
	pthread_join(task->thread, NULL);
	task->kind = TASK_NONE;
	take_back(watched);
	if (kind == TASK_CONNECT) {
		collect_connect(watched);
	} else if (task->was_spared || watched->job->ended == ERR_INTERRUPTED) {
		schedule_spared(&watched->schedule);
	} else {
		collect_sync(watched);
	}
	if (watched->is_to_be_probed) {
		probe(watched);
	}
	return true;
}

void watched_join(struct watched *watched)
{
	if (watched->task.kind != TASK_NONE) {
		pthread_join(watched->task.thread, NULL);
		if (watched->task.kind == TASK_SYNC && !watched->task.was_spared &&
		    watched->job->ended != ERR_LOCKED &&
		    watched->job->ended != ERR_INTERRUPTED) { /* that was asked for */
			(void)cli_run_tell(watched->run, watched->job, stdout, stderr);
		}
		watched->task.kind = TASK_NONE;
	}
}

/* When the connection of the syncs is not worth to be kept any more. The task may be using it. */
static int64_t keep_ends_ms(const struct watched *watched)
{
	bool is_kept = watched->task.kind == TASK_NONE && watched->keep.remote;

	return is_kept ? watched->schedule.ended_ms + KEEP_MS : SCHEDULE_NEVER;
}

void watched_listen(struct watched *watched)
{
	struct err err;

	if (watched->is_over) {
		return;
	}
	if (clock_monotonic_ms() >= keep_ends_ms(watched)) {
		sync_keep_finish(&watched->keep);
	}
	listen_here(watched);
	if (watched->hearing) {
		note_server(watched, hearing_take(watched->hearing, clock_monotonic_ms(), &err),
			    &err);
	}
}

void watched_call(struct watched *watched, enum schedule_from from)
{
	int64_t now = clock_monotonic_ms();

	if (watched->is_over) {
		return;
	}
	watched->is_certain = watched->is_whole = true;
	schedule_event(&watched->schedule, now, from);
	if (from == FROM_WAKE) {
		probe(watched);
	}
}

bool watched_is_failing(const struct watched *watched)
{
	const struct schedule *schedule = &watched->schedule;

	return schedule->sync.failures > 0 ||
	       (!schedule->is_hearing && schedule->connect.failures > 0);
}

static int64_t earlier(int64_t one, int64_t two)
{
	return one < two ? one : two;
}

int64_t watched_next_ms(const struct watched *watched)
{
	int64_t next_ms;

	if (watched->is_over) {
		return SCHEDULE_NEVER;
	}
	next_ms = earlier(schedule_next_ms(&watched->schedule), keep_ends_ms(watched));
	if (watched->hearing) {
		next_ms = earlier(next_ms, hearing_next_ms(watched->hearing));
	}
	return watched->deaf_ms != 0 ? earlier(next_ms, watched->deaf_ms) : next_ms;
}
