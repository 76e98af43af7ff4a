/*
 * Which mailboxes were renamed: one that is gone from one side, and one that is new on the same
 * side and verifiably the same. Looks and changes nothing. rules/mailbox_rules.h decides from what
 * is gathered here: MAILBOXIDs and numbers on the server, device and inode in the Maildir, and a
 * sample of base's messages that has to be found again.
 */
#ifndef SYNC_OBSERVE_FIND_RENAMES_H
#define SYNC_OBSERVE_FIND_RENAMES_H

#include <stddef.h>

#include "run/run.h"

struct rename_pair {
	struct mailbox *from; /* in base, gone from one side */
	struct mailbox *to;   /* new on that side, unknown on the other */
	enum side side;       /* the other one, where it is still to be renamed */
};

struct rename_pairs {
	struct rename_pair *items; /* by the old name: parents before children */
	size_t count;
};

/* Pairs point into run->mailboxes. */
int rename_find(struct run *run, struct rename_pairs *pairs, struct err *err);
void rename_pairs_finish(struct rename_pairs *pairs);

#endif
