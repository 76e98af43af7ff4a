#include "silence_rules.h"

#define DAY_S (INT64_C(24) * 3600)

static int64_t earlier(int64_t one, int64_t other)
{
	return one < other ? one : other;
}

bool silence_bears(struct silence_failures *failures, const struct silence_facts *facts)
{
	int64_t last = earlier(failures->last, facts->now);
	bool has_gap = failures->first != 0 && facts->now - last > facts->patience_s;

	failures->first = earlier(failures->first, facts->now);
	if (failures->first == 0 || (has_gap && !failures->was_renewed)) {
		failures->was_renewed = has_gap;
		failures->first = facts->now;
	}
	failures->last = facts->now;
	return facts->was_synced && facts->now - failures->first < facts->patience_s;
}

bool silence_knows_held(const struct silence_held *said, uint64_t number, int64_t now)
{
	return said->number == number && now >= said->at && now - said->at < DAY_S;
}
