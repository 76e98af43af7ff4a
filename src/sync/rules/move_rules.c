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

static enum move_state rule_here(const struct move_facts *facts, enum move_state may)
{
	if (facts->gone->remote != MESSAGE_PRESENT || facts->fresh->reason == REASON_AMBIGUOUS) {
		return MOVE_NONE; /* V2, V3 */
	}
	return may;
}

static enum move_state rule_there(const struct move_facts *facts, enum move_state may)
{
	bool is_one = move_is_original(facts->gone) && may == MOVE_PLANNED; /* V8, V9 */
	return is_one ? MOVE_PLANNED : MOVE_NONE;
}

/* V4, V5, V6: whether this run may carry it out. */
static enum move_state rule_may(const struct move_facts *facts)
{
	if ((facts->copy & facts->delete_ & move_side(facts->seen)) == 0) {
		return MOVE_HELD_POLICY;
	}
	return is_usable(&facts->from) && is_usable(&facts->to) ? MOVE_PLANNED : MOVE_HELD_OBSTACLE;
}

enum move_state move_rule(const struct move_facts *facts)
{
	if (facts->is_taken) {
		return MOVE_NONE; /* V1 */
	}
	switch (facts->seen) {
	case MOVE_SEEN_HERE:
		return rule_here(facts, rule_may(facts));
	case MOVE_SEEN_THERE:
		return rule_there(facts, rule_may(facts));
	case MOVE_SEEN_UNREADABLE:
		break;
	}
	return facts->gone->is_agreed ? MOVE_HELD_UNREADABLE : MOVE_NONE; /* V7 */
}

bool move_is_original(const struct row *row)
{
	return row->is_agreed && row->remote == MESSAGE_GONE && row->local == MESSAGE_PRESENT;
}

bool move_is_arrival(const struct row *row)
{
	return !row->is_agreed && row->remote == MESSAGE_PRESENT && row->uid != 0 &&
	       row->unique[0] == '\0';
}

int move_trace_compare(const void *one, const void *two)
{
	int64_t x = ((const struct move_trace *)one)->date;
	int64_t y = ((const struct move_trace *)two)->date;
	return (x > y) - (x < y);
}

/* The next of that date, from AT on, that is free and of another mailbox; COUNT: none. */
static size_t trace_next(const struct move_trace *traces, size_t count, size_t at, int64_t mailbox,
			 int64_t date)
{
	while (at < count && traces[at].date == date &&
	       (traces[at].is_taken || traces[at].mailbox == mailbox)) {
		at++;
	}
	return at < count && traces[at].date == date ? at : count;
}

static size_t trace_first(const struct move_trace *traces, size_t count, int64_t mailbox,
			  int64_t date)
{
	const struct move_trace wanted = {.date = date};
	size_t at = array_lower_bound(traces, count, sizeof(wanted), &wanted, move_trace_compare);
	return trace_next(traces, count, at, mailbox, date);
}

bool move_trace_has(const struct move_trace *traces, size_t count, int64_t mailbox, int64_t date)
{
	return trace_first(traces, count, mailbox, date) < count;
}

struct move_trace *move_trace_find(struct move_trace *traces, size_t count, int64_t mailbox,
				   int64_t date, const struct header_identity *identity)
{
	if (!identity->has_message_id) {
		return NULL;
	}
	size_t at = trace_first(traces, count, mailbox, date);
	while (at < count && memcmp(traces[at].digest, identity->digest, ROW_DIGEST_SIZE) != 0) {
		at = trace_next(traces, count, at + 1, mailbox, date);
	}
	return at < count ? &traces[at] : NULL;
}
