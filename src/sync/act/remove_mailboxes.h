/* Mailboxes that were removed on one side, removed on the other. */
#ifndef SYNC_ACT_REMOVE_MAILBOXES_H
#define SYNC_ACT_REMOVE_MAILBOXES_H

#include "run/run.h"

/* The removals of run->plan->mailboxes that the brake let pass. */
int act_remove_mailboxes(struct run *run, struct err *err);

#endif
