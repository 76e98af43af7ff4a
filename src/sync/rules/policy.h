/*
 * The policy in force: the configuration's keys as this run may apply them. Pure.
 *
 *   P1 `direction` caps all keys that name sides: pull changes nothing on the server, push nothing
 *      in the Maildir
 *   P2 so do --pull and --push, for one run
 *   P3 max_age counts back from now
 *   P4 the policy has a hash over all that decides which rows are left alone: under another one
 *      they are planned again
 *   P5 a dry run may write on neither side, whatever it plans
 *   P6 an archive is what the keys alone make one, not --pull, --push or a restore: there a file
 *      that is gone was lost
 */
#ifndef SYNC_RULES_POLICY_H
#define SYNC_RULES_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/sync/sync.h"

#include "mailbox_rules.h"
#include "message_rules.h"

struct run_policy {
	struct plan_policy messages;
	struct mailbox_policy mailboxes;
	bool may_write_remote; /* with P5, as the next */
	bool may_write_local;
	bool releases_held; /* what the brake held may go (brake.h, B5) */
	bool is_archive;    /* P6: what is gone on one side stays on the other, always */
	int64_t now;        /* seconds; when the run began */
	uint64_t hash;      /* P4 */
};

/* P1 and P2. */
enum side policy_sides(const struct account *account, const struct sync_options *options);
/* P6, by ACCOUNT's keys. */
bool policy_is_archive(const struct account *account);
/* NOW in seconds. */
int policy_make(const struct account *account, const struct sync_options *options, int64_t now,
		struct run_policy *policy, struct err *err);
#endif
