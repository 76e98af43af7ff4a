/* Flags and removals in the Maildir, and rows that need no act at all. */
#include <stdlib.h>

#include "act_private.h"

static int set_flags(struct job *job, const struct op *op, struct err *err)
{
	struct row *row = job_row(job, op);
	struct maildir_entry entry;
	uint64_t add = 0;
	int code = job_find_file(job, row, &entry, err);
	if (code == 0) {
		code = maildir_folder_grant(job->mailbox->dir, op->add,
					    &job->mailbox->base.keywords, &add, err);
	}
	if (code == 0) {
		struct maildir_change change = {
			.file = entry.name,
			.in_new = entry.in_new,
			.add = add,
			.remove = op->remove,
			.keywords = &job->mailbox->base.keywords,
		};
		code = maildir_folder_set_flags(job->mailbox->dir, &change, NULL, err);
	}
	if (code == 0) {
		row->local_flags = (row->local_flags | add) & ~op->remove;
		job->failures += add != op->add; /* the next run tries again */
		job_settle_flags(row);
		job->mailbox->done.counts.flags_local++;
	}
	return code;
}

static int remove_file(struct job *job, const struct op *op, struct err *err)
{
	struct row *row = job_row(job, op);
	struct maildir_entry entry;
	int code = job_find_file(job, row, &entry, err);
	if (code == 0) {
		code = maildir_folder_remove(job->mailbox->dir, entry.name, entry.in_new, err);
	}
	if (code == 0) {
		row->local = row->is_agreed ? MESSAGE_GONE : MESSAGE_ABSENT;
		job->mailbox->done.counts.deleted_local++;
	}
	return code;
}

static int one_op(struct job *job, const struct op *op, struct err *err)
{
	struct row *row = job_row(job, op);
	switch (op->kind) {
	case OP_FLAGS_LOCAL:
		return set_flags(job, op, err);
	case OP_DELETE_LOCAL:
		return remove_file(job, op, err);
	case OP_AGREE:
		job_settle_flags(row);
		return 0;
	case OP_FORGET:
	case OP_DOWNLOAD:
	case OP_UPLOAD:
	case OP_FLAGS_REMOTE:
	case OP_DELETE_REMOTE:
	case OP_HOLD:
		break;
	}
	return 0;
}

static bool is_local_op(const struct op *op)
{
	return op->kind == OP_FLAGS_LOCAL || op->kind == OP_DELETE_LOCAL || op->kind == OP_AGREE ||
	       op->kind == OP_FORGET;
}

/* The rows of what was done, once the names are durable. */
static int commit_rows(struct job *job, const bool *is_done, struct err *err)
{
	const struct message_plan *plan = &job->plan.plan;
	int code = maildir_folder_sync_names(job->mailbox->dir, err);
	if (code == 0) {
		code = state_begin(job->run->session->state, err);
	}
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < plan->count; i++) {
		if (is_done[i]) {
			struct row *row = job_row(job, &plan->ops[i]);
			row->reason = REASON_NONE;
			code = state_row_put(job->run->session->state, row, err);
		}
	}
	if (code < 0) {
		state_rollback(job->run->session->state);
		return code;
	}
	return state_commit(job->run->session->state, err);
}

int job_local(struct job *job, struct err *err)
{
	const struct message_plan *plan = &job->plan.plan;
	bool *is_done = calloc(plan->count + 1, sizeof(*is_done));
	size_t done = 0;
	int code = 0;
	if (is_done == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; code == 0 && i < plan->count; i++) {
		if (!is_local_op(&plan->ops[i])) {
			continue;
		}
		code = one_op(job, &plan->ops[i], err);
		if (code == -ERR_CHANGED) {
			/* A MUA was faster; the next run sees what it did. */
			job->failures++;
			code = 0;
			continue;
		}
		is_done[i] = code == 0;
		done += code == 0;
		if (code < 0) {
			code = job_message_failed(job, job_row(job, &plan->ops[i]), err);
		}
	}
	struct err why;
	int commit = done > 0 ? commit_rows(job, is_done, &why) : 0;
	if (commit < 0 && code == 0) {
		*err = why;
		code = commit;
	}
	free(is_done);
	return code;
}
