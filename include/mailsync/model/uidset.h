/*
 * A set of UIDs as sorted, disjoint, non-adjacent ranges (RFC 9051 sequence-set without "*").
 * UID 0 is never a member.
 */
#ifndef MAILSYNC_MODEL_UIDSET_H
#define MAILSYNC_MODEL_UIDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

struct uidrange {
	uint32_t first;
	uint32_t last; /* inclusive */
};

struct uidset {
	struct uidrange *ranges;
	size_t count;
	size_t cap;
};

void uidset_init(struct uidset *set);
void uidset_finish(struct uidset *set);
/* Adds FIRST..LAST in either order. Appending in ascending order takes constant time. */
int uidset_add(struct uidset *set, uint32_t first, uint32_t last, struct err *err);
int uidset_remove(struct uidset *set, uint32_t first, uint32_t last, struct err *err);
/* All of OTHER. */
int uidset_add_set(struct uidset *set, const struct uidset *other, struct err *err);
int uidset_remove_set(struct uidset *set, const struct uidset *other, struct err *err);
/* Replaces GAPS by what SET lacks from FIRST on. */
int uidset_gaps(const struct uidset *set, uint32_t first, struct uidset *gaps, struct err *err);
bool uidset_contains(const struct uidset *set, uint32_t uid);
/* How many UIDs it holds. */
uint64_t uidset_size(const struct uidset *set);

/* Ascending iteration: UID gets the next member after *CURSOR. Begin with a zeroed cursor. */
struct uidset_cursor {
	size_t range;
	uint32_t uid;
};
bool uidset_next(const struct uidset *set, struct uidset_cursor *cursor, uint32_t *uid);

/* Replaces SET by what "1:5,9,12:10" says; ranges may overlap and run backwards, "" is the empty
 * set. No "*", no 0. MAX_SIZE bounds the number of UIDs (-ERR_PROTOCOL over it). */
int uidset_parse(struct uidset *set, struct span text, uint64_t max_size, struct err *err);
void uidset_format(const struct uidset *set, struct buf *out);
/* Appends as many ranges as come to at most MAX_LEN bytes, from range *FROM on, and moves
 * *FROM behind them; false when nothing was left. One range always goes, however small MAX_LEN
 * is. For command lines under 1,000 bytes. */
bool uidset_format_some(const struct uidset *set, size_t *from, size_t max_len, struct buf *out);

#endif
