#include "bulk_private.h"

#include <stdlib.h>
#include <string.h>

#define ACTIVE_MAX  48 /* tasks at a time; each holds the descriptors of a folder */
#define WORKERS_MAX 32

/* A task under work. */
struct active {
	struct download download;
	struct mailbox *mailbox;
	uint64_t open_cookie; /* of its EXAMINE; meaningful while is_opening */
	bool is_opening;
	bool is_void; /* could not be opened as expected: its answers are dropped */
};

struct worker_state {
	struct bulk *bulk;
	struct remote *remote;
	struct delivery delivery;
	struct active *active[ACTIVE_MAX]; /* in the order asked */
	size_t active_count;
	size_t done_count; /* the first so many are answered, and wait for the delivery's flush */
	uint64_t last_cookie;
	struct mailbox *asked_mailbox; /* the one that will be open once all is answered */
	struct mailbox *open_mailbox;  /* the one that answers come from now */
	bool is_extra;
	size_t number;
	int code;
	struct err err;
	pthread_t thread;
};

static struct bulk_task *take_task(struct bulk *bulk)
{
	struct bulk_task *task = NULL;
	pthread_mutex_lock(&bulk->run->mutex);
	if (bulk->next_task < bulk->task_count) {
		task = &bulk->tasks[bulk->next_task++];
	}
	pthread_mutex_unlock(&bulk->run->mutex);
	return task;
}

static void active_destroy(struct active *active)
{
	if (active == NULL) {
		return;
	}
	struct maildir_folder *folder = active->download.folder;
	download_drop_arrival(&active->download);
	maildir_folder_close(&folder);
	free(active);
}

static int open_mailbox(struct worker_state *worker, struct active *active, struct err *err)
{
	if (worker->asked_mailbox == active->mailbox) {
		return 0;
	}
	/* The connection may have it open from before. */
	if (worker->asked_mailbox == NULL &&
	    remote_selected(worker->remote, active->mailbox->seen.wire, false) ==
		    active->mailbox->base.uidvalidity) {
		worker->asked_mailbox = active->mailbox;
		worker->open_mailbox = active->mailbox;
		return 0;
	}
	active->is_opening = true;
	active->open_cookie = ++worker->last_cookie;
	worker->asked_mailbox = active->mailbox;
	return remote_fetch_open_queue(worker->remote, active->mailbox->seen.wire,
				       active->open_cookie, err);
}

static int begin_task(struct worker_state *worker, const struct bulk_task *task, struct err *err)
{
	struct run *run = worker->bulk->run;
	struct active *active = calloc(1, sizeof(*active));
	if (active == NULL) {
		return err_nomem(err);
	}
	active->mailbox = task->mailbox->job.mailbox;
	download_slice(&active->download, &task->mailbox->all, task->first, task->count);
	active->download.remote = worker->remote;
	active->download.cookie = ++worker->last_cookie;
	active->download.delivery = &worker->delivery;
	int code;
	if ((code = maildir_folder_open(run->session->maildir, active->mailbox->name,
					&active->download.folder, err)) < 0 ||
	    (code = open_mailbox(worker, active, err)) < 0) {
		active_destroy(active);
		return code;
	}
	worker->active[worker->active_count++] = active;
	return 0;
}

static bool awaits_answers(const struct worker_state *worker)
{
	for (size_t i = worker->done_count; i < worker->active_count; i++) {
		if (worker->active[i]->is_opening || worker->active[i]->download.in_flight > 0) {
			return true;
		}
	}
	return false;
}

/* One more command, of the last task or of a new one. *MORE: there was one to send. */
static int ask_one(struct worker_state *worker, bool *more, struct err *err)
{
	struct active *last =
		worker->active_count == 0 ? NULL : worker->active[worker->active_count - 1];
	*more = last == NULL || !last->download.put_off;
	if (*more && last != NULL && !last->is_void && download_has_more(&last->download)) {
		return download_ask(&last->download, err);
	}
	*more = *more && worker->active_count < ACTIVE_MAX;
	struct bulk_task *task = *more ? take_task(worker->bulk) : NULL;
	*more = task != NULL;
	return task == NULL ? 0 : begin_task(worker, task, err);
}

/* Keeps enough commands on their way. */
static int ask_more(struct worker_state *worker, struct err *err)
{
	bool more = true;
	int code = 0;
	while (code == 0 && more && remote_fetch_room(worker->remote) > 0) {
		code = ask_one(worker, &more, err);
	}
	return code;
}

static void take_opened(struct worker_state *worker, const struct remote_body *body)
{
	for (size_t i = worker->done_count; i < worker->active_count; i++) {
		struct active *active = worker->active[i];
		if (!active->is_opening || active->open_cookie != body->cookie) {
			continue;
		}
		active->is_opening = false;
		worker->open_mailbox = active->mailbox;
		if (body->status < 0 || body->uidvalidity != active->mailbox->base.uidvalidity) {
			/* So are the slices behind it that rely on the same EXAMINE. */
			for (size_t k = i; k < worker->active_count; k++) {
				bool same = worker->active[k]->mailbox == active->mailbox;
				worker->active[k]->is_void |= same;
			}
			worker->asked_mailbox = NULL;
		}
	}
}

/* Folders whose messages are delivered are let go. */
static int release_done(struct worker_state *worker, struct err *err)
{
	int code = delivery_flush(&worker->delivery, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; i < worker->done_count; i++) {
		active_destroy(worker->active[i]);
	}
	worker->active_count -= worker->done_count;
	memmove(worker->active, worker->active + worker->done_count,
		worker->active_count * sizeof(worker->active[0]));
	worker->done_count = 0;
	return 0;
}

static bool is_answered(const struct active *active)
{
	return !active->is_opening && active->download.in_flight == 0 &&
	       (active->is_void || !download_has_more(&active->download));
}

/* The task whose body is coming in, as far as can be told yet: one of the mailbox that is open. */
static struct active *receiver(struct worker_state *worker)
{
	for (size_t i = worker->done_count; i < worker->active_count; i++) {
		if (worker->active[i]->mailbox == worker->open_mailbox &&
		    worker->active[i]->download.in_flight > 0) {
			return worker->active[i];
		}
	}
	return NULL;
}

static struct active *owner_of(struct worker_state *worker, struct active *from, uint32_t uid)
{
	for (size_t i = worker->done_count; i < worker->active_count; i++) {
		struct active *active = worker->active[i];
		if (active->mailbox == from->mailbox &&
		    wants_find(&active->download.wants, uid) != WANT_NONE) {
			return active;
		}
	}
	return from;
}

static void take_done(struct worker_state *worker, const struct remote_body *body)
{
	for (size_t i = worker->done_count; i < worker->active_count; i++) {
		struct download *download = &worker->active[i]->download;
		if (download->cookie == body->cookie && download->in_flight > 0) {
			struct err ignored;
			download_take(download, body, &ignored);
			break;
		}
	}
	while (worker->done_count < worker->active_count &&
	       is_answered(worker->active[worker->done_count])) {
		worker->done_count++;
	}
}

static int take_body(struct worker_state *worker, const struct remote_body *body, struct err *err)
{
	if (body->type == REMOTE_FETCHED_OPENED) {
		take_opened(worker, body);
		return 0;
	}
	if (body->type == REMOTE_FETCHED_DONE) {
		take_done(worker, body);
		return worker->done_count >= ACTIVE_MAX / 2 ? release_done(worker, err) : 0;
	}
	struct active *active = receiver(worker);
	if (active == NULL || active->is_void) {
		return 0;
	}
	if (body->type == REMOTE_FETCHED_MESSAGE) {
		struct active *owner = owner_of(worker, active, body->uid);
		if (owner != active) {
			download_hand_over(&active->download, &owner->download);
			active = owner;
		}
	}
	return download_take(&active->download, body, err);
}

/* Asks, and takes one answer. *MORE: there was one. */
static int work_once(struct worker_state *worker, bool *more, struct err *err)
{
	struct remote_body body;
	int code = ask_more(worker, err);
	*more = code == 0 && awaits_answers(worker);
	if (!*more) {
		return code;
	}
	if ((code = remote_fetch_next(worker->remote, &body, err)) < 0 ||
	    (code = take_body(worker, &body, err)) < 0) {
		return code;
	}
	return body.type == REMOTE_FETCHED_MESSAGE ? run_check_stop(worker->bulk->run, err) : 0;
}

static int work_tasks(struct worker_state *worker, struct err *err)
{
	bool more = true;
	int code = 0;
	while (code == 0 && more) {
		code = work_once(worker, &more, err);
	}
	for (size_t i = worker->done_count; code < 0 && i < worker->active_count; i++) {
		if (worker->active[i]->download.in_flight > 0) {
			return download_broke(&worker->active[i]->download, err);
		}
	}
	return code;
}

static void worker_run(struct worker_state *worker)
{
	struct err why;
	worker->delivery.run = worker->bulk->run;
	worker->code = work_tasks(worker, &worker->err);
	/* What is here is kept, whatever ended it. */
	int flushed = delivery_flush(&worker->delivery, &why);
	if (flushed < 0 && worker->code == 0) {
		worker->err = why;
		worker->code = flushed;
	}
	delivery_discard(&worker->delivery);
	for (size_t i = 0; i < worker->active_count; i++) {
		active_destroy(worker->active[i]);
	}
	worker->active_count = 0;
}

/* An extra worker: its own connection, from login to logout. */
static void *extra_main(void *argument)
{
	struct worker_state *worker = argument;
	struct run *run = worker->bulk->run;
	struct remote_totals totals;
	struct err ignored;
	worker->code = run_connect(run, worker->number, &worker->remote, &worker->err);
	if (worker->code < 0) {
		return NULL;
	}
	worker_run(worker);
	if (worker->code == 0) {
		remote_logout(worker->remote, &ignored);
	}
	remote_totals(worker->remote, &totals);
	pthread_mutex_lock(&run->mutex);
	run->report->connections++;
	run->report->commands += totals.commands;
	run->report->round_trips += totals.round_trips;
	run->report->bytes_in += totals.bytes_in;
	run->report->bytes_out += totals.bytes_out;
	pthread_mutex_unlock(&run->mutex);
	remote_close(&worker->remote);
	return NULL;
}

/* What of an extra worker's failure ends the run: not that of its connection. */
static bool is_everyones(const struct err *err)
{
	return err->code == ERR_LOCAL || err->code == ERR_NOMEM || err->code == ERR_INTERRUPTED ||
	       err->code == ERR_INTERNAL;
}

static int take_result(struct bulk *bulk, const struct worker_state *worker, int code,
		       struct err *err)
{
	if (worker->code == 0 || code < 0) {
		return code;
	}
	if (worker->is_extra && !is_everyones(&worker->err)) {
		log_line(bulk->run->log, LOG_INFO, "%s: connection %zu: %s; going on with fewer",
			 bulk->run->account->name, worker->number, worker->err.text);
		return code;
	}
	*err = worker->err;
	return worker->code;
}

int bulk_work(struct bulk *bulk, size_t count, struct err *err)
{
	size_t started = 1;
	int code = 0;
	count = count > WORKERS_MAX ? WORKERS_MAX : count;
	struct worker_state *workers = calloc(count, sizeof(*workers));
	if (workers == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < count; i++) {
		workers[i].bulk = bulk;
		workers[i].number = i + 1;
		workers[i].is_extra = i > 0;
	}
	workers[0].remote = bulk->run->session->remote;
	while (started < count &&
	       pthread_create(&workers[started].thread, NULL, extra_main, &workers[started]) == 0) {
		started++;
	}
	worker_run(&workers[0]);
	for (size_t i = 1; i < started; i++) {
		pthread_join(workers[i].thread, NULL);
	}
	for (size_t i = 0; i < started; i++) {
		code = take_result(bulk, &workers[i], code, err);
	}
	free(workers);
	return code;
}
