/* Flags on the server: equal changes are grouped into one command for many UIDs. */
#include "act_private.h"

#include <stdlib.h>

#include "mailsync/base/array.h"

#include "mailsync/base/clock.h"

#include "guard/guard.h"
#include "rules/effect.h"

/* These UIDs get (or lose) these flags. */
struct group {
	uint64_t bits;
	bool is_add;
	struct uidset uids;
	size_t size;
	struct remote_done done; /* what it came to */
};

struct storing {
	struct job *job;
	struct group *groups;
	size_t count, cap;
	size_t most;          /* messages in a group */
	struct uidset on_way; /* asked for and not answered */
	struct uidset refused;
};

static void storing_finish(struct storing *storing)
{
	for (size_t i = 0; i < storing->count; i++) {
		uidset_finish(&storing->groups[i].uids);
		remote_done_finish(&storing->groups[i].done);
	}
	free(storing->groups);
	uidset_finish(&storing->on_way);
	uidset_finish(&storing->refused);
}

static int group_add(struct storing *storing, uint64_t bits, bool is_add, uint32_t uid,
		     struct err *err)
{
	struct group *group = storing->groups;
	struct group *end = group + storing->count;
	while (group < end &&
	       (group->bits != bits || group->is_add != is_add || group->size == storing->most)) {
		group++;
	}
	if (group == end) {
		if (ARRAY_RESERVE(&storing->groups, storing->count + 1, &storing->cap, err) < 0) {
			return -ERR_NOMEM;
		}
		group = &storing->groups[storing->count++];
		*group = (struct group){.bits = bits, .is_add = is_add};
	}
	group->size++;
	return uidset_add(&group->uids, uid, uid, err);
}

static int group_ops(struct storing *storing, struct err *err)
{
	const struct op *op;
	int code = 0;
	for (size_t at = 0;
	     code == 0 && (op = job_next(storing->job, OP_FLAGS_REMOTE, &at)) != NULL;) {
		uint32_t uid = job_row(storing->job, op)->uid;
		code = op->add == 0 ? 0 : group_add(storing, op->add, true, uid, err);
		if (code == 0 && op->remove != 0) {
			code = group_add(storing, op->remove, false, uid, err);
		}
	}
	return code;
}

static struct remote_change change_of(const struct storing *storing, const struct group *group)
{
	return (struct remote_change){
		.kind = REMOTE_STORE,
		.uids = &group->uids,
		.flags = group->bits,
		.is_add = group->is_add,
		.keywords = &storing->job->mailbox->base.keywords,
	};
}

static int take_answers(struct storing *storing, struct err *err)
{
	struct remote_done done = {0};
	int code;
	while ((code = remote_answer_next(storing->job->remote, &done, err)) > 0) {
		struct group *group = &storing->groups[done.cookie];
		remote_done_finish(&group->done);
		group->done = done;
		remote_done_init(&done);
	}
	return code;
}

/* What of GROUP was refused goes by itself, and is told where it is refused again. */
static int judge_group(struct storing *storing, struct group *group, struct err *err)
{
	struct job *job = storing->job;
	const struct remote_change change = change_of(storing, group);
	struct remote_done *done = &group->done;
	struct uidset_cursor cursor = {0};
	uint32_t uid = 0;
	int code = act_go_singly(job->remote, &change, done, err);
	if (code == 0 && done->status < 0) {
		bool is_one = uidset_size(&done->refused) == 1;
		job->failures++;
		(void)uidset_next(&done->refused, &cursor, &uid);
		err_prefix(&done->err, "flags could not be changed");
		run_report_error(job->run, job->mailbox, is_one ? uid : 0, &done->err);
	} else if (code == 0 && done->refused.count > 0) {
		job->failures++;
		err_set(&done->err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the server left the flags of some messages as they were");
		run_report_error(job->run, job->mailbox, 0, &done->err);
	}
	return code < 0 ? code : uidset_add_set(&storing->refused, &done->refused, err);
}

static int judge_groups(struct storing *storing, struct err *err)
{
	int code = take_answers(storing, err);
	for (size_t i = 0; code == 0 && i < storing->count; i++) {
		code = judge_group(storing, &storing->groups[i], err);
	}
	return code;
}

/* Each message that was on its way is told of: it went through, or the connection ended (ERR). */
static void tell_suspects(struct storing *storing, const struct err *err)
{
	struct job *job = storing->job;
	struct suspect_item *items = calloc(job->plan.count + 1, sizeof(*items));
	const struct op *op;
	size_t count = 0;
	for (size_t at = 0; items != NULL && (op = job_next(job, OP_FLAGS_REMOTE, &at)) != NULL;) {
		const struct row *row = job_row(job, op);
		if (uidset_contains(&storing->on_way, row->uid)) {
			items[count++] = message_item(job->mailbox, row, SUSPECT_AT_STORE);
		}
	}
	for (size_t i = 0; err == NULL && i < count; i++) {
		suspects_went(job->run, &items[i]);
	}
	if (err != NULL && items != NULL) {
		suspects_lost(job->run, items, count, err);
	}
	free(items);
}

/* All at once; or one after the other, where it has to show which the connection ends on. */
static int send_groups(struct storing *storing, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < storing->count; i++) {
		const struct remote_change change = change_of(storing, &storing->groups[i]);
		if ((code = uidset_add_set(&storing->on_way, change.uids, err)) < 0 ||
		    (code = remote_change_queue(storing->job->remote, &change, i, err)) < 0 ||
		    storing->most == SIZE_MAX) {
			continue;
		}
		if ((code = take_answers(storing, err)) == 0) {
			tell_suspects(storing, NULL);
			uidset_finish(&storing->on_way);
		}
	}
	return code;
}

static int commit_flags(struct storing *storing, struct err *err)
{
	struct job *job = storing->job;
	bool changed = false;
	struct op *op;
	for (size_t at = 0; (op = job_next(job, OP_FLAGS_REMOTE, &at)) != NULL;) {
		struct row *row = job_row(job, op);
		if (!uidset_contains(&storing->refused, row->uid)) {
			effect_flags(row, SIDE_REMOTE, op->add, op->remove);
			effect_held(row, op->reason);
			effect_braked(row, op->held, clock_real_s());
			job->mailbox->done.counts.flags_remote++;
			changed = true;
		} else {
			act_hold_refused(row);
		}
		op->is_done = true;
	}
	int code = changed ? run_claim(job->run, err) : 0;
	return code < 0 ? code : job_commit(job, err);
}

int job_store_flags(struct job *job, struct err *err)
{
	struct storing storing = {.job = job, .most = suspects_batch(job->run, SIZE_MAX)};
	int code = group_ops(&storing, err);
	if (code < 0 || storing.count == 0) {
		goto finish;
	}
	if ((code = job_select(job, true, err)) < 0) {
		goto finish;
	}
	job->mailbox->done.was_changed_there = true;
	if ((code = send_groups(&storing, err)) == 0) {
		code = judge_groups(&storing, err);
	}
	tell_suspects(&storing, code < 0 ? err : NULL);
	code = code < 0 ? code : commit_flags(&storing, err);
finish:
	storing_finish(&storing);
	return code;
}
