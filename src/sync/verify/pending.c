/* What the next sync would settle: counted, and no problem. */
#include "verify_private.h"

/* A row that is gone here is told of by files.c, whether it is pending or lost. */
static bool is_gone_here(const struct row *row)
{
	return row->is_agreed && row->local != MESSAGE_PRESENT;
}

/* The new row of a move, of which the gone one was counted. */
static bool is_moved_here(const struct verify *verify, const struct row *row)
{
	for (size_t i = 0; !row->is_agreed && i < verify->moves.count; i++) {
		if (verify->moves.items[i].new_row == row->id) {
			return true;
		}
	}
	return false;
}

static void count(struct verify_mailbox *at, const struct job *job)
{
	size_t last = SIZE_MAX;
	for (size_t i = 0; i < job->plan.count; i++) {
		const struct op *op = &job->plan.ops[i];
		const struct row *row = &job->rows.items[op->row];
		if (op->kind != OP_HOLD && op->row != last && !is_gone_here(row) &&
		    !is_moved_here(at->verify, row)) {
			at->verify->report->pending++;
			last = op->row;
		}
	}
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
		count(at, &job);
		code = job_plan_next(&job, &is_there, err);
	}
	job_finish(&job);
	return code;
}
