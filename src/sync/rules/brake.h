/*
 * The brake: a run that would delete much of what there is deletes nothing on that side, and says
 * so. It guards against an unmounted disk, a server that lists less than it has, and a user's slip.
 * Pure: it judges counts; plan/brake.c counts.
 *
 *   B1 deletions of a mailbox on one side are held when they are over 10 and over max_delete per
 *      cent of its messages in base
 *   B2 those of the account likewise, but for what B1 held: then on that side all of them are
 *   B3 a mailbox that is to be removed counts with all its messages
 *   B4 what is held already (R21, R30; a mailbox by its own mark) stays held and is in neither
 *      number, so that a mailbox that grows meanwhile does not let it go
 *   B5 that is let go by the user alone: --allow-mass-delete, or max_delete = 100; not by a mailbox
 *      that grows, nor by time, nor by a higher limit. Or it is brought back (B12)
 *   B6 --allow-mass-delete and max_delete = 100 switch the brake off
 *   B7 what was deleted on that side in the last 60 s, by whatever run, and what this run deleted
 *      counts, too, both as deletions and as messages; but for what was let pass by B6
 *   B8 what was deleted later than now, for the clock went back, was deleted now
 *   B9 held as if over max_delete: all messages, two or more, are gone at once from a folder that,
 *      or whose `cur`, is another directory than it was; or two or more, whatever is left, while
 *      `cur` or `new` is missing, or while another `cur` holds none of those that were here
 *   B10 flags of more than 10 messages, and of more than max_delete per cent, are cleared at once
 *      because their files stand in `new` now: held likewise
 *   B11 what the server removed in its trash or its junk is neither counted nor held
 *   B12 --bring-back undoes what is held of messages: what is gone from one side is copied there
 *       again, flags are set again, as far as the other rules let it (R2 to R4, R7 to R9, R16);
 *       what they bar, and what is held only because it carries \Deleted, stays held
 *   B13 and what is held of mailboxes: one that is gone from one side is made there again, as new
 *       (M7), where `create` and `copy` cover that side
 *   B14 what is new on the side that a held message is gone from, and has its header's digest, is
 *       that message (W2 to W5): it is back, under another UID or name, and the mark ends
 */
#ifndef SYNC_RULES_BRAKE_H
#define SYNC_RULES_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/side.h"

/* What a plan deletes of a mailbox, or of the account. */
struct brake_count {
	uint64_t local;
	uint64_t remote;
	uint64_t recent_local;  /* deleted already (B7) */
	uint64_t recent_remote; /* likewise */
	uint64_t agreed;        /* messages in base, less held_agreed */
	uint64_t held_local;    /* by the brake of an earlier run */
	uint64_t held_remote;   /* likewise */
	uint64_t held_agreed;   /* messages in base among these */
	uint64_t held_flags;    /* messages of which flags are not cleared on the server */
};

/* B3: of a mailbox with AGREED messages in base that is to be removed on SIDE. */
struct brake_count brake_of_removal(enum side side, uint64_t agreed);
/* B4: the same of one whose removal is held already. */
struct brake_count brake_of_held_removal(enum side side, uint64_t agreed);
/* Whether COUNT can be held at all: only then `agreed`, which costs a query, has to be known. */
bool brake_is_near(const struct brake_count *count);
/* B1, B2, B7: the sides on which COUNT is held. */
enum side brake_sides(const struct brake_count *count, unsigned percent);
/* Adds a mailbox, held on the sides HELD, to the account's TOTAL, but for `agreed` and what was
 * deleted already. */
void brake_add(struct brake_count *total, const struct brake_count *count, enum side held);

/* B5, B6 */
bool brake_is_off(bool allow_mass_delete, unsigned percent);
/* B7: from when on what was deleted counts, in a run that began at BEGAN. Seconds. */
int64_t brake_recent_from(int64_t began, int64_t now);

/* What a reading of a folder found. */
struct brake_shape {
	bool is_other_folder; /* it, or its `cur`, has another inode than it had */
	bool is_other_cur;    /* the folder is the same, its `cur` is not */
	bool has_parts;       /* `cur`, and `new` unless that was missing before, too */
	uint64_t present;     /* messages that were here before, as base knows */
	uint64_t in_cur;      /* of these, that now stand in `cur` */
	uint64_t gone;        /* of these */
	uint64_t cleared;     /* of these, that lost flags, and now stand in `new` */
};
/* B9 */
bool brake_holds_gone(const struct brake_shape *shape, unsigned percent);
/* B10 */
bool brake_holds_cleared(const struct brake_shape *shape, unsigned percent);

#endif
