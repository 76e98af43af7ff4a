#include "imap_ranges.h"

#include <stdlib.h>
#include <string.h>

#define RANGES_MAX 4000000 /* 32 MB; each other message of a mailbox of 8,000,000 */

int imap_ranges_add(struct imap_ranges *ranges, struct uidrange range, struct err *err)
{
	struct uidrange *last = ranges->count == 0 ? NULL : &ranges->items[ranges->count - 1];
	if (last != NULL && range.first >= last->first &&
	    (last->last == UINT32_MAX || range.first <= last->last + 1)) {
		last->last = range.last > last->last ? range.last : last->last;
		return 0;
	}
	if (ranges->count >= RANGES_MAX) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server tells of more than %d ranges of messages", RANGES_MAX);
	}
	if (ranges->count == ranges->cap) {
		size_t cap = ranges->cap == 0 ? 64 : ranges->cap * 2;
		struct uidrange *items = realloc(ranges->items, cap * sizeof(*items));
		if (items == NULL) {
			return err_nomem(err);
		}
		ranges->items = items;
		ranges->cap = cap;
		last = ranges->count == 0 ? NULL : &ranges->items[ranges->count - 1];
	}
	ranges->is_unsorted |= last != NULL && range.first < last->first;
	ranges->items[ranges->count++] = range;
	return 0;
}

static int compare_ranges(const void *x, const void *y)
{
	const struct uidrange *one = x;
	const struct uidrange *two = y;
	if (one->first != two->first) {
		return one->first < two->first ? -1 : 1;
	}
	return 0;
}

int imap_ranges_take(struct imap_ranges *ranges, struct uidset *set, struct err *err)
{
	int code = 0;
	if (ranges->is_unsorted) {
		qsort(ranges->items, ranges->count, sizeof(*ranges->items), compare_ranges);
	}
	for (size_t i = 0; code == 0 && i < ranges->count; i++) {
		code = uidset_add(set, ranges->items[i].first, ranges->items[i].last, err);
	}
	imap_ranges_finish(ranges);
	return code;
}

void imap_ranges_finish(struct imap_ranges *ranges)
{
	free(ranges->items);
	memset(ranges, 0, sizeof(*ranges));
}
