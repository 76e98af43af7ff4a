/*
 * Invariants:
 * 1. A stamp is taken before the readdir that it vouches for: what changes later changes it.
 * 2. is_still is said only when nothing can have moved under the readdir: stamps equal before and
 *    after, and old enough that a change in between could not bear the same time; else when a
 *    second whole reading found the very same.
 * 3. new is read before cur: files move from new to cur, never back, so none is missed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maildir_dir.h"
#include "maildir_keywords.h"
#include "maildir_name.h"
#include "maildir_private.h"
#include "mailsync/base/array.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/hash.h"
#include "mailsync/base/step.h"

#define SCAN_ATTEMPTS 3
/* Longer than a tick of the clock that file systems with fractions of a second use. */
#define SCAN_SETTLE_NS INT64_C(20000000)

struct gather {
	struct maildir_folder *folder;
	struct maildir_scan *scan;
	size_t entries_cap;
	size_t arena_cap;
	uint64_t letter_flags[MAILDIR_LETTERS];
	bool letter_known[MAILDIR_LETTERS];
	struct keywords *keywords;
	uint32_t borne;       /* letters that files bear */
	uint64_t fingerprint; /* of the set of names, whatever their order */
};

static int gather_room(struct gather *gather, size_t name_size, struct err *err)
{
	struct maildir_scan *scan = gather->scan;
	int code = ARRAY_RESERVE(&scan->entries, scan->count + 1, &gather->entries_cap, err);

	if (code < 0) {
		return code;
	}
	return ARRAY_RESERVE(&scan->arena, scan->arena_size + name_size, &gather->arena_cap, err);
}

static uint64_t letter_flag(struct gather *gather, char letter)
{
	int index = letter - 'a';

	if (!gather->letter_known[index]) {
		gather->letter_known[index] = true;
		gather->letter_flags[index] =
			maildir_table_flag(gather->folder, letter, gather->keywords);
	}
	return gather->letter_flags[index];
}

static uint64_t gather_flags(struct gather *gather, const char *file,
			     const struct maildir_name *name)
{
	const char *letters = file + name->base_len + 3;
	uint64_t flags = 0;

	for (size_t i = 0; i < name->letters_len; i++) {
		flags |= letters[i] >= 'a' && letters[i] <= 'z' ? letter_flag(gather, letters[i])
								: flag_of_letter(letters[i]);
	}
	return flags;
}

/* Of the folder, too; summed up it does not depend on the order of a readdir. */
static uint64_t name_hash(const char *name, size_t len, bool in_new)
{
	uint64_t hash = hash_span((struct span){name, len}) * (in_new ? 3 : 1);

	return hash ^ (hash >> 32);
}

/* A file in the place of a message that can be none. */
static int gather_stray(struct gather *gather, const char *file, struct err *err)
{
	struct maildir_scan *scan = gather->scan;

	return scan->stray_count++ > 0 ? 0 : strlist_add(&scan->stray, span_of(file), err);
}

static int gather_file(struct gather *gather, const char *file, bool in_new, struct err *err)
{
	struct maildir_scan *scan = gather->scan;
	struct maildir_name name;

	maildir_name_parse(file, gather->folder->maildir->info_delimiter, &name);
	if (name.unique_len == 0 || name.unique_len > UINT16_MAX) {
		return gather_stray(gather, file, err);
	}
	int code = gather_room(gather, name.len + 1, err);
	if (code < 0) {
		return code;
	}
	memcpy(scan->arena + scan->arena_size, file, name.len + 1);
	scan->arena_size += name.len + 1;
	scan->entries[scan->count++] = (struct maildir_entry){
		.unique_len = (uint16_t)name.unique_len,
		.in_new = in_new,
		.has_letters = maildir_name_letters(file, &name) >> 26 != 0,
		.tells = maildir_name_tells(&name, in_new),
		.flags = name.is_garbled ? 0 : gather_flags(gather, file, &name),
	};
	gather->borne |= (uint32_t)(maildir_name_letters(file, &name) >> 26);
	gather->fingerprint += name_hash(file, name.len, in_new);
	return 0;
}

static int gather_other(struct gather *gather, const char *file, struct err *err)
{
	struct maildir_name name;

	maildir_name_parse(file, gather->folder->maildir->info_delimiter, &name);
	return strlist_add(&gather->scan->others, (struct span){file, name.unique_len}, err);
}

static int gather_dir(struct gather *gather, enum maildir_dir dir, struct err *err)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *file;

	if (gather->folder->dirs[dir] < 0) {
		return 0;
	}
	STEP_LOOK(gather->folder->dirs[dir]);
	int code = dir_stream_open(&stream, gather->folder->dirs[dir], gather->folder->name, err);
	if (code < 0) {
		return code;
	}
	while ((code = dir_stream_next(&stream, &file, &kind, err)) > 0) {
		if (file[0] == '.') {
			continue;
		}
		code = kind == DIR_KIND_FILE ? gather_file(gather, file, dir == MAILDIR_NEW, err)
					     : gather_other(gather, file, err);
		if (code < 0) {
			break;
		}
	}
	dir_stream_close(&stream);
	return code;
}

static int unique_compare(const struct maildir_entry *entry, struct span unique)
{
	size_t len = entry->unique_len < unique.len ? entry->unique_len : unique.len;
	int order = memcmp(entry->name, unique.data, len);

	return order != 0 ? order
			  : (entry->unique_len > unique.len) - (entry->unique_len < unique.len);
}

static int compare_unique(const void *key, const void *item)
{
	int order = unique_compare(item, *(const struct span *)key);

	return (order < 0) - (order > 0);
}

static int entry_compare(const void *x, const void *y)
{
	const struct maildir_entry *one = x, *other = y;
	int order = unique_compare(one, (struct span){other->name, other->unique_len});

	if (order == 0) { /* the one in cur first, then any order that is the same each time */
		order = one->in_new - other->in_new;
	}
	return order != 0 ? order : strcmp(one->name, other->name);
}

static bool is_same_unique(const struct maildir_entry *one, const struct maildir_entry *other)
{
	return unique_compare(one, (struct span){other->name, other->unique_len}) == 0;
}

/* Each unique part stays once; the others go into `doubles`, in the same order. */
static int split_doubles(struct gather *gather, struct err *err)
{
	struct maildir_scan *scan = gather->scan;
	size_t kept = 0, cap = 0;
	bool is_told = false;
	int code = 0;

	for (size_t i = 0; code == 0 && i < scan->count; i++) {
		const struct maildir_entry *entry = &scan->entries[i];
		if (kept == 0 || !is_same_unique(&scan->entries[kept - 1], entry)) {
			scan->entries[kept++] = *entry;
			continue;
		}
		is_told |= scan->double_count == 0 &&
			   !maildir_tells_first(gather->folder, MAILDIR_TELLS_DOUBLES);
		if (!is_told) {
			log_line(gather->folder->maildir->log, LOG_INFO,
				 "mailbox %s: %s is a second name of %s", gather->folder->name,
				 entry->name, scan->entries[kept - 1].name);
		}
		code = ARRAY_RESERVE(&scan->doubles, scan->double_count + 1, &cap, err);
		if (code == 0) {
			scan->doubles[scan->double_count++] = *entry;
		}
	}
	scan->count = kept;
	return code;
}

/* Gives the entries their names, which lie in the arena one behind the other, and sorts them. */
static int gather_order(struct gather *gather, struct err *err)
{
	struct maildir_scan *scan = gather->scan;
	const char *name = scan->arena;

	for (size_t i = 0; i < scan->count; i++) {
		scan->entries[i].name = name;
		name += strlen(name) + 1;
	}
	array_sort(scan->entries, scan->count, sizeof(*scan->entries), entry_compare);
	return split_doubles(gather, err);
}

/* True when a change after the stamp was taken would bear another time. A time without any
 * fraction may come from a file system that keeps seconds. */
static bool stamp_is_settled(const struct stamp *stamp)
{
	bool has_fraction = false;
	int64_t latest = INT64_MIN;

	for (int i = 0; i < STAMP_DIRS; i++) {
		const struct stamp_dir *dir = &stamp->dirs[i];
		has_fraction = has_fraction || dir->mtime_ns % 1000000000 != 0 ||
			       dir->ctime_ns % 1000000000 != 0;
		latest = dir->mtime_ns > latest ? dir->mtime_ns : latest;
		latest = dir->ctime_ns > latest ? dir->ctime_ns : latest;
	}
	return latest <= stamp->taken_ns - (has_fraction ? SCAN_SETTLE_NS : STAMP_SETTLE_NS);
}

/* One whole reading, stamped before; *IS_EQUAL: the stamp after it was the same. */
static int scan_once(struct gather *gather, bool *is_equal, struct err *err)
{
	struct maildir_scan *scan = gather->scan;
	struct stamp after;

	scan->count = 0;
	scan->arena_size = 0;
	scan->stray_count = 0;
	strlist_finish(&scan->stray);
	strlist_finish(&scan->others);
	gather->fingerprint = 0;
	gather->borne = 0;
	memset(gather->letter_known, 0, sizeof(gather->letter_known));
	int code = maildir_folder_open_parts(gather->folder,
					     err); /* someone may have made one since */
	if (code == 0) {
		code = maildir_folder_stamp(gather->folder, &scan->stamp, err);
	}
	if (code == 0) {
		code = maildir_table_refresh(gather->folder, err);
	}
	if (code == 0) {
		code = gather_dir(gather, MAILDIR_NEW, err);
	}
	if (code == 0) {
		code = gather_dir(gather, MAILDIR_CUR, err);
	}
	if (code == 0) {
		code = maildir_folder_stamp(gather->folder, &after, err);
	}
	if (code == 0) {
		*is_equal = stamp_equal(&scan->stamp, &after);
	}
	return code;
}

static int scan_until_still(struct gather *gather, struct err *err)
{
	uint64_t last = 0;
	size_t last_count = 0;
	int code = 0;

	for (int attempt = 0; attempt < SCAN_ATTEMPTS; attempt++) {
		bool is_equal = false;
		code = scan_once(gather, &is_equal, err);
		if (code < 0) {
			break;
		}
		bool is_same = attempt > 0 && gather->fingerprint == last &&
			       gather->scan->count == last_count;
		if (is_equal && (is_same || stamp_is_settled(&gather->scan->stamp))) {
			gather->scan->is_still = true;
			break;
		}
		last = gather->fingerprint;
		last_count = gather->scan->count;
	}
	return code;
}

int maildir_folder_scan(struct maildir_folder *folder, struct keywords *keywords,
			struct maildir_scan *scan, struct err *err)
{
	struct maildir_scan result = {.count = 0};
	struct gather gather = {.folder = folder, .scan = &result, .keywords = keywords};

	int code = scan_until_still(&gather, err);
	if (code < 0 || (code = gather_order(&gather, err)) < 0) {
		maildir_scan_finish(&result);
		return code;
	}
	strlist_sort(&result.others);
	maildir_folder_know_borne(folder, gather.borne);
	result.lettered = maildir_table_told(folder, keywords);
	result.borne = gather.borne;
	*scan = result;
	return 0;
}

void maildir_scan_finish(struct maildir_scan *scan)
{
	free(scan->entries);
	free(scan->doubles);
	free(scan->arena);
	strlist_finish(&scan->stray);
	strlist_finish(&scan->others);
	memset(scan, 0, sizeof(*scan));
}

const struct maildir_entry *maildir_scan_find(const struct maildir_scan *scan, struct span unique)
{
	return array_find(scan->entries, scan->count, sizeof(*scan->entries), &unique,
			  compare_unique);
}

const struct maildir_entry *maildir_scan_doubles(const struct maildir_scan *scan,
						 struct span unique, size_t *count)
{
	const struct maildir_entry *first = array_find(
		scan->doubles, scan->double_count, sizeof(*scan->doubles), &unique, compare_unique);

	*count = 0;
	if (!first) {
		return NULL;
	}
	while (first > scan->doubles && is_same_unique(first - 1, first)) {
		first--;
	}
	const struct maildir_entry *end = scan->doubles + scan->double_count;
	for (const struct maildir_entry *at = first; at < end && is_same_unique(first, at); at++) {
		*count += 1;
	}
	return first;
}
