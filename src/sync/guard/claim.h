/* What comes before a run's first change, and before base is believed no more. */
#ifndef SYNC_GUARD_CLAIM_H
#define SYNC_GUARD_CLAIM_H

#include "run/run.h"

/* Before the first change of a run: claims its generation (ownership.h), makes the root where it is
 * missing. Again, or where rows are a scratch copy: nothing. */
int run_claim(struct run *run, struct err *err);

/* What base says of MAILBOX's messages is void: its files become new, to be paired with what the
 * server has. */
int mailbox_forget_base(struct run *run, struct mailbox *mailbox, struct err *err);

#endif
