/* Flags on the server: equal changes are grouped into one command for many UIDs. */
#include <stdlib.h>

#include "mailsync/base/array.h"

#include "rules/effect.h"

#include "act_private.h"

/* These UIDs get (or lose) these flags. */
struct group {
	uint64_t bits;
	bool is_add;
	struct uidset uids;
	struct uidset refused; /* of these, by the server */
};

struct groups {
	struct group *items;
	size_t count;
	size_t cap;
};

static void groups_finish(struct groups *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		uidset_finish(&groups->items[i].uids);
		uidset_finish(&groups->items[i].refused);
	}
	free(groups->items);
}

/* The group of these bits, made where there is none; NULL and ERR when out of memory. */
static struct group *groups_get(struct groups *groups, uint64_t bits, bool is_add, struct err *err)
{
	for (size_t i = 0; i < groups->count; i++) {
		if (groups->items[i].bits == bits && groups->items[i].is_add == is_add) {
			return &groups->items[i];
		}
	}
	if (ARRAY_RESERVE(&groups->items, groups->count + 1, &groups->cap, err) < 0) {
		return NULL;
	}
	struct group *group = &groups->items[groups->count++];
	*group = (struct group){.bits = bits, .is_add = is_add};
	uidset_init(&group->uids);
	uidset_init(&group->refused);
	return group;
}

static int groups_add(struct groups *groups, uint64_t bits, bool is_add, uint32_t uid,
		      struct err *err)
{
	struct group *group = bits == 0 ? NULL : groups_get(groups, bits, is_add, err);
	if (group == NULL) {
		return bits == 0 ? 0 : -ERR_NOMEM;
	}
	return uidset_add(&group->uids, uid, uid, err);
}

static int group_ops(struct job *job, const size_t *ops, size_t count, struct groups *groups,
		     struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < count; i++) {
		const struct op *op = &job->plan.plan.ops[ops[i]];
		uint32_t uid = job_row(job, op)->uid;
		if ((code = groups_add(groups, op->add, true, uid, err)) == 0) {
			code = groups_add(groups, op->remove, false, uid, err);
		}
	}
	return code;
}

/* Cookie: the group's index. */
static int send_groups(struct job *job, const struct groups *groups, struct err *err)
{
	int code = 0;
	for (size_t g = 0; code == 0 && g < groups->count; g++) {
		const struct group *group = &groups->items[g];
		struct remote_change change = {
			.kind = REMOTE_STORE,
			.uids = &group->uids,
			.flags = group->bits,
			.is_add = group->is_add,
			.keywords = &job->mailbox->base.keywords,
		};
		code = remote_change_queue(job->remote, &change, g, err);
	}
	return code;
}

static void take_refusal(struct job *job, struct group *group, struct remote_done *done)
{
	struct uidset refused = group->refused;
	group->refused = done->refused;
	done->refused = refused;
	job->failures++;
	err_prefix(&done->err, "flags could not be changed");
	run_report_error(job->run, job->mailbox, 0, &done->err);
}

static int take_answers(struct job *job, struct groups *groups, struct err *err)
{
	int code = 0;
	while (code == 0 && remote_outstanding(job->remote) > 0) {
		struct remote_done done;
		remote_done_init(&done);
		code = remote_done_next(job->remote, &done, err);
		if (code == 0 && done.status < 0) {
			take_refusal(job, &groups->items[done.cookie], &done);
		}
		remote_done_finish(&done);
	}
	return code;
}

static bool op_succeeded(const struct op *op, uint32_t uid, const struct groups *groups)
{
	for (size_t g = 0; g < groups->count; g++) {
		const struct group *group = &groups->items[g];
		if (group->bits == (group->is_add ? op->add : op->remove) &&
		    uidset_contains(&group->refused, uid)) {
			return false;
		}
	}
	return true;
}

static int commit_flags(struct job *job, const size_t *ops, size_t count,
			const struct groups *groups, struct err *err)
{
	struct state *state = job->run->session->state;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < count; i++) {
		const struct op *op = &job->plan.plan.ops[ops[i]];
		struct row *row = job_row(job, op);
		if (op_succeeded(op, row->uid, groups)) {
			effect_flags(row, SIDE_REMOTE, op->add, op->remove);
			effect_held(row, op->reason);
			job->mailbox->done.counts.flags_remote++;
			code = state_row_put(state, row, err);
		}
	}
	return state_end(state, code, err);
}

int job_store_flags(struct job *job, struct err *err)
{
	size_t count = 0;
	struct groups groups = {0};
	size_t *ops = job_ops(job, OP_FLAGS_REMOTE, &count, err);
	int code;
	if (ops == NULL) {
		return -(int)err->code;
	}
	if ((code = job_select(job, true, err)) < 0 ||
	    (code = group_ops(job, ops, count, &groups, err)) < 0) {
		goto finish;
	}
	job->mailbox->done.was_changed_there = true;
	if ((code = send_groups(job, &groups, err)) < 0 ||
	    (code = take_answers(job, &groups, err)) < 0) {
		goto finish;
	}
	code = commit_flags(job, ops, count, &groups, err);
finish:
	groups_finish(&groups);
	free(ops);
	return code;
}
