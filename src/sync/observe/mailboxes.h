/* Which mailboxes take part, on which side each exists, and what has to be created, removed or
 * renamed. */
#ifndef SYNC_OBSERVE_MAILBOXES_H
#define SYNC_OBSERVE_MAILBOXES_H

#include "run/run.h"

/* The union of base's, local and remote mailboxes, those that `mailboxes` leaves out as if they
 * were not there. */
int mailboxes_gather(struct run *run, const struct remote_mailboxes *remote, struct err *err);

/* True when there are folders of this account that were not there then. */
int mailboxes_have_more_folders(struct run *run, bool *has_more, struct err *err);

/* An unmounted root, an empty mailbox list: -ERR_BRAKE before anything is done. */
int mailboxes_check_accidents(struct run *run, struct err *err);

/* What the server says of MAILBOX now, into its counts. */
int mailboxes_ask_counts(struct remote *remote, struct mailbox *mailbox, struct err *err);

/* Lists the server's mailboxes and gathers the mailboxes, which must be empty. */
int run_discover(struct run *run, struct err *err);

#endif
