/*
 * A batch of new messages, of one mailbox or several, on its way from drafts to rows: contents
 * durable, names published, names durable, rows committed (I2). A cut anywhere leaves drafts that
 * the next run sweeps, or published files that it adopts by their names. One thread a delivery;
 * what several share of a job is guarded by run->mutex.
 */
#ifndef SYNC_DELIVERY_H
#define SYNC_DELIVERY_H

#include "job.h"

#define DELIVERY_MESSAGES 500
#define DELIVERY_BYTES    (64u << 20)

enum want_state {
	WANT_OPEN,
	WANT_DRAFTED,
	WANT_DONE,
	WANT_FAILED
};

struct delivery_item {
	struct job *job;
	struct maildir_box *dir;
	struct row *row;
	uint8_t *state;             /* enum want_state, the owner's */
	const char *key;            /* of the mailbox, for the name */
	struct maildir_draft draft; /* closed */
	int64_t date;
};

struct delivery {
	struct run *run;
	struct delivery_item items[DELIVERY_MESSAGES];
	size_t count;
	uint64_t bytes;
};

/* Takes the item's draft over, and delivers all when the batch is full. */
int delivery_add(struct delivery *delivery, const struct delivery_item *item, struct err *err);
int delivery_flush(struct delivery *delivery, struct err *err);
/* Throws away the drafts that were not delivered. */
void delivery_discard(struct delivery *delivery);

#endif
