/* K1 to K5 of pop3_rules.h: rows and messages brought together. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "pop3_rules.h"

/* An item or a row in key order. */
struct entry {
	const char *key;
	uint64_t size_bytes;
	uint32_t index;
	uint32_t order; /* within the key: number, or occurrence; deleted rows last */
	bool is_taken;
};

static int compare_entries(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int order = strcmp(a->key, b->key);

	if (order != 0) {
		return order;
	}
	return a->order < b->order ? -1 : a->order > b->order;
}

struct group {
	struct entry *items;
	size_t item_count;
	struct entry *rows;
	size_t row_count;
};

static void join(struct pop3_view *view, struct entry *item_entry, struct entry *row_entry)
{
	struct pop3_item *item = &view->items[item_entry->index];
	const struct pop3_row *row = &view->rows[row_entry->index];

	item_entry->is_taken = true;
	row_entry->is_taken = true;
	item->row = row_entry->index;
	view->is_listed[row_entry->index] = true;
	bool is_resized = item->size_bytes != 0 && row->size_bytes != 0 &&
			  item->size_bytes != row->size_bytes;
	item->is_doubtful = is_resized || row->is_deleted || row->gone_since != 0 || view->is_other;
}

/* Of several of a key it may be another one that went, and one that came. */
static void doubt_group(struct pop3_view *view, const struct group *group)
{
	for (size_t i = 0; i < group->item_count; i++) {
		struct pop3_item *item = &view->items[group->items[i].index];
		item->is_doubtful = item->is_doubtful || item->row != POP3_NO_ROW;
	}
}

static void match_group(struct pop3_view *view, const struct group *group)
{
	uint32_t next = 1;

	for (size_t i = 0; i < group->item_count; i++) {
		for (size_t r = 0; r < group->row_count && !group->items[i].is_taken; r++) {
			if (!group->rows[r].is_taken &&
			    group->rows[r].size_bytes == group->items[i].size_bytes) {
				join(view, &group->items[i], &group->rows[r]);
			}
		}
	}
	for (size_t i = 0, r = 0; i < group->item_count; i++) {
		while (r < group->row_count && group->rows[r].is_taken) {
			r++;
		}
		if (!group->items[i].is_taken && r < group->row_count) {
			join(view, &group->items[i], &group->rows[r]);
		}
	}
	for (size_t r = 0; r < group->row_count; r++) {
		uint32_t occurrence = view->rows[group->rows[r].index].occurrence;
		next = occurrence >= next ? occurrence + 1 : next;
	}
	for (size_t i = 0; i < group->item_count; i++) {
		if (!group->items[i].is_taken) {
			view->items[group->items[i].index].occurrence = next++;
		}
	}
	if (group->item_count > 1 || group->row_count > 1) {
		doubt_group(view, group);
	}
}

static size_t group_len(const struct entry *entries, size_t count, const char *key)
{
	size_t len = 0;

	while (len < count && strcmp(entries[len].key, key) == 0) {
		len++;
	}
	return len;
}

static void match_sorted(struct pop3_view *view, struct entry *items, size_t item_count,
			 struct entry *rows, size_t row_count)
{
	size_t r = 0;

	for (size_t i = 0; i < item_count;) {
		while (r < row_count && strcmp(rows[r].key, items[i].key) < 0) {
			r++;
		}
		struct group group = {
			.items = items + i,
			.item_count = group_len(items + i, item_count - i, items[i].key),
			.rows = rows + r,
			.row_count = group_len(rows + r, row_count - r, items[i].key),
		};
		match_group(view, &group);
		i += group.item_count;
		r += group.row_count;
	}
}

int pop3_match(struct pop3_view *view, struct err *err)
{
	struct entry *items = calloc(view->count + 1, sizeof(*items));
	struct entry *rows = calloc(view->row_count + 1, sizeof(*rows));
	size_t item_count = 0;
	int code = items != NULL && rows != NULL ? 0 : err_nomem(err);

	for (size_t i = 0; code == 0 && i < view->count; i++) {
		const struct pop3_item *item = &view->items[i];
		if (item->key[0] != '\0') {
			items[item_count++] = (struct entry){.key = item->key,
							     .size_bytes = item->size_bytes,
							     .index = (uint32_t)i,
							     .order = item->number};
		}
	}
	for (size_t r = 0; code == 0 && r < view->row_count; r++) {
		const struct pop3_row *row = &view->rows[r];
		bool is_last = row->is_deleted || row->gone_since != 0;
		rows[r] = (struct entry){.key = row->uidl,
					 .size_bytes = row->size_bytes,
					 .index = (uint32_t)r,
					 .order = row->occurrence | (is_last ? 1u << 31 : 0)};
	}
	if (code == 0) {
		qsort(items, item_count, sizeof(*items), compare_entries);
		qsort(rows, view->row_count, sizeof(*rows), compare_entries);
		match_sorted(view, items, item_count, rows, view->row_count);
	}
	free(items);
	free(rows);
	return code;
}

/* --- K3: rows that are not listed --- */

/* A row's size and digest, by size or by digest and size; or what is looked for. */
struct lost {
	uint64_t size_bytes;
	const uint8_t *digest;
	uint32_t row;
	bool is_taken;
};

static int compare_size(const void *x, const void *y)
{
	const struct lost *a = x, *b = y;

	return a->size_bytes < b->size_bytes ? -1 : a->size_bytes > b->size_bytes;
}

static int compare_digest(const void *x, const void *y)
{
	const struct lost *a = x, *b = y;

	return memcmp(a->digest, b->digest, ROW_DIGEST_SIZE);
}

static int compare_sizes(const void *x, const void *y)
{
	const struct lost *a = x, *b = y;
	int order = compare_size(a, b);

	return order != 0 ? order : a->row < b->row ? -1 : a->row > b->row;
}

static int compare_digests(const void *x, const void *y)
{
	int order = compare_digest(x, y);

	return order != 0 ? order : compare_sizes(x, y);
}

/* NULL when out of memory. */
static struct lost *lost_make(const struct pop3_view *view,
			      int (*compare)(const void *, const void *), size_t *count)
{
	struct lost *lost = calloc(view->row_count + 1, sizeof(*lost));

	*count = 0;
	for (size_t r = 0; lost != NULL && r < view->row_count; r++) {
		const struct pop3_row *row = &view->rows[r];
		if (!view->is_listed[r] && row->has_digest) {
			lost[(*count)++] = (struct lost){.size_bytes = row->size_bytes,
							 .digest = row->digest,
							 .row = (uint32_t)r};
		}
	}
	if (lost != NULL) {
		qsort(lost, *count, sizeof(*lost), compare);
	}
	return lost;
}

static bool has_size(const struct lost *lost, size_t count, uint64_t size_bytes)
{
	struct lost wanted = {.size_bytes = size_bytes};

	return array_find(lost, count, sizeof(*lost), &wanted, compare_size) != NULL;
}

/* All keys that were there last time are gone at once: the server gives others now. */
static bool has_other_keys(const struct pop3_view *view)
{
	bool has_rows = false;

	for (size_t r = 0; r < view->row_count; r++) {
		const struct pop3_row *row = &view->rows[r];
		if (view->is_listed[r]) {
			return false;
		}
		has_rows = has_rows || (!row->is_deleted && row->gone_since == 0);
	}
	return has_rows && !view->is_partial;
}

int pop3_mark_doubts(struct pop3_view *view, struct err *err)
{
	bool are_others = has_other_keys(view);
	size_t count;
	struct lost *lost = lost_make(view, compare_sizes, &count);

	if (lost == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		bool is_new = item->row == POP3_NO_ROW && item->act == POP3_ACT_NONE;
		bool is_alike =
			is_new && item->size_bytes > 0 && has_size(lost, count, item->size_bytes);
		if (item->is_doubtful || is_alike || (is_new && are_others)) {
			item->wants_header = true;
		}
	}
	free(lost);
	return 0;
}

static bool is_same(const struct pair_candidate *header, const struct pop3_row *row)
{
	return row->has_digest && memcmp(header->digest, row->digest, ROW_DIGEST_SIZE) == 0;
}

/* A free occurrence number of ITEM's key. Rare, so it may look at everything. */
static uint32_t free_occurrence(const struct pop3_view *view, const struct pop3_item *item)
{
	uint32_t next = 1;

	for (size_t r = 0; r < view->row_count; r++) {
		const struct pop3_row *row = &view->rows[r];
		if (strcmp(row->uidl, item->key) == 0 && row->occurrence >= next) {
			next = row->occurrence + 1;
		}
	}
	for (size_t i = 0; i < view->count; i++) {
		const struct pop3_item *other = &view->items[i];
		if (other->occurrence >= next && strcmp(other->key, item->key) == 0) {
			next = other->occurrence + 1;
		}
	}
	return next;
}

/* A row without a digest can only be told by its key and size: a key that was given away once
 * (deleted by us) is then not trusted. */
static bool is_still_row(const struct pop3_view *view, const struct pop3_item *item)
{
	const struct pop3_row *row = &view->rows[item->row];

	if (item->header != POP3_NO_ROW && row->has_digest) {
		return is_same(&view->headers[item->header], row);
	}
	return !row->is_deleted;
}

static void settle_doubt(struct pop3_view *view, struct pop3_item *item)
{
	if (!is_still_row(view, item)) {
		view->is_listed[item->row] = false;
		item->row = POP3_NO_ROW;
		item->occurrence = free_occurrence(view, item);
	}
	item->is_doubtful = false;
}

static void settle_renamed(struct pop3_view *view, struct pop3_item *item, struct lost *lost,
			   size_t count)
{
	const struct pair_candidate *header = &view->headers[item->header];
	struct lost wanted = {.digest = header->digest};
	struct lost *found = NULL;

	for (size_t at = array_lower_bound(lost, count, sizeof(*lost), &wanted, compare_digest);
	     at < count && is_same(header, &view->rows[lost[at].row]); at++) {
		bool has_its_size = item->size_bytes > 0 && lost[at].size_bytes == item->size_bytes;
		if (!lost[at].is_taken &&
		    (has_its_size || (header->message_id != 0 && found == NULL))) {
			found = &lost[at];
		}
		if (found != NULL && has_its_size) {
			break;
		}
	}
	if (found != NULL) {
		found->is_taken = true;
		item->row = found->row;
		item->is_renamed = true;
		view->is_listed[found->row] = true;
	}
}

int pop3_settle_doubts(struct pop3_view *view, struct err *err)
{
	size_t count;

	for (size_t i = 0; i < view->count; i++) {
		if (view->items[i].is_doubtful) {
			settle_doubt(view, &view->items[i]);
		}
	}
	struct lost *lost = lost_make(view, compare_digests, &count);
	if (lost == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		if (item->row == POP3_NO_ROW && item->header != POP3_NO_ROW &&
		    item->act == POP3_ACT_NONE) {
			settle_renamed(view, item, lost, count);
		}
	}
	free(lost);
	return 0;
}
