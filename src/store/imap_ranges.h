/*
 * Ranges of UIDs as a server tells them (SEARCH, VANISHED), in any order, collected and sorted once
 * at the end: a set kept sorted at each step would cost the square of their number.
 */
#ifndef STORE_IMAP_RANGES_H
#define STORE_IMAP_RANGES_H

#include "mailsync/model/uidset.h"

struct imap_ranges {
	struct uidrange *items;
	size_t count;
	size_t cap;
	bool is_unsorted;
};

/* -ERR_PROTOCOL when there are too many for any mailbox. */
int imap_ranges_add(struct imap_ranges *ranges, struct uidrange range, struct err *err);
/* Moves them all into SET; RANGES is empty then, also on failure. */
int imap_ranges_take(struct imap_ranges *ranges, struct uidset *set, struct err *err);
/* A zeroed struct will do to begin with. */
void imap_ranges_finish(struct imap_ranges *ranges);

#endif
