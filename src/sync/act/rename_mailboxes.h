/* Mailboxes that were renamed on one side get their new name on the other, with what base knows of
 * them. */
#ifndef SYNC_ACT_RENAME_MAILBOXES_H
#define SYNC_ACT_RENAME_MAILBOXES_H

#include "run/run.h"

/* Carries out run->plan->renames and says in each how it went. Where any was done the mailboxes
 * are gathered anew: it is one mailbox now, under its new name. */
int act_rename_mailboxes(struct run *run, struct err *err);

#endif
