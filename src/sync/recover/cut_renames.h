/*
 * What a run leaves that is cut while it renames mailboxes, and what base does about a rename.
 *
 * Invariants:
 * 1. Base's rows follow a mailbox to its new name only when both sides have it there.
 * 2. Before either side is touched an intent for the mailbox, and for each child that goes along,
 *    is durable (I3).
 */
#ifndef SYNC_RECOVER_CUT_RENAMES_H
#define SYNC_RECOVER_CUT_RENAMES_H

#include "run/run.h"

/* All three in a transaction of the caller's. */
int rename_intent_add(struct run *run, const struct mailbox *from, const struct mailbox *to,
		      struct err *err);
int rename_intent_drop(struct run *run, const struct mailbox *from, struct err *err);
/* FROM's rows are TO's, what was seen of TO alone is seen again; the intent goes. */
int rename_base_follow(struct run *run, struct mailbox *from, struct mailbox *to, struct err *err);

/* Settles the intents of a run that was cut, by the names that there are (M16, M17), and gathers
 * the mailboxes anew where there were any. */
int rename_settle_cut(struct run *run, struct err *err);

#endif
