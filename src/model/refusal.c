/* Refusals of a run, by row. */
#include "mailsync/model/refusal.h"

#include <stdlib.h>

#include "mailsync/base/array.h"

void refusals_finish(struct refusals *refusals)
{
	free(refusals->items);
	*refusals = (struct refusals){0};
}

static int compare_row(const void *key, const void *item)
{
	int64_t row = *(const int64_t *)key;
	int64_t other = ((const struct refusal *)item)->row;
	return (row > other) - (row < other);
}

const struct refusal *refusals_find(const struct refusals *refusals, int64_t row)
{
	return array_find(refusals->items, refusals->count, sizeof(*refusals->items), &row,
			  compare_row);
}
