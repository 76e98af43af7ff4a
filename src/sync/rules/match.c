/* The matching: W1 to W5. */
#include "match.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

void pair_identify(struct pair_candidate *candidate, const struct header_identity *identity)
{
	memcpy(candidate->digest, identity->digest, ROW_DIGEST_SIZE);
	memcpy(candidate->header, identity->digest, ROW_DIGEST_SIZE);
	candidate->message_id = identity_id_hash(identity);
	candidate->header_date = identity->has_date ? identity->date : INT64_MIN;
	candidate->size.number = identity_own_size(identity, candidate->size.number);
	candidate->has_identity = true;
}

bool pair_is_nameless(const struct pair_candidate *candidate)
{
	return candidate->message_id == 0 && candidate->header_date == INT64_MIN;
}

/* Of some unknown files and messages, or of those of one key, which are in tie order. */
struct both {
	struct pair_candidate *locals;
	size_t local_count;
	struct pair_candidate *remotes;
	size_t remote_count;
};

static int compare_key(const struct pair_candidate *one, const struct pair_candidate *two,
		       bool by_id)
{
	if (!by_id) {
		return memcmp(one->digest, two->digest, ROW_DIGEST_SIZE);
	}
	if (one->message_id != two->message_id) {
		return one->message_id < two->message_id ? -1 : 1;
	}
	return (one->header_date > two->header_date) - (one->header_date < two->header_date);
}

/* What was not told stands first. */
static int64_t date_key(const struct pair_candidate *candidate)
{
	return told_time_or(candidate->date, INT64_MIN);
}

static int compare_all(const struct pair_candidate *one, const struct pair_candidate *two,
		       bool by_id)
{
	int order = compare_key(one, two, by_id);
	if (order != 0) {
		return order;
	}
	int64_t dates[] = {date_key(one), date_key(two)};
	if (dates[0] != dates[1]) {
		return dates[0] < dates[1] ? -1 : 1;
	}
	if (one->size.number != two->size.number) {
		return one->size.number < two->size.number ? -1 : 1;
	}
	return (one->index > two->index) - (one->index < two->index);
}

static int compare_digest(const void *x, const void *y)
{
	return compare_all(x, y, false);
}

static int compare_id(const void *x, const void *y)
{
	return compare_all(x, y, true);
}

static int compare_uid(const void *x, const void *y)
{
	const struct pair_candidate *one = x;
	const struct pair_candidate *two = y;
	return (one->uid > two->uid) - (one->uid < two->uid);
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

/* W1 */
static bool is_as_proposed(const struct pair_candidate *local, const struct pair_candidate *remote)
{
	if (local->message_id != 0 && compare_key(local, remote, true) == 0) {
		return true;
	}
	return compare_key(local, remote, false) == 0 &&
	       (!is_weak(local) || told_equal(local->size, remote->size));
}

static size_t match_proposals(const struct both *all)
{
	size_t joined = 0;
	array_sort(all->remotes, all->remote_count, sizeof(*all->remotes), compare_uid);
	for (size_t i = 0; i < all->local_count; i++) {
		struct pair_candidate *local = &all->locals[i];
		struct pair_candidate *remote =
			local->uid == 0 ? NULL
					: array_find(all->remotes, all->remote_count,
						     sizeof(*all->remotes), local, compare_uid);
		if (remote != NULL && may_join(local, remote) && is_as_proposed(local, remote)) {
			join(local, remote);
			joined++;
		}
	}
	return joined;
}

static void join_equal_dates(const struct both *run)
{
	const struct pair_candidate *end = run->remotes + run->remote_count;
	struct pair_candidate *first = run->remotes;
	bool with_size = is_weak(run->locals); /* dates alone prove nothing then */
	for (struct pair_candidate *local = run->locals; local < run->locals + run->local_count;
	     local++) {
		while (first < end && (first->is_taken || date_key(first) < date_key(local))) {
			first++;
		}
		for (struct pair_candidate *remote = first;
		     remote < end && told_time_equal(remote->date, local->date) && !local->is_taken;
		     remote++) {
			if (may_join(local, remote) &&
			    (!with_size || told_equal(local->size, remote->size))) {
				join(local, remote);
			}
		}
	}
}

/* Equal dates first, then what is left in order. */
static void join_run(const struct both *run)
{
	size_t first = 0;
	join_equal_dates(run);
	for (size_t i = 0; i < run->local_count && !is_weak(&run->locals[0]); i++) {
		struct pair_candidate *local = &run->locals[i];
		while (first < run->remote_count && run->remotes[first].is_taken) {
			first++;
		}
		for (size_t k = first; k < run->remote_count && !local->is_taken; k++) {
			if (may_join(local, &run->remotes[k])) {
				join(local, &run->remotes[k]);
			}
		}
	}
}

/* More files than messages of one Message-ID, and some do match: which of them was it? */
static void mark_left_over(const struct both *run)
{
	size_t joined = 0;
	for (size_t i = 0; i < run->local_count; i++) {
		joined += run->locals[i].is_taken;
	}
	for (size_t i = 0; i < run->local_count; i++) {
		run->locals[i].is_ambiguous =
			joined == run->remote_count && !run->locals[i].is_taken;
	}
}

static size_t run_length(const struct pair_candidate *items, size_t count, bool by_id)
{
	size_t length = 1;
	while (length < count && compare_key(&items[0], &items[length], by_id) == 0) {
		length++;
	}
	return length;
}

/* Walks both, which are sorted, and joins runs of equal keys. */
static void match_runs(const struct both *all, bool by_id)
{
	size_t l = 0;
	size_t r = 0;
	while (l < all->local_count && r < all->remote_count) {
		struct both run = {.locals = all->locals + l, .remotes = all->remotes + r};
		int order = compare_key(run.locals, run.remotes, by_id);
		if (order != 0) {
			l += order < 0;
			r += order > 0;
			continue;
		}
		run.local_count = run_length(run.locals, all->local_count - l, by_id);
		run.remote_count = run_length(run.remotes, all->remote_count - r, by_id);
		l += run.local_count;
		r += run.remote_count;
		if (!by_id) {
			join_run(&run);
		} else if (run.locals->message_id != 0) {
			join_run(&run);
			mark_left_over(&run);
		}
	}
}

/* W4 */
static void match_sent(const struct both *open)
{
	for (size_t i = 0; i < open->local_count; i++) {
		struct pair_candidate *local = &open->locals[i];
		for (size_t k = 0; local->was_sent && !local->is_taken && k < open->remote_count;
		     k++) {
			if (may_join(local, &open->remotes[k]) &&
			    told_time_equal(local->date, open->remotes[k].date)) {
				join(local, &open->remotes[k]);
				local->is_ambiguous = false;
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

/* W2, W3 */
static void match_keys(struct both *open, bool by_id)
{
	int (*compare)(const void *, const void *) = by_id ? compare_id : compare_digest;
	open->local_count = keep_open(open->locals, open->local_count);
	open->remote_count = keep_open(open->remotes, open->remote_count);
	array_sort(open->locals, open->local_count, sizeof(*open->locals), compare);
	array_sort(open->remotes, open->remote_count, sizeof(*open->remotes), compare);
	match_runs(open, by_id);
}

void pair_match(struct pair_candidate *locals, size_t local_count, struct pair_candidate *remotes,
		size_t remote_count)
{
	struct both open = {locals, local_count, remotes, remote_count};
	if (local_count == 0 || remote_count == 0) {
		return;
	}
	(void)match_proposals(&open);
	match_keys(&open, false);
	match_keys(&open, true);
	match_sent(&open);
}

size_t pair_match_proposed(struct pair_candidate *locals, size_t local_count,
			   struct pair_candidate *remotes, size_t remote_count)
{
	const struct both all = {locals, local_count, remotes, remote_count};
	return match_proposals(&all);
}
