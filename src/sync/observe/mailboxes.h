/* Which mailboxes there are in base, here and on the server, and which of them take part. */
#ifndef SYNC_OBSERVE_MAILBOXES_H
#define SYNC_OBSERVE_MAILBOXES_H

#include "run/run.h"

/* Lists the server's mailboxes and gathers run->mailboxes anew: the union of base's, those here and
 * those there, those that `mailboxes` leaves out as if they were not there. */
int run_discover(struct run *run, struct err *err);

/* True when there are folders of this account that were not there then. */
int mailboxes_have_more_folders(struct run *run, bool *has_more, struct err *err);

/* What the server says of MAILBOX now, into its counts. */
int mailboxes_ask_counts(struct remote *remote, struct mailbox *mailbox, struct err *err);

#endif
