/* What the server says that changed (remote_rules.h). */
#include "remote_rules.h"

#include "mailsync/model/flags.h"

#define WINDOW 10000

bool numbers_go_on(const struct remote_numbers *base, const struct remote_numbers *now)
{
	return now->uidvalidity == base->uidvalidity &&
	       (now->uidnext == 0 || now->uidnext >= base->uidnext);
}

static bool numbers_are_equal(const struct view_facts *facts)
{
	const struct remote_numbers *base = &facts->base;
	const struct remote_numbers *told = &facts->told;
	if (!facts->has_counts || base->uidvalidity == 0 ||
	    told->uidvalidity != base->uidvalidity || told->uidnext != base->uidnext ||
	    told->messages != base->messages) {
		return false;
	}
	/* An empty mailbox has no flags that could have changed. */
	return told->messages == 0 || (told->modseq != 0 && told->modseq == base->modseq);
}

bool view_is_needed(const struct view_facts *facts)
{
	return !numbers_are_equal(facts) || facts->has_intents || facts->must_pair ||
	       facts->lacks_folder;
}

struct remote_view_request view_request(const struct view_facts *facts, enum view_scope scope)
{
	const struct remote_numbers *base = &facts->base;
	const struct remote_numbers *told = &facts->told;
	bool is_known =
		scope != VIEW_ALL && (!facts->has_counts || told->uidvalidity == base->uidvalidity);
	bool is_told = scope == VIEW_SINCE_COUNTS && facts->has_counts;
	bool has_to_write = facts->has_local_changes || facts->has_pending || facts->expunges ||
			    base->uidvalidity == 0;
	return (struct remote_view_request){
		.is_writable = scope != VIEW_SINCE_CHANGES && facts->may_write && has_to_write,
		.uidvalidity = is_known ? base->uidvalidity : 0,
		.uidnext = is_known ? base->uidnext : 0,
		.modseq = is_known ? base->modseq : 0,
		.skip_new = is_known && is_told && told->uidnext == base->uidnext,
		.is_empty = is_told && told->messages == 0 && base->messages == 0,
	};
}

bool view_is_usable(const struct remote_numbers *told)
{
	return told->uidvalidity != 0;
}

bool view_is_renumbered(const struct remote_numbers *base, const struct remote_numbers *told)
{
	return base->uidvalidity != 0 &&
	       (!numbers_go_on(base, told) || (told->modseq != 0 && told->modseq < base->modseq));
}

static bool may_be_new(const struct delta_facts *facts, const struct remote_view_message *message)
{
	return message->has_flags &&
	       (message->has_date || message->size != 0 ||
		(facts->is_full && (facts->uidnext == 0 || message->uid < facts->uidnext)));
}

static bool is_gone(const struct delta_facts *facts, const struct row *row)
{
	return row->remote == MESSAGE_PRESENT && facts->is_full && facts->believes_gone &&
	       row->uid >= facts->gone_from;
}

enum remote_news remote_news_of(const struct delta_facts *facts,
				const struct remote_view_message *message, const struct row *row)
{
	if (row == NULL) {
		return may_be_new(facts, message) ? REMOTE_NEW : REMOTE_SAME;
	}
	if (message == NULL) {
		return is_gone(facts, row) ? REMOTE_GONE : REMOTE_SAME;
	}
	if (row->remote != MESSAGE_PRESENT) {
		return REMOTE_BACK;
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

bool view_is_window(bool shows_window, uint64_t listed, uint64_t exists)
{
	return shows_window && listed == WINDOW && exists == WINDOW;
}

bool rows_fit(uint64_t present, uint64_t counted, bool is_window)
{
	return is_window || present == counted;
}

enum view_state uids_next_state(const struct uid_facts *facts)
{
	return facts->present < facts->listed ? VIEW_INCOMPLETE : VIEW_NONE;
}

bool uids_prove_numbers(const struct uid_facts *facts, const struct remote_numbers *viewed)
{
	return rows_fit(facts->present, facts->listed, facts->is_window) &&
	       facts->modseq >= viewed->modseq;
}

struct remote_numbers numbers_to_store(const struct remote_numbers *base,
				       const struct remote_numbers *told, uint32_t highest)
{
	struct remote_numbers stored = *told;
	uint32_t above = highest == UINT32_MAX ? highest : highest + 1;
	if (told->uidnext == 0) {
		stored.uidnext = above > base->uidnext ? above : base->uidnext;
	}
	return stored;
}
