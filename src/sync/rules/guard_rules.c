/* Whose the Maildir is, and whose the server (guard_rules.h). */
#include "guard_rules.h"

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

enum accident accident_of(const struct census *census)
{
	if (census->here == 0 && census->had_here > 0) {
		return ACCIDENT_NO_FOLDER;
	}
	return census->there == 0 && census->had_there > 0 ? ACCIDENT_NO_MAILBOX : ACCIDENT_NONE;
}

enum server_sign server_sign(const struct server_facts *facts)
{
	if (!facts->was_known || facts->is_untold) {
		return SIGN_NONE;
	}
	if (facts->is_there && !facts->has_numbers) {
		return SIGN_UNTOLD;
	}
	return facts->is_there && numbers_go_on(&facts->base, &facts->now) ? SIGN_SAME
									   : SIGN_STRANGE;
}

enum server_verdict server_judge(const size_t signs[SIGN_UNTOLD + 1])
{
	if (signs[SIGN_SAME] > 0) {
		return SERVER_SAME;
	}
	if (signs[SIGN_STRANGE] == 0) {
		return SERVER_NO_SIGN;
	}
	return signs[SIGN_UNTOLD] > 0 ? SERVER_ASK : SERVER_SEARCH;
}

enum server_verdict server_judge_search(const struct search_facts *facts)
{
	if (facts->is_found || facts->agreed == 0 || facts->has_leave) { /* S10, S11 */
		return SERVER_SAME;
	}
	return facts->is_short ? SERVER_UNTOLD : SERVER_OTHER; /* S16, S12 */
}

enum whose server_whose(struct span noted, const char *now)
{
	if (noted.len == 0) {
		return WHOSE_NOBODYS;
	}
	return span_equal_cstr(noted, now) ? WHOSE_OURS : WHOSE_OTHERS;
}
