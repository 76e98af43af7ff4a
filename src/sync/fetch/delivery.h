/*
 * New messages, of one mailbox or several, on their way from drafts to rows, in batches: contents
 * durable, names published, names durable, rows committed (I2). A cut anywhere leaves drafts that
 * the next run sweeps, or published files that it adopts by their names.
 *
 * A batch is delivered by a thread of its own while the next one fills: waiting for the disk and
 * for the server goes on side by side. Its contents are made durable before, by the thread that
 * wrote them: beside a writer a syncfs lasts until the writer pauses. The thread touches the batch,
 * its rows, and of a folder what draft_publish and sync_names touch; nothing of it is looked at
 * before it was joined. A row that was delivered is in the database, and its `unique` here is
 * emptied. One thread a delivery calls the functions below; what several share of a job is guarded
 * by run->mutex.
 */
#ifndef SYNC_FETCH_DELIVERY_H
#define SYNC_FETCH_DELIVERY_H

#include <stdatomic.h>

#include "plan/job.h"

/* A batch goes on its way with so many messages when the one before has arrived, else with up to
 * the most. Each costs a syncfs, and one or two directories and the database to be synced: some
 * 15 ms on ext4, in which several hundred messages come in. */
#define DELIVERY_MESSAGES     500
#define DELIVERY_MESSAGES_MAX 2000
#define DELIVERY_BYTES        (32u << 20)
#define DELIVERY_BYTES_MAX    (64u << 20)

enum want_state {
	WANT_OPEN,
	WANT_DRAFTED,
	WANT_DONE,
	WANT_FAILED
};

struct delivery_item {
	struct job *job;
	struct maildir_folder *dir; /* stays open until delivery_flush or delivery_discard */
	struct row *row;
	uint8_t *state;             /* enum want_state, the owner's; WANT_DRAFTED meanwhile */
	const char *key;            /* of the mailbox, for the name */
	struct maildir_draft draft; /* closed */
	int64_t date;
	bool is_published;
};

struct delivery_batch {
	struct delivery_item items[DELIVERY_MESSAGES_MAX];
	size_t count;
	uint64_t bytes;
};

struct delivery { /* zeroed, with RUN set, it is ready */
	struct run *run;
	struct delivery_batch batches[2];
	int filling;    /* which of the two; the other one is being delivered, or empty */
	bool is_thread; /* the other one, by THREAD, which says when it HAS_ARRIVED */
	pthread_t thread;
	atomic_bool has_arrived;
	int code; /* of the first batch that failed; nothing is delivered after it */
	struct err err;
};

/* Takes the item's draft over; may send the batch on its way. ERR may be that of the one before. */
int delivery_add(struct delivery *delivery, const struct delivery_item *item, struct err *err);
/* Delivers all there is, and waits for it. */
int delivery_flush(struct delivery *delivery, struct err *err);
/* Throws away the drafts that were not delivered. */
void delivery_discard(struct delivery *delivery);

#endif
