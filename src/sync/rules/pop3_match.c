/* K1 to K5 of pop3_rules.h: rows and messages brought together. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "pop3_rules.h"

/* An item or a row, by key; of one key first the items by number, then the rows by occurrence,
 * those last that were deleted or missing. */
struct entry {
	const char *key;
	uint32_t index;
	uint32_t order;
	bool is_row;
};

static int compare_entries(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int order = strcmp(a->key, b->key);
	if (order != 0 || a->is_row != b->is_row) {
		return order != 0 ? order : a->is_row - b->is_row;
	}
	return a->order < b->order ? -1 : a->order > b->order;
}

static void join(struct pop3_view *view, struct pop3_item *item, uint32_t row_index)
{
	const struct pop3_row *row = &view->rows[row_index];
	bool is_resized = item->size_bytes != 0 && row->size_bytes != 0 &&
			  item->size_bytes != row->size_bytes;
	item->row = row_index;
	view->is_listed[row_index] = true;
	item->is_doubtful = is_resized || row->is_deleted || row->gone_since != 0 ||
			    view->whose == WHOSE_OTHERS;
}

/* Of one key: by equal size, then in order. */
static void join_all(struct pop3_view *view, const struct entry *items, size_t item_count,
		     const struct entry *rows, size_t row_count)
{
	for (int any_size = 0; any_size <= 1; any_size++) {
		for (size_t i = 0; i < item_count; i++) {
			struct pop3_item *item = &view->items[items[i].index];
			for (size_t r = 0; r < row_count && item->row == POP3_NO_ROW; r++) {
				uint32_t row = rows[r].index;
				if (!view->is_listed[row] &&
				    (any_size || view->rows[row].size_bytes == item->size_bytes)) {
					join(view, item, row);
				}
			}
		}
	}
}

static void match_group(struct pop3_view *view, const struct entry *items, size_t item_count,
			const struct entry *rows, size_t row_count)
{
	uint32_t next = 1;
	join_all(view, items, item_count, rows, row_count);
	for (size_t r = 0; r < row_count; r++) {
		uint32_t occurrence = view->rows[rows[r].index].occurrence;
		next = occurrence >= next ? occurrence + 1 : next;
	}
	for (size_t i = 0; i < item_count; i++) {
		struct pop3_item *item = &view->items[items[i].index];
		if (item->row == POP3_NO_ROW) {
			item->occurrence = next++;
		} else if (item_count > 1 || row_count > 1) {
			/* It may be another one that went, and one that came. */
			item->is_doubtful = true;
		}
	}
}

int pop3_match(struct pop3_view *view, struct err *err)
{
	struct entry *entries = calloc(view->count + view->row_count + 1, sizeof(*entries));
	size_t count = 0;
	if (entries == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < view->count; i++) {
		const struct pop3_item *item = &view->items[i];
		if (item->key[0] != '\0') {
			entries[count++] =
				(struct entry){item->key, (uint32_t)i, item->number, false};
		}
	}
	for (size_t r = 0; r < view->row_count; r++) {
		const struct pop3_row *row = &view->rows[r];
		uint32_t last = row->is_deleted || row->gone_since != 0 ? 1u << 31 : 0;
		entries[count++] =
			(struct entry){row->uidl, (uint32_t)r, row->occurrence | last, true};
	}
	qsort(entries, count, sizeof(*entries), compare_entries);
	for (size_t first = 0, rows, end; first < count; first = end) {
		for (rows = end = first;
		     end < count && strcmp(entries[end].key, entries[first].key) == 0; end++) {
			rows += !entries[end].is_row;
		}
		match_group(view, entries + first, rows - first, entries + rows, end - rows);
	}
	free(entries);
	return 0;
}

/* --- K3: rows that are not listed --- */

static const struct pop3_row *row_at(const void *place)
{
	return *(const struct pop3_row *const *)place;
}

static int compare_size(const void *x, const void *y)
{
	uint64_t a = row_at(x)->size_bytes, b = row_at(y)->size_bytes;
	return a < b ? -1 : a > b;
}

static int compare_digest(const void *x, const void *y)
{
	return memcmp(row_at(x)->digest, row_at(y)->digest, ROW_DIGEST_SIZE);
}

static int compare_all(const void *x, const void *y)
{
	int order = compare_digest(x, y);
	order = order != 0 ? order : compare_size(x, y);
	return order != 0 ? order : row_at(x) < row_at(y) ? -1 : row_at(x) > row_at(y);
}

/* Those that have a digest. NULL when out of memory. */
static const struct pop3_row **lost_make(const struct pop3_view *view,
					 int (*compare)(const void *, const void *), size_t *count,
					 struct err *err)
{
	const struct pop3_row **lost = calloc(view->row_count + 1, sizeof(*lost));
	*count = 0;
	if (lost == NULL) {
		err_nomem(err);
		return NULL;
	}
	for (size_t r = 0; r < view->row_count; r++) {
		if (!view->is_listed[r] && view->rows[r].has_digest) {
			lost[(*count)++] = &view->rows[r];
		}
	}
	qsort(lost, *count, sizeof(*lost), compare);
	return lost;
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

int pop3_mark_doubts(struct pop3_view *view, bool all_unknown, struct err *err)
{
	bool are_others = has_other_keys(view);
	size_t count;
	const struct pop3_row **lost = lost_make(view, compare_size, &count, err);
	if (lost == NULL) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		const struct pop3_row *wanted = &(struct pop3_row){.size_bytes = item->size_bytes};
		bool is_new = pop3_is_unknown(item);
		bool is_alike =
			is_new && item->size_bytes > 0 &&
			array_find(lost, count, sizeof(*lost), &wanted, compare_size) != NULL;
		item->wants_header |=
			item->is_doubtful || is_alike || (is_new && (are_others || all_unknown));
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
	const struct pair_candidate *header = pop3_header_of(view, item);
	const struct pop3_row *row = &view->rows[item->row];
	return header != NULL && row->has_digest ? is_same(header, row) : !row->is_deleted;
}

static void settle_renamed(struct pop3_view *view, struct pop3_item *item,
			   const struct pop3_row **lost, size_t count)
{
	const struct pair_candidate *header = &view->headers[item->header];
	struct pop3_row sought = {.size_bytes = item->size_bytes};
	const struct pop3_row *wanted = &sought;
	memcpy(sought.digest, header->digest, ROW_DIGEST_SIZE);
	for (size_t at = array_lower_bound(lost, count, sizeof(*lost), &wanted, compare_digest);
	     at < count && is_same(header, lost[at]); at++) {
		uint32_t row = (uint32_t)(lost[at] - view->rows);
		bool has_its_size =
			item->size_bytes > 0 && lost[at]->size_bytes == item->size_bytes;
		if (!view->is_listed[row] &&
		    (has_its_size || (header->message_id != 0 && item->row == POP3_NO_ROW))) {
			item->row = row;
		}
		if (item->row != POP3_NO_ROW && has_its_size) {
			break;
		}
	}
	if (item->row != POP3_NO_ROW) {
		item->is_renamed = true;
		view->is_listed[item->row] = true;
	}
}

int pop3_settle_doubts(struct pop3_view *view, struct err *err)
{
	size_t count;
	for (size_t i = 0; i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		if (item->is_doubtful && !is_still_row(view, item)) {
			view->is_listed[item->row] = false;
			item->row = POP3_NO_ROW;
			item->occurrence = free_occurrence(view, item);
		}
	}
	const struct pop3_row **lost = lost_make(view, compare_all, &count, err);
	if (lost == NULL) {
		return -ERR_NOMEM;
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
