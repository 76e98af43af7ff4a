/* A growable list of owned strings. */
#ifndef MAILSYNC_BASE_STRLIST_H
#define MAILSYNC_BASE_STRLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

struct strlist {
	char **items;
	size_t count;
	size_t cap;
};

void strlist_init(struct strlist *list);
void strlist_finish(struct strlist *list);
int strlist_add(struct strlist *list, struct span item, struct err *err);
/* LIST, which may be NULL, holds ITEM; in whatever order. */
bool strlist_has(const struct strlist *list, const char *item);
/* strcmp order. */
void strlist_sort(struct strlist *list);
/* Index of ITEM in a sorted list, or -1. */
long strlist_find(const struct strlist *list, const char *item);

#endif
