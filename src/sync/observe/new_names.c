/*
 * Files that have another name in the same folder (C5 of rules/content_rules.h), as after another
 * `info_delimiter`, or a program that gives names of its own. The size proposes, or a name that is
 * alike; the content decides. Only new files are read, each once, and of these only those that
 * have the size of one that is missing.
 */
#include <stdlib.h>
#include <string.h>

#include "local_delta.h"
#include "observe.h"

#include "mailsync/base/array.h"

#include "rules/content_rules.h"

/* A new file. */
struct new_name {
	struct local_item *item;
	uint64_t size_bytes;
	struct content_facts facts;
	bool is_ours;   /* its name tells of a message, and pairs it (D14) */
	bool is_unread; /* and cannot be read */
};

struct new_names {
	struct new_name *items; /* by size */
	size_t count;
};

void local_note_file(struct local_delta *delta, const struct row *row, struct local_item *item)
{
	bool in_new = item->entry != NULL && item->entry->in_new;
	bool has_told = item->change == LOCAL_FLAGS || item->change == LOCAL_RENAMED;
	item->is_cleared = in_new && has_told && (row->local_flags & ~item->flags.flags) != 0;
	delta->shape.in_cur += item->entry != NULL && !in_new;
	delta->shape.cleared += item->is_cleared;
}

static int compare_size(const void *x, const void *y)
{
	const struct new_name *one = x;
	const struct new_name *two = y;
	return (one->size_bytes > two->size_bytes) - (one->size_bytes < two->size_bytes);
}

static int compare_to_size(const void *key, const void *item)
{
	uint64_t size = ((const struct new_name *)item)->size_bytes;
	return (*(const uint64_t *)key > size) - (*(const uint64_t *)key < size);
}

/* Those that are gone meanwhile are left out. */
static int gather(struct local_delta *delta, struct new_names *names, struct err *err)
{
	struct maildir_unique ours;
	struct maildir_file file;
	struct err ignored;
	if ((names->items = calloc(delta->count + 1, sizeof(*names->items))) == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < delta->count; i++) {
		struct local_item *item = &delta->items[i];
		const struct maildir_entry *entry = item->entry;
		if (item->change != LOCAL_NEW ||
		    maildir_folder_stat_file(delta->mailbox->dir, entry->name, entry->in_new, &file,
					     &ignored) < 0) {
			continue;
		}
		struct span unique = {entry->name, entry->unique_len};
		names->items[names->count++] = (struct new_name){
			.item = item,
			.size_bytes = file.size_bytes,
			.facts.mark = maildir_file_mark(&file),
			.is_ours = maildir_unique_parse(unique, &ours),
		};
	}
	if (names->count > 1) {
		qsort(names->items, names->count, sizeof(*names->items), compare_size);
	}
	return 0;
}

/* Whether it is worth reading. A name that is not alike may be that of any message: only what base
 * agreed on, and knows the content of, is looked for under it. */
static bool may_be(const struct local_delta *delta, const struct new_name *name,
		   const struct row *row)
{
	char unique[MAILDIR_NAME_MAX + 1];
	const struct maildir_entry *entry = name->item->entry;
	if (name->item->change != LOCAL_NEW || name->is_unread) {
		return false;
	}
	if (row->is_agreed && row->has_content && !name->is_ours) {
		return true;
	}
	memcpy(unique, entry->name, entry->unique_len);
	unique[entry->unique_len] = '\0';
	return maildir_folder_is_variant(delta->mailbox->dir, row->unique, unique);
}

static bool is_file_of(const struct local_delta *delta, struct new_name *name,
		       const struct row *row)
{
	const struct maildir_entry *entry = name->item->entry;
	struct maildir_reading reading;
	struct err ignored;
	if (!may_be(delta, name, row)) {
		return false;
	}
	if (content_is_in_doubt(row, &name->facts.mark) && !name->facts.was_read) {
		name->is_unread = maildir_folder_read(delta->mailbox->dir, entry->name,
						      entry->in_new, &reading, &ignored) < 0;
		if (name->is_unread) {
			return false;
		}
		name->facts.was_read = true;
		name->facts.mark = maildir_file_mark(&reading.file);
		memcpy(name->facts.digest, reading.identity.digest, sizeof(name->facts.digest));
		memcpy(name->facts.content, reading.content, sizeof(name->facts.content));
	}
	return content_verdict(row, &name->facts) == CONTENT_SAME;
}

static void rename_item(struct local_delta *delta, struct local_item *gone, struct local_item *item,
			const struct row *row)
{
	struct maildir_told told = maildir_scan_told(&delta->scan, item->entry);
	struct local_file file = local_file_of(&told);
	gone->change = LOCAL_RENAMED;
	gone->entry = item->entry;
	gone->flags = local_flags_of(&delta->facts, &file, row);
	if (gone->is_shared) {
		local_note_file(delta, row, gone);
	}
	item->change = LOCAL_SAME;
}

/* GONE is a row that lacks its file. */
static int find_new_name(struct local_delta *delta, struct local_item *gone,
			 const struct new_names *names, struct err *err)
{
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(delta->run->session->state, gone->row, &row, &found, err);
	bool has_size = row.size.is_told;
	size_t at = code < 0 || !found ? names->count
		  : !has_size          ? 0
			      : array_lower_bound(names->items, names->count, sizeof(*names->items),
						  &row.size.number, compare_to_size);
	for (; at < names->count && gone->change == LOCAL_GONE; at++) {
		struct new_name *name = &names->items[at];
		if (has_size && name->size_bytes != row.size.number) {
			break;
		}
		if (is_file_of(delta, name, &row)) {
			rename_item(delta, gone, name->item, &row);
		}
	}
	row_finish(&row);
	return code;
}

int local_new_names(struct local_delta *delta, struct err *err)
{
	struct new_names names = {0};
	bool lacks_some = false;
	int code = 0;
	for (size_t i = 0; i < delta->count; i++) {
		lacks_some |= delta->items[i].change == LOCAL_GONE;
	}
	if (lacks_some) {
		code = gather(delta, &names, err);
	}
	for (size_t i = 0; code == 0 && names.count > 0 && i < delta->count; i++) {
		if (delta->items[i].change == LOCAL_GONE) {
			code = find_new_name(delta, &delta->items[i], &names, err);
		}
	}
	free(names.items);
	return code;
}
