/* What is done, in the order in which act.c does it: the moves of the plan, then the steps of each
 * mailbox's job (plan/plan.h). Each commits what it did before the next begins. */
#ifndef SYNC_ACT_ACT_PRIVATE_H
#define SYNC_ACT_ACT_PRIVATE_H

#include "act.h"
#include "plan/plan.h"
#include "rules/refusal_rules.h"

/* Takes the answers that are still to come; what they say is of no consequence. */
int act_ignore_answers(struct remote *remote, struct err *err);

/* DONE is CHANGE's answer, nothing else being outstanding. What was refused together goes by itself
 * where N11 says so; what is refused then stays in DONE, with the words of the last refusal. */
int act_go_singly(struct remote *remote, const struct remote_change *change,
		  struct remote_done *done, struct err *err);

/* What is to be done with ROW's message on the server was refused: not again in this run (R25). */
void act_hold_refused(struct row *row);

/* Each move that is planned. What fails is left pending. */
int move_execute(struct run *run, struct err *err);
/* One that is to be carried out in the Maildir. */
int move_carry_file(struct run *run, struct move *move, struct err *err);
/* Moves whose new row was found on the server after all: their originals are planned from now
 * on. */
int move_settle(struct run *run, struct err *err);

/* ROW's file is another message (E9): it becomes new mail of MAILBOX, and ROW has none.
 * Committed. */
int act_file_is_other(struct run *run, struct mailbox *mailbox, struct row *row,
		      const struct maildir_file *file, struct err *err);

int job_local(struct job *job, struct err *err);
int job_upload(struct job *job, struct err *err);
int job_store_flags(struct job *job, struct err *err);
int job_delete_remote(struct job *job, struct err *err);

/*
 * Uploads. Before a batch is sent its intents are durable (I3); the rows follow from the UIDs that
 * the server tells. Where it tells none the intents stay open and the messages are looked for in
 * the mailbox (recover/recover.h) before anything else is sent there.
 *
 * A batch is one APPEND with several messages where the server takes that (MULTIAPPEND), else one
 * APPEND a message, pipelined where literals need no go-ahead. Should be atomic, refused it may
 * have been taken in part: its messages are looked for, too, and sent singly in the next round.
 */
#define BATCH_BYTES       (8u << 20)
#define BATCHES_IN_FLIGHT 4
/* Up to this size a message is held in memory whole, so that a file that changes meanwhile breaks
 * nothing. */
#define SMALL_BYTES (1u << 20)

struct upload_item {
	struct row *row;
	bool is_due;      /* to be sent, or sent again */
	bool is_begun;    /* something of it may have been sent, and */
	bool is_answered; /* that was answered */
	int64_t intent;
	uint64_t flags; /* sent */
	bool is_same;   /* the file, as it was when it was looked at last */
	bool asks_first;
	struct told over; /* its size on the wire, larger than the server takes: it is not sent */
};

struct upload_batch {
	struct upload_item items[REMOTE_BATCH_MESSAGES];
	size_t count;
	uint64_t bytes;
	size_t in_flight; /* answers still to come */
	size_t together;  /* items of the one APPEND; 0: each has its own */
};

struct upload {
	struct job *job;
	struct upload_batch batches[BATCHES_IN_FLIGHT];
	size_t current;    /* the batch that is being filled */
	size_t most;       /* messages in a batch */
	bool multi;        /* several messages in one APPEND are worth a try */
	bool pipelined;    /* literals need no go-ahead */
	struct told limit; /* the largest message that the mailbox takes */
	struct buf body;
};

/* The next answer, whichever batch it is of. */
int upload_take_answer(struct upload *upload, struct err *err);
/* A file that could not be read now: nothing was sent of it. ERR says why, on the way in. */
int item_unreadable(struct upload *upload, struct upload_item *item, struct err *err);
/* The server does not take ITEM: that is remembered, and told by act_tell_refused. */
int item_refused(struct upload *upload, struct upload_item *item, enum refusal_kind kind,
		 const struct err *why, struct err *err);
/* N2 */
int item_too_large(struct upload *upload, struct upload_item *item, struct err *err);
/* They were not taken, or not even sent: what says that they may have been goes. */
int void_intents(struct upload *upload, struct upload_item *items, size_t count, struct err *err);

#endif
