#include "cli_watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "mailsync/base/array.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/service.h"
#include "mailsync/base/surroundings.h"
#include "mailsync/net/conn.h"
#include "cli_complain.h"
#include "cli_metrics.h"
#include "cli_share.h"
#include "cli_signal.h"
#include "cli_watch_set.h"

#define AGAIN_MS 1000

struct watch {
	const struct cli_options *options;
	struct watch_set set;
	unsigned asked;         /* enum cli_signal */
	size_t turn;            /* the account whose turn it is first, of all that are due */
	bool is_measure_due;    /* the accounts are others than those that the metrics tell of */
	bool is_unmeasured;     /* the metrics could not be written */
	struct service service; /* the manager that started us */
	struct surroundings *surroundings;
	struct pollfd *pfds;
	size_t pfd_count, pfd_cap;
};

/* Reads the configuration again. False, and said: it stays as it was. */
static bool watch_reread(struct watch *watch, struct watch_source *source)
{
	struct conf *conf = NULL;
	struct conf_errors errors;
	struct err err;
	int code = conf_load(&conf, watch->options->config, &errors, &err);

	for (size_t i = 0; code < 0 && i < errors.count; i++) {
		cli_complain(watch->options, ERR_CONFIG, errors.items[i].text);
	}
	conf_errors_finish(&errors);
	if (code == 0 && (code = watch_source_open(source, watch->options, &conf, &err)) < 0) {
		conf_destroy(&conf);
	}
	if (code < 0) {
		err_prefix(&err, "the configuration is not read again, and stays as it was");
		cli_complain(watch->options, err.code, err.text);
	}
	return code == 0;
}

/* Waits for those that are to end, and is seen to be alive meanwhile: a hook may take its time. */
static void watch_await_leaving(struct watch *watch)
{
	struct pollfd pfd = {.fd = cli_signal_fd(), .events = POLLIN};

	while (watch_set_is_leaving(&watch->set)) {
		service_alive(&watch->service);
		(void)poll(&pfd, 1, service_pause_ms(&watch->service));
		watch->asked |= cli_signal_take();
	}
	watch_set_join(&watch->set);
	service_alive(&watch->service);
}

/* Writes the metrics, where they are others since the last time, or else is 1. */
static int watch_write_metrics(struct watch *watch, struct err *err)
{
	const struct watch_set *set = &watch->set;
	struct cli_measured *accounts = calloc(set->count + 1, sizeof(*accounts));
	bool is_anew = watch->is_measure_due;
	int code = 1;

	if (!accounts) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < set->count; i++) {
		struct cli_job *job = set->items[i]->job;
		accounts[i] = (struct cli_measured){job->conf->name, job->measured};
		is_anew = is_anew || job->is_measured_anew;
		job->is_measured_anew = false;
	}
	watch->is_measure_due = false;
	if (is_anew) {
		code = cli_metrics_save(watch->options->metrics, accounts, set->count,
					cli_signal_stop(), err);
	}
	free(accounts);
	return code;
}

/* That they cannot be written is said once. */
static void watch_measure(struct watch *watch)
{
	struct err err;
	int code = watch->options->metrics ? watch_write_metrics(watch, &err) : 1;

	if (code > 0 || (code < 0 && err.code == ERR_INTERRUPTED)) {
		return;
	}
	if (code < 0 && !watch->is_unmeasured) {
		cli_complain(watch->options, err.code, err.text);
	}
	watch->is_unmeasured = code < 0;
}

static int watch_reload(struct watch *watch, struct err *err)
{
	struct watch_source source;
	int code = 0;

	service_reloading(&watch->service);
	if (watch_reread(watch, &source)) {
		watch_set_dismiss(&watch->set, &source);
		watch_await_leaving(watch);
		watch_measure(watch);
		code = watch_set_take(&watch->set, &source, err);
		watch->is_measure_due = true;
	}
	service_ready(&watch->service);
	return code;
}

/* Begins behind the one that was begun last: where few may be under way at once, those that are
 * always due keep no other from its turn. */
static void watch_begin_due(struct watch *watch, int64_t now)
{
	size_t count = watch->set.count, first = watch->turn, tasks = 0;

	for (size_t i = 0; i < count; i++) {
		tasks += watch->set.items[i]->task.kind != TASK_NONE;
	}
	for (size_t i = 0; i < count && tasks < watch->options->jobs; i++) {
		size_t at = (first + i) % count;
		struct watched *watched = watch->set.items[at];
		enum schedule_task task =
			watched->is_over ? TASK_NONE : schedule_task(&watched->schedule, now);
		if (task != TASK_NONE && watched_begin(watched, task)) {
			watch->turn = at + 1;
			tasks++;
		}
	}
}

/* True while an account is left, or may yet come to the share, which had none. */
static bool watch_collect(struct watch *watch)
{
	bool is_left = watch->options->shard.count > 0 && watch->set.count == 0;

	for (size_t i = 0; i < watch->set.count; i++) {
		(void)watched_collect(watch->set.items[i]);
		is_left = is_left || !watch->set.items[i]->is_over;
	}
	return is_left;
}

/* How long nothing is due, in milliseconds as poll takes them; -1: for ever. */
static int watch_pause(const struct watch *watch, int64_t now)
{
	int64_t next_ms = SCHEDULE_NEVER;

	for (size_t i = 0; i < watch->set.count; i++) {
		int64_t due_ms = watched_next_ms(watch->set.items[i]);
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
	for (size_t i = 0; i < watch->set.count; i++) {
		watched_call(watch->set.items[i], from);
	}
}

/* What the loop waits for. Which of them it was does not matter: who has nothing to take finds that
 * out without waiting. */
static int watch_gather(struct watch *watch, struct err *err)
{
	int fds[HEARING_FDS_MAX] = {cli_signal_fd(), maildir_watcher_fd(watch->set.watcher)};
	size_t count = 2 + SURROUNDINGS_FDS;

	surroundings_fds(watch->surroundings, fds + 2);
	watch->pfd_count = 0;
	for (size_t i = 0; i <= watch->set.count; i++) {
		if (ARRAY_RESERVE(&watch->pfds, watch->pfd_count + count, &watch->pfd_cap, err) <
		    0) {
			return -ERR_NOMEM;
		}
		for (size_t j = 0; j < count; j++) {
			watch->pfds[watch->pfd_count++] =
				(struct pollfd){.fd = fds[j], .events = POLLIN};
		}
		struct hearing *hearing =
			i < watch->set.count ? watch->set.items[i]->hearing : NULL;
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
	(void)maildir_watcher_read(watch->set.watcher, &ignored);
	for (size_t i = 0; i < watch->set.count; i++) {
		watched_listen(watch->set.items[i]);
	}
}

/* How it stands with the accounts. */
static void watch_tell(struct watch *watch)
{
	size_t states[WATCHED_STATES] = {0}, left = 0;
	char text[SERVICE_STATUS_SIZE];

	for (size_t i = 0; i < watch->set.count; i++) {
		const struct watched *watched = watch->set.items[i];
		left += !watched->is_over;
		states[watched->state] += !watched->is_over;
	}
	snprintf(text, sizeof(text),
		 "%zu account%s: %zu watched, %zu syncing, %zu to be tried again", left,
		 left == 1 ? "" : "s", states[WATCHED_WATCHING], states[WATCHED_SYNCING],
		 states[WATCHED_WAITING]);
	service_status(&watch->service, text);
}

/* Until a signal, or until no account is left. */
static int watch_loop(struct watch *watch, struct err *err)
{
	int code = 0;

	while (watch_collect(watch)) {
		watch_measure(watch);
		service_alive(&watch->service);
		if (*cli_signal_stop() != 0) {
			break;
		}
		watch_begin_due(watch, clock_monotonic_ms());
		watch_tell(watch);
		if (watch->asked == 0) {
			watch_wait(watch);
		}
		unsigned asked = watch->asked | cli_signal_take();
		watch->asked = 0;
		if ((asked & CLI_SIGNAL_RELOAD) != 0 && (code = watch_reload(watch, err)) < 0) {
			break;
		}
		if ((asked & CLI_SIGNAL_NOW) != 0) {
			watch_all(watch, FROM_USER);
		}
	}
	return code;
}

static int watch_run(struct watch *watch, struct conf **conf, int *status, struct err *err)
{
	struct watch_source source;
	int code = watch_source_open(&source, watch->options, conf, err);

	if (code < 0) {
		return code;
	}
	if ((code = watch_set_open(&watch->set, watch->options, err)) < 0) {
		watch_source_close(&source);
		return code;
	}
	if ((code = watch_set_take(&watch->set, &source, err)) == 0) {
		watch->is_measure_due = watch->set.count == 0; /* no sync will lead to it */
		service_ready(&watch->service);
		code = watch_loop(watch, err);
		service_stopping(&watch->service);
	}
	bool is_asked = *cli_signal_stop() != 0;
	watch_set_dismiss(&watch->set, NULL);
	watch_await_leaving(watch);
	watch_measure(watch);
	int left = watch_set_close(&watch->set);
	*status = is_asked ? 0 : left;
	free(watch->pfds);
	return code;
}

int cli_watch(const struct cli_options *options, struct conf **conf)
{
	struct watch watch = {.options = options};
	int status = 0;
	struct err err;
	int code;

	cli_allow_descriptors();
	service_open(&watch.service);
	if ((code = cli_signal_stay(&err)) == 0 &&
	    (code = surroundings_create(&watch.surroundings, &err)) == 0 &&
	    (code = conn_global_init(&err)) == 0) {
		code = watch_run(&watch, conf, &status, &err);
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
