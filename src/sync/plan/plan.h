/*
 * The one plan of a run: what is going to happen, decided before anything does. The brake counts
 * it (brake.h), --dry-run prints it (print.h), act/ carries it out and decides nothing.
 *
 * Mailboxes and moves stand here whole. Messages are too many for that: what is to be done with
 * those of one mailbox is planned when its turn comes (mailbox_plan.h), from rows that are in the
 * database by then, so that it may be done twice and comes out the same.
 *
 * Ownership: the top has one for each run, at run->plan. Threads: written before execution begins,
 * then read by all.
 */
#ifndef SYNC_PLAN_PLAN_H
#define SYNC_PLAN_PLAN_H

#include "plan_mailboxes.h"
#include "plan_moves.h"

struct plan {
	struct rename_ops renames;
	struct mailbox_ops mailboxes;
	struct move_list moves;
};

void plan_init(struct plan *plan);
void plan_finish(struct plan *plan);

#endif
