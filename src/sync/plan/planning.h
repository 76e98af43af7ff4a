/* From rows to a plan per mailbox: which rows to plan, under which brake; the planner itself is
 * plan.h. */
#ifndef SYNC_PLAN_PLANNING_H
#define SYNC_PLAN_PLANNING_H

#include "observe/moves.h"
#include "rules/message.h"
#include "run/run.h"

struct mailbox_plan {
	struct row_list rows;
	struct message_plan plan;
};
void mailbox_plan_init(struct mailbox_plan *plan);
void mailbox_plan_finish(struct mailbox_plan *plan);

/* Nothing new to plan in MAILBOX: its pending rows (if any) were left alone by this very policy. */
bool planning_is_idle(const struct run *run, const struct mailbox *mailbox);

/* Plans MAILBOX under its brakes. Rows of MOVES and rows with open intents are left out. */
int planning_make(struct run *run, struct mailbox *mailbox, const struct move_list *moves,
		  struct mailbox_plan *plan, struct err *err);

/* Why rows were left alone goes into them, for `status` and for the next run. In a transaction. */
int planning_note_holds(struct run *run, struct mailbox_plan *plan, struct err *err);

/* Plans everything once to count deletions, and sets the brakes of mailboxes and account. What they
 * hold is noted at once: a run that dies later must not leave it to be judged anew. */
int planning_brake(struct run *run, const struct move_list *moves, struct err *err);

/* Dry run: what would be done goes to the report. */
int planning_report(struct run *run, const struct move_list *moves, struct err *err);

#endif
