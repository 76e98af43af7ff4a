/*
 * The one way to grow an array and the one way to search a sorted one. An array is a pointer to
 * its items, how many there are and how many there is room for, in fields of the owner:
 *
 *     struct names { struct name *items; size_t count, cap; };
 *
 *     if (ARRAY_RESERVE(&names->items, names->count + 1, &names->cap, err) < 0) {
 *             return -ERR_NOMEM;
 *     }
 *     names->items[names->count++] = name;
 *
 *     struct name *found = array_find(names->items, names->count, sizeof(*names->items), "x",
 *                                     compare_to_text);
 *
 * It begins as NULL, 0, 0; the owner frees the items. Growing moves them: pointers into the
 * array end there. Not for secrets, since realloc() may leave a copy of them behind: buf.h.
 */
#ifndef MAILSYNC_BASE_ARRAY_H
#define MAILSYNC_BASE_ARRAY_H

#include <stddef.h>

#include "mailsync/base/err.h"

/* Makes room for WANTED items in all; where it has to grow, at least to twice the room there was.
 * ITEMS and CAP are the addresses of the pointer and of the room. 0, or -ERR_NOMEM with all as it
 * was: there is no memory, or so many items have no address. */
#define ARRAY_RESERVE(items, wanted, cap, err) \
	array_reserve((items), (wanted), (cap), sizeof(**(items)), (err))

/* Behind ARRAY_RESERVE, which knows the size of an item. */
int array_grow(void *items, size_t wanted, size_t *cap, size_t size, struct err *err);

static inline int array_reserve(void *items, size_t wanted, size_t *cap, size_t size,
				struct err *err)
{
	return wanted <= *cap ? 0 : array_grow(items, wanted, cap, size, err);
}

/* As qsort(), but what is sorted already stays as it is, which costs one look at it and no memory:
 * qsort() may take as much as the array. ITEMS may be NULL when COUNT is 0. */
void array_sort(void *items, size_t count, size_t size,
		int (*compare)(const void *one, const void *other));

/* The place of the first of COUNT ITEMS, each of SIZE bytes, that is not less than KEY; COUNT
 * where all are less. Before it, KEY can be put in. COMPARE is negative, 0 or positive where KEY
 * is less than, equal to or greater than the item, in whose order ITEMS are sorted; for an array
 * of pointers it is given the address of a pointer, as by qsort(). ITEMS may be NULL when COUNT
 * is 0. Inline, so that COMPARE is too: membership in a UID set is asked for each message. */
static inline size_t array_lower_bound(const void *items, size_t count, size_t size,
				       const void *key,
				       int (*compare)(const void *key, const void *item))
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(key, (const char *)items + middle * size) > 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/* The first item equal to KEY, or NULL; as bsearch(), but always the first of equals. */
static inline void *array_find(const void *items, size_t count, size_t size, const void *key,
			       int (*compare)(const void *key, const void *item))
{
	size_t at = array_lower_bound(items, count, size, key, compare);
	const char *item = at < count ? (const char *)items + at * size : NULL;

	return item && compare(key, item) == 0 ? (void *)item : NULL;
}

#endif
