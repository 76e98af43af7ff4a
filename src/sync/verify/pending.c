/* What the next sync would settle: counted, and no problem. */
#include "verify_private.h"

/* A row that is gone here is told of by files.c, whether it is pending or lost. */
static bool is_gone_here(const struct row *row)
{
	return row->is_agreed && row->local != MESSAGE_PRESENT;
}

/* What this policy never takes over is told of where both sides are compared. */
static int tell_held(struct verify_mailbox *at, const struct op *op, const struct row *row,
		     struct err *err)
{
	bool is_here = row->local == MESSAGE_PRESENT;
	if (at->verify->options->level == VERIFY_FILES || row->is_agreed ||
	    op->reason != REASON_POLICY) {
		return 0;
	}
	return is_here ? verify_find(at, VERIFY_UNKNOWN_HERE, row, NULL, err,
				     "the server never had it, and `copy` does not bring it there")
		       : verify_find(at, VERIFY_UNKNOWN_THERE, row, NULL, err,
				     "it was never here, and `copy` does not bring it here");
}

static int count(struct verify_mailbox *at, const struct job *job, struct err *err)
{
	size_t last = SIZE_MAX;
	int code = 0;
	for (size_t i = 0; code == 0 && i < job->plan.count; i++) {
		const struct op *op = &job->plan.ops[i];
		const struct row *row = &job->rows.items[op->row];
		if (op->kind != OP_HOLD && op->row != last && !is_gone_here(row) &&
		    (row->is_agreed || !row_ids_has(&at->verify->moved_to, row->id))) {
			at->verify->report->pending++;
			last = op->row;
		}
		code = op->kind == OP_HOLD ? tell_held(at, op, row, err) : 0;
	}
	return code;
}

int verify_pending(struct verify_mailbox *at, struct err *err)
{
	struct run *run = at->verify->run;
	struct job job;
	bool is_there = true;
	if (run->account->is_pop3 || !mailbox_is_active(at->mailbox)) {
		return 0;
	}
	int code = job_plan(&job, run, at->mailbox, 0, err);
	while (code == 0 && is_there) {
		if ((code = count(at, &job, err)) == 0) {
			code = job_plan_next(&job, &is_there, err);
		}
	}
	at->facts = job.facts; /* but for what JOB owns */
	at->facts.moved = at->facts.aside = NULL;
	at->facts.suspects = NULL;
	at->facts.moved_count = at->facts.aside_count = at->facts.suspect_count = 0;
	job_finish(&job); /* closes the folder */
	return code < 0 || !(at->mailbox->seen.in & SIDE_LOCAL)
		     ? code
		     : mailbox_open_dir(run, at->mailbox, err);
}
