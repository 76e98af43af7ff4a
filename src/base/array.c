#include "mailsync/base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_FIRST_CAP 16

int array_grow(void *items, size_t wanted, size_t *cap, size_t size, struct err *err)
{
	size_t room = *cap > 0 ? *cap : ARRAY_FIRST_CAP;
	void *memory;

	while (room < wanted) {
		room = room > SIZE_MAX / 2 ? SIZE_MAX : room * 2;
	}
	if (room > SIZE_MAX / size) {
		return err_nomem(err);
	}
	/* ITEMS is the address of a pointer of a type not known here: copied, not cast. */
	memcpy(&memory, items, sizeof(memory));
	memory = realloc(memory, room * size);
	if (!memory) {
		return err_nomem(err);
	}
	memcpy(items, &memory, sizeof(memory));
	*cap = room;
	return 0;
}

void array_sort(void *items, size_t count, size_t size,
		int (*compare)(const void *one, const void *other))
{
	const char *item = items;
	for (size_t i = 1; i < count; i++, item += size) {
		if (compare(item, item + size) > 0) {
			qsort(items, count, size, compare);
			return;
		}
	}
}
