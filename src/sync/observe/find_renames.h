/*
 * Which mailboxes were renamed: one that is gone from one side, and one that is new on the same
 * side and verifiably the same. Looks and changes nothing.
 *
 *   on the server   equal MAILBOXID; where either has none, equal UIDVALIDITY, and of a sample of
 *                   base's UIDs at least half are the messages that base knows
 *   in the Maildir  the same directory (device and inode), and of a sample of base's files at
 *                   least half are in it; another directory (copied, or over a file system's
 *                   border) when it holds all of the sample
 *
 * An empty mailbox has no sample: the same directory with the same `cur`, or the only one of that
 * UIDVALIDITY. INBOX never takes part: RENAME moves its messages and leaves it where it is.
 */
#ifndef SYNC_OBSERVE_FIND_RENAMES_H
#define SYNC_OBSERVE_FIND_RENAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "run/run.h"

struct rename_pair {
	struct mailbox *from; /* in base, gone from one side */
	struct mailbox *to;   /* new on that side, unknown on the other */
	enum side side;       /* SIDE_LOCAL or SIDE_REMOTE: where it is still to be renamed */
	bool is_settled;      /* rename.c's: done, or left alone */
};

struct rename_pairs {
	struct rename_pair *items; /* by the old name: parents before children */
	size_t count;
};

/* Pairs point into run->mailboxes. */
int rename_find(struct run *run, struct rename_pairs *pairs, struct err *err);
void rename_pairs_finish(struct rename_pairs *pairs);

#endif
