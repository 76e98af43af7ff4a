#include "mailsync/base/strlist.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void strlist_init(struct strlist *list)
{
	list->items = NULL;
	list->count = 0;
	list->cap = 0;
}

void strlist_finish(struct strlist *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i]);
	}
	free(list->items);
	strlist_init(list);
}

static int strlist_grow(struct strlist *list, struct err *err)
{
	size_t cap = list->cap > 0 ? list->cap * 2 : 8;

	if (cap > SIZE_MAX / sizeof(*list->items)) {
		return err_nomem(err);
	}
	char **items = realloc(list->items, cap * sizeof(*items));
	if (!items) {
		return err_nomem(err);
	}
	list->items = items;
	list->cap = cap;
	return 0;
}

int strlist_add(struct strlist *list, struct span item, struct err *err)
{
	if (item.len > 0 && memchr(item.data, '\0', item.len)) {
		return err_set(err, ERR_PROTOCOL, SCOPE_MAILBOX, "a name holds a NUL byte");
	}
	if (list->count == list->cap) {
		int rc = strlist_grow(list, err);
		if (rc < 0) {
			return rc;
		}
	}
	char *copy = span_dup(item);
	if (!copy) {
		return err_nomem(err);
	}
	list->items[list->count++] = copy;
	return 0;
}

static int compare_items(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

void strlist_sort(struct strlist *list)
{
	if (list->count > 1) {
		qsort(list->items, list->count, sizeof(*list->items), compare_items);
	}
}

long strlist_find(const struct strlist *list, const char *item)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(list->items[middle], item);
		if (order == 0) {
			return (long)middle;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return -1;
}
