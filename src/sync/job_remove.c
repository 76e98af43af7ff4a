/*
 * Removals on the server: into the trash where there is one, else marked \Deleted and expunged, by
 * UID and nothing but ours.
 */
#include <stdlib.h>
#include <string.h>

#include "job.h"

#define SET_TEXT_MAX 900

/* The mailbox that removed messages go to, or NULL. -ERR_PARTIAL when one is asked for and is not
 * there. */
static int trash_box(struct job *job, struct box **trash, struct err *err)
{
	struct run *run = job->run;
	const char *wanted = run->account->trash;
	*trash = NULL;
	if (wanted == NULL) {
		return 0;
	}
	if (wanted[0] == '\\') {
		for (size_t i = 0; i < run->boxes.count; i++) {
			if (run->boxes.items[i].attributes & IMAP_LIST_TRASH) {
				*trash = &run->boxes.items[i];
			}
		}
	} else {
		*trash = run_box(run, wanted);
	}
	if (*trash == NULL || (*trash)->wire == NULL || !(*trash)->in_remote) {
		return err_set(
			err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the trash mailbox %s is not on the server; nothing was deleted there",
			wanted);
	}
	if (*trash == job->box) {
		*trash = NULL;
	}
	return 0;
}

/* The messages to go, as sets of a line's length each. */
struct removal {
	struct job *job;
	const size_t *ops;
	size_t count;
	struct uidset uids;
};

enum verb {
	VERB_MARK,
	VERB_EXPUNGE,
	VERB_COPY,
	VERB_MOVE
};

static int queue_verb(struct removal *removal, enum verb verb, struct span uids, const char *wire,
		      struct err *err)
{
	struct imap *imap = removal->job->imap;
	struct imap_store_request mark = {
		.uids = uids,
		.add = true,
		.flags = FLAG_DELETED,
		.keywords = &removal->job->box->base.keywords,
	};
	switch (verb) {
	case VERB_MARK:
		return imap_store_queue(imap, &mark, 0, err);
	case VERB_EXPUNGE:
		return imap_expunge_queue(imap, uids, 0, err);
	case VERB_COPY:
		return imap_copy_queue(imap, uids, wire, false, 0, err);
	case VERB_MOVE:
		return imap_copy_queue(imap, uids, wire, true, 0, err);
	}
	return 0;
}

/* All sets by one verb, pipelined; the first refusal is the result. */
static int run_verb(struct removal *removal, enum verb verb, const char *wire, struct err *err)
{
	struct imap *imap = removal->job->imap;
	struct buf text;
	struct err refusal;
	size_t from = 0;
	int code = 0;
	int refused = 0;
	buf_init(&text, SET_TEXT_MAX + 64);
	while (code == 0 && uidset_format_some(&removal->uids, &from, SET_TEXT_MAX, &text)) {
		code = queue_verb(removal, verb, buf_span(&text), wire, err);
		buf_clear(&text);
	}
	buf_finish(&text);
	while (code == 0 && imap_outstanding(imap) > 0) {
		struct imap_done done;
		imap_done_init(&done);
		code = imap_done_next(imap, &done, err);
		if (code == 0 && done.status < 0 && refused == 0) {
			refused = done.status;
			refusal = done.err;
		}
		imap_done_finish(&done);
	}
	if (code == 0 && refused < 0) {
		*err = refusal;
		code = refused;
	}
	return code;
}

static int hold_all(struct removal *removal, struct err *err)
{
	struct job *job = removal->job;
	int code = state_begin(job->run->state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		struct row *row = job_row(job, &job->plan.plan.ops[removal->ops[i]]);
		row->reason = REASON_OBSTACLE;
		code = state_row_put(job->run->state, row, err);
	}
	if (code < 0) {
		state_rollback(job->run->state);
		return code;
	}
	job->plan.plan.skipped += removal->count;
	job->failures++;
	return state_commit(job->run->state, err);
}

/* Without UIDPLUS a plain EXPUNGE takes all that is marked: only when that is nothing but ours. */
static int expunge_plainly(struct removal *removal, bool *is_done, struct err *err)
{
	struct uidset marked;
	bool others = false;
	uidset_init(&marked);
	int code = imap_search_deleted(removal->job->imap, &marked, err);
	struct uidset_cursor cursor = {0};
	uint32_t uid = 0;
	while (code == 0 && uidset_next(&marked, &cursor, &uid)) {
		others |= !uidset_contains(&removal->uids, uid);
	}
	uidset_finish(&marked);
	if (code < 0) {
		return code;
	}
	if (others) {
		log_line(removal->job->run->log, LOG_INFO,
			 "%s/%s: the server cannot expunge by UID and others' messages are marked "
			 "\\Deleted; ours wait",
			 removal->job->run->account->name, removal->job->box->name);
		*is_done = false;
		return hold_all(removal, err);
	}
	code = run_verb(removal, VERB_MARK, NULL, err);
	if (code == 0) {
		code = imap_expunge_queue(removal->job->imap, (struct span){"", 0}, 0, err);
	}
	if (code == 0) {
		struct imap_done done;
		imap_done_init(&done);
		code = imap_done_next(removal->job->imap, &done, err);
		if (code == 0 && done.status < 0) {
			*err = done.err;
			code = done.status;
		}
		imap_done_finish(&done);
	}
	return code;
}

static int expunge(struct removal *removal, bool *is_done, struct err *err)
{
	if ((imap_caps(removal->job->imap) & IMAP_CAP_UIDPLUS) == 0) {
		return expunge_plainly(removal, is_done, err);
	}
	int code = run_verb(removal, VERB_MARK, NULL, err);
	return code < 0 ? code : run_verb(removal, VERB_EXPUNGE, NULL, err);
}

static int to_trash(struct removal *removal, struct box *trash, bool *is_done, struct err *err)
{
	int code;
	trash->remote_touched = true;
	if (imap_caps(removal->job->imap) & IMAP_CAP_MOVE) {
		code = run_verb(removal, VERB_MOVE, trash->wire, err);
	} else {
		code = run_verb(removal, VERB_COPY, trash->wire, err);
		if (code == 0) {
			code = expunge(removal, is_done, err);
		}
	}
	if (code < 0) {
		err_prefix(err,
			   "messages could not be moved to the trash, so they were not deleted");
	}
	return code;
}

static int commit_gone(struct removal *removal, struct err *err)
{
	struct job *job = removal->job;
	int code = state_begin(job->run->state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		struct row *row = job_row(job, &job->plan.plan.ops[removal->ops[i]]);
		row->remote = row->is_agreed ? SIDE_GONE : SIDE_ABSENT;
		row->reason = REASON_NONE;
		job->box->counts.deleted_remote++;
		code = state_row_put(job->run->state, row, err);
	}
	if (code < 0) {
		state_rollback(job->run->state);
		return code;
	}
	return state_commit(job->run->state, err);
}

int job_delete_remote(struct job *job, struct err *err)
{
	struct removal removal = {.job = job};
	struct box *trash = NULL;
	bool is_done = true;
	size_t *ops = job_ops(job, OP_DELETE_REMOTE, &removal.count, err);
	if (ops == NULL) {
		return -(int)err->code;
	}
	removal.ops = ops;
	uidset_init(&removal.uids);
	int code = trash_box(job, &trash, err);
	for (size_t i = 0; code == 0 && i < removal.count; i++) {
		uint32_t uid = job_row(job, &job->plan.plan.ops[ops[i]])->uid;
		code = uidset_add(&removal.uids, uid, uid, err);
	}
	if (code == 0) {
		code = job_select(job, true, err);
	}
	if (code == 0) {
		job->box->remote_touched = true;
		code = trash != NULL ? to_trash(&removal, trash, &is_done, err)
				     : expunge(&removal, &is_done, err);
	}
	if (code == 0 && is_done) {
		code = commit_gone(&removal, err);
	}
	uidset_finish(&removal.uids);
	free(ops);
	return code;
}
