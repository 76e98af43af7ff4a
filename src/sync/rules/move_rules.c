/* What counts as a move (move_rules.h). */
#include "move_rules.h"

#include <string.h>

#include "mailsync/base/array.h"

static bool is_usable(const struct move_mailbox *mailbox)
{
	return mailbox->is_active && !mailbox->is_read_only && mailbox->is_there;
}

enum side move_side(enum move_seen seen)
{
	return seen == MOVE_SEEN_THERE ? SIDE_LOCAL : SIDE_REMOTE;
}

/* V4, V5, V18, V6: whether this run may carry it out. */
static enum move_state rule_may(const struct move_facts *facts)
{
	if ((facts->copy & facts->delete_ & move_side(facts->seen)) == 0) {
		return MOVE_HELD_POLICY;
	}
	bool may = is_usable(&facts->from) && is_usable(&facts->to) && !facts->is_aside; /* V18 */
	return may ? MOVE_PLANNED : MOVE_HELD_OBSTACLE;
}

bool move_wants_content(enum move_seen seen, enum move_state state)
{
	return seen != MOVE_SEEN_THERE && state != MOVE_NONE;
}

/* V11, V12 */
static enum move_state rule_content(const struct move_facts *facts, enum move_state state)
{
	if (facts->content == CONTENT_OTHER) {
		return MOVE_NONE;
	}
	return facts->content == CONTENT_UNKNOWN ? MOVE_HELD_UNREADABLE : state;
}

enum move_state move_rule(const struct move_facts *facts)
{
	if (facts->is_taken) {
		return MOVE_NONE; /* V1 */
	}
	if (facts->has_intent) {
		return MOVE_HELD_OBSTACLE; /* V16 */
	}
	if (facts->seen == MOVE_SEEN_UNREADABLE) { /* V7 */
		return facts->gone->is_agreed ? rule_content(facts, MOVE_HELD_UNREADABLE)
					      : MOVE_NONE;
	}
	enum move_state may = rule_may(facts);
	if (facts->seen == MOVE_SEEN_THERE) { /* V8, V9 */
		bool is_one = move_is_original(facts->gone) && may == MOVE_PLANNED;
		return is_one ? MOVE_PLANNED : MOVE_NONE;
	}
	bool is_open = facts->gone->remote == MESSAGE_PRESENT &&  /* V2 */
		       facts->fresh->reason != REASON_AMBIGUOUS;  /* V3 */
	bool waits = facts->fresh->reason == REASON_UNIDENTIFIED; /* V17 */
	if (facts->seen == MOVE_SEEN_RENAMED && may == MOVE_HELD_POLICY) {
		return MOVE_NONE; /* V19 */
	}
	return is_open ? rule_content(facts, waits ? MOVE_HELD_UNREADABLE : may) : MOVE_NONE;
}

bool move_is_original(const struct row *row)
{
	return row->is_agreed && row->remote == MESSAGE_GONE && row->local == MESSAGE_PRESENT;
}

bool move_is_arrival(const struct row *row)
{
	return !row->is_agreed && row->remote == MESSAGE_PRESENT && row->uid != 0 &&
	       row->unique[0] == '\0' && row->reason != REASON_UNIDENTIFIED;
}

bool move_is_origin(const struct row *row)
{
	return row->is_agreed && row->remote == MESSAGE_GONE && row->local == MESSAGE_GONE;
}

bool move_is_crossed(const struct row *gone, const struct row *fresh,
		     const struct header_identity *identity)
{
	bool has_ids = gone->emailid != NULL && fresh->emailid != NULL;
	if ((has_ids && strcmp(gone->emailid, fresh->emailid) != 0) || !gone->has_digest ||
	    !told_time_equal(gone->date, fresh->date)) {
		return false;
	}
	return identity == NULL || ((has_ids || identity->has_message_id) &&
				    memcmp(gone->digest, identity->digest, ROW_DIGEST_SIZE) == 0);
}

bool move_is_proven(const struct row *gone, const struct row *fresh,
		    const struct header_identity *identity)
{
	bool is_proposed = gone->emailid != NULL && fresh->emailid != NULL &&
			   strcmp(gone->emailid, fresh->emailid) == 0;
	return is_proposed && told_time_equal(gone->date, fresh->date) && gone->has_digest &&
	       memcmp(gone->digest, identity->digest, ROW_DIGEST_SIZE) == 0;
}

int move_trace_compare(const void *one, const void *two)
{
	int64_t x = ((const struct move_trace *)one)->date.seconds;
	int64_t y = ((const struct move_trace *)two)->date.seconds;
	return (x > y) - (x < y);
}

static bool may_come_from(const struct move_arrival *arrival, const struct move_trace *trace)
{
	return !trace->is_taken && trace->mailbox != arrival->mailbox &&
	       !(trace->has_emailid && arrival->has_emailid);
}

struct move_trace *move_trace_find(struct move_trace *traces, size_t count,
				   const struct move_arrival *arrival,
				   const struct header_identity *identity)
{
	const struct move_trace wanted = {.date = arrival->date};
	size_t at = array_lower_bound(traces, count, sizeof(wanted), &wanted, move_trace_compare);
	for (; at < count && told_time_equal(traces[at].date, arrival->date); at++) {
		struct move_trace *trace = &traces[at];
		bool is_same = identity == NULL ||
			       (identity->has_message_id &&
				memcmp(trace->digest, identity->digest, ROW_DIGEST_SIZE) == 0);
		if (is_same && may_come_from(arrival, trace)) {
			return trace;
		}
	}
	return NULL;
}
