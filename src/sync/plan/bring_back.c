/*
 * --bring-back: the other answer to the brake (B12). What it makes of rows is durable before
 * anything is copied, and is what a new message's row is: from there on a run that dies leaves
 * nothing that the next one, with the option or without, would not make good.
 */
#include "plan.h"

#include "guard/guard.h"
#include "rules/effect.h"

static int bring_row(struct run *run, struct row *row, struct err *err)
{
	int code = 0;
	effect_brought_back(row);
	if (row->local == MESSAGE_ABSENT) {
		code = row_set_unique(row, "", 0, err); /* its file is to get a new name */
	} else if (row->remote == MESSAGE_ABSENT) {
		row_forget_emailid(row);
	}
	return code < 0 ? code : state_row_put(run->session->state, row, err);
}

static int bring_rows(struct job *job, size_t *count, struct err *err)
{
	const struct plan_policy *policy = &job->run->policy.messages;
	int code = 0;
	for (size_t i = 0; code == 0 && i < job->rows.count; i++) {
		struct row *row = &job->rows.items[i];
		bool is_due = false;
		if ((code = message_is_brought_back(row, policy, &job->facts, &is_due, err)) == 0 &&
		    is_due) {
			code = bring_row(job->run, row, err);
			*count += 1;
		}
	}
	return code;
}

static int bring_mailbox(struct job *job, struct err *err)
{
	struct run *run = job->run;
	struct mailbox *mailbox = job->mailbox;
	struct state *state = run->session->state;
	size_t count = 0;
	int code = run_begin(run, err);
	if (code == 0 && (code = bring_rows(job, &count, err)) == 0 && count > 0) {
		mailbox->base.held_policy = 0;
		mailbox->open.has_new_rows = true;
		if ((code = mailbox_store(run, mailbox, err)) == 0) {
			code = state_mailbox_count(state, &mailbox->base, err);
		}
	}
	return state_end(state, code, err);
}

int bring_back(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		struct job job;
		uint64_t held = 0;
		if (mailbox_is_idle(run, mailbox) ||
		    (code = state_count_held(run->session->state, mailbox->base.id, &held, err)) <
			    0 ||
		    held == 0) {
			continue;
		}
		bool is_there = true;
		code = job_plan(&job, run, mailbox, 0, err);
		while (code == 0 && is_there) {
			if ((code = bring_mailbox(&job, err)) == 0) {
				code = job_plan_next(&job, &is_there, err);
			}
		}
		job_finish(&job);
	}
	return code;
}
