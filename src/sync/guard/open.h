/* What a run of either protocol opens on this machine, in this order; the run closes it. */
#ifndef SYNC_GUARD_OPEN_H
#define SYNC_GUARD_OPEN_H

#include "mailsync/base/err.h"

#include "run/run.h"

/* The account's lock; none in a dry run. */
int run_open_lock(struct run *run, struct err *err);
/* State database and Maildir, and whether they belong together: fills state, maildir, pair_all,
 * was_unclean and lost_power. */
int run_open_local(struct run *run, struct err *err);

#endif
