/* For good or for now (refusal_rules.h). */
#include "refusal_rules.h"

#define PROOF_RUNS      3
#define PROOF_S         3600
#define AGAIN_AFTER_S   (INT64_C(24) * 3600)
#define NOT_ITS_OWN_MAX 2

enum refusal_kind refusal_kind_of(enum remote_refusal refusal)
{
	switch (refusal) {
	case REMOTE_REFUSAL_NONE:
		return REFUSAL_NONE;
	case REMOTE_REFUSAL_TOOBIG:
	case REMOTE_REFUSAL_CANNOT:
		return REFUSAL_LASTING;
	case REMOTE_REFUSAL_UNCODED:
	case REMOTE_REFUSAL_OTHER:
		return REFUSAL_OPEN;
	case REMOTE_REFUSAL_OVERQUOTA:
		return REFUSAL_QUOTA;
	case REMOTE_REFUSAL_ALREADY_EXISTS:
	case REMOTE_REFUSAL_NONEXISTENT:
	case REMOTE_REFUSAL_TRYCREATE:
	case REMOTE_REFUSAL_BUSY:
	case REMOTE_REFUSAL_PASSING:
	case REMOTE_REFUSAL_NOPERM:
		break;
	}
	return REFUSAL_NOW;
}

/* Whether EVENT goes on with what is KNOWN, or begins anew. */
static bool goes_on(const struct refusal *known, const struct refusal_event *event)
{
	return known != NULL && event->now >= known->since &&
	       (known->kind == event->kind ||
		(event->kind == REFUSAL_OPEN && refusal_is_lasting(known)));
}

struct refusal refusal_after(const struct refusal *known, const struct refusal_event *event)
{
	struct refusal next = {.kind = event->kind, .since = event->now};
	if (goes_on(known, event)) {
		next = *known;
	}
	/* A run may try it twice. */
	next.runs += next.runs == 0 || next.run != event->run;
	next.run = event->run;
	next.last = event->now;
	next.flags = event->flags;
	next.size_bytes = event->size_bytes;
	if (next.kind == REFUSAL_OPEN && next.runs >= PROOF_RUNS &&
	    next.last - next.since >= PROOF_S) {
		next.kind = REFUSAL_LASTING;
	}
	return next;
}

enum refusal_kind refusal_in_company(const struct refusal *refusal, int64_t run)
{
	return refusal->kind == REFUSAL_OPEN && refusal->run == run ? REFUSAL_LASTING
								    : refusal->kind;
}

bool refusal_is_due(const struct refusal *refusal, const struct refusal_facts *facts)
{
	if (!refusal_is_lasting(refusal) || !facts->is_same_file ||
	    facts->flags != refusal->flags) {
		return true;
	}
	if (refusal->kind == REFUSAL_LIMIT && facts->limit.is_told) {
		return refusal->size_bytes <= facts->limit.number;
	}
	return facts->now < refusal->last || facts->now - refusal->last >= AGAIN_AFTER_S;
}

/* A quota is in the way of any message: that it was in the way of this one puts it behind none. */
static int rank_of(const struct refusal_turn *turn)
{
	return turn->kind == REFUSAL_NONE ? turn->has_failed : turn->kind != REFUSAL_QUOTA;
}

int refusal_turn_compare(const struct refusal_turn *one, const struct refusal_turn *other)
{
	int order = rank_of(one) - rank_of(other);
	if (order == 0 && (one->by_size || one->kind != REFUSAL_NONE)) {
		order = (one->size_bytes > other->size_bytes) -
			(one->size_bytes < other->size_bytes);
	}
	return order != 0 ? order : (one->place > other->place) - (one->place < other->place);
}

void refusal_course_note(struct refusal_course *course, enum remote_refusal refusal,
			 uint64_t size_bytes)
{
	enum refusal_kind kind = refusal_kind_of(refusal);
	course->not_its_own = kind == REFUSAL_NOW ? course->not_its_own + 1 : 0;
	course->is_over |= refusal == REMOTE_REFUSAL_BUSY || course->not_its_own >= NOT_ITS_OWN_MAX;
	if (kind == REFUSAL_QUOTA && refusal_course_admits(course, size_bytes)) {
		course->room = told(size_bytes);
	}
	course->was_taken |= kind == REFUSAL_NONE;
	course->is_wary = course->room.is_told || course->not_its_own > 0 ||
			  (course->is_wary && kind != REFUSAL_NONE);
}

bool refusal_course_admits(const struct refusal_course *course, uint64_t size_bytes)
{
	return !course->room.is_told || size_bytes < course->room.number;
}

bool refusal_may_be_of_one(enum remote_refusal refusal, uint64_t count)
{
	enum refusal_kind kind = refusal_kind_of(refusal);
	return count > 1 && kind != REFUSAL_NONE && kind != REFUSAL_NOW;
}

bool refusal_is_to_be_told(const struct refusal *refusal, int64_t run)
{
	return refusal_is_lasting(refusal) ? !refusal->is_told : refusal->run == run;
}
