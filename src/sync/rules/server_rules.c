#include "server_rules.h"

enum accident accident_of(const struct census *census)
{
	if (census->here == 0 && census->had_here > 0) {
		return ACCIDENT_NO_FOLDER;
	}
	return census->there == 0 && census->had_there > 0 ? ACCIDENT_NO_MAILBOX : ACCIDENT_NONE;
}

enum server_sign server_sign(const struct server_facts *facts)
{
	if (!facts->was_known) {
		return SIGN_NONE;
	}
	if (facts->is_there && !facts->has_numbers) {
		return SIGN_UNTOLD;
	}
	return facts->is_there && facts->uidvalidity == facts->base_uidvalidity &&
			       (facts->uidnext == 0 || facts->uidnext >= facts->base_uidnext)
		     ? SIGN_SAME
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

enum server_verdict server_judge_search(bool is_found, uint64_t agreed, bool has_leave)
{
	return is_found || agreed == 0 || has_leave ? SERVER_SAME : SERVER_OTHER;
}

enum whose server_whose(struct span noted, const char *now)
{
	if (noted.len == 0) {
		return WHOSE_NOBODYS;
	}
	return span_equal_cstr(noted, now) ? WHOSE_OURS : WHOSE_OTHERS;
}
