/*
 * The work on one mailbox: its plan, and the connection and folder it is carried out with. The
 * steps of a job, in order: local flags and removals, downloads, uploads, remote flags, remote
 * removals. Each commits what it did before the next begins; a failing message is reported, keeps
 * its row pending (REASON_FAILED) and holds up nothing else. What a step returns as an error ends
 * the job.
 *
 *     job_init, job_plan, job_prepare, steps..., job_conclude, job_finish
 *
 * A row is changed only after what it states is durable (I2), by rules/effect.h.
 */
#ifndef SYNC_PLAN_JOB_H
#define SYNC_PLAN_JOB_H

#include "mailbox_plan.h"

struct job {
	struct run *run;
	struct remote *remote;
	struct mailbox *mailbox;
	struct mailbox_plan plan;
	struct maildir_scan scan; /* where the files of the rows are, once asked for */
	bool has_scan;
	size_t failures; /* what was left undone: the next run looks at this mailbox again */
};

void job_init(struct job *job, struct run *run, struct remote *remote, struct mailbox *mailbox);
void job_finish(struct job *job);

int job_plan(struct job *job, struct err *err);

/* Before its first step: this run's claim, and the folder. */
int job_prepare(struct job *job, struct err *err);
/* After its last: why rows were left, and the mailbox's figures. */
int job_conclude(struct job *job, struct err *err);

/* The row of an operation. */
struct row *job_row(struct job *job, const struct op *op);
/* The ops of one kind, as indices into plan.ops; *COUNT of them. The caller frees it. NULL with
 * COUNT 0 when there are none; NULL and ERR otherwise. */
size_t *job_ops(struct job *job, enum op_kind kind, size_t *count, struct err *err);

/* Opens the mailbox on the job's connection and makes sure that its UIDs are still those of
 * base. */
int job_select(struct job *job, bool is_writable, struct err *err);
/* Where a row's file is now; -ERR_CHANGED when it is not there any more. ENTRY's name is valid
 * until the next call. */
int job_find_file(struct job *job, const struct row *row, struct maildir_entry *entry,
		  struct err *err);

/* A message failed: reported, counted, its row stays pending. Fatal errors are passed on. */
int job_message_failed(struct job *job, struct row *row, const struct err *err);

#endif
