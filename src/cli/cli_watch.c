#include "cli_watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "mailsync/base/array.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/service.h"
#include "mailsync/base/surroundings.h"
#include "mailsync/net/conn.h"
#include "cli_complain.h"
#include "cli_run.h"
#include "cli_signal.h"
#include "cli_watched.h"

#define TASKS_MAX   16 /* accounts that do something at once */
#define AGAIN_MS    1000
#define DESCRIPTORS 65536 /* hooks inherit the limit; some programs go through all below it */

struct watch {
	const struct cli_options *options;
	struct conf **conf;
	struct cli_run *run;
	struct watched *accounts;
	size_t count;
	size_t tasks;           /* under way */
	unsigned asked;         /* enum cli_signal */
	volatile int stop;      /* what is under way is to end at the next batch */
	struct service service; /* the manager that started us */
	struct surroundings *surroundings;
	struct maildir_watcher *watcher;
	struct pollfd *pfds;
	size_t pfd_count, pfd_cap;
	struct cli_run *next_run; /* made of next_conf, which was read anew */
	struct conf *next_conf;
};

enum watch_end {
	WATCH_STOPPED,
	WATCH_RELOADED,
	WATCH_IS_OVER
};

/* A run of CONF's accounts that are named, not begun. */
static int run_create(struct watch *watch, const struct conf *conf, struct cli_run **run,
		      struct err *err)
{
	int code = cli_run_create(run, watch->options, conf, &watch->stop, err);

	if (code == 0 && (code = cli_run_select(*run, err)) < 0) {
		cli_run_destroy(run);
	}
	return code;
}

/* Reads the configuration again. False, and said: it stays as it was. */
static bool watch_reread(struct watch *watch)
{
	struct conf_errors errors;
	struct err err;
	int code = conf_load(&watch->next_conf, watch->options->config, &errors, &err);

	for (size_t i = 0; code < 0 && i < errors.count; i++) {
		cli_complain(watch->options, ERR_CONFIG, errors.items[i].text);
	}
	conf_errors_finish(&errors);
	if (code == 0 && (code = run_create(watch, watch->next_conf, &watch->next_run, &err)) < 0) {
		conf_destroy(&watch->next_conf);
	}
	if (code < 0) {
		err_prefix(&err, "the configuration is not read again, and stays as it was");
		cli_complain(watch->options, err.code, err.text);
	}
	return code == 0;
}

static void watch_begin_due(struct watch *watch, int64_t now)
{
	for (size_t i = 0; i < watch->count && watch->tasks < TASKS_MAX; i++) {
		struct watched *watched = &watch->accounts[i];
		enum schedule_task task =
			watched->is_over ? TASK_NONE : schedule_task(&watched->schedule, now);
		watch->tasks += task != TASK_NONE && watched_begin(watched, task);
	}
}

/* True while an account is left. */
static bool watch_collect(struct watch *watch)
{
	bool is_left = false;

	for (size_t i = 0; i < watch->count; i++) {
		watch->tasks -= watched_collect(&watch->accounts[i]);
		is_left = is_left || !watch->accounts[i].is_over;
	}
	return is_left;
}

/* How long nothing is due, in milliseconds as poll takes them; -1: for ever. */
static int watch_pause(const struct watch *watch, int64_t now)
{
	int64_t next_ms = SCHEDULE_NEVER;

	for (size_t i = 0; i < watch->count; i++) {
		int64_t due_ms = watched_next_ms(&watch->accounts[i]);
		next_ms = due_ms < next_ms ? due_ms : next_ms;
	}
	int alive_ms = service_pause_ms(&watch->service);
	if (next_ms == SCHEDULE_NEVER) {
		return alive_ms; /* a task that ends wakes us */
	}
	int64_t pause_ms = next_ms <= now
				 ? AGAIN_MS /* it could not be begun: too many are under way */
				 : next_ms - now;
	pause_ms = alive_ms >= 0 && alive_ms < pause_ms ? alive_ms : pause_ms;
	return pause_ms > INT32_MAX ? INT32_MAX : (int)pause_ms;
}

static void watch_all(struct watch *watch, enum schedule_from from)
{
	for (size_t i = 0; i < watch->count; i++) {
		watched_call(&watch->accounts[i], from);
	}
}

/* What the loop waits for. Which of them it was does not matter: who has nothing to take finds that
 * out without waiting. */
static int watch_gather(struct watch *watch, struct err *err)
{
	int fds[HEARING_FDS_MAX] = {cli_signal_fd(), maildir_watcher_fd(watch->watcher)};
	size_t count = 2 + SURROUNDINGS_FDS;

	surroundings_fds(watch->surroundings, fds + 2);
	watch->pfd_count = 0;
	for (size_t i = 0; i <= watch->count; i++) {
		if (ARRAY_RESERVE(&watch->pfds, watch->pfd_count + count, &watch->pfd_cap, err) <
		    0) {
			return -ERR_NOMEM;
		}
		for (size_t j = 0; j < count; j++) {
			watch->pfds[watch->pfd_count++] =
				(struct pollfd){.fd = fds[j], .events = POLLIN};
		}
		struct hearing *hearing = i < watch->count ? watch->accounts[i].hearing : NULL;
		count = hearing ? hearing_fds(hearing, fds) : 0;
	}
	return 0;
}

static void watch_wait(struct watch *watch)
{
	struct err ignored;

	if (watch_gather(watch, &ignored) < 0) {
		clock_sleep_ms(AGAIN_MS);
		return;
	}
	(void)poll(watch->pfds, (nfds_t)watch->pfd_count, watch_pause(watch, clock_monotonic_ms()));
	if (surroundings_changed(watch->surroundings)) {
		watch_all(watch, FROM_WAKE);
	}
	(void)maildir_watcher_read(watch->watcher, &ignored);
	for (size_t i = 0; i < watch->count; i++) {
		watched_listen(&watch->accounts[i]);
	}
}

/* How it stands with the accounts. */
static void watch_tell(struct watch *watch)
{
	size_t states[WATCHED_STATES] = {0}, left = 0;
	char text[SERVICE_STATUS_SIZE];

	for (size_t i = 0; i < watch->count; i++) {
		const struct watched *watched = &watch->accounts[i];
		left += !watched->is_over;
		states[watched->state] += !watched->is_over;
	}
	snprintf(text, sizeof(text),
		 "%zu account%s: %zu watched, %zu syncing, %zu to be tried again", left,
		 left == 1 ? "" : "s", states[WATCHED_WATCHING], states[WATCHED_SYNCING],
		 states[WATCHED_WAITING]);
	service_status(&watch->service, text);
}

static enum watch_end watch_loop(struct watch *watch)
{
	while (watch_collect(watch)) {
		service_alive(&watch->service);
		if (*cli_signal_stop() != 0) {
			return WATCH_STOPPED;
		}
		watch_begin_due(watch, clock_monotonic_ms());
		watch_tell(watch);
		if (watch->asked == 0) {
			watch_wait(watch);
		}
		unsigned asked = watch->asked | cli_signal_take();
		watch->asked = 0;
		if ((asked & CLI_SIGNAL_RELOAD) != 0) {
			service_reloading(&watch->service);
			if (watch_reread(watch)) {
				return WATCH_RELOADED;
			}
			service_ready(&watch->service);
		}
		if ((asked & CLI_SIGNAL_NOW) != 0) {
			watch_all(watch, FROM_USER);
		}
	}
	return WATCH_IS_OVER;
}

/* The accounts of watch->run. */
static int watch_open(struct watch *watch, struct err *err)
{
	struct cli_job *job;
	size_t wanted = 0;

	for (size_t i = 0; (job = cli_run_job(watch->run, i)) != NULL; i++) {
		wanted += job->is_wanted;
	}
	watch->stop = 0;
	watch->count = watch->tasks = 0;
	watch->accounts = calloc(wanted + 1, sizeof(*watch->accounts));
	if (!watch->accounts || maildir_watcher_create(&watch->watcher, err) < 0 ||
	    cli_run_begin(watch->run, stderr) != 0) {
		maildir_watcher_destroy(&watch->watcher);
		free(watch->accounts);
		watch->accounts = NULL;
		return err_nomem(err);
	}
	for (size_t i = 0; (job = cli_run_job(watch->run, i)) != NULL; i++) {
		if (job->is_wanted) {
			watched_init(&watch->accounts[watch->count++], watch->run, job,
				     watch->watcher, watch->options);
		}
	}
	return 0;
}

/* Waits for what is under way, and is seen to be alive meanwhile: a hook may take its time. */
static void watch_await_tasks(struct watch *watch)
{
	struct pollfd pfd = {.fd = cli_signal_fd(), .events = POLLIN};
	bool is_busy = true;

	while (is_busy) {
		is_busy = false;
		for (size_t i = 0; i < watch->count; i++) {
			is_busy = is_busy || watched_is_busy(&watch->accounts[i]);
		}
		service_alive(&watch->service);
		if (is_busy) {
			(void)poll(&pfd, 1, service_pause_ms(&watch->service));
			watch->asked |= cli_signal_take();
		}
	}
}

/* What is under way ends at the next batch. The status of the first account that failed. */
static int watch_close(struct watch *watch)
{
	int status = 0;

	watch->stop = 1;
	watch_await_tasks(watch);
	for (size_t i = 0; i < watch->count; i++) {
		watched_join(&watch->accounts[i]);
	}
	for (size_t i = 0; i < watch->count; i++) {
		status = status ? status : watch->accounts[i].status;
		watched_finish(&watch->accounts[i]);
	}
	maildir_watcher_destroy(&watch->watcher);
	cli_run_end(watch->run);
	cli_run_destroy(&watch->run);
	free(watch->accounts);
	watch->accounts = NULL;
	return status;
}

static void watch_take_next(struct watch *watch)
{
	conf_destroy(watch->conf);
	*watch->conf = watch->next_conf;
	watch->run = watch->next_run;
	watch->next_conf = NULL;
	watch->next_run = NULL;
}

static int watch_run(struct watch *watch, int *status, struct err *err)
{
	enum watch_end end = WATCH_RELOADED;
	int code = run_create(watch, *watch->conf, &watch->run, err);

	while (code == 0 && end == WATCH_RELOADED && (code = watch_open(watch, err)) == 0) {
		service_ready(&watch->service);
		end = watch_loop(watch);
		if (end != WATCH_RELOADED) {
			service_stopping(&watch->service);
		}
		int left = watch_close(watch);
		*status = end == WATCH_IS_OVER ? left : 0;
		if (end == WATCH_RELOADED) {
			watch_take_next(watch);
		}
	}
	cli_run_destroy(&watch->run);
	free(watch->pfds);
	return code;
}

/* An account waits with some seven of them. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS) {
		limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int cli_watch(const struct cli_options *options, struct conf **conf)
{
	struct watch watch = {.options = options, .conf = conf};
	int status = 0;
	struct err err;
	int code;

	allow_descriptors();
	service_open(&watch.service);
	if ((code = cli_signal_stay(&err)) == 0 &&
	    (code = surroundings_create(&watch.surroundings, &err)) == 0 &&
	    (code = conn_global_init(&err)) == 0) {
		code = watch_run(&watch, &status, &err);
		conn_global_finish();
	}
	surroundings_destroy(&watch.surroundings);
	service_close(&watch.service);
	if (code < 0) {
		cli_complain(options, err.code, err.text);
		status = err_exit_status(err.code);
	}
	return status;
}
