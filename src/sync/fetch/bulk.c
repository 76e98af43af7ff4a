#include "bulk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulk_worker.h"
#include "plan/job.h"
#include "observe/observe.h"
#include "guard/claim.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define WINDOW_MAILBOXES 256
#define WINDOW_ROWS      100000
#define SLICE_MESSAGES   1000
#define SLICE_BYTES      (8u << 20)

/* What decides about connections. Measured on loopback with delays of 40 and 50 ms: one connection
 * moves some 50 MB/s, a login costs some 8 round trips, and below 5 ms a second one gains
 * nothing. */
#define RTT_MIN_US   5000
#define BYTES_PER_MS 50000
#define LOGIN_TURNS  8

static bool is_candidate(const struct run *run, const struct mailbox *mailbox)
{
	return !mailbox_is_idle(run, mailbox) && mailbox->seen.in_local &&
	       mailbox->seen.in_remote && !mailbox->seen.has_intents &&
	       mailbox->done.failures == 0 &&
	       (mailbox->decided.shape == PLAN_DOWNLOADS || mailbox->decided.shape == PLAN_UNKNOWN);
}

/* Plans MAILBOX; *TAKEN when it is one for here. */
static int bulk_add(struct bulk *bulk, struct mailbox *mailbox, bool *taken, struct err *err)
{
	struct bulk_mailbox *entry = &bulk->mailboxes[bulk->mailbox_count];
	*taken = false;
	job_init(&entry->job, bulk->run, bulk->run->session->remote, mailbox);
	int code = job_plan(&entry->job, err);
	if (code == 0 && mailbox->decided.shape == PLAN_DOWNLOADS) {
		code = job_prepare(&entry->job, err);
		if (code == 0) {
			code = download_init(&entry->all, &entry->job, bulk->run->session->remote,
					     NULL, err);
		}
		*taken = code == 0;
	}
	if (!*taken) {
		download_finish(&entry->all);
		job_finish(&entry->job);
		return code;
	}
	mailbox_release(mailbox); /* workers have handles of their own */
	bulk->mailbox_count++;
	return 0;
}

static uint64_t row_cost(const struct row *row)
{
	return row->size_bytes < 4096 ? 4096 : row->size_bytes;
}

static int add_task(struct bulk *bulk, struct bulk_mailbox *mailbox, size_t first, size_t count,
		    struct err *err)
{
	if ((bulk->task_count & (bulk->task_count - 1)) == 0) {
		size_t cap = bulk->task_count == 0 ? 1 : bulk->task_count * 2;
		struct bulk_task *tasks = realloc(bulk->tasks, cap * sizeof(*tasks));
		if (tasks == NULL) {
			return err_nomem(err);
		}
		bulk->tasks = tasks;
	}
	bulk->tasks[bulk->task_count++] = (struct bulk_task){mailbox, first, count};
	return 0;
}

static int add_tasks(struct bulk *bulk, struct bulk_mailbox *mailbox, struct err *err)
{
	size_t first = 0;
	uint64_t bytes = 0;
	int code = 0;
	for (size_t i = 0; code == 0 && i < mailbox->all.count; i++) {
		bytes += row_cost(mailbox->all.rows[i]);
		bulk->bytes += row_cost(mailbox->all.rows[i]);
		if (i + 1 - first == SLICE_MESSAGES || bytes >= SLICE_BYTES ||
		    i + 1 == mailbox->all.count) {
			code = add_task(bulk, mailbox, first, i + 1 - first, err);
			first = i + 1;
			bytes = 0;
		}
	}
	return code;
}

/* How many connections pay. */
static size_t worker_count(const struct bulk *bulk)
{
	int64_t rtt_us = imap_rtt_us(remote_imap(bulk->run->session->remote));
	size_t most = (size_t)bulk->run->account->connections;
	if (rtt_us < RTT_MIN_US || most < 2) {
		return 1;
	}
	uint64_t transfer_ms = bulk->bytes / BYTES_PER_MS;
	uint64_t login_ms = (uint64_t)rtt_us * LOGIN_TURNS / 1000;
	uint64_t count = 1 + transfer_ms / (2 * login_ms + 1);
	if (count > most) {
		count = most;
	}
	return count > bulk->task_count ? bulk->task_count : (size_t)count;
}

/* A mailbox of which everything arrived is done with; any other keeps its pending rows. */
static int conclude(struct bulk *bulk, struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < bulk->mailbox_count; i++) {
		struct bulk_mailbox *mailbox = &bulk->mailboxes[i];
		bool is_whole = true;
		for (size_t k = 0; k < mailbox->all.count; k++) {
			is_whole = is_whole && (mailbox->all.states[k] == WANT_DONE ||
						mailbox->all.states[k] == WANT_PARTLY);
		}
		mailbox->job.failures += download_failures(&mailbox->all);
		mailbox->job.mailbox->done.failures += mailbox->job.failures;
		if (code == 0 && is_whole) {
			mailbox->job.mailbox->done.has_new_rows = false;
			code = job_conclude(&mailbox->job, err);
		}
		download_finish(&mailbox->all);
		job_finish(&mailbox->job);
	}
	return code;
}

static int run_window(struct bulk *bulk, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < bulk->mailbox_count; i++) {
		code = add_tasks(bulk, &bulk->mailboxes[i], err);
	}
	size_t workers = code == 0 ? worker_count(bulk) : 1;
	/* One mailbox on one connection is what its job does, and better. */
	if (code == 0 && (bulk->mailbox_count > 1 || workers > 1)) {
		code = run_claim(bulk->run, err);
		if (code == 0) {
			code = bulk_work(bulk, workers, err);
		}
		struct err why;
		int concluded = conclude(bulk, &why);
		if (code == 0 && concluded < 0) {
			*err = why;
			code = concluded;
		}
	} else {
		for (size_t i = 0; i < bulk->mailbox_count; i++) {
			download_finish(&bulk->mailboxes[i].all);
			job_finish(&bulk->mailboxes[i].job);
		}
	}
	free(bulk->tasks);
	bulk->tasks = NULL;
	bulk->task_count = 0;
	bulk->next_task = 0;
	bulk->mailbox_count = 0;
	bulk->bytes = 0;
	return code;
}

int bulk_download(struct run *run, struct err *err)
{
	struct bulk *bulk = calloc(1, sizeof(*bulk));
	size_t rows = 0;
	int code = 0;
	if (bulk == NULL) {
		return err_nomem(err);
	}
	bulk->run = run;
	bulk->mailboxes = calloc(WINDOW_MAILBOXES, sizeof(*bulk->mailboxes));
	code = bulk->mailboxes == NULL ? err_nomem(err) : 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		bool taken = false;
		if (is_candidate(run, &run->mailboxes.items[i])) {
			code = bulk_add(bulk, &run->mailboxes.items[i], &taken, err);
			rows += taken ? bulk->mailboxes[bulk->mailbox_count - 1].all.count : 0;
		}
		if (code == 0 && (bulk->mailbox_count == WINDOW_MAILBOXES || rows >= WINDOW_ROWS)) {
			code = run_window(bulk, err);
			rows = 0;
		}
	}
	if (bulk->mailboxes != NULL) {
		struct err why;
		int last = code == 0 ? run_window(bulk, &why) : 0;
		if (last < 0) {
			*err = why;
			code = last;
		}
	}
	for (size_t i = 0; i < bulk->mailbox_count; i++) { /* left by an error on the way */
		download_finish(&bulk->mailboxes[i].all);
		job_finish(&bulk->mailboxes[i].job);
	}
	free(bulk->mailboxes);
	free(bulk->tasks);
	free(bulk);
	return code;
}
