/* What was refused of several messages together goes by itself (rules/refusal_rules.h, N11). */
#include "act_private.h"

#include "rules/effect.h"

/* So many are on their way at once; where none of these is taken, none of the rest is tried. */
#define SINGLES 20

static int send_some(struct remote *remote, const struct remote_change *change,
		     const struct uidset *uids, struct uidset_cursor *cursor, struct err *err)
{
	struct remote_change each = *change;
	uint32_t uid = 0;
	int code = 0;
	for (int i = 0; code == 0 && i < SINGLES && uidset_next(uids, cursor, &uid); i++) {
		struct uidset one = {0};
		each.uids = &one;
		if ((code = uidset_add(&one, uid, uid, err)) == 0) {
			code = remote_change_queue(remote, &each, uid, err);
		}
		uidset_finish(&one);
	}
	return code;
}

/* *TAKEN: some were; they are of REFUSED no more. */
static int take_some(struct remote *remote, struct remote_done *whole, bool *taken, struct err *err)
{
	struct remote_done done = {0};
	int code;
	while ((code = remote_answer_next(remote, &done, err)) > 0) {
		uint32_t uid = (uint32_t)done.cookie;
		if (done.status < 0) {
			whole->err = done.err;
		} else if (!uidset_contains(&done.refused, uid)) {
			*taken = true;
			if ((code = uidset_remove(&whole->refused, uid, uid, err)) < 0) {
				break;
			}
		}
	}
	remote_done_finish(&done);
	return code;
}

int act_go_singly(struct remote *remote, const struct remote_change *change,
		  struct remote_done *done, struct err *err)
{
	struct uidset_cursor cursor = {0};
	struct uidset all = {0};
	/* A plain EXPUNGE names none, and is refused as a whole. */
	bool is_split = done->status < 0 &&
			refusal_may_be_of_one(done->refusal, uidset_size(&done->refused));
	bool goes_on = is_split;
	int code = goes_on ? uidset_add_set(&all, &done->refused, err) : 0;
	while (code == 0 && goes_on) {
		goes_on = false;
		if ((code = send_some(remote, change, &all, &cursor, err)) == 0) {
			code = take_some(remote, done, &goes_on, err);
		}
	}
	uidset_finish(&all);
	if (code == 0 && is_split && done->refused.count == 0) {
		done->status = 0;
	}
	return code;
}

void act_hold_refused(struct row *row)
{
	if (row->reason != REASON_UNPROVEN) { /* which says more */
		effect_held(row, REASON_FAILED);
	}
}
