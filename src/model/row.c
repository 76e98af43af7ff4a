#include "mailsync/model/row.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

/* What an empty `unique` points to: never written to, never freed. It spares an allocation that
 * could fail in row_init(), which has no way to tell. */
static const char row_no_unique[1] = "";

static bool row_owns_unique(const struct row *row)
{
	return row->unique != row_no_unique;
}

void row_init(struct row *row)
{
	memset(row, 0, sizeof(*row));
	row->unique = (char *)row_no_unique;
}

void row_finish(struct row *row)
{
	if (row_owns_unique(row)) {
		free(row->unique);
	}
	free(row->emailid);
	row_init(row);
}

static char *row_dup(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy != NULL) {
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

int row_set_unique(struct row *row, const char *unique, size_t len, struct err *err)
{
	char *copy = (char *)row_no_unique;

	if (len > 0) {
		copy = row_dup(unique, len);
		if (copy == NULL) {
			return err_nomem(err);
		}
	}
	if (row_owns_unique(row)) {
		free(row->unique);
	}
	row->unique = copy;
	return 0;
}

int row_set_emailid(struct row *row, const char *emailid, size_t len, struct err *err)
{
	char *copy = row_dup(emailid, len);

	if (copy == NULL) {
		return err_nomem(err);
	}
	free(row->emailid);
	row->emailid = copy;
	return 0;
}

bool file_mark_equal(const struct file_mark *one, const struct file_mark *other)
{
	return one->inode != 0 && one->inode == other->inode &&
	       one->size_bytes == other->size_bytes && one->mtime_ns == other->mtime_ns;
}

void row_set_file(struct row *row, const struct file_mark *mark, const uint8_t *content)
{
	row->mark = *mark;
	row->has_content = content != NULL;
	memset(row->content, 0, sizeof(row->content));
	if (content != NULL) {
		memcpy(row->content, content, sizeof(row->content));
	}
}

void row_forget_emailid(struct row *row)
{
	free(row->emailid);
	row->emailid = NULL;
}

bool row_is_settled(const struct row *row)
{
	return row->is_agreed && row->local == MESSAGE_PRESENT && row->remote == MESSAGE_PRESENT &&
	       row->local_flags == row->flags && row->remote_flags == row->flags;
}

bool row_is_void(const struct row *row)
{
	return row->local != MESSAGE_PRESENT && row->remote != MESSAGE_PRESENT;
}

void row_list_init(struct row_list *list)
{
	list->items = NULL;
	list->count = 0;
	list->cap = 0;
}

void row_list_finish(struct row_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		row_finish(&list->items[i]);
	}
	free(list->items);
	row_list_init(list);
}

struct row *row_list_add(struct row_list *list, struct err *err)
{
	if (ARRAY_RESERVE(&list->items, list->count + 1, &list->cap, err) < 0) {
		return NULL;
	}
	struct row *row = &list->items[list->count++];
	row_init(row);
	return row;
}
