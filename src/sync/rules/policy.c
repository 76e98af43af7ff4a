/* What the options let a run do (policy.h). */
#include "policy.h"

#include <inttypes.h>
#include <stdio.h>

#include "mailsync/base/digest.h"

#define HASH_BYTES 7 /* 56 bits: fits SQLite's integers, signs aside */

/* P1: the sides that `direction` lets be changed. */
static const enum side directions[] = {
	[DIRECTION_BOTH] = SIDE_BOTH,
	[DIRECTION_PULL] = SIDE_LOCAL,
	[DIRECTION_PUSH] = SIDE_REMOTE,
};

enum side policy_sides(const struct account *account, const struct sync_options *options)
{
	enum side sides = directions[account->direction];
	sides &= options->pull ? ~SIDE_REMOTE : SIDE_BOTH;
	return sides & (options->push ? ~SIDE_LOCAL : SIDE_BOTH);
}

bool policy_is_archive(const struct account *account)
{
	return (account->delete_ & directions[account->direction]) == SIDE_NONE;
}

static int policy_hash(const struct account *account, struct run_policy *policy, struct err *err)
{
	const struct plan_policy *messages = &policy->messages;
	char text[256];
	uint8_t digest[DIGEST_MAX_SIZE];
	int len =
		snprintf(text, sizeof(text), "%u %u %u %u %" PRIu64 " %" PRId64 " %u %d %s",
			 messages->copy, messages->flags, messages->delete_, messages->expunge,
			 messages->max_size_bytes, account->max_age_s, account->max_delete_percent,
			 account->keywords, account->trash == NULL ? "" : account->trash);
	if (len > (int)sizeof(text) - 1) {
		len = (int)sizeof(text) - 1;
	}
	int code = digest_of(DIGEST_SHA256, (struct span){text, (size_t)len}, digest, err);
	for (size_t i = 0; code == 0 && i < HASH_BYTES; i++) {
		policy->hash = policy->hash << 8 | digest[i];
	}
	policy->hash |= 1; /* 0 means "look again" */
	return code;
}

int policy_make(const struct account *account, const struct sync_options *options, int64_t now,
		struct run_policy *policy, struct err *err)
{
	const enum side ever = directions[account->direction];
	const enum side sides = policy_sides(account, options);
	*policy = (struct run_policy){
		.messages =
			{
				.copy = account->copy & sides,
				.flags = account->flags & sides,
				.delete_ = account->delete_ & sides,
				.expunge = account->expunge & sides,
				.max_size_bytes = account->max_message_size,
				.oldest = account->max_age_s == 0 ? INT64_MIN
								  : now - account->max_age_s,
			},
		.mailboxes =
			{
				.create = account->create & sides,
				.create_ever = account->create & ever,
				.remove = account->remove_mailboxes & sides,
				.remove_ever = account->remove_mailboxes & ever,
				.copy = account->copy & sides,
				.brings_back = options->bring_back,
			},
		.may_write_remote = !options->dry_run && (sides & SIDE_REMOTE) != 0,
		.may_write_local = !options->dry_run && (sides & SIDE_LOCAL) != 0,
		.releases_held = !options->bring_back && brake_is_off(options->allow_mass_delete,
								      account->max_delete_percent),
		.is_archive = options->restore != NULL ? options->restore->is_archive
						       : policy_is_archive(account),
		.now = now,
	};
	return policy_hash(account, policy, err);
}
