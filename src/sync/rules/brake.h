/*
 * The brake: a run that would delete much of what there is deletes nothing on that side, and says
 * so. It guards against an unmounted disk, a server that lists less than it has, and a user's slip.
 * Pure: it judges counts; plan/brake.c counts.
 *
 *   B1 deletions of a mailbox on one side are held when they are over 10 and over max_delete per
 *      cent of its messages in base
 *   B2 those of the account likewise, but for what B1 held: then on that side all of them are
 *   B3 a mailbox that is to be removed counts with all its messages
 *   B4 what an earlier run held (R21) stays held and is in neither number, so that a mailbox that
 *      grows meanwhile does not let it go
 *   B5 that is let go by the user alone: --allow-mass-delete, max_delete = 100, or a max_delete
 *      higher than the one that it was held under
 *   B6 --allow-mass-delete and max_delete = 100 switch the brake off
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
	uint64_t agreed;      /* messages in base when the run began, less held_agreed */
	uint64_t held_local;  /* by the brake of an earlier run */
	uint64_t held_remote; /* likewise */
	uint64_t held_agreed; /* messages in base among these */
};

/* B3: of a mailbox with AGREED messages in base that is to be removed on SIDE. */
struct brake_count brake_of_removal(enum side side, uint64_t agreed);
/* Whether COUNT can be held at all: only then `agreed`, which costs a query, has to be known. */
bool brake_is_near(const struct brake_count *count);
/* B1, B2: the sides on which COUNT is held. */
enum side brake_sides(const struct brake_count *count, unsigned percent);
/* Adds a mailbox, held on the sides HELD, to the account's TOTAL, but for `agreed`. */
void brake_add(struct brake_count *total, const struct brake_count *count, enum side held);

/* B6 */
bool brake_is_off(bool allow_mass_delete, unsigned percent);
/* B5. HELD_UNDER: max_delete when something was last held; 100 where nothing ever was. */
bool brake_lets_go(bool allow_mass_delete, unsigned percent, unsigned held_under);

#endif
