/* Turns a view of a mailbox into changes of rows (observe_remote.c tells when). */
#ifndef SYNC_OBSERVE_REMOTE_DELTA_H
#define SYNC_OBSERVE_REMOTE_DELTA_H

#include "run/run.h"

/* Commits what VIEW tells and the numbers with it. Sets mailbox->needs_listing when the counts do
 * not fit: then nothing is gone yet and the numbers are not advanced. */
int remote_delta_apply(struct run *run, struct mailbox *mailbox, struct remote_view *view,
		       struct err *err);

/* UID SEARCH ALL decides what is gone. Sets mailbox->lacks_rows when it lists messages that base
 * does not know, which only a full listing tells more of. */
int remote_delta_list(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      struct err *err);

#endif
