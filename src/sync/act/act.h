/*
 * Carries the plan (plan/plan.h) out and decides nothing. What is done for mailboxes comes when
 * theirs is planned, moves and messages last.
 */
#ifndef SYNC_ACT_ACT_H
#define SYNC_ACT_ACT_H

#include "run/run.h"

/* Carries out run->plan->renames, with what base knows of them, and says in each how it went. Where
 * any was done the mailboxes are gathered anew: it is one mailbox now, under its new name. */
int act_rename_mailboxes(struct run *run, struct err *err);
/* Leaves out those that would be made under a name that the server takes for another's. */
int act_check_new_names(struct run *run, struct err *err);
/* What of run->plan->mailboxes is to be created and subscribed. One that fails is reported and
 * excluded. */
int act_create_mailboxes(struct run *run, struct err *err);
/* The removals of run->plan->mailboxes that the brake let pass. */
int act_remove_mailboxes(struct run *run, struct err *err);
/* Moves, then messages mailbox by mailbox; looks again at what our own commands changed. */
int act_on_plan(struct run *run, struct err *err);

/* After all of it: what the server does not take, as far as it is to be told. */
int act_tell_refused(struct run *run, struct err *err);

#endif
