/* Downloads over IMAP, and the delivery of what comes from IMAP or POP3. */
#ifndef SYNC_FETCH_FETCH_H
#define SYNC_FETCH_FETCH_H

#include "plan/plan.h"
#include "rules/transfer_rules.h"

/* Those of one mailbox, on its job's connection. */
int job_download(struct job *job, struct err *err);

/* Those of many mailboxes at once, where their plans are nothing but downloads. Whatever is left
 * open here (a message that the server does not give, a mailbox that it does not open) is left to
 * the mailbox's own job, which retries and reports: this is speed and nothing else. */
int bulk_download(struct run *run, struct err *err);

/*
 * Delivery is the only door into the Maildir: new messages, of one mailbox or several, from IMAP or
 * POP3, on their way from drafts to rows, in batches: contents durable, names published, names
 * durable, rows committed (I2). A cut anywhere leaves drafts that the next run sweeps, or published
 * files that it adopts by their names.
 *
 *     struct delivery *delivery = delivery_create(run, &err);
 *     delivery_add(delivery, &item, &err), for each message, its draft closed
 *     delivery_flush(delivery, &err);   after a failure of something else, too: what came is kept
 *     look at the states; count those that failed
 *     delivery_destroy(delivery);
 *
 * Failure: of one message, it is reported in the run, its state is WANT_FAILED and the batch goes
 * on; of disk, memory or database, it is the result of the call during which it shows, and nothing
 * is delivered any more.
 *
 * Threads: a batch is delivered by a thread of its own while the next one fills: waiting for the
 * disk and for the server goes on side by side. Its contents are made durable before, by the thread
 * that wrote them: beside a writer a syncfs lasts until the writer pauses. The delivering thread
 * touches the batch, its rows, and of a folder what maildir_draft_publish, maildir_draft_discard
 * (of a closed draft) and maildir_sync_names touch; an item is its own until the state tells what
 * became of it. One thread a delivery calls the functions below; several deliveries may share
 * mailboxes, whose counts run->mutex guards.
 */

struct delivery_repair { /* the owner's, as the item's row is */
	const char *unique;
	const char *damaged; /* the file that it takes the place of; NULL: there is none */
	bool in_new;
	struct file_mark mark; /* of that */
};

struct delivery_item {
	struct mailbox *mailbox;       /* whose counts, keyword table and UIDVALIDITY these are */
	struct maildir_folder *folder; /* stays open until delivery_flush or delivery_destroy */
	uint8_t *state;                /* enum want_state, the owner's */
	struct maildir_draft draft;    /* closed */
	int64_t date;                  /* that it was closed with */
	uint64_t flags;                /* wanted, in terms of the mailbox's keyword table */
	/*
	 * One of these two, or none: a message that comes from a file, has no row yet and is named
	 * by its content. The owner's, and it stays until the state tells what became of it.
	 * A row gets its name from KEY, UIDVALIDITY and UID, and all else that is so once it was
	 * downloaded. In memory its `unique` is empty again afterwards: 50,000 would take 5 MB.
	 */
	struct row *row;
	/*
	 * Complete but for the digests: `unique` is the name that the file gets. Where a file of
	 * that name is there already, it is the same message, fetched by a run that was cut within
	 * that second, and counts as delivered.
	 */
	struct pop3_row *pop3_row;
	/* Of `row`, or of a POP3 row, which is then not asked for: it was lost or damaged here, and
	 * its file comes back under the name that it has; what it is to base stays. NULL: a new
	 * message. */
	const struct delivery_repair *repair;
	const char *key;         /* of the mailbox, with `row` (maildir_folder_key); the owner's */
	enum want_state outcome; /* the delivery's */
};

struct delivery;

/* For RUN. NULL: no memory. */
struct delivery *delivery_create(struct run *run, struct err *err);
/* Throws away the drafts that were not delivered. DELIVERY may be NULL. */
void delivery_destroy(struct delivery *delivery);
/* Takes the item's draft over, in case of failure too; may send the batch on its way. ERR may be
 * that of the one before. */
int delivery_add(struct delivery *delivery, const struct delivery_item *item, struct err *err);
/* Delivers all there is, and waits for it. */
int delivery_flush(struct delivery *delivery, struct err *err);

#endif
