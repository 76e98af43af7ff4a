/* The matching: W1 to W5. */
#include "match.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/digest.h"

static uint64_t id_hash(const struct header_identity *identity)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	struct err ignored;
	uint64_t hash = 0;
	if (!identity->has_message_id ||
	    digest_of(DIGEST_SHA256, span_of(identity->message_id), digest, &ignored) < 0) {
		return 0;
	}
	for (int i = 0; i < 8; i++) {
		hash = hash << 8 | digest[i];
	}
	return hash == 0 ? 1 : hash;
}

uint64_t pair_own_size(uint64_t size, const struct header_identity *identity)
{
	return size > identity->left_out_bytes ? size - identity->left_out_bytes : 0;
}

void pair_identify(struct pair_candidate *candidate, const struct header_identity *identity)
{
	memcpy(candidate->digest, identity->digest, ROW_DIGEST_SIZE);
	candidate->message_id = id_hash(identity);
	candidate->header_date = identity->has_date ? identity->date : INT64_MIN;
	candidate->size = pair_own_size(candidate->size, identity);
	candidate->has_identity = true;
}

bool pair_is_nameless(const struct pair_candidate *candidate)
{
	return candidate->message_id == 0 && candidate->header_date == INT64_MIN;
}

static int compare_u64(uint64_t x, uint64_t y)
{
	return x < y ? -1 : x > y;
}

static int compare_i64(int64_t x, int64_t y)
{
	return x < y ? -1 : x > y;
}

static int compare_key_digest(const struct pair_candidate *one, const struct pair_candidate *two)
{
	return memcmp(one->digest, two->digest, ROW_DIGEST_SIZE);
}

static int compare_key_id(const struct pair_candidate *one, const struct pair_candidate *two)
{
	int order = compare_u64(one->message_id, two->message_id);
	return order != 0 ? order : compare_i64(one->header_date, two->header_date);
}

static int compare_tie(const struct pair_candidate *one, const struct pair_candidate *two)
{
	int order = compare_i64(one->date, two->date);
	if (order == 0) {
		order = compare_u64(one->size, two->size);
	}
	return order != 0 ? order : compare_i64(one->index, two->index);
}

static int compare_digest(const void *x, const void *y)
{
	int order = compare_key_digest(x, y);
	return order != 0 ? order : compare_tie(x, y);
}

static int compare_id(const void *x, const void *y)
{
	int order = compare_key_id(x, y);
	return order != 0 ? order : compare_tie(x, y);
}

static int compare_uid(const void *x, const void *y)
{
	const struct pair_candidate *one = x;
	const struct pair_candidate *two = y;
	return compare_u64(one->uid, two->uid);
}

static bool is_weak(const struct pair_candidate *candidate)
{
	return pair_is_nameless(candidate) && !candidate->has_content;
}

static bool may_join(const struct pair_candidate *local, const struct pair_candidate *remote)
{
	return !local->is_taken && !remote->is_taken && remote->uid >= local->bound;
}

static void join(struct pair_candidate *local, struct pair_candidate *remote)
{
	local->is_taken = true;
	remote->is_taken = true;
	local->partner = remote->index;
}

static bool same_id(const struct pair_candidate *one, const struct pair_candidate *two)
{
	return one->message_id != 0 && one->message_id == two->message_id &&
	       one->header_date == two->header_date;
}

static void match_proposals(struct pair_candidate *locals, size_t local_count,
			    struct pair_candidate *remotes, size_t remote_count)
{
	qsort(remotes, remote_count, sizeof(*remotes), compare_uid);
	for (size_t i = 0; i < local_count; i++) {
		struct pair_candidate *local = &locals[i];
		if (local->uid == 0) {
			continue;
		}
		struct pair_candidate *remote =
			array_find(remotes, remote_count, sizeof(*remotes), local, compare_uid);
		if (remote == NULL || !may_join(local, remote)) {
			continue;
		}
		if (same_id(local, remote) || (compare_key_digest(local, remote) == 0 &&
					       (!is_weak(local) || local->size == remote->size))) {
			join(local, remote);
		}
	}
}

/* The first remote from FIRST on that has LOCAL's date (and size, where DATES alone prove
 * nothing). */
static struct pair_candidate *equal_in_tie(const struct pair_candidate *local, bool with_size,
					   struct pair_candidate *first,
					   const struct pair_candidate *end)
{
	for (; first < end && first->date <= local->date; first++) {
		if (first->date == local->date && may_join(local, first) &&
		    (!with_size || first->size == local->size)) {
			return first;
		}
	}
	return NULL;
}

/* Joins those of equal date within two runs. Both are in tie order. */
static void join_equal_dates(struct pair_candidate *locals, size_t local_count,
			     struct pair_candidate *remotes, size_t remote_count)
{
	struct pair_candidate *first = remotes;
	const struct pair_candidate *end = remotes + remote_count;
	bool with_size = local_count > 0 && is_weak(&locals[0]);
	for (size_t i = 0; i < local_count; i++) {
		while (first < end && (first->is_taken || first->date < locals[i].date)) {
			first++;
		}
		struct pair_candidate *remote = equal_in_tie(&locals[i], with_size, first, end);
		if (remote != NULL) {
			join(&locals[i], remote);
		}
	}
}

/* Joins within two runs of equal key: equal dates first, then what is left in order. */
static void join_runs(struct pair_candidate *locals, size_t local_count,
		      struct pair_candidate *remotes, size_t remote_count)
{
	size_t first = 0;
	join_equal_dates(locals, local_count, remotes, remote_count);
	if (is_weak(&locals[0])) {
		return;
	}
	for (size_t i = 0; i < local_count; i++) {
		while (first < remote_count && remotes[first].is_taken) {
			first++;
		}
		for (size_t k = first; k < remote_count && !locals[i].is_taken; k++) {
			if (may_join(&locals[i], &remotes[k])) {
				join(&locals[i], &remotes[k]);
			}
		}
	}
}

static void mark_left_over(struct pair_candidate *locals, size_t local_count,
			   const struct pair_candidate *remotes, size_t remote_count)
{
	size_t open_remotes = 0;
	size_t joined = 0;
	for (size_t k = 0; k < remote_count; k++) {
		open_remotes += !remotes[k].is_taken;
	}
	for (size_t i = 0; i < local_count; i++) {
		joined += locals[i].is_taken;
	}
	for (size_t i = 0; i < local_count; i++) {
		/* More files than messages of one Message-ID, and some do match: which of them was
		 * it? */
		locals[i].is_ambiguous = !locals[i].is_taken && joined > 0 && open_remotes == 0;
	}
}

static int compare_key(const struct pair_candidate *one, const struct pair_candidate *two,
		       bool by_id)
{
	return by_id ? compare_key_id(one, two) : compare_key_digest(one, two);
}

static size_t run_length(const struct pair_candidate *items, size_t count, bool by_id)
{
	size_t length = 1;
	while (length < count && compare_key(&items[0], &items[length], by_id) == 0) {
		length++;
	}
	return length;
}

/* Walks two sorted arrays and joins runs of equal keys. */
static void match_runs(struct pair_candidate *locals, size_t local_count,
		       struct pair_candidate *remotes, size_t remote_count, bool by_id)
{
	size_t l = 0;
	size_t r = 0;
	while (l < local_count && r < remote_count) {
		int order = compare_key(&locals[l], &remotes[r], by_id);
		if (order < 0) {
			l += run_length(locals + l, local_count - l, by_id);
			continue;
		}
		if (order > 0) {
			r += run_length(remotes + r, remote_count - r, by_id);
			continue;
		}
		size_t locals_run = run_length(locals + l, local_count - l, by_id);
		size_t remotes_run = run_length(remotes + r, remote_count - r, by_id);
		if (!by_id || locals[l].message_id != 0) {
			join_runs(locals + l, locals_run, remotes + r, remotes_run);
		}
		if (by_id && locals[l].message_id != 0) {
			mark_left_over(locals + l, locals_run, remotes + r, remotes_run);
		}
		l += locals_run;
		r += remotes_run;
	}
}

static void match_sent(struct pair_candidate *locals, size_t local_count,
		       struct pair_candidate *remotes, size_t remote_count)
{
	for (size_t i = 0; i < local_count; i++) {
		for (size_t k = 0; locals[i].was_sent && !locals[i].is_taken && k < remote_count;
		     k++) {
			if (may_join(&locals[i], &remotes[k]) &&
			    locals[i].date == remotes[k].date) {
				join(&locals[i], &remotes[k]);
				locals[i].is_ambiguous = false;
			}
		}
	}
}

/* Those not yet taken, to the front; their number. */
static size_t keep_open(struct pair_candidate *items, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (!items[i].is_taken) {
			struct pair_candidate swapped = items[kept];
			items[kept++] = items[i];
			items[i] = swapped;
		}
	}
	return kept;
}

void pair_match(struct pair_candidate *locals, size_t local_count, struct pair_candidate *remotes,
		size_t remote_count)
{
	if (local_count == 0 || remote_count == 0) {
		return; /* qsort takes no NULL, not even of nothing */
	}
	match_proposals(locals, local_count, remotes, remote_count);
	size_t open_locals = keep_open(locals, local_count);
	size_t open_remotes = keep_open(remotes, remote_count);
	qsort(locals, open_locals, sizeof(*locals), compare_digest);
	qsort(remotes, open_remotes, sizeof(*remotes), compare_digest);
	match_runs(locals, open_locals, remotes, open_remotes, false);
	open_locals = keep_open(locals, open_locals);
	open_remotes = keep_open(remotes, open_remotes);
	qsort(locals, open_locals, sizeof(*locals), compare_id);
	qsort(remotes, open_remotes, sizeof(*remotes), compare_id);
	match_runs(locals, open_locals, remotes, open_remotes, true);
	match_sent(locals, open_locals, remotes, open_remotes);
}
