/*
 * Removed messages that went to the trash by COPY, which would be there twice if it were done again
 * (I3). MOVE needs none of this: it leaves a message in one of the two mailboxes, never in both
 * (RFC 6851 3.3).
 *
 *   INTENT_TRASH    durable before the COPY: it may have been carried out
 *   INTENT_TRASHED  it was: what is left to do is to remove the original. So it is with a message
 *                   that was moved elsewhere by COPY
 *
 * Both are of the original's row and mailbox; the text is the trash's wire name, the UID bound and
 * UIDVALIDITY are the trash's before the COPY. A row with the first is not planned. The second
 * stays until the original is gone or is not to be removed any more.
 */
#ifndef SYNC_RECOVER_TRASH_H
#define SYNC_RECOVER_TRASH_H

#include "run/run.h"

/* The intents that runs before this one left. */
int trash_settle(struct run *run, struct err *err);
/* Those of MAILBOX, after COPYs that were refused: looks which messages are in the trash. Another
 * mailbox may be selected afterwards. What cannot be told now stays open. */
int trash_settle_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox,
			 struct err *err);

#endif
