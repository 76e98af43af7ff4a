/* When the brake holds deletions (brake.h). */
#include "brake.h"

#define FREE_DELETIONS 10
#define OFF_PERCENT    100
#define RECENT_S       60

struct brake_count brake_of_removal(enum side side, uint64_t agreed)
{
	return (struct brake_count){
		.local = side == SIDE_LOCAL ? agreed : 0,
		.remote = side == SIDE_REMOTE ? agreed : 0,
		.agreed = agreed,
	};
}

struct brake_count brake_of_held_removal(enum side side, uint64_t agreed)
{
	return (struct brake_count){
		.held_local = side == SIDE_LOCAL ? agreed : 0,
		.held_remote = side == SIDE_REMOTE ? agreed : 0,
		.held_agreed = agreed,
	};
}

static bool is_near(uint64_t deletes, uint64_t recent)
{
	return deletes > 0 && deletes + recent > FREE_DELETIONS;
}

bool brake_is_near(const struct brake_count *count)
{
	return is_near(count->local, count->recent_local) ||
	       is_near(count->remote, count->recent_remote);
}

/* Counts of messages, far below 2^57: no overflow. 100 % switches it off even where messages that
 * base does not have (R1, R6) are removed too. */
static bool is_over(uint64_t some, uint64_t all, unsigned percent)
{
	return percent < OFF_PERCENT && some > FREE_DELETIONS && some * 100 > all * percent;
}

static bool is_held(uint64_t deletes, uint64_t recent, uint64_t agreed, unsigned percent)
{
	return is_near(deletes, recent) && is_over(deletes + recent, agreed + recent, percent);
}

enum side brake_sides(const struct brake_count *count, unsigned percent)
{
	bool is_local = is_held(count->local, count->recent_local, count->agreed, percent);
	bool is_remote = is_held(count->remote, count->recent_remote, count->agreed, percent);
	return (is_local ? SIDE_LOCAL : SIDE_NONE) | (is_remote ? SIDE_REMOTE : SIDE_NONE);
}

void brake_add(struct brake_count *total, const struct brake_count *count, enum side held)
{
	total->local += (held & SIDE_LOCAL) != 0 ? 0 : count->local;
	total->remote += (held & SIDE_REMOTE) != 0 ? 0 : count->remote;
	total->held_local += count->held_local;
	total->held_remote += count->held_remote;
	total->held_agreed += count->held_agreed;
	total->held_flags += count->held_flags;
}

bool brake_is_off(bool allow_mass_delete, unsigned percent)
{
	return allow_mass_delete || percent >= OFF_PERCENT;
}

int64_t brake_recent_from(int64_t began, int64_t now)
{
	return began < now - RECENT_S ? began : now - RECENT_S;
}

bool brake_holds_gone(const struct brake_shape *shape, unsigned percent)
{
	bool is_emptied = shape->is_other_folder && shape->gone == shape->present;
	bool is_other_cur = shape->is_other_cur && shape->in_cur == 0;
	return percent < OFF_PERCENT && shape->gone > 1 &&
	       (is_emptied || is_other_cur || !shape->has_parts);
}

bool brake_holds_cleared(const struct brake_shape *shape, unsigned percent)
{
	return is_over(shape->cleared, shape->present, percent);
}
