/*
 * What is done, in the order in which act.c does it: the moves of the plan, then the steps of each
 * mailbox's job (plan/job.h). Each commits what it did before the next begins.
 *
 * A move that was seen in the Maildir is carried out on the server: by MOVE, or by COPY and the
 * removal of the original. Intents tell the next run, or the look afterwards, what may have been
 * carried out without an answer that tells the new UIDs. One that was seen on the server is carried
 * out in the Maildir.
 */
#ifndef SYNC_ACT_ACT_PRIVATE_H
#define SYNC_ACT_ACT_PRIVATE_H

#include "plan/job.h"
#include "plan/plan.h"

/* How many messages are sent, answered and written down as one. */
#define BATCH_MESSAGES 200

/* Each move that is planned. What fails is left pending. */
int move_execute(struct run *run, struct err *err);
/* One that is to be carried out in the Maildir. */
int move_carry_file(struct run *run, struct move *move, struct err *err);
/* Moves whose new row was found on the server after all: their originals are planned from now
 * on. */
int move_settle(struct run *run, struct err *err);

int job_local(struct job *job, struct err *err);
int job_upload(struct job *job, struct err *err);
int job_store_flags(struct job *job, struct err *err);
int job_delete_remote(struct job *job, struct err *err);

#endif
