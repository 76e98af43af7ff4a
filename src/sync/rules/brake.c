/* When the brake holds deletions (brake.h). */
#include "brake.h"

#define FREE_DELETIONS 10
#define OFF_PERCENT    100

struct brake_count brake_of_removal(enum side side, uint64_t agreed)
{
	return (struct brake_count){
		.local = side == SIDE_LOCAL ? agreed : 0,
		.remote = side == SIDE_REMOTE ? agreed : 0,
		.agreed = agreed,
	};
}

bool brake_is_near(const struct brake_count *count)
{
	return count->local > FREE_DELETIONS || count->remote > FREE_DELETIONS;
}

static bool is_over(uint64_t deletes, uint64_t agreed, unsigned percent)
{
	/* Both are counts of messages, far below 2^57: no overflow. 100 % switches it off even
	 * where messages that base does not have (R1, R6) are removed too. */
	return percent < OFF_PERCENT && deletes > FREE_DELETIONS &&
	       deletes * 100 > agreed * percent;
}

enum side brake_sides(const struct brake_count *count, unsigned percent)
{
	return (is_over(count->local, count->agreed, percent) ? SIDE_LOCAL : SIDE_NONE) |
	       (is_over(count->remote, count->agreed, percent) ? SIDE_REMOTE : SIDE_NONE);
}

void brake_add(struct brake_count *total, const struct brake_count *count, enum side held)
{
	total->local += (held & SIDE_LOCAL) != 0 ? 0 : count->local;
	total->remote += (held & SIDE_REMOTE) != 0 ? 0 : count->remote;
	total->held_local += count->held_local;
	total->held_remote += count->held_remote;
	total->held_agreed += count->held_agreed;
}

bool brake_is_off(bool allow_mass_delete, unsigned percent)
{
	return allow_mass_delete || percent >= OFF_PERCENT;
}

bool brake_lets_go(bool allow_mass_delete, unsigned percent, unsigned held_under)
{
	return brake_is_off(allow_mass_delete, percent) || percent > held_under;
}
