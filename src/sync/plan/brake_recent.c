/* What was deleted lately, by this run or by others (B7, B8 of rules/brake.h). */
#include "plan.h"

#include "mailsync/base/clock.h"

#include "rules/brake.h"

int brake_note_deleted(struct run *run, int64_t mailbox, enum side side, size_t count,
		       struct err *err)
{
	const struct state_deleted deleted = {
		.mailbox = mailbox, .side = side, .now = clock_real_s(), .count = count};
	return count == 0 || run->policy.releases_held
		     ? 0
		     : state_deleted_add(run->session->state, &deleted, err);
}

int brake_complete_count(struct run *run, int64_t mailbox, uint64_t since,
			 struct brake_count *count, struct err *err)
{
	struct state *state = run->session->state;
	struct state_recent recent = {0};
	int64_t now = clock_real_s();
	int code = 0;
	if ((count->local == 0 && count->remote == 0) ||
	    (code = state_deleted_recent(state, mailbox, brake_recent_from(run->policy.now, now),
					 now, &recent, err)) < 0) {
		return code;
	}
	count->recent_local = recent.local;
	count->recent_remote = recent.remote;
	if (!brake_is_near(count) || count->agreed > 0) {
		return 0;
	}
	code = state_count_agreed(state, mailbox, &count->agreed, err);
	since += count->held_agreed;
	count->agreed -= since < count->agreed ? since : count->agreed;
	return code;
}
