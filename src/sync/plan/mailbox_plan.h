/*
 * One mailbox's share of the plan: its pending rows, and what the rules (rules/message.h) make of
 * them under the policy and the brake of this run. It is made twice: for the brake's count, and
 * when the mailbox's turn comes; a third time only where the brake holds something.
 */
#ifndef SYNC_PLAN_MAILBOX_PLAN_H
#define SYNC_PLAN_MAILBOX_PLAN_H

#include "rules/message.h"
#include "run/run.h"

struct mailbox_plan {
	struct row_list rows;
	struct plan_facts facts;
	struct message_plan plan; /* its ops name ROWS by their index */
};
void mailbox_plan_init(struct mailbox_plan *plan);
void mailbox_plan_finish(struct mailbox_plan *plan);

/* R24: nothing to plan in MAILBOX. */
bool mailbox_is_idle(const struct run *run, const struct mailbox *mailbox);

/* Loads MAILBOX's rows, but for those of R25, and plans them. PLAN was just initialised. */
int mailbox_plan_make(struct run *run, struct mailbox *mailbox, struct mailbox_plan *plan,
		      struct err *err);

/* Why rows were left alone goes into them, for `status` and for the next run. In a transaction. */
int mailbox_plan_note_holds(struct run *run, struct mailbox_plan *plan, struct err *err);

#endif
