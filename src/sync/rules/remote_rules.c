/* What the server says that changed (remote_rules.h). */
#include "remote_rules.h"

#include "mailsync/model/flags.h"

#define WINDOW        10000
#define SURPLUS_PROOF 3600 /* seconds */

bool numbers_are_told(const struct numbers *numbers)
{
	return numbers->uidvalidity.is_told && numbers->uidnext.is_told &&
	       numbers->messages.is_told;
}

bool numbers_tell_something(const struct numbers *numbers)
{
	return numbers->messages.is_told || numbers->uidnext.is_told ||
	       numbers->uidvalidity.is_told || numbers->modseq.is_told;
}

bool numbers_go_on(const struct numbers *base, const struct numbers *now)
{
	return told_equal(now->uidvalidity, base->uidvalidity) &&
	       !told_below(now->uidnext, base->uidnext);
}

static bool numbers_are_equal(const struct view_facts *facts)
{
	const struct numbers *base = &facts->base;
	const struct numbers *told = &facts->told;
	if (!facts->has_counts || !told_equal(told->uidvalidity, base->uidvalidity) ||
	    !told_equal(told->uidnext, base->uidnext) ||
	    !told_equal(told->messages, base->messages)) {
		return false;
	}
	bool has_modseq = told->modseq.is_told || base->modseq.is_told;
	bool has_to_write = facts->has_local_changes || facts->has_pending;
	/* An empty mailbox has no flags that could have changed. */
	return told_is(told->messages, 0) || told_equal(told->modseq, base->modseq) ||
	       (facts->leaves_flags && !has_modseq && !has_to_write);
}

bool view_is_needed(const struct view_facts *facts)
{
	return !numbers_are_equal(facts) || facts->has_intents || facts->must_pair ||
	       facts->lacks_folder || facts->has_refused_flags;
}

struct remote_view_request view_request(const struct view_facts *facts, enum view_scope scope)
{
	const struct numbers *base = &facts->base;
	const struct numbers *told = &facts->told;
	bool is_known = scope != VIEW_ALL &&
			(!facts->has_counts || told_equal(told->uidvalidity, base->uidvalidity));
	bool is_told = scope == VIEW_SINCE_COUNTS && facts->has_counts;
	bool has_to_write = facts->has_local_changes || facts->has_pending || facts->expunges ||
			    !base->uidvalidity.is_told;
	return (struct remote_view_request){
		.is_writable = scope != VIEW_SINCE_CHANGES && facts->may_write && has_to_write,
		.uidvalidity = is_known ? base->uidvalidity : UNTOLD,
		.uidnext = is_known ? base->uidnext : UNTOLD,
		.modseq = is_known ? base->modseq : UNTOLD,
		.skip_new = is_known && is_told && told_equal(told->uidnext, base->uidnext),
		.is_empty = is_told && told_is(told->messages, 0) && base->messages.number == 0,
	};
}

bool view_is_usable(const struct numbers *told)
{
	return told->uidvalidity.is_told;
}

bool view_is_renumbered(const struct numbers *base, const struct numbers *told)
{
	return base->uidvalidity.is_told &&
	       (!numbers_go_on(base, told) || told_below(told->modseq, base->modseq));
}

static bool may_be_new(const struct delta_facts *facts, const struct remote_view_message *message)
{
	return message->has_flags &&
	       (message->date.is_told || message->size.is_told ||
		(facts->is_full && message->uid < told_or(facts->uidnext, UINT64_MAX)));
}

static bool is_gone(const struct delta_facts *facts, const struct row *row)
{
	return row->remote == MESSAGE_PRESENT && facts->is_full && facts->believes_gone &&
	       row->reason != REASON_UNSEEN && row->uid >= facts->gone_from;
}

bool remote_is_unkept(const struct row *row)
{
	return row->reason == REASON_UNPROVEN && row->is_agreed && row->local == MESSAGE_PRESENT &&
	       row->remote == MESSAGE_PRESENT;
}

enum remote_news remote_news_of(const struct delta_facts *facts,
				const struct remote_view_message *message, const struct row *row)
{
	if (row == NULL) {
		return may_be_new(facts, message) ? REMOTE_NEW : REMOTE_SAME;
	}
	if (message == NULL && is_gone(facts, row)) {
		return remote_is_unkept(row) ? REMOTE_UNKEPT : REMOTE_GONE;
	}
	if (message == NULL) {
		return REMOTE_SAME;
	}
	if (row->remote != MESSAGE_PRESENT ||
	    (row->reason == REASON_UNSEEN && message->has_flags)) {
		return REMOTE_BACK;
	}
	if (row->reason == REASON_UNPROVEN && message->has_flags) {
		return REMOTE_FIRST;
	}
	return message->has_flags && remote_flags_of(facts, message, row) != row->remote_flags
		     ? REMOTE_FLAGS
		     : REMOTE_SAME;
}

uint64_t remote_flags_of(const struct delta_facts *facts, const struct remote_view_message *message,
			 const struct row *row)
{
	if (!facts->keeps_keywords) {
		return message->flags;
	}
	uint64_t kept = row == NULL ? 0 : row->remote_flags & ~FLAGS_SYSTEM;
	return (message->flags & FLAGS_SYSTEM) | kept;
}

bool view_is_window(uint32_t limit, uint64_t listed, struct told exists)
{
	return (listed == WINDOW && told_is(exists, WINDOW)) ||
	       (limit != 0 && listed == limit && !told_below(exists, told(limit)));
}

bool view_is_whole(const struct view_tally *tally)
{
	return tally->unread == 0 &&
	       (tally->is_full || (tally->from.is_told && tally->uidnext.is_told &&
				   tally->from.number + tally->fresh >= tally->uidnext.number));
}

enum view_state view_next_state(const struct view_tally *tally, const struct view_asked *asked)
{
	if (tally->unread == 0 || tally->is_full || asked->was_listed) {
		return VIEW_MISCOUNTED;
	}
	return asked->was_again ? VIEW_INCOMPLETE : VIEW_AGAIN;
}

struct told surplus_less(const struct surplus *surplus, struct told exists)
{
	int64_t counted = (int64_t)exists.number - surplus->offset;
	if (!exists.is_told || !surplus->is_proven || counted < 0) {
		return exists;
	}
	return told((uint64_t)counted);
}

struct surplus surplus_next(const struct surplus *known, uint64_t listed, struct told exists,
			    int64_t now)
{
	struct surplus next = *known;
	int64_t offset = (int64_t)exists.number - (int64_t)listed;
	if (!exists.is_told || offset == 0) {
		return (struct surplus){0};
	}
	/* A clock that was set back begins anew. */
	if (known->offset != offset || now < known->since) {
		return (struct surplus){.offset = offset, .since = now};
	}
	next.is_proven |= now - known->since >= SURPLUS_PROOF;
	return next;
}

bool rows_fit(uint64_t present, struct told counted, bool is_window)
{
	return is_window || told_is(counted, present);
}

enum view_state uids_next_state(const struct uid_facts *facts)
{
	return facts->present < facts->listed && !facts->was_listed ? VIEW_INCOMPLETE : VIEW_NONE;
}

bool uids_prove_numbers(const struct uid_facts *facts, const struct numbers *viewed)
{
	bool went_on = !viewed->modseq.is_told || told_equal(facts->modseq, viewed->modseq) ||
		       told_below(viewed->modseq, facts->modseq);
	return rows_fit(facts->present, told(facts->listed), facts->is_window) && went_on;
}

struct numbers numbers_to_store(const struct numbers *base, const struct numbers *told,
				uint32_t highest)
{
	struct numbers stored = *told;
	struct told above = {true, highest == UINT32_MAX ? highest : (uint64_t)highest + 1};
	if (!told->uidnext.is_told) {
		stored.uidnext = told_below(above, base->uidnext) ? base->uidnext : above;
	}
	return stored;
}
