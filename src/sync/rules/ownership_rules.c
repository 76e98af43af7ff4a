#include "ownership_rules.h"

/* O5 */
static bool is_of_this_time(const struct ownership_facts *facts)
{
	bool is_cut_claim = facts->last_run == RUN_END_CLAIMING &&
			    facts->generation == facts->id_generation + 1;
	return facts->generation == facts->id_generation || is_cut_claim;
}

enum ownership_verdict ownership_verdict(const struct ownership_facts *facts)
{
	if (facts->has_id && facts->is_other_account) { /* O1 */
		return OWNERSHIP_REFUSED;
	}
	if (facts->generation == 0) { /* O2 */
		return OWNERSHIP_NEW;
	}
	if (!facts->has_id) { /* O3, O4 */
		return facts->has_mailboxes && facts->last_run != RUN_END_CLAIMING
			     ? OWNERSHIP_FORGET
			     : OWNERSHIP_OURS;
	}
	if (facts->is_other_database || !is_of_this_time(facts)) { /* O5 */
		return OWNERSHIP_FORGET;
	}
	return facts->is_other_protocol ? OWNERSHIP_FORGET_PROTOCOL : OWNERSHIP_OURS; /* O6, O7 */
}

bool ownership_lost_power(const struct ownership_facts *facts)
{
	return facts->has_unsynced && !facts->is_same_boot;
}

bool ownership_was_unclean(const struct ownership_facts *facts)
{
	return facts->last_run == RUN_END_CUT || facts->last_run == RUN_END_CLAIMING ||
	       ownership_lost_power(facts);
}
