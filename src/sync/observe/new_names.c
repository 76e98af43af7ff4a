/*
 * Files that have another name in the same folder (C5 of rules/content_rules.h), as after another
 * `info_delimiter`, or a program that gives names of its own. The size proposes, or a name that is
 * alike; the content decides. Only new files are read, each once, and of these only those that
 * have the size of one that is missing. Of equal messages whose names tell nothing it is not known
 * which one a file is: where fewer files than rows are left, each file is new mail, for the one
 * that it is taken for may be gone on the server, too.
 */
#include <assert.h>
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

/* A row that lacks its file, of which no name is alike. */
struct lost_row {
	struct local_item *item;
	uint8_t key[ROW_CONTENT_SIZE]; /* the content, or its file's mark where that is not known */
};

struct lost_rows {
	struct lost_row *items; /* by key */
	size_t count;
	size_t cap;
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

static bool is_alike(const struct local_delta *delta, const struct new_name *name,
		     const struct row *row)
{
	char unique[MAILDIR_NAME_MAX + 1];
	const struct maildir_entry *entry = name->item->entry;
	memcpy(unique, entry->name, entry->unique_len);
	unique[entry->unique_len] = '\0';
	return maildir_folder_is_variant(delta->mailbox->dir, row->unique, unique);
}

/* Whether it is worth reading. A name that is not alike may be that of any message: only what base
 * agreed on, and knows the content of, is looked for under it, or the very file. */
static bool may_be(const struct local_delta *delta, const struct new_name *name,
		   const struct row *row, bool is_by_name)
{
	if (name->item->change != LOCAL_NEW || name->is_unread) {
		return false;
	}
	return is_by_name ? is_alike(delta, name, row)
			  : !name->is_ours && (row->has_content ||
					       !content_is_in_doubt(row, &name->facts.mark));
}

static bool is_file_of(const struct local_delta *delta, struct new_name *name,
		       const struct row *row, bool is_by_name)
{
	const struct maildir_entry *entry = name->item->entry;
	struct maildir_reading reading;
	struct err ignored;
	if (!may_be(delta, name, row, is_by_name)) {
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

static size_t first_of_size(const struct new_names *names, const struct row *row)
{
	return row->size.is_told
		     ? array_lower_bound(names->items, names->count, sizeof(*names->items),
					 &row->size.number, compare_to_size)
		     : 0;
}

/* Of the names from *AT on, which goes behind it; NULL: none is ROW's. */
static struct new_name *next_file_of(const struct local_delta *delta, const struct new_names *names,
				     const struct row *row, bool is_by_name, size_t *at)
{
	while (*at < names->count) {
		struct new_name *name = &names->items[*at];
		if (row->size.is_told && name->size_bytes != row->size.number) {
			break;
		}
		(*at)++;
		if (is_file_of(delta, name, row, is_by_name)) {
			return name;
		}
	}
	return NULL;
}

static int note_lost(struct lost_rows *lost, struct local_item *item, const struct row *row,
		     struct err *err)
{
	const struct file_mark *mark = &row->mark;
	const uint64_t words[] = {mark->size_bytes, (uint64_t)mark->mtime_ns, mark->inode, 0};
	static_assert(sizeof(words) == ROW_CONTENT_SIZE, "a mark is a key, too");
	if (ARRAY_RESERVE(&lost->items, lost->count + 1, &lost->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	struct lost_row *added = &lost->items[lost->count++];
	added->item = item;
	memcpy(added->key, row->has_content ? (const void *)row->content : words,
	       sizeof(added->key));
	return 0;
}

/* GONE is a row that lacks its file. */
static int find_alike(struct local_delta *delta, struct local_item *gone,
		      const struct new_names *names, struct lost_rows *lost, struct err *err)
{
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(delta->run->session->state, gone->row, &row, &found, err);
	if (code == 0 && found) {
		size_t at = first_of_size(names, &row);
		struct new_name *name = next_file_of(delta, names, &row, true, &at);
		if (name != NULL) {
			rename_item(delta, gone, name->item, &row);
		} else if (row.is_agreed) {
			code = note_lost(lost, gone, &row, err);
		}
	}
	row_finish(&row);
	return code;
}

/* ROWS, all COUNT that are equal. */
static int find_equal(struct local_delta *delta, const struct lost_row *rows, size_t count,
		      const struct new_names *names, struct err *err)
{
	struct state *state = delta->run->session->state;
	struct row row;
	bool found = false;
	size_t files = 0;
	row_init(&row);
	int code = state_row_by_id(state, rows[0].item->row, &row, &found, err);
	size_t first = code == 0 && found ? first_of_size(names, &row) : names->count;
	for (size_t at = first; next_file_of(delta, names, &row, false, &at) != NULL;) {
		files++;
	}
	for (size_t i = 0; code == 0 && files >= count && i < count; i++) {
		row_finish(&row);
		row_init(&row);
		code = state_row_by_id(state, rows[i].item->row, &row, &found, err);
		struct new_name *name =
			code == 0 && found ? next_file_of(delta, names, &row, false, &first) : NULL;
		if (name != NULL) {
			rename_item(delta, rows[i].item, name->item, &row);
		}
	}
	row_finish(&row);
	return code;
}

static int compare_key(const void *x, const void *y)
{
	const struct lost_row *one = x;
	const struct lost_row *two = y;
	return memcmp(one->key, two->key, sizeof(one->key));
}

static int find_all_equal(struct local_delta *delta, struct lost_rows *lost,
			  const struct new_names *names, struct err *err)
{
	int code = 0;
	size_t end = 0;
	array_sort(lost->items, lost->count, sizeof(*lost->items), compare_key);
	for (size_t i = 0; code == 0 && i < lost->count; i = end) {
		for (end = i + 1; end < lost->count; end++) {
			if (compare_key(&lost->items[i], &lost->items[end]) != 0) {
				break;
			}
		}
		code = find_equal(delta, &lost->items[i], end - i, names, err);
	}
	return code;
}

int local_new_names(struct local_delta *delta, struct err *err)
{
	struct new_names names = {0};
	struct lost_rows lost = {0};
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
			code = find_alike(delta, &delta->items[i], &names, &lost, err);
		}
	}
	code = code < 0 ? code : find_all_equal(delta, &lost, &names, err);
	free(lost.items);
	free(names.items);
	return code;
}
