/* What a run that died left in the folders of the Maildir. */
#ifndef SYNC_RECOVER_LEFTOVERS_H
#define SYNC_RECOVER_LEFTOVERS_H

#include "run/run.h"

/* After a run that did not end properly: completes the folders that it was about to make, and
 * removes its drafts and its lock on keyword tables. Before the folders are read. */
int recover_leftovers(struct run *run, struct err *err);

#endif
