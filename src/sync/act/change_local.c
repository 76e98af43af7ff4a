/* Flags and removals in the Maildir, and rows that need no act at all. */
#include <stdlib.h>

#include "rules/effect.h"

#include "act_private.h"

static int set_flags(struct job *job, const struct op *op, struct err *err)
{
	struct mailbox *mailbox = job->mailbox;
	struct row *row = job_row(job, op);
	struct maildir_entry entry;
	uint64_t add = 0;
	int code;
	if ((code = job_find_file(job, row, &entry, err)) < 0 ||
	    (code = maildir_folder_grant(mailbox->dir, op->add, &mailbox->base.keywords, &add,
					 err)) < 0) {
		return code;
	}
	struct maildir_change change = {
		.file = entry.name,
		.in_new = entry.in_new,
		.add = add,
		.remove = op->remove,
		.keywords = &mailbox->base.keywords,
	};
	if ((code = maildir_folder_set_flags(mailbox->dir, &change, NULL, err)) < 0) {
		return code;
	}
	job->failures += add != op->add; /* no letter was left: the next run tries again */
	effect_flags(row, SIDE_LOCAL, add, op->remove);
	mailbox->done.counts.flags_local++;
	return 0;
}

static int remove_file(struct job *job, const struct op *op, struct err *err)
{
	struct row *row = job_row(job, op);
	struct maildir_entry entry;
	int code;
	if ((code = job_find_file(job, row, &entry, err)) < 0 ||
	    (code = maildir_folder_remove(job->mailbox->dir, entry.name, entry.in_new, err)) < 0) {
		return code;
	}
	effect_deleted(row, SIDE_LOCAL);
	job->mailbox->done.counts.deleted_local++;
	return 0;
}

static int agree(struct job *job, const struct op *op, struct err *err)
{
	(void)err;
	effect_agreed(job_row(job, op), op->agreed);
	return 0;
}

/* Its row is void: storing it drops it. */
static int forget(struct job *job, const struct op *op, struct err *err)
{
	(void)job;
	(void)op;
	(void)err;
	return 0;
}

/* By kind of operation; NULL: another step's. */
static int (*const acts[])(struct job *job, const struct op *op, struct err *err) = {
	[OP_FLAGS_LOCAL] = set_flags,
	[OP_DELETE_LOCAL] = remove_file,
	[OP_AGREE] = agree,
	[OP_FORGET] = forget,
	[OP_HOLD] = NULL,
};

/* One operation. *IS_DONE: its row says so now. */
static int one_op(struct job *job, const struct op *op, bool *is_done, struct err *err)
{
	int code = acts[op->kind](job, op, err);
	if (code == -ERR_CHANGED) {
		job->failures++; /* a MUA was faster; the next run sees what it did */
		return 0;
	}
	if (code < 0) {
		return job_message_failed(job, job_row(job, op), err);
	}
	/* At once: the brake's mark must outlive a run that dies before it is concluded. */
	effect_held(job_row(job, op), op->reason);
	*is_done = true;
	return 0;
}

/* The rows of what was done, once the names are durable. */
static int commit_rows(struct job *job, const bool *is_done, struct err *err)
{
	const struct message_plan *plan = &job->plan.plan;
	struct state *state = job->run->session->state;
	int code;
	if ((code = maildir_folder_sync_names(job->mailbox->dir, err)) < 0 ||
	    (code = state_begin(state, err)) < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < plan->count; i++) {
		if (is_done[i]) {
			code = state_row_put(state, job_row(job, &plan->ops[i]), err);
		}
	}
	return state_end(state, code, err);
}

int job_local(struct job *job, struct err *err)
{
	const struct message_plan *plan = &job->plan.plan;
	bool *is_done = calloc(plan->count + 1, sizeof(*is_done));
	bool any = false;
	int code = 0;
	if (is_done == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; code == 0 && i < plan->count; i++) {
		if (acts[plan->ops[i].kind] != NULL) {
			code = one_op(job, &plan->ops[i], &is_done[i], err);
			any |= is_done[i];
		}
	}
	struct err why;
	int committed = any ? commit_rows(job, is_done, &why) : 0;
	if (committed < 0 && code == 0) {
		*err = why;
		code = committed;
	}
	free(is_done);
	return code;
}
