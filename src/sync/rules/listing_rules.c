/* What the server's listing is read by (listing_rules.h). */
#include "listing_rules.h"

#include <string.h>

static bool is_same_prefix(const struct mbname_wire *one, const struct mbname_wire *other)
{
	return strcmp(one->prefix, other->prefix) == 0;
}

struct naming_decision naming_decide(const struct naming_facts *facts)
{
	const struct mbname_wire *known = facts->known;
	struct naming_decision decision = {.wire = *facts->now};
	if (known == NULL) { /* L3 */
		decision.is_unknown =
			facts->told == REMOTE_NAMING_UNTOLD ||
			(facts->told == REMOTE_NAMING_NONE && facts->is_all_below_inbox);
		return decision;
	}
	bool is_untold = facts->told == REMOTE_NAMING_UNTOLD ||
			 (facts->told != REMOTE_NAMING_TOLD && known->prefix[0] != '\0');
	if (is_untold) { /* L2 */
		memcpy(decision.wire.prefix, known->prefix, sizeof(known->prefix));
		decision.was_kept = true;
	}
	if (decision.wire.separator == '\0') { /* L4 */
		decision.wire.separator = known->separator;
	}
	decision.is_other =
		!facts->may_lose_many && (!is_same_prefix(&decision.wire, known) ||
					  (known->separator != '\0' &&
					   decision.wire.separator != known->separator)); /* L5 */
	return decision;
}

bool subscriptions_are_missing(const struct subscription_facts *facts)
{
	return !facts->are_told || (facts->subscribed == 0 && facts->had > 0);
}
