/* Flags and removals on the server: equal changes are grouped into one command for many UIDs. */
#include <stdlib.h>
#include <string.h>

#include "act_private.h"
#include "observe/observe.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define SET_TEXT_MAX 900

/* One STORE: these UIDs get (or lose) these flags. */
struct group {
	uint64_t bits;
	bool add;
	struct uidset uids;
};

struct groups {
	struct group *items;
	size_t count;
};

static void groups_finish(struct groups *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		uidset_finish(&groups->items[i].uids);
	}
	free(groups->items);
}

static int groups_add(struct groups *groups, uint64_t bits, bool add, uint32_t uid, struct err *err)
{
	for (size_t i = 0; i < groups->count; i++) {
		if (groups->items[i].bits == bits && groups->items[i].add == add) {
			return uidset_add(&groups->items[i].uids, uid, uid, err);
		}
	}
	struct group *items = realloc(groups->items, (groups->count + 1) * sizeof(*items));
	if (items == NULL) {
		return err_nomem(err);
	}
	groups->items = items;
	struct group *group = &items[groups->count++];
	*group = (struct group){.bits = bits, .add = add};
	uidset_init(&group->uids);
	return uidset_add(&group->uids, uid, uid, err);
}

static int group_ops(struct job *job, const size_t *ops, size_t count, struct groups *groups,
		     struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < count; i++) {
		const struct op *op = &job->plan.plan.ops[ops[i]];
		uint32_t uid = job_row(job, op)->uid;
		if (op->add != 0) {
			code = groups_add(groups, op->add, true, uid, err);
		}
		if (code == 0 && op->remove != 0) {
			code = groups_add(groups, op->remove, false, uid, err);
		}
	}
	return code;
}

/* One command per line's worth of UIDs; cookie: the group's index, in which FAILED is set. */
static int send_groups(struct job *job, const struct groups *groups, struct err *err)
{
	int code = 0;
	for (size_t g = 0; code == 0 && g < groups->count; g++) {
		const struct group *group = &groups->items[g];
		struct buf text;
		size_t from = 0;
		buf_init(&text, SET_TEXT_MAX + 64);
		while (code == 0 && uidset_format_some(&group->uids, &from, SET_TEXT_MAX, &text)) {
			code = buf_status(&text, "a set of UIDs", err);
			if (code == 0) {
				struct imap_store_request request = {
					.uids = buf_span(&text),
					.add = group->add,
					.flags = group->bits,
					.keywords = &job->mailbox->base.keywords,
				};
				code = imap_store_queue(remote_imap(job->remote), &request, g, err);
			}
			buf_clear(&text);
		}
		buf_finish(&text);
	}
	return code;
}

static int take_answers(struct job *job, bool *failed, size_t *failures, struct err *err)
{
	int code = 0;
	while (code == 0 && imap_outstanding(remote_imap(job->remote)) > 0) {
		struct imap_done done;
		imap_done_init(&done);
		code = imap_done_next(remote_imap(job->remote), &done, err);
		if (code == 0 && done.status < 0) {
			failed[done.cookie] = true;
			(*failures)++;
			err_prefix(&done.err, "flags could not be changed");
			run_report_error(job->run, job->mailbox, 0, &done.err);
		}
		imap_done_finish(&done);
	}
	return code;
}

static bool op_succeeded(const struct op *op, const struct groups *groups, const bool *failed)
{
	for (size_t g = 0; g < groups->count; g++) {
		const struct group *group = &groups->items[g];
		if (failed[g] && group->bits == (group->add ? op->add : op->remove)) {
			return false;
		}
	}
	return true;
}

static int commit_flags(struct job *job, const size_t *ops, size_t count,
			const struct groups *groups, const bool *failed, struct err *err)
{
	int code = state_begin(job->run->session->state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < count; i++) {
		const struct op *op = &job->plan.plan.ops[ops[i]];
		struct row *row = job_row(job, op);
		if (!op_succeeded(op, groups, failed)) {
			continue;
		}
		row->remote_flags = (row->remote_flags | op->add) & ~op->remove;
		job_settle_flags(row);
		row->reason = REASON_NONE;
		job->mailbox->done.counts.flags_remote++;
		code = state_row_put(job->run->session->state, row, err);
	}
	if (code < 0) {
		state_rollback(job->run->session->state);
		return code;
	}
	return state_commit(job->run->session->state, err);
}

int job_store_flags(struct job *job, struct err *err)
{
	size_t count = 0;
	struct groups groups = {0};
	bool *failed = NULL;
	size_t *ops = job_ops(job, OP_FLAGS_REMOTE, &count, err);
	if (ops == NULL) {
		return -(int)err->code;
	}
	int code = job_select(job, true, err);
	if (code == 0) {
		code = group_ops(job, ops, count, &groups, err);
	}
	if (code == 0) {
		failed = calloc(groups.count + 1, sizeof(*failed));
		code = failed == NULL ? err_nomem(err) : 0;
	}
	if (code == 0) {
		job->mailbox->done.was_changed_there = true;
		code = send_groups(job, &groups, err);
	}
	if (code == 0) {
		code = take_answers(job, failed, &job->failures, err);
	}
	if (code == 0) {
		code = commit_flags(job, ops, count, &groups, failed, err);
	}
	groups_finish(&groups);
	free(failed);
	free(ops);
	return code;
}
