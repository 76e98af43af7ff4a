/* A1 to A18 of pop3_rules.h: what is done with a message, and after a session. */
#include <string.h>

#include "policy.h"
#include "pop3_rules.h"

struct account pop3_account_of(const struct account *account)
{
	struct account own = *account;
	if (own.maildir.durability == MAILDIR_SYNC_NONE) {
		own.maildir.durability = MAILDIR_SYNC_BATCH;
	}
	return own;
}

struct pop3_policy pop3_policy_of(const struct account *account, const struct sync_options *options,
				  int64_t now)
{
	enum side sides = policy_sides(account, options);
	return (struct pop3_policy){
		.now = now,
		.leave = account->leave_on_server,
		.leave_age_s = account->leave_age_s,
		.may_delete = (account->delete_ & sides & SIDE_REMOTE) != 0,
		.may_download = (sides & SIDE_LOCAL) != 0,
		.max_size_bytes = account->max_message_size,
		.oldest = account->max_age_s == 0 ? INT64_MIN : now - account->max_age_s,
	};
}

static enum pop3_act decide_new(const struct pop3_item *item, const struct pair_candidate *header,
				const struct pop3_policy *policy)
{
	if (!policy->may_download || item->is_failed) {
		return POP3_ACT_NONE; /* A4 */
	}
	if (policy->max_size_bytes > 0 && told_or(item->size, 0) > policy->max_size_bytes) {
		return POP3_ACT_SKIP; /* A5 */
	}
	if (header != NULL && header->header_date != INT64_MIN &&
	    header->header_date < policy->oldest) {
		return POP3_ACT_OLD; /* A6 */
	}
	return POP3_ACT_DOWNLOAD; /* A7 */
}

/* A row that is remembered as too old holds the message's Date as `first_seen`. */
static enum pop3_act decide(const struct pop3_view *view, const struct pop3_item *item,
			    const struct pop3_policy *policy)
{
	if (item->waits || item->is_aside) {
		return POP3_ACT_NONE; /* K15 K16 A4 */
	}
	if (item->row == POP3_NO_ROW) {
		return decide_new(item, pop3_header_of(view, item), policy);
	}
	const struct pop3_row *row = &view->rows[item->row];
	if (!item->is_failed && pop3_is_to_prove(row, policy)) {
		return POP3_ACT_PROVE; /* A17 */
	}
	return row->reason != REASON_TOO_OLD || row->first_seen < policy->oldest
		     ? POP3_ACT_NONE /* A1 A2 A3 */
		     : decide_new(item, NULL, policy);
}

size_t pop3_decide(struct pop3_view *view, const struct pop3_policy *policy)
{
	size_t skipped = 0;
	for (size_t i = 0; i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		if (item->act == POP3_ACT_NONE && item->key[0] != '\0') {
			item->act = decide(view, item, policy);
			skipped += item->act == POP3_ACT_SKIP;
		}
	}
	return skipped;
}

static bool is_deletable(const struct pop3_row *row, const struct pop3_policy *policy)
{
	return policy->may_delete && row->reason == REASON_NONE && row->unique[0] != '\0';
}

bool pop3_is_deleting(const struct pop3_policy *policy)
{
	return policy->may_delete && policy->leave != LEAVE_YES;
}

bool pop3_is_to_prove(const struct pop3_row *row, const struct pop3_policy *policy)
{
	return is_deletable(row, policy) && pop3_is_deleting(policy) && policy->may_download &&
	       row->doubts > 0 && row->doubts <= POP3_DOUBTS_MAX && row->id <= policy->known_id;
}

bool pop3_is_due(const struct pop3_row *row, const struct pop3_policy *policy)
{
	if (!is_deletable(row, policy) || row->doubts > 0) {
		return false;
	}
	return policy->leave == LEAVE_NO ||
	       (policy->leave == LEAVE_AGE && policy->now - row->first_seen >= policy->leave_age_s);
}

bool pop3_is_due_at_once(const struct pop3_policy *policy)
{
	return policy->may_delete && policy->leave == LEAVE_NO;
}

enum pop3_body pop3_judge_body(struct told listed, uint64_t came, bool has_lone_dot)
{
	if (has_lone_dot && !told_is(listed, came)) {
		return POP3_BODY_TORN; /* A9 */
	}
	if (came == 0 && !told_is(listed, 0)) {
		return POP3_BODY_EMPTY; /* A10 */
	}
	return told_below(told(came), listed) ? POP3_BODY_SHORT : POP3_BODY_WHOLE; /* A11 A12 */
}

/* How much of LISTED bytes did not come, in thousandths, rounded up. */
static uint32_t short_share(uint64_t listed, uint64_t came)
{
	uint64_t lack = listed - came;
	return (uint32_t)(listed >= UINT64_MAX / 1000 ? lack / (listed / 1000)
						      : (lack * 1000 + listed - 1) / listed);
}

bool pop3_is_proven(struct told listed, uint64_t came, uint64_t slack,
		    const struct pop3_sizes *sizes)
{
	if (came == 0 || !listed.is_told) {
		return false;
	}
	if (!told_below(told(came), listed) || listed.number - came <= slack) {
		return true;
	}
	return sizes->short_count >= POP3_SHORT_MIN && /* A18 */
	       (listed.number - came <= sizes->short_bytes ||
		short_share(listed.number, came) <= sizes->short_share);
}

enum pop3_proof pop3_judge_proof(const struct pop3_proof_facts *facts)
{
	if (facts->has_content && facts->is_same) {
		return POP3_PROOF_SAME;
	}
	if (facts->is_in_file || facts->is_earlier) {
		return POP3_PROOF_OTHER_FILE;
	}
	return facts->has_content || facts->has_files ? POP3_PROOF_STORE : POP3_PROOF_LET_BE;
}

uint32_t pop3_doubts_after(uint32_t doubts, enum pop3_proof proof, bool is_proven)
{
	switch (proof) {
	case POP3_PROOF_SAME:
	case POP3_PROOF_OTHER_FILE:
		return 0;
	case POP3_PROOF_STORE:
		return is_proven ? 0 : doubts + 1;
	case POP3_PROOF_LET_BE:
		break;
	}
	return POP3_DOUBTS_MAX + 1;
}

void pop3_sizes_learn(struct pop3_sizes *sizes, enum pop3_proof proof, struct told listed,
		      uint64_t came)
{
	if (proof == POP3_PROOF_STORE) {
		*sizes = (struct pop3_sizes){0};
	} else if (proof == POP3_PROOF_SAME && told_below(told(came), listed)) {
		uint64_t lack = listed.number - came;
		uint32_t share = short_share(listed.number, came);
		sizes->short_count++;
		sizes->short_bytes = lack > sizes->short_bytes ? lack : sizes->short_bytes;
		sizes->short_share = share > sizes->short_share ? share : sizes->short_share;
	}
}

bool pop3_goes_on(const struct pop3_outcome *outcome)
{
	bool is_unfinished = outcome->is_partial && outcome->downloaded > 0; /* A14 */
	return outcome->is_broken ? outcome->has_failures                    /* A13 */
				  : is_unfinished || outcome->lacked_utf8;   /* A15 */
}

bool pop3_lists_some(bool is_gmail, const char *user)
{
	return is_gmail || (user != NULL && strncmp(user, "recent:", 7) == 0);
}
