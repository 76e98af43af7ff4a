/* How messages are removed on the server (trash_rules.h). */
#include "trash_rules.h"

#include <stdlib.h>
#include <string.h>

enum removal_way trash_rule(const struct removal_facts *facts)
{
	if (!facts->wants_trash) {
		return REMOVAL_EXPUNGE; /* T1 */
	}
	if (!facts->has_trash) {
		return REMOVAL_REFUSE; /* T2 */
	}
	if (facts->is_trash) {
		return REMOVAL_EXPUNGE; /* T3 */
	}
	return facts->has_move ? REMOVAL_MOVE : REMOVAL_COPY; /* T4, T5 */
}

enum expunge_way expunge_rule(bool has_uid_expunge, const struct uidset *marked,
			      const struct uidset *ours)
{
	struct uidset_cursor cursor = {0};
	uint32_t uid = 0;
	if (has_uid_expunge) {
		return EXPUNGE_UIDS; /* T6 */
	}
	while (uidset_next(marked, &cursor, &uid)) {
		if (!uidset_contains(ours, uid)) {
			return EXPUNGE_HOLD; /* T7 */
		}
	}
	return EXPUNGE_ALL; /* T8 */
}

bool trash_is_void(const struct row *row, bool expunges)
{
	return row == NULL || row->remote != MESSAGE_PRESENT ||
	       (row->local == MESSAGE_PRESENT && !expunges);
}

bool trash_is_open(const struct trash_original *original)
{
	return original->is_known && !original->is_void && !original->is_looked_at;
}

/* In the order of their digests, then of UIDs. */
static int compare_copies(const void *x, const void *y)
{
	const struct pair_candidate *one = x;
	const struct pair_candidate *two = y;
	int order = memcmp(one->digest, two->digest, ROW_DIGEST_SIZE);
	return order != 0 ? order : (one->uid > two->uid) - (one->uid < two->uid);
}

static int compare_originals(const void *x, const void *y)
{
	const struct trash_original *one = x;
	const struct trash_original *two = y;
	int order = memcmp(one->header.digest, two->header.digest, ROW_DIGEST_SIZE);
	order = order != 0 ? order : (one->bound > two->bound) - (one->bound < two->bound);
	return order != 0 ? order : (int)two->is_certain - (int)one->is_certain;
}

/* Takes the next copy of ORIGINAL, from *AT on, behind which the next original goes on. */
static bool take_copy(const struct trash_original *original, const struct pair_candidate *copies,
		      size_t count, size_t *at)
{
	for (; *at < count; (*at)++) {
		const struct pair_candidate *copy = &copies[*at];
		int order = memcmp(copy->digest, original->header.digest, ROW_DIGEST_SIZE);
		if (order > 0 || (order == 0 && copy->uid >= original->bound)) {
			*at += order == 0;
			return order == 0;
		}
	}
	return false;
}

void trash_match(struct trash_original *originals, size_t count, size_t trash,
		 struct pair_candidate *copies, size_t copy_count)
{
	size_t at = 0;
	if (count > 1) {
		qsort(originals, count, sizeof(*originals), compare_originals);
	}
	if (copy_count > 1) {
		qsort(copies, copy_count, sizeof(*copies), compare_copies);
	}
	for (size_t i = 0; i < count; i++) {
		struct trash_original *original = &originals[i];
		if (trash_is_open(original) && original->trash == trash) {
			original->is_looked_at = true;
			original->is_found = take_copy(original, copies, copy_count, &at);
		}
	}
}
