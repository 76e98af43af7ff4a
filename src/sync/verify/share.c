/* Which messages a run looks at, where it is not to look at all. Shares take turns by the ids of
 * rows, mailbox by mailbox, so that as many runs as there are shares look at each message once. */
#include "verify_private.h"

#include <inttypes.h>
#include <stdio.h>

#include "mailsync/base/digest.h"

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

bool share_is_of(const struct share *share, int64_t row)
{
	const struct verify_options *options = share->options;
	if (options->shares == 0) {
		return true;
	}
	uint64_t place = ((uint64_t)row + options->shares - share->turn) % options->shares;
	return place < options->share;
}

bool share_takes(struct share *share, int64_t row)
{
	const struct verify_options *options = share->options;
	if (options->percent > 0) {
		bool takes = share->left <= share->wanted ||
			     next_random(share) % share->left < share->wanted;
		share->left -= share->left > 0;
		share->wanted -= takes && share->wanted > 0;
		return takes;
	}
	return share_is_of(share, row);
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
