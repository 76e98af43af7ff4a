/* The workers of a bulk download (fetch.h): each takes tasks and keeps its connection busy with
 * them. */
#ifndef SYNC_FETCH_BULK_PRIVATE_H
#define SYNC_FETCH_BULK_PRIVATE_H

#include "download_private.h"

struct bulk_mailbox {
	struct job job;
	struct download all; /* its rows; tasks are slices of it */
};

struct bulk_task {
	struct bulk_mailbox *mailbox;
	size_t first; /* in mailbox->all.wants */
	size_t count;
};

struct bulk {
	struct run *run;
	struct bulk_mailbox *mailboxes;
	size_t mailbox_count;
	size_t row_count; /* of them all */
	struct bulk_task *tasks;
	size_t task_count;
	size_t task_cap;
	size_t next_task; /* guarded by run->mutex */
	uint64_t cost;    /* of all tasks (fetch_cost) */
};

/* Works all tasks off on COUNT connections, the run's own and COUNT - 1 more. The first worker's
 * failure is the result; another's leaves its rows open, but for failures of the disk, of memory,
 * or by a signal. */
int bulk_work(struct bulk *bulk, size_t count, struct err *err);

#endif
