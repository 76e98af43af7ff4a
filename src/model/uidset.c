/*
 * Invariants:
 * 1. ranges[0..count) ascend; first <= last; first >= 1.
 * 2. No two ranges touch: ranges[i].last + 1 < ranges[i + 1].first.
 */
#include "mailsync/model/uidset.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

void uidset_init(struct uidset *set)
{
	set->ranges = NULL;
	set->count = 0;
	set->cap = 0;
}

void uidset_finish(struct uidset *set)
{
	free(set->ranges);
	uidset_init(set);
}

static int compare_end(const void *key, const void *item)
{
	uint32_t uid = *(const uint32_t *)key, last = ((const struct uidrange *)item)->last;

	return uid > last ? 1 : -(uid < last);
}

/* The index of the first range that ends at UID or later; count when there is none. */
static size_t uidset_locate(const struct uidset *set, uint32_t uid)
{
	return array_lower_bound(set->ranges, set->count, sizeof(*set->ranges), &uid, compare_end);
}

static int uidset_insert(struct uidset *set, size_t at, struct uidrange range, struct err *err)
{
	int code = ARRAY_RESERVE(&set->ranges, set->count + 1, &set->cap, err);
	if (code != 0) {
		return code;
	}
	memmove(set->ranges + at + 1, set->ranges + at, (set->count - at) * sizeof(*set->ranges));
	set->ranges[at] = range;
	set->count++;
	return 0;
}

int uidset_add(struct uidset *set, uint32_t first, uint32_t last, struct err *err)
{
	if (first > last) {
		uint32_t swap = first;
		first = last;
		last = swap;
	}
	if (last == 0) {
		return 0;
	}
	if (first == 0) {
		first = 1;
	}
	size_t at = set->count;
	if (at > 0 && set->ranges[at - 1].last >= first - 1) {
		at = first >= set->ranges[at - 1].first ? at - 1 : uidset_locate(set, first - 1);
	}
	size_t end = at;
	while (end < set->count && (last == UINT32_MAX || set->ranges[end].first <= last + 1)) {
		end++;
	}
	if (end == at) {
		return uidset_insert(set, at, (struct uidrange){first, last}, err);
	}
	struct uidrange *range = &set->ranges[at];
	uint32_t joined_last = set->ranges[end - 1].last;
	range->first = first < range->first ? first : range->first;
	range->last = last > joined_last ? last : joined_last;
	memmove(range + 1, set->ranges + end, (set->count - end) * sizeof(*range));
	set->count -= end - at - 1;
	return 0;
}

int uidset_remove(struct uidset *set, uint32_t first, uint32_t last, struct err *err)
{
	if (first > last) {
		uint32_t swap = first;
		first = last;
		last = swap;
	}
	size_t at = uidset_locate(set, first);
	if (at < set->count && set->ranges[at].first < first && set->ranges[at].last > last) {
		struct uidrange tail = {last + 1, set->ranges[at].last};
		int code = uidset_insert(set, at + 1, tail, err);
		if (code == 0) {
			set->ranges[at].last = first - 1;
		}
		return code;
	}
	if (at < set->count && set->ranges[at].first < first) {
		set->ranges[at].last = first - 1;
		at++;
	}
	size_t end = at;
	while (end < set->count && set->ranges[end].last <= last) {
		end++;
	}
	if (end < set->count && set->ranges[end].first <= last) {
		set->ranges[end].first = last + 1;
	}
	if (end > at) {
		memmove(set->ranges + at, set->ranges + end,
			(set->count - end) * sizeof(*set->ranges));
		set->count -= end - at;
	}
	return 0;
}

int uidset_add_set(struct uidset *set, const struct uidset *other, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < other->count; i++) {
		code = uidset_add(set, other->ranges[i].first, other->ranges[i].last, err);
	}
	return code;
}

int uidset_remove_set(struct uidset *set, const struct uidset *other, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < other->count; i++) {
		code = uidset_remove(set, other->ranges[i].first, other->ranges[i].last, err);
	}
	return code;
}

int uidset_gaps(const struct uidset *set, uint32_t first, struct uidset *gaps, struct err *err)
{
	gaps->count = 0;
	int code = uidset_add(gaps, first, UINT32_MAX, err);
	return code < 0 ? code : uidset_remove_set(gaps, set, err);
}

bool uidset_contains(const struct uidset *set, uint32_t uid)
{
	size_t at = uidset_locate(set, uid);
	return at < set->count && set->ranges[at].first <= uid;
}

uint64_t uidset_size(const struct uidset *set)
{
	uint64_t size = 0;
	for (size_t i = 0; i < set->count; i++) {
		size += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
	}
	return size;
}

bool uidset_next(const struct uidset *set, struct uidset_cursor *cursor, uint32_t *uid)
{
	while (cursor->range < set->count) {
		const struct uidrange *range = &set->ranges[cursor->range];
		if (cursor->uid < range->first) {
			cursor->uid = range->first;
			*uid = cursor->uid;
			return true;
		}
		if (cursor->uid < range->last) {
			cursor->uid++;
			*uid = cursor->uid;
			return true;
		}
		cursor->range++;
	}
	return false;
}
