/* K1 to K5 and K14 to K16 of pop3_rules.h: rows and messages brought together. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "pop3_rules.h"

#define EMPTY_LINE_BYTES 2

/* An item or a row, by key; of one key first the items by number, then the rows by occurrence,
 * those last that were deleted or missing. */
struct entry {
	const char *key;
	uint32_t index;
	uint32_t order;
	struct told size;
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
	bool is_resized =
		item->size.is_told && row->size.is_told && !told_equal(item->size, row->size);
	item->row = row_index;
	view->is_listed[row_index] = true;
	item->is_doubtful = is_resized || row->is_deleted || row->gone_since != 0 ||
			    view->whose == WHOSE_OTHERS;
}

/* What has one key: the rows stand behind the items. */
struct group {
	const struct entry *items, *rows;
	size_t item_count, row_count;
};

static int compare_sizes(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	if (a->size.number != b->size.number) {
		return a->size.number < b->size.number ? -1 : 1;
	}
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Both are sorted by size, and of one size in order. */
static void join_equal_sizes(struct pop3_view *view, const struct group *group)
{
	for (size_t i = 0, r = 0; i < group->item_count && r < group->row_count;) {
		const struct entry *item = &group->items[i], *row = &group->rows[r];
		if (told_equal(item->size, row->size)) {
			join(view, &view->items[item->index], row->index);
		}
		i += item->size.number <= row->size.number;
		r += item->size.number >= row->size.number;
	}
}

static void join_in_order(struct pop3_view *view, const struct group *group)
{
	for (size_t i = 0, r = 0; i < group->item_count; i++) {
		struct pop3_item *item = &view->items[group->items[i].index];
		while (r < group->row_count && view->is_listed[group->rows[r].index]) {
			r++;
		}
		if (item->row == POP3_NO_ROW && r < group->row_count) {
			join(view, item, group->rows[r].index);
		}
	}
}

/* By equal size, then in order. SPARE has room for all. */
static void join_all(struct pop3_view *view, const struct group *group, struct entry *spare)
{
	struct group by_size = *group;
	memcpy(spare, group->items, (group->item_count + group->row_count) * sizeof(*spare));
	qsort(spare, group->item_count, sizeof(*spare), compare_sizes);
	qsort(spare + group->item_count, group->row_count, sizeof(*spare), compare_sizes);
	by_size.items = spare;
	by_size.rows = spare + group->item_count;
	join_equal_sizes(view, &by_size);
	join_in_order(view, group);
}

static void match_group(struct pop3_view *view, const struct group *group, struct entry *spare)
{
	uint32_t next = 1;
	join_all(view, group, spare);
	for (size_t r = 0; r < group->row_count; r++) {
		uint32_t occurrence = view->rows[group->rows[r].index].occurrence;
		next = occurrence >= next ? occurrence + 1 : next;
	}
	for (size_t i = 0; i < group->item_count; i++) {
		struct pop3_item *item = &view->items[group->items[i].index];
		if (item->row == POP3_NO_ROW) {
			item->occurrence = next++;
		} else if (group->item_count > 1 || group->row_count > 1) {
			/* It may be another one that went, and one that came. */
			item->is_doubtful = true;
		}
	}
}

/* All that has a key. */
static size_t gather_entries(const struct pop3_view *view, struct entry *entries)
{
	size_t count = 0;
	for (size_t i = 0; i < view->count; i++) {
		const struct pop3_item *item = &view->items[i];
		if (item->key[0] != '\0') {
			entries[count++] = (struct entry){item->key, (uint32_t)i, item->number,
							  item->size, false};
		}
	}
	for (size_t r = 0; r < view->row_count; r++) {
		const struct pop3_row *row = &view->rows[r];
		uint32_t last = row->is_deleted || row->gone_since != 0 ? 1u << 31 : 0;
		entries[count++] = (struct entry){row->uidl, (uint32_t)r, row->occurrence | last,
						  row->size, true};
	}
	return count;
}

int pop3_match(struct pop3_view *view, struct err *err)
{
	size_t room = view->count + view->row_count + 1;
	struct entry *entries = calloc(2 * room, sizeof(*entries));
	if (entries == NULL) {
		return err_nomem(err);
	}
	size_t count = gather_entries(view, entries);
	qsort(entries, count, sizeof(*entries), compare_entries);
	for (size_t first = 0, rows, end; first < count; first = end) {
		for (rows = end = first;
		     end < count && strcmp(entries[end].key, entries[first].key) == 0; end++) {
			rows += !entries[end].is_row;
		}
		struct group group = {entries + first, entries + rows, rows - first, end - rows};
		match_group(view, &group, entries + room);
	}
	free(entries);
	return 0;
}

/* --- K3: rows that are not listed --- */

static const struct pop3_row *row_at(const void *place)
{
	return *(const struct pop3_row *const *)place;
}

/* Those of an untold size come first. */
static int compare_size(const void *x, const void *y)
{
	struct told a = row_at(x)->size, b = row_at(y)->size;
	if (a.is_told != b.is_told) {
		return a.is_told ? 1 : -1;
	}
	return a.number < b.number ? -1 : a.number > b.number;
}

static int compare_digest(const void *x, const void *y)
{
	return memcmp(row_at(x)->digest, row_at(y)->digest, ROW_DIGEST_SIZE);
}

static int compare_digest_and_size(const void *x, const void *y)
{
	int order = compare_digest(x, y);
	return order != 0 ? order : compare_size(x, y);
}

static int compare_all(const void *x, const void *y)
{
	int order = compare_digest_and_size(x, y);
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

/* Whether a row of LOST may have the size of ITEM: what was not told may be any. */
static bool is_alike(const struct pop3_item *item, const struct pop3_row *const *lost, size_t count)
{
	const struct pop3_row *wanted = &(struct pop3_row){.size = item->size};
	if (count == 0 || !item->size.is_told || !lost[0]->size.is_told) {
		return count > 0;
	}
	return array_find(lost, count, sizeof(*lost), &wanted, compare_size) != NULL;
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
		bool is_new = pop3_is_unknown(item);
		item->wants_header |=
			item->is_doubtful ||
			(is_new && (are_others || all_unknown || is_alike(item, lost, count)));
	}
	free(lost);
	return 0;
}

static bool is_same(const struct pair_candidate *header, const struct pop3_row *row)
{
	return row->has_digest && memcmp(header->digest, row->digest, ROW_DIGEST_SIZE) == 0;
}

/* The numbers that a key's messages have, where more are to be given. */
struct numbering {
	const char *key;
	uint32_t last;
};

static int compare_numbering(const void *x, const void *y)
{
	return strcmp(((const struct numbering *)x)->key, ((const struct numbering *)y)->key);
}

/* Of all keys, each once. NULL when out of memory. */
static struct numbering *numberings_make(const struct pop3_view *view, size_t *count,
					 struct err *err)
{
	struct numbering *made = calloc(view->row_count + view->count + 1, sizeof(*made));
	size_t found = 0, kept = 0;
	if (made == NULL) {
		err_nomem(err);
		return NULL;
	}
	for (size_t r = 0; r < view->row_count; r++) {
		made[found++] = (struct numbering){view->rows[r].uidl, view->rows[r].occurrence};
	}
	for (size_t i = 0; i < view->count; i++) {
		made[found++] = (struct numbering){view->items[i].key, view->items[i].occurrence};
	}
	qsort(made, found, sizeof(*made), compare_numbering);
	for (size_t i = 0; i < found; i++) {
		if (kept > 0 && strcmp(made[kept - 1].key, made[i].key) == 0) {
			uint32_t last = made[kept - 1].last;
			made[kept - 1].last = made[i].last > last ? made[i].last : last;
		} else {
			made[kept++] = made[i];
		}
	}
	*count = kept;
	return made;
}

/* K18, of a HEADER that is the row's */
static bool needs_content(const struct pop3_view *view, const struct pop3_item *item,
			  const struct pair_candidate *header, const struct pop3_row *row)
{
	bool was_there = strcmp(row->uidl, item->key) == 0 && !row->is_deleted &&
			 row->gone_since == 0 && view->whose != WHOSE_OTHERS;
	return !was_there && header->message_id == 0 && row->unique[0] != '\0';
}

/* A row without a digest can only be told by its key and size: a key that was given away once
 * (deleted by us) is then not trusted. */
static bool is_still_row(const struct pop3_view *view, struct pop3_item *item)
{
	const struct pair_candidate *header = pop3_header_of(view, item);
	const struct pop3_row *row = &view->rows[item->row];
	if (header == NULL || !row->has_digest) {
		return !row->is_deleted;
	}
	bool is_it = is_same(header, row);
	item->wants_content = is_it && needs_content(view, item, header, row);
	return is_it && !item->wants_content;
}

/* Rows that are not listed, by digest and size, and for each place the next one that is still to be
 * had: of many that are alike, each is looked at once. */
struct lost {
	const struct pop3_row **rows;
	uint32_t *free_at; /* one more than rows; its own place where the row is free */
	size_t count;
};

static int lost_init(struct lost *lost, const struct pop3_view *view, struct err *err)
{
	if ((lost->rows = lost_make(view, compare_all, &lost->count, err)) == NULL) {
		return -ERR_NOMEM;
	}
	if ((lost->free_at = calloc(lost->count + 1, sizeof(*lost->free_at))) == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i <= lost->count; i++) {
		lost->free_at[i] = (uint32_t)i;
	}
	return 0;
}

static void lost_finish(struct lost *lost)
{
	free(lost->rows);
	free(lost->free_at);
}

/* The first free place from AT on, or `count`. */
static size_t lost_free_from(struct lost *lost, size_t at)
{
	size_t found = at;
	while (lost->free_at[found] != found) {
		found = lost->free_at[found];
	}
	while (lost->free_at[at] != found) {
		size_t next = lost->free_at[at];
		lost->free_at[at] = (uint32_t)found;
		at = next;
	}
	return found;
}

/* The first free place from that of SOUGHT on, in the order of COMPARE, that has HEADER's digest;
 * or `count`. */
static size_t lost_find(struct lost *lost, const struct pop3_row *sought,
			const struct pair_candidate *header,
			int (*compare)(const void *, const void *))
{
	size_t at =
		array_lower_bound(lost->rows, lost->count, sizeof(*lost->rows), &sought, compare);
	at = lost_free_from(lost, at);
	return at < lost->count && is_same(header, lost->rows[at]) ? at : lost->count;
}

static void settle_renamed(struct pop3_view *view, struct pop3_item *item, struct lost *lost,
			   bool of_its_size)
{
	const struct pair_candidate *header = &view->headers[item->header];
	struct pop3_row sought = {.size = item->size};
	memcpy(sought.digest, header->digest, ROW_DIGEST_SIZE);
	size_t at = lost_find(lost, &sought, header,
			      of_its_size ? compare_digest_and_size : compare_digest);
	if (at == lost->count || (of_its_size ? !told_equal(lost->rows[at]->size, item->size)
					      : header->message_id == 0)) {
		return;
	}
	if (needs_content(view, item, header, lost->rows[at])) {
		item->wants_content = true;
		return;
	}
	lost->free_at[at] = (uint32_t)at + 1;
	item->row = (uint32_t)(lost->rows[at] - view->rows);
	item->is_renamed = true;
	view->is_listed[item->row] = true;
}

/* Those of an equal size first, so that none of another size takes their row. */
static void settle_all_renamed(struct pop3_view *view, struct lost *lost)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < view->count; i++) {
			struct pop3_item *item = &view->items[i];
			if (item->header != POP3_NO_ROW && pop3_is_unknown(item)) {
				settle_renamed(view, item, lost, pass == 0);
			}
		}
	}
}

/* K15 */
static void wait_for_headers(struct pop3_view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		bool is_open = item->row == POP3_NO_ROW ? pop3_is_unknown(item) : item->is_doubtful;
		item->waits = item->wants_header && item->header == POP3_NO_ROW && is_open;
	}
}

/* Those that are not the rows that they were taken for are of none. */
static int release(struct pop3_view *view, struct err *err)
{
	struct numbering *numberings = NULL;
	size_t count = 0;
	for (size_t i = 0; i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		if (!item->is_doubtful || item->waits || is_still_row(view, item)) {
			continue;
		}
		if (numberings == NULL &&
		    (numberings = numberings_make(view, &count, err)) == NULL) {
			return -ERR_NOMEM;
		}
		struct numbering sought = {.key = item->key};
		struct numbering *numbering = array_find(numberings, count, sizeof(*numberings),
							 &sought, compare_numbering);
		view->is_listed[item->row] = false;
		item->row = POP3_NO_ROW;
		item->occurrence = ++numbering->last;
	}
	free(numberings);
	return 0;
}

static bool is_header_key(const char *key)
{
	return strncmp(key, POP3_HEADER_KEY, strlen(POP3_HEADER_KEY)) == 0;
}

/* K16 */
static int wait_for_keys(struct pop3_view *view, struct err *err)
{
	const struct pop3_row **blank = calloc(view->row_count + 1, sizeof(*blank));
	size_t count = 0;
	if (blank == NULL) {
		return err_nomem(err);
	}
	for (size_t r = 0; r < view->row_count; r++) {
		const struct pop3_row *row = &view->rows[r];
		if (!view->is_listed[r] && !row->has_digest && !is_header_key(row->uidl)) {
			blank[count++] = row;
		}
	}
	qsort(blank, count, sizeof(*blank), compare_size);
	for (size_t i = 0; i < view->count && count > 0; i++) {
		struct pop3_item *item = &view->items[i];
		const struct pop3_row *wanted = &(struct pop3_row){.size = item->size};
		item->waits |=
			pop3_is_unknown(item) && is_header_key(item->key) && item->size.is_told &&
			array_find(blank, count, sizeof(*blank), &wanted, compare_size) != NULL;
	}
	free(blank);
	return 0;
}

int pop3_settle_doubts(struct pop3_view *view, struct err *err)
{
	struct lost lost = {0};
	int code;
	wait_for_headers(view);
	if ((code = release(view, err)) < 0 || (code = lost_init(&lost, view, err)) < 0) {
		goto finish;
	}
	settle_all_renamed(view, &lost);
	code = wait_for_keys(view, err);
finish:
	lost_finish(&lost);
	return code;
}

uint32_t pop3_row_of_content(const struct pop3_view *view, const uint8_t *content)
{
	for (size_t r = 0; r < view->row_count; r++) {
		const struct pop3_row *row = &view->rows[r];
		if (!view->is_listed[r] && row->has_content &&
		    memcmp(row->content, content, ROW_CONTENT_SIZE) == 0) {
			return (uint32_t)r;
		}
	}
	return POP3_NO_ROW;
}

bool pop3_header_is_told(const struct pop3_header_facts *facts)
{
	struct told listed = facts->listed;
	bool is_whole = facts->is_all && facts->came_bytes > 0 && listed.is_told &&
			(listed.number <= facts->came_bytes ||
			 listed.number - facts->came_bytes <= facts->slack_bytes);
	return is_whole || (facts->is_complete && facts->came_bytes > EMPTY_LINE_BYTES);
}
