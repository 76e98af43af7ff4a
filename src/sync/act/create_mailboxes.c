/* Mailboxes that one side lacks, made there. */
#include "act_private.h"

#include <stdlib.h>

#include "guard/guard.h"
#include "observe/observe.h"

static int leave_failed(struct run *run, struct mailbox *mailbox, int code, const struct err *err)
{
	if (code < 0) {
		mailbox_exclude(mailbox, EXCLUDED_FAILED);
	}
	return run_outlives(run, mailbox, code, NULL, err);
}

static int create_here(struct run *run, struct mailbox *mailbox, struct err *err)
{
	int code = run_claim(run, err);
	if (code < 0) {
		return code;
	}
	code = maildir_create_folder(run->session->maildir, mailbox->name, err);
	mailbox->seen.in |= code == 0 ? SIDE_LOCAL : SIDE_NONE;
	mailbox->done.has_news |= code == 0;
	return leave_failed(run, mailbox, code, err);
}

/* COOKIE: the operation's place in the plan. */
static int queue(struct run *run, const struct mailbox_op *op, enum remote_change_kind kind,
		 uint64_t cookie, struct err *err)
{
	const struct remote_change change = {.kind = kind, .wire = op->mailbox->wire};
	int code = remote_change_queue(run->session->remote, &change, cookie, err);
	return leave_failed(run, op->mailbox, code, err);
}

static void take_answer(struct run *run, struct mailbox *mailbox, struct remote_done *done)
{
	if (done->status == 0 || done->refusal == REMOTE_REFUSAL_ALREADY_EXISTS) {
		mailbox->seen.in |= SIDE_REMOTE;
		mailbox->done.has_news = true;
		mailbox->done.was_made_there = true;
		mailbox->done.was_found_there = done->status < 0;
		return;
	}
	err_prefix(&done->err, "the mailbox could not be created");
	run_report_error(run, mailbox, 0, &done->err);
	mailbox_exclude(mailbox, EXCLUDED_FAILED);
	mailbox->done.was_put_off = remote_busy_is_due(run->session->remote);
}

static int take_answers(struct run *run, struct err *err)
{
	struct remote_done done = {0};
	bool were_made = false;
	int code;
	while ((code = remote_answer_next(run->session->remote, &done, err)) > 0) {
		struct mailbox *mailbox = run->plan->mailboxes.items[done.cookie].mailbox;
		take_answer(run, mailbox, &done);
		were_made |= mailbox->done.was_made_there;
	}
	return code == 0 && were_made ? run_claim(run, err) : code;
}

/* New mailboxes are subscribed, as users of other clients expect; a refusal does not matter. */
static int subscribe(struct run *run, struct err *err)
{
	const struct mailbox_ops *ops = &run->plan->mailboxes;
	int code = 0;
	for (size_t i = 0; code == 0 && i < ops->count; i++) {
		const struct mailbox_op *op = &ops->items[i];
		if (op->decision.kind != MAILBOX_REMOVE && op->decision.side == SIDE_REMOTE &&
		    op->mailbox->decided.exclusion == EXCLUDED_NOT) {
			code = queue(run, op, REMOTE_SUBSCRIBE, i, err);
		}
	}
	return code < 0 ? code : act_ignore_answers(run->session->remote, err);
}

/* The server was too busy: once more, after the time it asks for. */
static int create_again(struct run *run, struct err *err)
{
	const struct mailbox_ops *ops = &run->plan->mailboxes;
	bool again = false;
	int code = backoff_wait(run, run->session->remote, &again, err);
	for (size_t i = 0; code == 0 && i < ops->count; i++) {
		struct mailbox *mailbox = ops->items[i].mailbox;
		if (mailbox->done.was_put_off && again) {
			run_report_forget(run, mailbox, 0);
			mailbox->decided.exclusion = EXCLUDED_NOT;
			code = queue(run, &ops->items[i], REMOTE_CREATE, i, err);
		}
		mailbox->done.was_put_off = false;
	}
	if (code == 0 && (code = take_answers(run, err)) == 0) {
		backoff_note(run, run->session->remote);
	}
	return code;
}

static int create(struct run *run, struct err *err)
{
	const struct mailbox_ops *ops = &run->plan->mailboxes;
	int code = 0;
	for (size_t i = 0; code == 0 && i < ops->count; i++) {
		const struct mailbox_op *op = &ops->items[i];
		if (op->decision.kind == MAILBOX_CREATE) {
			code = op->decision.side == SIDE_LOCAL
				     ? create_here(run, op->mailbox, err)
				     : queue(run, op, REMOTE_CREATE, i, err);
		}
	}
	return code < 0 ? code : take_answers(run, err);
}

static bool is_due(const struct mailbox_op *op)
{
	return op->decision.kind == MAILBOX_CREATE && op->decision.side == SIDE_REMOTE &&
	       op->mailbox->decided.exclusion == EXCLUDED_NOT;
}

/* Those that are to be made there, or were made: *DUE, which the caller frees. */
static int gather_due(struct run *run, bool were_made, struct mailbox ***due, size_t *count,
		      struct err *err)
{
	const struct mailbox_ops *ops = &run->plan->mailboxes;
	*count = 0;
	*due = calloc(ops->count + 1, sizeof(**due));
	for (size_t i = 0; *due != NULL && i < ops->count; i++) {
		struct mailbox *mailbox = ops->items[i].mailbox;
		if (is_due(&ops->items[i]) && mailbox->done.was_made_there == were_made) {
			(*due)[(*count)++] = mailbox;
		}
	}
	return *due == NULL ? err_nomem(err) : 0;
}

/* What was left out since is in the plan no more. */
static void drop_left_out(struct mailbox_ops *ops)
{
	size_t kept = 0;
	for (size_t i = 0; i < ops->count; i++) {
		if (ops->items[i].mailbox->decided.exclusion == EXCLUDED_NOT) {
			ops->items[kept++] = ops->items[i];
		}
	}
	ops->count = kept;
}

int act_check_new_names(struct run *run, struct err *err)
{
	struct mailbox **due = NULL;
	size_t count = 0;
	int code = gather_due(run, false, &due, &count, err);
	if (code == 0 && count > 0 && (code = observe_unmade(run, due, count, err)) == 0) {
		drop_left_out(&run->plan->mailboxes);
	}
	free(due);
	return code;
}

static int look_after(struct run *run, struct err *err)
{
	struct mailbox **due = NULL;
	size_t count = 0;
	int code = gather_due(run, true, &due, &count, err);
	if (code == 0 && count > 0) {
		code = observe_made(run, due, count, err);
	}
	free(due);
	return code;
}

int act_create_mailboxes(struct run *run, struct err *err)
{
	int code;
	if ((code = create(run, err)) < 0 ||
	    (remote_busy_is_due(run->session->remote) && (code = create_again(run, err)) < 0)) {
		return code;
	}
	code = subscribe(run, err);
	return code < 0 ? code : look_after(run, err);
}
