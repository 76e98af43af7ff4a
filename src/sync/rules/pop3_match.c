/* K1 to K5 of pop3_rules.h: rows and messages brought together. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "pop3_rules.h"

/* The messages and the rows of one key, in order; of rows those that were missing last. */
struct group {
	struct pop3_item **items;
	size_t item_count;
	const struct pop3_row **rows;
	size_t row_count;
};

static bool is_missing(const struct pop3_row *row)
{
	return row->is_deleted || row->gone_since != 0;
}

static bool *is_listed(const struct pop3_view *view, const struct pop3_row *row)
{
	return &view->is_listed[row - view->rows];
}

static int compare_items(const void *x, const void *y)
{
	const struct pop3_item *one = *(struct pop3_item *const *)x;
	const struct pop3_item *two = *(struct pop3_item *const *)y;
	int order = strcmp(one->key, two->key);
	return order != 0 ? order : (one->number > two->number) - (one->number < two->number);
}

static int compare_rows(const void *x, const void *y)
{
	const struct pop3_row *one = *(const struct pop3_row *const *)x;
	const struct pop3_row *two = *(const struct pop3_row *const *)y;
	int order = strcmp(one->uidl, two->uidl);
	if (order == 0) {
		order = is_missing(one) - is_missing(two);
	}
	return order != 0
		     ? order
		     : (one->occurrence > two->occurrence) - (one->occurrence < two->occurrence);
}

static void join(struct pop3_view *view, struct pop3_item *item, const struct pop3_row *row)
{
	bool is_resized = item->size_bytes != 0 && row->size_bytes != 0 &&
			  item->size_bytes != row->size_bytes;
	item->row = (uint32_t)(row - view->rows);
	item->is_doubtful = is_resized || is_missing(row) || view->is_other;
	*is_listed(view, row) = true;
}

static void join_group(struct pop3_view *view, const struct group *group, bool by_size)
{
	for (size_t i = 0; i < group->item_count; i++) {
		struct pop3_item *item = group->items[i];
		for (size_t r = 0; r < group->row_count && item->row == POP3_NO_ROW; r++) {
			const struct pop3_row *row = group->rows[r];
			if (!*is_listed(view, row) &&
			    (!by_size || row->size_bytes == item->size_bytes)) {
				join(view, item, row);
			}
		}
	}
}

static void match_group(struct pop3_view *view, const struct group *group)
{
	/* Of several of a key it may be another one that went, and one that came. */
	bool is_doubtful = group->item_count > 1 || group->row_count > 1;
	uint32_t next = 1;
	join_group(view, group, true);
	join_group(view, group, false);
	for (size_t r = 0; r < group->row_count; r++) {
		uint32_t occurrence = group->rows[r]->occurrence;
		next = occurrence >= next ? occurrence + 1 : next;
	}
	for (size_t i = 0; i < group->item_count; i++) {
		struct pop3_item *item = group->items[i];
		if (item->row == POP3_NO_ROW) {
			item->occurrence = next++;
		} else {
			item->is_doubtful = item->is_doubtful || is_doubtful;
		}
	}
}

static void match_sorted(struct pop3_view *view, struct group *all)
{
	for (size_t i = 0, r = 0; i < all->item_count;) {
		const char *key = all->items[i]->key;
		while (r < all->row_count && strcmp(all->rows[r]->uidl, key) < 0) {
			r++;
		}
		struct group group = {.items = all->items + i, .rows = all->rows + r};
		for (; i < all->item_count && strcmp(all->items[i]->key, key) == 0; i++) {
			group.item_count++;
		}
		for (; r < all->row_count && strcmp(all->rows[r]->uidl, key) == 0; r++) {
			group.row_count++;
		}
		match_group(view, &group);
	}
}

int pop3_match(struct pop3_view *view, struct err *err)
{
	struct group all = {
		.items = calloc(view->count + 1, sizeof(*all.items)),
		.rows = calloc(view->row_count + 1, sizeof(*all.rows)),
	};
	int code = all.items != NULL && all.rows != NULL ? 0 : err_nomem(err);
	for (size_t i = 0; code == 0 && i < view->count; i++) {
		if (view->items[i].key[0] != '\0') {
			all.items[all.item_count++] = &view->items[i];
		}
	}
	for (size_t r = 0; code == 0 && r < view->row_count; r++) {
		all.rows[all.row_count++] = &view->rows[r];
	}
	if (code == 0) {
		qsort(all.items, all.item_count, sizeof(*all.items), compare_items);
		qsort(all.rows, all.row_count, sizeof(*all.rows), compare_rows);
		match_sorted(view, &all);
	}
	free(all.items);
	free(all.rows);
	return code;
}

/* --- K3: rows that are not listed --- */

static int compare_size(const void *x, const void *y)
{
	const struct pop3_row *one = *(const struct pop3_row *const *)x;
	const struct pop3_row *two = *(const struct pop3_row *const *)y;
	return (one->size_bytes > two->size_bytes) - (one->size_bytes < two->size_bytes);
}

static int compare_digest(const void *x, const void *y)
{
	const struct pop3_row *one = *(const struct pop3_row *const *)x;
	const struct pop3_row *two = *(const struct pop3_row *const *)y;
	return memcmp(one->digest, two->digest, ROW_DIGEST_SIZE);
}

static int compare_lost(const void *x, const void *y)
{
	const struct pop3_row *one = *(const struct pop3_row *const *)x;
	const struct pop3_row *two = *(const struct pop3_row *const *)y;
	int order = compare_digest(x, y);
	order = order != 0 ? order : compare_size(x, y);
	return order != 0 ? order : (one > two) - (one < two);
}

/* Those with a digest, sorted. NULL when out of memory. */
static const struct pop3_row **lost_make(const struct pop3_view *view,
					 int (*compare)(const void *, const void *), size_t *count)
{
	const struct pop3_row **lost = calloc(view->row_count + 1, sizeof(*lost));
	*count = 0;
	for (size_t r = 0; lost != NULL && r < view->row_count; r++) {
		if (!view->is_listed[r] && view->rows[r].has_digest) {
			lost[(*count)++] = &view->rows[r];
		}
	}
	if (lost != NULL) {
		qsort(lost, *count, sizeof(*lost), compare);
	}
	return lost;
}

static bool has_size(const struct pop3_row **lost, size_t count, uint64_t size_bytes)
{
	const struct pop3_row *wanted = &(struct pop3_row){.size_bytes = size_bytes};
	return size_bytes > 0 &&
	       array_find(lost, count, sizeof(*lost), &wanted, compare_size) != NULL;
}

/* All keys that were there last time are gone at once: the server gives others now. */
static bool has_other_keys(const struct pop3_view *view)
{
	bool has_rows = false;
	for (size_t r = 0; r < view->row_count; r++) {
		if (view->is_listed[r]) {
			return false;
		}
		has_rows = has_rows || !is_missing(&view->rows[r]);
	}
	return has_rows && !view->is_partial;
}

int pop3_mark_doubts(struct pop3_view *view, struct err *err)
{
	bool are_others = has_other_keys(view);
	size_t count;
	const struct pop3_row **lost = lost_make(view, compare_size, &count);
	if (lost == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		bool is_doubtful = item->is_doubtful;
		if (pop3_is_unknown(item)) {
			is_doubtful = are_others || has_size(lost, count, item->size_bytes);
		}
		item->wants_header = item->wants_header || is_doubtful;
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
	uint32_t last = 0;
	for (size_t r = 0; r < view->row_count; r++) {
		const struct pop3_row *row = &view->rows[r];
		if (row->occurrence > last && strcmp(row->uidl, item->key) == 0) {
			last = row->occurrence;
		}
	}
	for (size_t i = 0; i < view->count; i++) {
		const struct pop3_item *other = &view->items[i];
		if (other->occurrence > last && strcmp(other->key, item->key) == 0) {
			last = other->occurrence;
		}
	}
	return last + 1;
}

/* A row without a digest can only be told by its key and size: a key that was given away once
 * (deleted by us) is then not trusted. */
static bool is_still_row(const struct pop3_view *view, const struct pop3_item *item)
{
	const struct pair_candidate *header = pop3_header_of(view, item);
	const struct pop3_row *row = &view->rows[item->row];
	return header != NULL && row->has_digest ? is_same(header, row) : !row->is_deleted;
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

static void settle_renamed(struct pop3_view *view, struct pop3_item *item,
			   const struct pop3_row **lost, size_t count)
{
	const struct pair_candidate *header = &view->headers[item->header];
	struct pop3_row wanted = {0};
	const struct pop3_row *key = &wanted, *found = NULL;
	memcpy(wanted.digest, header->digest, ROW_DIGEST_SIZE);
	for (size_t at = array_lower_bound(lost, count, sizeof(*lost), &key, compare_digest);
	     at < count && is_same(header, lost[at]); at++) {
		bool has_its_size =
			item->size_bytes > 0 && lost[at]->size_bytes == item->size_bytes;
		if (!*is_listed(view, lost[at]) &&
		    (has_its_size || (header->message_id != 0 && found == NULL))) {
			found = lost[at];
		}
		if (found != NULL && has_its_size) {
			break;
		}
	}
	if (found != NULL) {
		item->row = (uint32_t)(found - view->rows);
		item->is_renamed = true;
		*is_listed(view, found) = true;
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
	const struct pop3_row **lost = lost_make(view, compare_lost, &count);
	if (lost == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		if (item->header != POP3_NO_ROW && pop3_is_unknown(item)) {
			settle_renamed(view, item, lost, count);
		}
	}
	free(lost);
	return 0;
}
