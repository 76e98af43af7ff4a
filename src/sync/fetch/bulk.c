#include "fetch.h"

#include <stdlib.h>

#include "bulk_private.h"
#include "guard/guard.h"

#include "mailsync/base/array.h"

#define WINDOW_MAILBOXES 256
#define WINDOW_ROWS      100000

static bool is_candidate(const struct run *run, const struct mailbox *mailbox)
{
	return !mailbox_is_idle(run, mailbox) && mailbox->seen.in_local &&
	       mailbox->seen.in_remote && !mailbox->seen.has_intents &&
	       mailbox->done.failures == 0 &&
	       (mailbox->decided.shape == PLAN_DOWNLOADS || mailbox->decided.shape == PLAN_UNKNOWN);
}

static void bulk_mailbox_finish(struct bulk_mailbox *mailbox)
{
	download_finish(&mailbox->all);
	job_finish(&mailbox->job);
}

/* Plans MAILBOX; *TAKEN when it is one for here. */
static int bulk_add(struct bulk *bulk, struct mailbox *mailbox, bool *taken, struct err *err)
{
	struct bulk_mailbox *entry = &bulk->mailboxes[bulk->mailbox_count];
	struct job *job = &entry->job;
	int code;
	*taken = false;
	code = job_plan(job, bulk->run, bulk->run->session->remote, mailbox, err);
	if (code < 0 || mailbox->decided.shape != PLAN_DOWNLOADS) {
		goto leave;
	}
	if ((code = job_prepare(job, err)) < 0 ||
	    (code = download_init(&entry->all, job, NULL, err)) < 0) {
		goto leave;
	}
	mailbox_release(mailbox); /* workers have handles of their own */
	bulk->mailbox_count++;
	*taken = true;
	return 0;
leave:
	bulk_mailbox_finish(entry);
	return code;
}

static int add_tasks(struct bulk *bulk, struct bulk_mailbox *mailbox, struct err *err)
{
	const struct wants *wants = &mailbox->all.wants;
	uint64_t cost = 0;
	for (size_t first = 0, count = 0; first < wants->count; first += count) {
		count = fetch_slice(wants, first, &cost);
		bulk->cost += cost;
		if (ARRAY_RESERVE(&bulk->tasks, bulk->task_count + 1, &bulk->task_cap, err) < 0) {
			return -ERR_NOMEM;
		}
		bulk->tasks[bulk->task_count++] = (struct bulk_task){mailbox, first, count};
	}
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

/* A mailbox of which everything arrived is done with; any other keeps its pending rows. */
static int conclude(struct bulk *bulk, struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < bulk->mailbox_count; i++) {
		struct bulk_mailbox *mailbox = &bulk->mailboxes[i];
		struct mailbox_done *done = &mailbox->job.mailbox->done;
		mailbox->job.failures += wants_failed(&mailbox->all.wants);
		done->failures += mailbox->job.failures;
		if (code == 0 && wants_are_done(&mailbox->all.wants)) {
			done->has_new_rows = false;
			code = job_conclude(&mailbox->job, err);
		}
	}
	return code;
}

static int work(struct bulk *bulk, size_t workers, struct err *err)
{
	struct err why;
	int code = run_claim(bulk->run, err);
	if (code == 0) {
		code = bulk_work(bulk, workers, err);
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
	for (size_t i = 0; i < bulk->mailbox_count; i++) {
		bulk_mailbox_finish(&bulk->mailboxes[i]);
	}
	bulk->mailbox_count = 0;
	bulk->row_count = 0;
	bulk->task_count = 0;
	bulk->next_task = 0;
	bulk->cost = 0;
}

static int run_window(struct bulk *bulk, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < bulk->mailbox_count; i++) {
		code = add_tasks(bulk, &bulk->mailboxes[i], err);
	}
	size_t workers = code == 0 ? worker_count(bulk->run, bulk->cost, bulk->task_count) : 0;
	/* One mailbox on one connection is what its job does, and better. */
	if (code == 0 && (bulk->mailbox_count > 1 || workers > 1)) {
		code = work(bulk, workers, err);
	}
	window_finish(bulk);
	return code;
}

static int fill_window(struct bulk *bulk, struct mailbox *mailbox, struct err *err)
{
	bool taken = false;
	int code = bulk_add(bulk, mailbox, &taken, err);
	if (taken) {
		bulk->row_count += bulk->mailboxes[bulk->mailbox_count - 1].all.wants.count;
	}
	bool is_full = bulk->mailbox_count == WINDOW_MAILBOXES || bulk->row_count >= WINDOW_ROWS;
	return code == 0 && is_full ? run_window(bulk, err) : code;
}

/* One mailbox on one connection need not even be planned here. */
static bool may_pay(const struct run *run)
{
	size_t candidates = 0;
	for (size_t i = 0; i < run->mailboxes.count && candidates < 2; i++) {
		candidates += is_candidate(run, &run->mailboxes.items[i]);
	}
	return candidates > 1 || (candidates > 0 && worker_count(run, UINT64_MAX, SIZE_MAX) > 1);
}

int bulk_download(struct run *run, struct err *err)
{
	struct bulk bulk = {.run = run};
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
			code = fill_window(&bulk, &run->mailboxes.items[i], err);
		}
	}
	if (code == 0) {
		code = run_window(&bulk, err);
	}
	window_finish(&bulk);
	free(bulk.mailboxes);
	free(bulk.tasks);
	return code;
}
