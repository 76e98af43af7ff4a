/* Which mailboxes are to be created, subscribed and removed. */
#include <stdlib.h>

#include "mailsync/base/array.h"

#include "guard/guard.h"
#include "plan.h"

void plan_finish(struct plan *plan)
{
	rename_ops_finish(&plan->renames);
	free(plan->mailboxes.items);
	free(plan->moves.items);
	free(plan->moves.rows);
	*plan = (struct plan){0};
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

/* Base forgets it, so that it is gone, or new on the other side. KEPT: M5. What an archive is to
 * keep of it is not forgotten. */
static int forget(struct run *run, struct mailbox *mailbox, enum side kept, struct err *err)
{
	int code;
	if ((code = run_claim(run, err)) < 0 ||
	    (run->policy.is_archive &&
	     (code = state_kept_note_mailbox(run->session->state, mailbox->base.id,
					     kept == SIDE_REMOTE, err)) < 0) ||
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
		 run->account->name, mailbox->name, side_text(side_other(kept)), side_text(kept));
}

/* One that can have no name on the server is reported and left out. */
static int name_there(struct run *run, struct mailbox *mailbox, struct err *err)
{
	char *wire = NULL;
	int code = plan_wire_name(run, mailbox->name, &wire, err);
	if (code < 0) {
		mailbox_exclude(mailbox, EXCLUDED_FAILED);
		return run_outlives(run, mailbox, code, NULL, err);
	}
	free(mailbox->wire);
	mailbox->wire = wire;
	return 0;
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
		mailbox->seen.in |= SIDE_REMOTE;  /* as it is: its subscription alone was missing */
		mailbox->seen.has_counts = false; /* it is looked at as a new one */
		return 0;
	}
	mailbox->decided.is_to_be_made = decision->side == SIDE_REMOTE;
	return decision->side == SIDE_REMOTE ? name_there(run, mailbox, err) : 0;
}

static int plan_mailbox(struct run *run, struct mailbox *mailbox, struct err *err)
{
	const struct mailbox_facts facts = mailbox_facts(run, mailbox);
	const struct restore_wanted *restore = run->options->restore;
	if (restore != NULL && !restore->all && ((facts.had | facts.in) & SIDE_REMOTE) == 0) {
		/* It never was there, as far as is known: nothing of it was missed since a time. */
		mailbox_exclude(mailbox, EXCLUDED_BY_NAME);
		return 0;
	}
	const struct mailbox_decision decision = mailbox_decide(&facts, &run->policy.mailboxes);
	struct mailbox_ops *ops = &run->plan->mailboxes;
	int code;
	if (decision.kept != SIDE_NONE) {
		say_kept(run, mailbox, decision.kept);
	}
	mailbox_exclude(mailbox, decision.exclusion);
	if ((decision.forgets && (code = forget(run, mailbox, decision.kept, err)) < 0) ||
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

/* The mailbox that removed messages go to: by its name, or the one of that special use. */
static struct mailbox *find_trash(struct run *run, const char *wanted)
{
	struct mailbox *trash = NULL;
	if (wanted[0] != '\\') {
		return run_mailbox(run, wanted);
	}
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		bool is_trash = (run_uses_of(run, mailbox->name) & REMOTE_TRASH) != 0;
		bool is_there = mailbox->wire != NULL && (mailbox->seen.in & SIDE_REMOTE) != 0;
		trash = is_trash && is_there ? mailbox : trash;
	}
	return trash;
}

enum removal_way plan_removals(struct run *run, const struct mailbox *mailbox,
			       struct mailbox **trash)
{
	const char *wanted = run->account->trash;
	*trash = wanted == NULL ? NULL : find_trash(run, wanted);
	const struct removal_facts facts = {
		.wants_trash = wanted != NULL,
		.has_trash = *trash != NULL && (*trash)->wire != NULL &&
			     ((*trash)->seen.in & SIDE_REMOTE),
		.is_trash = *trash == mailbox,
		.has_move = remote_facts(run->session->remote)->has_move,
	};
	return trash_rule(&facts);
}
