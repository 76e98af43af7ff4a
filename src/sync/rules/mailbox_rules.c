/* What becomes of a mailbox (mailbox_rules.h). */
#include "mailbox_rules.h"

#include <string.h>
#include <strings.h>

static enum side other_side(enum side side)
{
	return side == SIDE_LOCAL ? SIDE_REMOTE : SIDE_LOCAL;
}

static struct mailbox_decision leave(enum exclusion why)
{
	return (struct mailbox_decision){.kind = MAILBOX_LEAVE, .exclusion = why};
}

/* M7 to M9: SIDE lacks it. */
static struct mailbox_decision decide_new(const struct mailbox_facts *facts,
					  const struct mailbox_policy *policy, enum side side)
{
	if ((policy->create & side) == 0) {
		return leave(EXCLUDED_NOT_CREATED);
	}
	bool is_there = side == SIDE_REMOTE && facts->is_unsubscribed;
	return (struct mailbox_decision){.kind = is_there ? MAILBOX_SUBSCRIBE : MAILBOX_CREATE,
					 .side = side};
}

/* M2 to M5: gone from SIDE, where base had it. */
static struct mailbox_decision decide_vanished(const struct mailbox_facts *facts,
					       const struct mailbox_policy *policy, enum side side)
{
	enum side other = other_side(side);
	bool did_not_last = side == SIDE_LOCAL && facts->lost_power;
	bool is_brought_back = policy->brings_back && facts->held == other &&
			       (policy->create & policy->copy & side) != 0;
	if (!did_not_last && !facts->is_inbox && !is_brought_back && (policy->remove & other)) {
		return (struct mailbox_decision){.kind = MAILBOX_REMOVE, .side = other};
	}
	if (!did_not_last && !facts->is_inbox && !is_brought_back &&
	    (policy->remove_ever & other)) {
		return leave(EXCLUDED_WAITING);
	}
	struct mailbox_decision decision = decide_new(facts, policy, side);
	decision.forgets = true;
	decision.kept = did_not_last || is_brought_back ? SIDE_NONE : other;
	return decision;
}

struct mailbox_decision mailbox_decide(const struct mailbox_facts *facts,
				       const struct mailbox_policy *policy)
{
	if (facts->untold != SIDE_NONE) { /* M45 */
		return leave(EXCLUDED_UNTOLD);
	}
	if (facts->in == SIDE_BOTH) {
		return (struct mailbox_decision){.kind = MAILBOX_SYNC};
	}
	if (facts->in == SIDE_NONE) {
		struct mailbox_decision decision = leave(EXCLUDED_GONE);
		decision.forgets = facts->in_base;
		return decision;
	}
	enum side lacking = other_side(facts->in);
	return (facts->had & lacking) ? decide_vanished(facts, policy, lacking)
				      : decide_new(facts, policy, lacking);
}

enum exclusion mailbox_exclusion(const struct mailbox_facts *facts)
{
	bool is_here = (facts->in & SIDE_LOCAL) != 0;
	if (!facts->is_named) {
		return EXCLUDED_BY_NAME;
	}
	if (!is_here && facts->is_barred) {
		return EXCLUDED_BARRED;
	}
	if (facts->in == SIDE_REMOTE && (facts->had & SIDE_LOCAL) && facts->is_hollow &&
	    !facts->may_lose_many) {
		return EXCLUDED_HOLLOW;
	}
	if (facts->is_unsubscribed && ((facts->had & SIDE_REMOTE) || !is_here)) {
		return EXCLUDED_UNSUBSCRIBED;
	}
	return EXCLUDED_NOT;
}

bool mailbox_is_flat(const struct mailbox_facts *flat, const struct mailbox_facts *mailbox)
{
	return flat->in == SIDE_LOCAL && !flat->in_base && (mailbox->in & SIDE_LOCAL) == 0 &&
	       (mailbox->in == SIDE_REMOTE || mailbox->in_base);
}

bool mailbox_is_lost(const struct mailbox_facts *facts, enum side side)
{
	enum side other = other_side(side);
	bool is_gone = facts->in == other && !(facts->replaced & other);
	bool is_elsewhere = (facts->replaced & side) && facts->in == SIDE_BOTH;
	return !facts->is_inbox && facts->untold == SIDE_NONE && facts->had == SIDE_BOTH &&
	       (is_gone || is_elsewhere);
}

bool mailbox_is_lost_twice(const struct mailbox_facts *facts)
{
	return !facts->is_inbox && facts->untold == SIDE_NONE && facts->had == SIDE_BOTH &&
	       facts->in == SIDE_NONE && !facts->is_unsubscribed;
}

bool mailbox_may_be_lost(const struct mailbox_facts *facts, enum side side)
{
	return !facts->is_inbox && facts->untold != SIDE_NONE && facts->had == SIDE_BOTH &&
	       (facts->in & side) == 0;
}

bool mailbox_may_be_new(const struct mailbox_facts *facts, enum side side)
{
	return !facts->is_inbox && facts->untold != SIDE_NONE &&
	       ((facts->in | facts->untold) & side) && !(facts->had & other_side(side));
}

bool mailbox_is_new(const struct mailbox_facts *facts, enum side side)
{
	bool is_fresh = facts->in == side && !(facts->had & other_side(side));
	bool is_another = (facts->replaced & side) != 0;
	return !facts->is_inbox && facts->untold == SIDE_NONE && (is_fresh || is_another);
}

enum rename_kind rename_decide(const struct rename_facts *facts,
			       const struct mailbox_policy *policy)
{
	if (facts->is_along) {
		return RENAME_ALONG;
	}
	if (facts->is_untold) {
		return RENAME_WAITS;
	}
	if ((policy->create_ever & facts->side) == 0 || facts->is_below) {
		return RENAME_NOT;
	}
	if (facts->is_left_out || (policy->create & facts->side) == 0) {
		return RENAME_WAITS;
	}
	if (facts->is_unavailable) {
		return RENAME_NOT;
	}
	if (facts->is_occupied && !facts->is_leaving) {
		return RENAME_WAITS;
	}
	return facts->is_occupied || facts->is_along_later ? RENAME_LATER : RENAME_ITSELF;
}

enum side rename_twice(const struct mailbox_policy *policy)
{
	return (policy->create_ever & SIDE_LOCAL)  ? SIDE_LOCAL
	     : (policy->create_ever & SIDE_REMOTE) ? SIDE_REMOTE
						   : SIDE_NONE;
}

bool rename_was_done(enum side old_name, enum side new_name)
{
	return old_name == SIDE_NONE && new_name == SIDE_BOTH;
}

bool rename_was_done_on(enum side side, enum side old_name, enum side new_name)
{
	return (old_name & side) == 0 && (new_name & side) != 0;
}

bool mailbox_is_always_there(const struct vanished_facts *facts)
{
	return facts->is_inbox && numbers_are_told(&facts->told);
}

enum there mailbox_absence(const struct vanished_facts *facts)
{
	if (numbers_tell_something(&facts->told)) { /* M20 */
		return THERE_YES;
	}
	if (facts->is_inbox) { /* M46 */
		return THERE_UNTOLD;
	}
	if (facts->may_be_left_out) { /* M60 */
		return THERE_UNTOLD;
	}
	bool is_said = facts->refusal == REMOTE_REFUSAL_NONEXISTENT ||
		       (facts->refusal == REMOTE_REFUSAL_UNCODED && facts->is_list_whole &&
			numbers_are_told(&facts->inbox_told));
	return is_said ? THERE_NO : THERE_UNTOLD; /* M21 */
}

enum removal_verdict removal_of_vanished(const struct vanished_facts *facts)
{
	enum there there = mailbox_absence(facts);
	return there == THERE_NO  ? REMOVAL_DUE
	     : there == THERE_YES ? REMOVAL_STILL_THERE
				  : REMOVAL_UNTOLD;
}

enum removal_verdict removal_here(const struct folder_facts *facts)
{
	return facts->is_still && facts->others == 0 && facts->agreed == facts->files
		     ? REMOVAL_DUE
		     : REMOVAL_HOLDS_MAIL;
}

enum removal_verdict removal_there(const struct held_there_facts *facts)
{
	return facts->only_there == 0 && facts->is_told &&
			       told_equal(facts->now.uidnext, facts->base.uidnext) &&
			       told_equal(facts->now.uidvalidity, facts->base.uidvalidity) &&
			       told_or(facts->now.messages, UINT64_MAX) <= facts->agreed
		     ? REMOVAL_DUE
		     : REMOVAL_HOLDS_MAIL;
}

bool folder_likeness(const struct folder_evidence *evidence)
{
	const struct sample_found *sample = &evidence->sample;
	if (sample->count == 0) {
		return evidence->is_same_directory && evidence->is_same_cur;
	}
	size_t wanted = evidence->is_same_directory ? (sample->count + 1) / 2 : sample->count;
	return sample->found >= wanted && sample->proven > 0;
}

bool folder_is_another(const struct sample_found *own)
{
	return own->found * 2 < own->count;
}

/* M36 */
static bool is_half(const struct sample_found *sample, size_t found)
{
	return found > 0 && found * 2 >= sample->count;
}

enum likeness mailbox_likeness(const struct mailbox_evidence *evidence)
{
	const struct sample_found *sample = &evidence->sample;
	if (evidence->has_ids && !evidence->is_shared_id) { /* M33, M37 */
		return evidence->is_same_id ? LIKENESS_YES : LIKENESS_NO;
	}
	if (evidence->base.uidvalidity.is_told && !evidence->now.uidvalidity.is_told) {
		return LIKENESS_UNTOLD;
	}
	if (!evidence->base.uidvalidity.is_told ||
	    !numbers_go_on(&evidence->base, &evidence->now)) {
		return LIKENESS_NO;
	}
	if (sample->count == 0) {
		return evidence->is_only_one ? LIKENESS_YES : LIKENESS_NO;
	}
	if (!evidence->has_looked) {
		return LIKENESS_BY_SAMPLE;
	}
	if (is_half(sample, sample->found)) {
		return LIKENESS_YES;
	}
	return is_half(sample, sample->found + sample->untold) ? LIKENESS_UNTOLD : LIKENESS_NO;
}

bool mailbox_is_another(const struct mailbox_evidence *evidence)
{
	const struct told known = evidence->base.uidvalidity;
	const struct told now = evidence->now.uidvalidity;
	if (evidence->has_ids && !evidence->is_shared_id) {
		return !evidence->is_same_id;
	}
	return known.is_told && now.is_told && known.number != now.number;
}

static bool is_ascii(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 128) {
		text++;
	}
	return *text == '\0';
}

bool names_are_alike(const char *one, const char *other)
{
	if (!is_ascii(one) || !is_ascii(other)) {
		return true;
	}
	for (;; one++, other++) {
		one += strspn(one, " ");
		other += strspn(other, " ");
		if (strncasecmp(one, other, 1) != 0) {
			return false;
		}
		if (*one == '\0') {
			return true;
		}
	}
}

enum likeness mailbox_is_folded(const struct folded_facts *facts)
{
	const struct numbers *known = &facts->known;
	const struct numbers *now = &facts->now;
	if (facts->has_ids) {
		return facts->is_same_id ? LIKENESS_YES : LIKENESS_NO;
	}
	bool may_be = told_equal(known->uidvalidity, now->uidvalidity) &&
		      (!facts->is_usual || facts->is_alike) && !told_is(now->messages, 0) &&
		      (!facts->has_counts || (told_equal(known->uidnext, now->uidnext) &&
					      told_equal(known->messages, now->messages)));
	return may_be ? LIKENESS_BY_SAMPLE : LIKENESS_NO;
}
