#include "mailsync/base/strlist.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

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

int strlist_add(struct strlist *list, struct span item, struct err *err)
{
	if (item.len > 0 && memchr(item.data, '\0', item.len)) {
		return err_set(err, ERR_PROTOCOL, SCOPE_MAILBOX, "a name holds a NUL byte");
	}
	int code = ARRAY_RESERVE(&list->items, list->count + 1, &list->cap, err);
	if (code < 0) {
		return code;
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

bool strlist_has(const struct strlist *list, const char *item)
{
	for (size_t i = 0; list && i < list->count; i++) {
		if (strcmp(list->items[i], item) == 0) {
			return true;
		}
	}
	return false;
}

long strlist_find(const struct strlist *list, const char *item)
{
	char **found =
		array_find(list->items, list->count, sizeof(*list->items), &item, compare_items);

	return found ? found - list->items : -1;
}
