/* Which messages a run looks at, where it is not to look at all. Shares take turns by the ids of
 * rows, mailbox by mailbox, so that as many runs as there are shares look at each message once. */
#include "verify_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/digest.h"
#include "mailsync/base/hash.h"

#define KEY_SIZE 96

static void key_of(const struct verify *verify, const struct mailbox *mailbox, char key[KEY_SIZE])
{
	snprintf(key, KEY_SIZE, "verify %s %u %" PRId64, verify_level_word(verify->options->level),
		 verify->options->shares, mailbox->base.id);
}

static int begin_random(struct share *share, uint64_t messages, struct err *err)
{
	share->left = messages;
	share->wanted = (messages * share->options->percent + 99) / 100;
	int code = random_bytes((uint8_t *)&share->random, sizeof(share->random), err);
	share->random |= 1;
	return code;
}

int share_begin(struct share *share, struct verify *verify, const struct mailbox *mailbox,
		uint64_t messages, struct err *err)
{
	char key[KEY_SIZE];
	char text[24];
	uint64_t turn = 0;
	*share = (struct share){.options = verify->options};
	if (verify->options->percent > 0) {
		return begin_random(share, messages, err);
	}
	if (verify->options->shares == 0) {
		return 0;
	}
	key_of(verify, mailbox, key);
	int code = state_get(verify->proofs, key, text, sizeof(text), err);
	if (code == 0) {
		span_to_u64(span_of(text), &turn);
		share->turn = (unsigned)(turn % verify->options->shares);
	}
	return code;
}

/* Marsaglia's xorshift64. */
static uint64_t next_random(struct share *share)
{
	share->random ^= share->random << 13;
	share->random ^= share->random >> 7;
	share->random ^= share->random << 17;
	return share->random;
}

static bool is_turn(const struct share *share, uint64_t number)
{
	const struct verify_options *options = share->options;
	uint64_t place =
		(number % options->shares + options->shares - share->turn) % options->shares;
	return place < options->share;
}

static int take_at_random(struct share *share, int64_t row, bool *takes, struct err *err)
{
	struct row_ids *taken = &share->taken;
	*takes = share->left <= share->wanted || next_random(share) % share->left < share->wanted;
	share->left -= share->left > 0;
	if (!*takes) {
		return 0;
	}
	share->wanted -= share->wanted > 0;
	share->is_sorted = false;
	if (ARRAY_RESERVE(&taken->items, taken->count + 1, &taken->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	taken->items[taken->count++] = row;
	return 0;
}

int share_takes(struct share *share, int64_t row, bool *takes, struct err *err)
{
	const struct verify_options *options = share->options;
	if (options->percent > 0) {
		return take_at_random(share, row, takes, err);
	}
	*takes = options->shares == 0 || is_turn(share, (uint64_t)row);
	return 0;
}

bool share_has(struct share *share, int64_t row)
{
	const struct verify_options *options = share->options;
	struct row_ids *taken = &share->taken;
	if (options->percent == 0) {
		return options->shares == 0 || is_turn(share, (uint64_t)row);
	}
	if (!share->is_sorted) {
		row_ids_sort(taken);
		share->is_sorted = true;
	}
	return row_ids_has(taken, row);
}

bool share_takes_name(const struct share *share, const char *unique)
{
	const struct verify_options *options = share->options;
	uint64_t hash = hash_span(span_of(unique));
	if (options->percent > 0) {
		return (hash ^ share->random) % 100 < options->percent;
	}
	return options->shares == 0 || is_turn(share, hash);
}

int share_end(struct share *share, struct verify *verify, const struct mailbox *mailbox,
	      struct err *err)
{
	char key[KEY_SIZE];
	char text[24];
	if (verify->options->shares == 0) {
		return 0;
	}
	key_of(verify, mailbox, key);
	snprintf(text, sizeof(text), "%u",
		 (share->turn + verify->options->share) % verify->options->shares);
	return state_set(verify->proofs, key, text, err);
}

void share_finish(struct share *share)
{
	free(share->taken.items);
	share->taken = (struct row_ids){0};
}
