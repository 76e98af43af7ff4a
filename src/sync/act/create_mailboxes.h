/* Mailboxes that one side lacks, made there. */
#ifndef SYNC_ACT_CREATE_MAILBOXES_H
#define SYNC_ACT_CREATE_MAILBOXES_H

#include "run/run.h"

/* What of run->plan->mailboxes is to be created and subscribed. One that fails is reported and
 * excluded. */
int act_create_mailboxes(struct run *run, struct err *err);

/* Takes the answers that are still to come; what they say is of no consequence. */
int act_ignore_answers(struct remote *remote, struct err *err);

#endif
