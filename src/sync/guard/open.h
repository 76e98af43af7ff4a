/* What a run of either protocol opens on this machine, in this order; the run closes it. */
#ifndef SYNC_GUARD_OPEN_H
#define SYNC_GUARD_OPEN_H

#include "mailsync/base/err.h"

#include "run/run.h"

/* The account's lock. A dry run changes nothing, so it need not wait for anyone and leaves this
 * out. */
int run_open_lock(struct run *run, struct err *err);
/* State database (for a dry run a scratch copy of it) and Maildir, and whether they belong
 * together: fills the session's state, maildir, is_scratch, pair_all, was_unclean and
 * lost_power. */
int run_open_local(struct run *run, struct err *err);

#endif
