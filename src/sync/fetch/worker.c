/* A connection that bodies come in by: which of its slices asks, and which is answered. */
#include <stdlib.h>
#include <string.h>

#include "fetch_private.h"

#define WORKERS_MAX 32

static const struct task *take_task(struct tasks *tasks)
{
	const struct task *task = NULL;
	pthread_mutex_lock(&tasks->run->mutex);
	if (tasks->next < tasks->count) {
		task = &tasks->items[tasks->next++];
	}
	pthread_mutex_unlock(&tasks->run->mutex);
	return task;
}

static const struct mailbox *mailbox_of(const struct slice *slice)
{
	return slice->of->job->mailbox;
}

static void slice_destroy(struct slice *slice)
{
	slice_drop_arrival(slice);
	if (slice->of->folder == NULL) {
		maildir_folder_close(&slice->folder);
	}
	free(slice);
}

static int open_mailbox(struct worker *worker, struct slice *slice, struct err *err)
{
	const struct mailbox *mailbox = mailbox_of(slice);
	const char *wire = mailbox->wire;
	if (worker->asked == mailbox) {
		return 0;
	}
	/* The connection may have it open from before. */
	bool is_open =
		worker->asked == NULL && told_equal(remote_selected(worker->remote, wire, false),
						    mailbox->base.numbers.uidvalidity);
	worker->asked = mailbox;
	if (is_open) {
		worker->open = mailbox;
		return 0;
	}
	slice->is_opening = true;
	return remote_fetch_open_queue(worker->remote, wire, slice->cookie, err);
}

static int begin_task(struct worker *worker, const struct task *task, struct err *err)
{
	const struct download *of = task->download;
	struct slice *slice = calloc(1, sizeof(*slice));
	int code = 0;
	if (slice == NULL) {
		return err_nomem(err);
	}
	slice->worker = worker;
	slice->of = of;
	slice->wants = (struct wants){of->wants.rows + task->first, of->wants.states + task->first,
				      task->count};
	slice->cookie = ++worker->last_cookie;
	slice->folder = of->folder;
	if ((of->folder == NULL &&
	     (code = mailbox_open_folder(worker->tasks->run, mailbox_of(slice), &slice->folder,
					 err)) < 0) ||
	    (code = open_mailbox(worker, slice, err)) < 0) {
		slice_destroy(slice);
		return code;
	}
	worker->slices[worker->count++] = slice;
	return 0;
}

static bool awaits_answers(const struct worker *worker)
{
	for (size_t i = worker->done; i < worker->count; i++) {
		if (worker->slices[i]->is_opening || worker->slices[i]->in_flight > 0) {
			return true;
		}
	}
	return false;
}

/* Where it has to show which message the connection ends on, only one command is on its way. */
static bool may_ask(const struct worker *worker)
{
	bool is_singly =
		suspects_batch(worker->tasks->run, REMOTE_BATCH_MESSAGES) < REMOTE_BATCH_MESSAGES;
	return remote_fetch_room(worker->remote) > 0 && !(is_singly && awaits_answers(worker));
}

/* Keeps enough commands on their way: of the last task, or of a new one. */
static int ask_more(struct worker *worker, struct err *err)
{
	int code = 0;
	while (code == 0 && may_ask(worker)) {
		struct slice *last = worker->count == 0 ? NULL : worker->slices[worker->count - 1];
		if (last != NULL && slice_has_more(last)) {
			code = slice_ask(last, err);
			continue;
		}
		bool has_room = !worker->put_off && worker->count < SLICES_MAX;
		const struct task *task = has_room ? take_task(worker->tasks) : NULL;
		if (task == NULL) {
			break;
		}
		code = begin_task(worker, task, err);
	}
	return code;
}

/* The one that asked by that cookie and has no answer yet. */
static struct slice *asker(struct worker *worker, uint64_t cookie)
{
	for (size_t i = worker->done; i < worker->count; i++) {
		if (worker->slices[i]->cookie == cookie) {
			return worker->slices[i];
		}
	}
	return NULL;
}

static void take_opened(struct worker *worker, const struct remote_body *body)
{
	struct slice *slice = asker(worker, body->cookie);
	if (slice == NULL) {
		return;
	}
	slice->is_opening = false;
	worker->open = mailbox_of(slice);
	if (body->status == 0 &&
	    told_equal(body->uidvalidity, worker->open->base.numbers.uidvalidity)) {
		return;
	}
	/* So are the slices behind it that rely on the same EXAMINE. */
	for (size_t i = worker->done; i < worker->count; i++) {
		worker->slices[i]->is_void |= mailbox_of(worker->slices[i]) == worker->open;
	}
	worker->asked = NULL;
}

/* Folders whose messages are delivered are let go. */
static int release_done(struct worker *worker, struct err *err)
{
	int code = delivery_flush(worker->delivery, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; i < worker->done; i++) {
		slice_destroy(worker->slices[i]);
	}
	worker->count -= worker->done;
	memmove(worker->slices, worker->slices + worker->done,
		worker->count * sizeof(worker->slices[0]));
	worker->done = 0;
	return 0;
}

static int take_done(struct worker *worker, const struct remote_body *body, struct err *err)
{
	struct slice *slice = asker(worker, body->cookie);
	int code = slice == NULL || slice->in_flight == 0 ? 0 : slice_take(slice, body, err);
	while (worker->done < worker->count) {
		slice = worker->slices[worker->done];
		if (slice->is_opening || slice->in_flight > 0 || slice_has_more(slice)) {
			break;
		}
		worker->done++;
	}
	return code == 0 && worker->done >= SLICES_MAX / 2 ? release_done(worker, err) : code;
}

/* The slice whose body is coming in, as far as can be told yet: one of the mailbox that is open. */
static struct slice *receiver(struct worker *worker)
{
	for (size_t i = worker->done; i < worker->count; i++) {
		struct slice *slice = worker->slices[i];
		if (mailbox_of(slice) == worker->open && slice->in_flight > 0) {
			return slice;
		}
	}
	return NULL;
}

/* The body that came in may belong to another slice of the mailbox: servers may carry out fetches
 * of one mailbox side by side. */
static struct slice *hand_over(struct worker *worker, struct slice *from, uint32_t uid)
{
	for (size_t i = worker->done; i < worker->count; i++) {
		struct slice *slice = worker->slices[i];
		if (mailbox_of(slice) != mailbox_of(from) ||
		    wants_find(&slice->wants, uid) == WANT_NONE) {
			continue;
		}
		if (slice != from) {
			slice->arrival = from->arrival;
			from->arrival.has_draft = false;
			from->arrival.is_whole = false;
		}
		return slice;
	}
	return from;
}

static int take_body(struct worker *worker, const struct remote_body *body, struct err *err)
{
	if (body->type == REMOTE_FETCHED_OPENED) {
		take_opened(worker, body);
		return 0;
	}
	if (body->type == REMOTE_FETCHED_DONE) {
		return take_done(worker, body, err);
	}
	struct slice *slice = receiver(worker);
	if (slice == NULL || slice->is_void) {
		return 0;
	}
	if (body->type != REMOTE_FETCHED_MESSAGE) {
		return slice_take(slice, body, err);
	}
	int code = slice_take(hand_over(worker, slice, body->uid), body, err);
	return code < 0 ? code : run_check_stop(worker->tasks->run, err);
}

/* Into ITEMS, which has room, all that was on its way; how many. */
static size_t find_suspects(const struct worker *worker, struct suspect_item *items)
{
	size_t count = 0;
	for (size_t i = worker->done; i < worker->count; i++) {
		const struct slice *slice = worker->slices[i];
		if (slice->is_opening) {
			items[count++] = mailbox_item(mailbox_of(slice), SUSPECT_AT_OPEN);
		}
		if (slice->in_flight > 0) {
			count += slice_suspects(slice, items + count);
		}
	}
	return count;
}

/* The slice in whose answers the connection broke, or which made no sense; NULL: in nobody's. */
static const struct slice *broken_slice(const struct worker *worker, const struct err *err)
{
	for (size_t i = worker->done; i < worker->count; i++) {
		const struct slice *slice = worker->slices[i];
		bool is_first = err->code == ERR_PROTOCOL && slice->in_flight > 0;
		if (slice->arrival.has_draft || is_first) {
			return slice;
		}
	}
	return NULL;
}

static void note_broken(struct worker *worker, const struct err *err)
{
	struct run *run = worker->tasks->run;
	const struct slice *broken = broken_slice(worker, err);
	struct suspect_item item;
	size_t most = 0;
	if (broken != NULL && slice_suspect(broken, &item)) {
		suspects_lost(run, &item, 1, err);
		return;
	}
	for (size_t i = worker->done; i < worker->count; i++) {
		most += worker->slices[i]->wants.count + 1;
	}
	struct suspect_item *items = calloc(most + 1, sizeof(*items));
	if (items != NULL) {
		suspects_lost(run, items, find_suspects(worker, items), err);
	}
	free(items);
}

static int work_off(struct worker *worker, struct err *err)
{
	struct remote_body body;
	int code;
	while ((code = ask_more(worker, err)) == 0 && awaits_answers(worker)) {
		if ((code = remote_fetch_next(worker->remote, &body, err)) < 0 ||
		    (code = take_body(worker, &body, err)) < 0) {
			break;
		}
	}
	if (code < 0) {
		note_broken(worker, err);
	}
	return code;
}

static void worker_run(struct worker *worker)
{
	struct err why;
	worker->delivery = delivery_create(worker->tasks->run, &worker->err);
	if (worker->delivery == NULL) {
		worker->code = -(int)worker->err.code;
		return;
	}
	worker->code = work_off(worker, &worker->err);
	/* What is here is kept, whatever ended it. */
	int flushed = delivery_flush(worker->delivery, &why);
	if (flushed < 0 && worker->code == 0) {
		worker->err = why;
		worker->code = flushed;
	}
	delivery_destroy(worker->delivery);
	for (size_t i = 0; i < worker->count; i++) {
		slice_destroy(worker->slices[i]);
	}
}

/* An extra worker: its own connection, from login to logout. */
static void *extra_main(void *argument)
{
	struct worker *worker = argument;
	struct run *run = worker->tasks->run;
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
	run_add_totals(run, &totals);
	pthread_mutex_unlock(&run->mutex);
	remote_close(&worker->remote);
	return NULL;
}

/* What of an extra worker's failure ends the run: what the others would fail by, too. What befell
 * its connection, which run_is_fatal would go by, is its own. */
static bool is_everyones(const struct err *err)
{
	return err->code == ERR_LOCAL || err->code == ERR_NOMEM || err->code == ERR_INTERRUPTED ||
	       err->code == ERR_INTERNAL;
}

static int take_result(const struct worker *worker, int code, struct err *err)
{
	const struct run *run = worker->tasks->run;
	if (worker->code == 0 || code < 0) {
		return code;
	}
	if (worker->number > 1 && !is_everyones(&worker->err)) {
		log_line(run->log, LOG_INFO, "%s: connection %zu: %s; going on with fewer",
			 run->account->name, worker->number, worker->err.text);
		return code;
	}
	*err = worker->err;
	return worker->code;
}

int tasks_work(struct tasks *tasks, size_t count, struct err *err)
{
	size_t started = 1;
	count = count > WORKERS_MAX ? WORKERS_MAX : count;
	struct worker *workers = calloc(count, sizeof(*workers));
	if (workers == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < count; i++) {
		workers[i].tasks = tasks;
		workers[i].number = i + 1;
	}
	workers[0].remote = tasks->run->session->remote;
	while (started < count &&
	       pthread_create(&workers[started].thread, NULL, extra_main, &workers[started]) == 0) {
		started++;
	}
	worker_run(&workers[0]);
	tasks->put_off = workers[0].put_off;
	*err = workers[0].err;
	int code = workers[0].code;
	for (size_t i = 1; i < started; i++) {
		pthread_join(workers[i].thread, NULL);
		code = take_result(&workers[i], code, err);
	}
	free(workers);
	return code;
}
