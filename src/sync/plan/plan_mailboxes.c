#include <stdlib.h>

#include "mailsync/base/array.h"

#include "guard/guard.h"
#include "plan.h"

void mailbox_ops_finish(struct mailbox_ops *ops)
{
	free(ops->items);
	*ops = (struct mailbox_ops){0};
}

/* Names of a rename that was not carried out: another run may do it, and until then neither is what
 * it seems to be, gone or new. */
static void hold_renames(struct run *run)
{
	const struct rename_ops *ops = &run->plan->renames;
	for (size_t i = 0; i < ops->count; i++) {
		const struct rename_op *op = &ops->items[i];
		if (op->state == RENAME_DONE || op->state == RENAME_TAKEN) {
			continue;
		}
		struct mailbox *held[] = {run_mailbox(run, op->from), run_mailbox(run, op->to)};
		for (size_t k = 0; k < 2; k++) {
			if (held[k] != NULL) {
				mailbox_exclude(held[k], EXCLUDED_WAITING);
			}
		}
	}
}

/* Base forgets it, so that it is gone, or new on the other side. */
static int forget(struct run *run, struct mailbox *mailbox, struct err *err)
{
	int code;
	if ((code = run_claim(run, err)) < 0 ||
	    (code = state_mailbox_drop(run->session->state, mailbox->base.id, err)) < 0) {
		return code;
	}
	state_mailbox_finish(&mailbox->base);
	state_mailbox_init(&mailbox->base);
	mailbox->in_base = false;
	return 0;
}

static void say_kept(const struct run *run, const struct mailbox *mailbox, enum side kept)
{
	log_line(run->log, LOG_WARN,
		 "%s/%s: the mailbox was removed %s; its messages are kept %s (see "
		 "`remove_mailboxes`)",
		 run->account->name, mailbox->name,
		 kept == SIDE_REMOTE ? "locally" : "on the server",
		 kept == SIDE_LOCAL ? "locally" : "on the server");
}

/* The name that it gets on the server; one that can have none there is reported and left out. */
static int name_there(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct buf wire;
	buf_init(&wire, MBNAME_MAX);
	int code = mbname_to_wire(&run->session->wire, mailbox->name, &wire, err);
	if (code == 0) {
		free(mailbox->seen.wire);
		mailbox->seen.wire = buf_steal(&wire);
		code = mailbox->seen.wire == NULL ? err_nomem(err) : 0;
	} else if (!run_is_fatal(err)) {
		run_report_error(run, mailbox, 0, err);
		mailbox_exclude(mailbox, EXCLUDED_FAILED);
		code = 0;
	}
	buf_finish(&wire);
	return code;
}

/* What the rest of the run has to know of it. */
static int op_prepare(struct run *run, struct mailbox *mailbox,
		      const struct mailbox_decision *decision, struct err *err)
{
	if (decision->kind == MAILBOX_REMOVE) {
		mailbox->decided.remove = decision->side;
		return state_count_agreed(run->session->state, mailbox->base.id,
					  &mailbox->decided.agreed_before, err);
	}
	if (decision->kind == MAILBOX_SUBSCRIBE) {
		mailbox->seen.in_remote = true;
		mailbox->seen.has_counts = false; /* it is looked at as a new one */
		return 0;
	}
	return decision->side == SIDE_REMOTE ? name_there(run, mailbox, err) : 0;
}

static int plan_mailbox(struct run *run, struct mailbox *mailbox, struct err *err)
{
	const struct mailbox_facts facts = mailbox_facts(run, mailbox);
	const struct mailbox_decision decision = mailbox_decide(&facts, &run->policy.mailboxes);
	struct mailbox_ops *ops = &run->plan->mailboxes;
	int code;
	if (decision.kept != SIDE_NONE) {
		say_kept(run, mailbox, decision.kept);
	}
	mailbox_exclude(mailbox, decision.exclusion);
	if ((decision.forgets && (code = forget(run, mailbox, err)) < 0) ||
	    (code = ARRAY_RESERVE(&ops->items, ops->count + 1, &ops->cap, err)) < 0) {
		return code;
	}
	if (decision.kind == MAILBOX_SYNC || decision.kind == MAILBOX_LEAVE) {
		return 0;
	}
	code = op_prepare(run, mailbox, &decision, err);
	if (code == 0 && mailbox->decided.exclusion == EXCLUDED_NOT) {
		ops->items[ops->count++] =
			(struct mailbox_op){.mailbox = mailbox, .decision = decision};
	}
	return code;
}

int plan_mailboxes(struct run *run, struct err *err)
{
	int code = 0;
	hold_renames(run);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->decided.exclusion == EXCLUDED_NOT) {
			code = plan_mailbox(run, mailbox, err);
		}
	}
	return code;
}

static void print_rename(struct run *run, const struct rename_op *op)
{
	bool is_remote = op->side == SIDE_REMOTE;
	struct buf why;
	buf_init(&why, 2 * MBNAME_MAX);
	buf_printf(&why, "renamed %s from %s", is_remote ? "locally" : "on the server", op->from);
	const struct plan_entry entry = {
		.mailbox = op->to,
		.op = is_remote ? REPORT_RENAME_REMOTE : REPORT_RENAME_LOCAL,
		.why = why.data,
	};
	run_report_plan(run, &entry);
	buf_finish(&why);
}

static void print_op(struct run *run, const struct mailbox_op *op)
{
	bool is_remote = op->decision.side == SIDE_REMOTE;
	struct plan_entry entry = {
		.mailbox = op->mailbox->name,
		.op = is_remote ? REPORT_CREATE_REMOTE : REPORT_CREATE_LOCAL,
		.why = is_remote ? "the mailbox is new in the Maildir"
				 : "the mailbox is new on the server",
	};
	if (op->decision.kind == MAILBOX_REMOVE) {
		entry.op = is_remote ? REPORT_REMOVE_REMOTE : REPORT_REMOVE_LOCAL;
		entry.why = "the mailbox was removed on the other side";
	}
	run_report_plan(run, &entry);
}

/* Removals, but for those that the brake holds, or the others. */
static void print_ops(struct run *run, bool removals)
{
	const struct mailbox_ops *ops = &run->plan->mailboxes;
	for (size_t i = 0; i < ops->count; i++) {
		const struct mailbox_op *op = &ops->items[i];
		bool is_removal = op->decision.kind == MAILBOX_REMOVE;
		if (is_removal == removals &&
		    (!is_removal || op->mailbox->decided.braked == SIDE_NONE)) {
			print_op(run, op);
		}
	}
}

int plan_print_mailboxes(struct run *run, struct err *err)
{
	const struct rename_ops *renames = &run->plan->renames;
	(void)err;
	for (size_t i = 0; i < renames->count; i++) {
		if (renames->items[i].kind != RENAME_WAITS) {
			print_rename(run, &renames->items[i]);
		}
	}
	print_ops(run, false);
	print_ops(run, true);
	return 0;
}
