/*
 * Downloads of many mailboxes in one pipeline, and of large ones over several connections: a
 * mailbox by itself costs a round trip to open and one to fetch; here EXAMINEs travel among the
 * FETCHes, and one durable commit serves many small mailboxes. More connections are opened only
 * where the measured round-trip time makes one connection the brake and what is left to do is worth
 * the logins. A worker that cannot log in (too many connections) makes them fewer, not the run
 * fail.
 */
#include <stdlib.h>

#include "mailsync/base/array.h"

#include "guard/guard.h"

#include "fetch_private.h"

#define WINDOW_MAILBOXES 256
#define WINDOW_ROWS      20000

struct bulk_mailbox {
	struct job job;
	struct download download;
};

struct bulk {
	struct run *run;
	struct tasks tasks;
	uint64_t cost; /* of all tasks (F7) */
	struct bulk_mailbox *mailboxes;
	size_t count;
	size_t row_count; /* of them all */
};

static bool is_candidate(const struct run *run, const struct mailbox *mailbox)
{
	return !mailbox_is_idle(run, mailbox) && mailbox->seen.in == SIDE_BOTH &&
	       !mailbox->open.has_intents && mailbox->open.failures == 0 &&
	       (mailbox->decided.shape == PLAN_DOWNLOADS || mailbox->decided.shape == PLAN_UNKNOWN);
}

static void bulk_mailbox_finish(struct bulk_mailbox *mailbox)
{
	download_finish(&mailbox->download);
	job_finish(&mailbox->job);
}

static int add_tasks(struct bulk *bulk, const struct download *download, struct err *err)
{
	struct tasks *tasks = &bulk->tasks;
	uint64_t cost = 0;
	for (size_t first = 0, count = 0; first < download->wants.count; first += count) {
		count = fetch_slice(&download->wants, first, &cost);
		if (ARRAY_RESERVE(&tasks->items, tasks->count + 1, &tasks->cap, err) < 0) {
			return -ERR_NOMEM;
		}
		tasks->items[tasks->count++] = (struct task){download, first, count};
		bulk->cost += cost;
	}
	bulk->row_count += download->wants.count;
	return 0;
}

/* Of the mailbox, and of the slice of its rows. A retry is left to its job (R32). */
static bool is_for_here(const struct job *job)
{
	return job->mailbox->decided.shape == PLAN_DOWNLOADS && !job_is_retry(job) &&
	       message_plan_shape(&job->plan) <= PLAN_DOWNLOADS;
}

/* Plans a slice of MAILBOX, and takes it in where it is one for here. *AFTER goes on to the next,
 * or to 0 where there is none. */
static int bulk_add(struct bulk *bulk, struct mailbox *mailbox, int64_t *after, struct err *err)
{
	struct bulk_mailbox *entry = &bulk->mailboxes[bulk->count];
	struct job *job = &entry->job;
	*entry = (struct bulk_mailbox){0};
	int code = job_begin(job, bulk->run, bulk->run->session->remote, mailbox, *after, err);
	*after = 0;
	if (code < 0 || !is_for_here(job) || (code = job_prepare(job, err)) < 0 ||
	    (code = download_init(&entry->download, job, err)) < 0 ||
	    (code = add_tasks(bulk, &entry->download, err)) < 0) {
		bulk_mailbox_finish(entry);
		return code;
	}
	mailbox_release(mailbox); /* workers have handles of their own */
	*after = job->slice.is_last ? 0 : job->slice.after;
	bulk->count++;
	return 0;
}

static size_t worker_count(const struct run *run, uint64_t cost, size_t slices)
{
	struct remote_totals totals;
	remote_totals(run->session->remote, &totals);
	struct fetch_load load = {
		.rtt_us = totals.rtt_us,
		.cost = cost,
		.slices = slices,
		.connections = (size_t)run->account->connections,
	};
	return fetch_connections(&load);
}

/* A mailbox of which everything arrived is done with; any other keeps its pending rows. Of one that
 * came in slices its own job says so. */
static int conclude(struct bulk *bulk, struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < bulk->count; i++) {
		struct job *job = &bulk->mailboxes[i].job;
		const struct wants *wants = &bulk->mailboxes[i].download.wants;
		job->failures += wants_failed(wants);
		job->mailbox->open.failures += job->failures;
		if (code == 0 && wants_are_done(wants) && !job->is_part) {
			job->mailbox->open.has_new_rows = false;
			code = job_conclude(job, err);
		}
	}
	return code;
}

static int work(struct bulk *bulk, size_t workers, struct err *err)
{
	struct err why;
	int code = run_claim(bulk->run, err);
	if (code == 0) {
		code = tasks_work(&bulk->tasks, workers, err);
	}
	int concluded = conclude(bulk, &why);
	if (code == 0 && concluded < 0) {
		*err = why;
		code = concluded;
	}
	return code;
}

static void window_finish(struct bulk *bulk)
{
	while (bulk->count > 0) {
		bulk_mailbox_finish(&bulk->mailboxes[--bulk->count]);
	}
	bulk->row_count = 0;
	bulk->cost = 0;
	bulk->tasks.count = 0;
	bulk->tasks.next = 0;
}

/* One mailbox on one connection is what its job does, and better. */
static int run_window(struct bulk *bulk, struct err *err)
{
	size_t workers = worker_count(bulk->run, bulk->cost, bulk->tasks.count);
	int code = bulk->count > 1 || workers > 1 ? work(bulk, workers, err) : 0;
	window_finish(bulk);
	return code;
}

/* All slices of MAILBOX, and works off what is enough for a window. */
static int take_mailbox(struct bulk *bulk, struct mailbox *mailbox, struct err *err)
{
	int64_t after = 0;
	int code;
	do {
		code = bulk_add(bulk, mailbox, &after, err);
		if (code == 0 &&
		    (bulk->count == WINDOW_MAILBOXES || bulk->row_count >= WINDOW_ROWS)) {
			code = run_window(bulk, err);
		}
	} while (code == 0 && after != 0);
	return code;
}

/* One mailbox on one connection need not even be planned here. */
static bool may_pay(const struct run *run)
{
	size_t candidates = 0;
	if (suspects_batch(run, SIZE_MAX) < SIZE_MAX) {
		return false; /* one at a time */
	}
	for (size_t i = 0; i < run->mailboxes.count && candidates < 2; i++) {
		candidates += is_candidate(run, &run->mailboxes.items[i]);
	}
	return candidates > 1 || (candidates > 0 && worker_count(run, UINT64_MAX, SIZE_MAX) > 1);
}

int bulk_download(struct run *run, struct err *err)
{
	struct bulk bulk = {.run = run, .tasks.run = run};
	int code = 0;
	if (!may_pay(run)) {
		return 0;
	}
	bulk.mailboxes = calloc(WINDOW_MAILBOXES, sizeof(*bulk.mailboxes));
	if (bulk.mailboxes == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		if (is_candidate(run, &run->mailboxes.items[i])) {
			code = take_mailbox(&bulk, &run->mailboxes.items[i], err);
		}
	}
	if (code == 0) {
		code = run_window(&bulk, err);
	}
	window_finish(&bulk);
	free(bulk.mailboxes);
	free(bulk.tasks.items);
	return code;
}
