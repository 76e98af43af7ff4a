/* Whether to log in again (login_rules.h). */
#include "login_rules.h"

#define FIRST_WAIT_S (INT64_C(15) * 60)
#define LAST_WAIT_S  (INT64_C(24) * 3600)

int64_t login_next_try(const struct login_facts *facts)
{
	int64_t wait_s = FIRST_WAIT_S;
	for (unsigned i = 1; i < facts->refusals && wait_s < LAST_WAIT_S; i++) {
		wait_s *= 2;
	}
	return facts->refused_at + (wait_s < LAST_WAIT_S ? wait_s : LAST_WAIT_S);
}

bool login_is_due(const struct login_facts *facts)
{
	if (facts->refusals == 0 || facts->has_terminal) {
		return true;
	}
	return !facts->is_same_secret || !facts->is_same_server || facts->now < facts->refused_at ||
	       facts->now >= login_next_try(facts);
}
