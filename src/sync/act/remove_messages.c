/*
 * Removals on the server: into the trash where there is one, else marked \Deleted and expunged, by
 * UID and nothing but ours. Without MOVE a message goes to the trash in two acts, COPY and removal;
 * intents tell the next run, or try, which of them is left (trash.h).
 */
#include <stdlib.h>
#include <string.h>

#include "observe/mailboxes.h"
#include "act_private.h"
#include "recover/trash.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define SET_TEXT_MAX 900

/* The mailbox that removed messages go to, or NULL. -ERR_PARTIAL when one is asked for and is not
 * there. */
static int trash_mailbox(struct job *job, struct mailbox **trash, struct err *err)
{
	struct run *run = job->run;
	const char *wanted = run->account->trash;
	*trash = NULL;
	if (wanted == NULL) {
		return 0;
	}
	if (wanted[0] == '\\') {
		for (size_t i = 0; i < run->mailboxes.count; i++) {
			if (run->mailboxes.items[i].seen.attributes & REMOTE_TRASH) {
				*trash = &run->mailboxes.items[i];
			}
		}
	} else {
		*trash = run_mailbox(run, wanted);
	}
	if (*trash == NULL || (*trash)->seen.wire == NULL || !(*trash)->seen.in_remote) {
		return err_set(
			err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the trash mailbox %s is not on the server; nothing was deleted there",
			wanted);
	}
	if (*trash == job->mailbox) {
		*trash = NULL;
	}
	return 0;
}

/* The messages to go, in the order of their rows' ids. */
struct removal {
	struct job *job;
	size_t *ops;
	size_t count;
	struct uidset uids;
	struct intents intents; /* of the mailbox, with a trash and without MOVE */
};

static struct row *removal_row(const struct removal *removal, size_t i)
{
	return job_row(removal->job, &removal->job->plan.plan.ops[removal->ops[i]]);
}

/* The row of that id, or NULL when it is not one to go. */
static const struct row *removal_find(const struct removal *removal, int64_t id)
{
	size_t low = 0;
	size_t high = removal->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (removal_row(removal, middle)->id < id) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	const struct row *row = low < removal->count ? removal_row(removal, low) : NULL;
	return row != NULL && row->id == id ? row : NULL;
}

enum verb {
	VERB_MARK,
	VERB_EXPUNGE,
	VERB_COPY,
	VERB_MOVE
};

static int queue_verb(struct removal *removal, enum verb verb, struct span uids, const char *wire,
		      struct err *err)
{
	struct remote *remote = removal->job->remote;
	struct imap_store_request mark = {
		.uids = uids,
		.add = true,
		.flags = FLAG_DELETED,
		.keywords = &removal->job->mailbox->base.keywords,
	};
	switch (verb) {
	case VERB_MARK:
		return imap_store_queue(remote_imap(remote), &mark, 0, err);
	case VERB_EXPUNGE:
		return imap_expunge_queue(remote_imap(remote), uids, 0, err);
	case VERB_COPY:
		return imap_copy_queue(remote_imap(remote), uids, wire, false, 0, err);
	case VERB_MOVE:
		return imap_copy_queue(remote_imap(remote), uids, wire, true, 0, err);
	}
	return 0;
}

/* All of UIDS by one verb, as sets of a line's length each, pipelined; the first refusal is the
 * result. */
static int run_verb(struct removal *removal, const struct uidset *uids, enum verb verb,
		    const char *wire, struct err *err)
{
	struct remote *remote = removal->job->remote;
	struct buf text;
	struct err refusal;
	size_t from = 0;
	int code = 0;
	int refused = 0;
	buf_init(&text, SET_TEXT_MAX + 64);
	while (code == 0 && uidset_format_some(uids, &from, SET_TEXT_MAX, &text)) {
		code = queue_verb(removal, verb, buf_span(&text), wire, err);
		buf_clear(&text);
	}
	buf_finish(&text);
	while (code == 0 && imap_outstanding(remote_imap(remote)) > 0) {
		struct imap_done done;
		imap_done_init(&done);
		code = imap_done_next(remote_imap(remote), &done, err);
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
	int code = state_begin(job->run->session->state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		struct row *row = removal_row(removal, i);
		row->reason = REASON_OBSTACLE;
		code = state_row_put(job->run->session->state, row, err);
	}
	if (code < 0) {
		state_rollback(job->run->session->state);
		return code;
	}
	job->plan.plan.skipped += removal->count;
	job->failures++;
	return state_commit(job->run->session->state, err);
}

/* Without UIDPLUS a plain EXPUNGE takes all that is marked: only when that is nothing but ours. */
static int expunge_plainly(struct removal *removal, bool *is_done, struct err *err)
{
	struct uidset marked;
	bool others = false;
	uidset_init(&marked);
	int code = imap_search_deleted(remote_imap(removal->job->remote), &marked, err);
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
			 removal->job->run->account->name, removal->job->mailbox->name);
		*is_done = false;
		return hold_all(removal, err);
	}
	code = run_verb(removal, &removal->uids, VERB_MARK, NULL, err);
	if (code == 0) {
		code = imap_expunge_queue(remote_imap(removal->job->remote), (struct span){"", 0},
					  0, err);
	}
	if (code == 0) {
		struct imap_done done;
		imap_done_init(&done);
		code = imap_done_next(remote_imap(removal->job->remote), &done, err);
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
	if (!remote_facts(removal->job->remote)->has_uid_expunge) {
		return expunge_plainly(removal, is_done, err);
	}
	int code = run_verb(removal, &removal->uids, VERB_MARK, NULL, err);
	return code < 0 ? code : run_verb(removal, &removal->uids, VERB_EXPUNGE, NULL, err);
}

static int commit_gone(struct removal *removal, struct err *err)
{
	struct job *job = removal->job;
	int code = state_begin(job->run->session->state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < removal->intents.count; i++) {
		const struct intent *intent = &removal->intents.items[i];
		if (intent_is_of_trash(intent) && removal_find(removal, intent->row) != NULL) {
			code = state_intent_drop(job->run->session->state, intent->id, err);
		}
	}
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		struct row *row = removal_row(removal, i);
		row->remote = row->is_agreed ? MESSAGE_GONE : MESSAGE_ABSENT;
		row->reason = REASON_NONE;
		job->mailbox->done.counts.deleted_remote++;
		code = state_row_put(job->run->session->state, row, err);
	}
	if (code < 0) {
		state_rollback(job->run->session->state);
		return code;
	}
	return state_commit(job->run->session->state, err);
}

static int remove_marked(struct removal *removal, struct err *err)
{
	bool is_done = true;
	int code = expunge(removal, &is_done, err);
	return code == 0 && is_done ? commit_gone(removal, err) : code;
}

/* An intent for each of UIDS, which are of those to go. */
static int commit_intents(struct removal *removal, const struct mailbox *trash,
			  const struct uidset *uids, struct err *err)
{
	struct job *job = removal->job;
	int code = state_begin(job->run->session->state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		const struct row *row = removal_row(removal, i);
		struct intent intent = {
			.kind = INTENT_TRASH,
			.row = row->id,
			.mailbox = job->mailbox->base.id,
			.uidvalidity = trash->seen.uidvalidity,
			.uid_bound = trash->seen.uidnext,
			.text = trash->seen.wire,
		};
		if (uidset_contains(uids, row->uid)) {
			code = state_intent_add(job->run->session->state, &intent, err);
		}
	}
	if (code < 0) {
		state_rollback(job->run->session->state);
		return code;
	}
	return state_commit(job->run->session->state, err);
}

/* All of them were copied. */
static int confirm_intents(struct removal *removal, struct err *err)
{
	struct state *state = removal->job->run->session->state;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < removal->intents.count; i++) {
		struct intent intent = removal->intents.items[i];
		if (intent.kind == INTENT_TRASH && removal_find(removal, intent.row) != NULL) {
			intent.kind = INTENT_TRASHED;
			code = state_intent_drop(state, intent.id, err);
			if (code == 0) {
				code = state_intent_add(state, &intent, err);
			}
		}
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

static int load_intents(struct removal *removal, struct err *err)
{
	state_intents_finish(&removal->intents);
	return state_intents_load(removal->job->run->session->state, removal->job->mailbox->base.id,
				  &removal->intents, err);
}

/* UIDS without those that are in the trash already. */
static int leave_copied(const struct removal *removal, struct uidset *uids, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < removal->intents.count; i++) {
		const struct intent *intent = &removal->intents.items[i];
		const struct row *row = removal_find(removal, intent->row);
		if (intent->kind == INTENT_TRASHED && row != NULL) {
			code = uidset_remove(uids, row->uid, row->uid, err);
		}
	}
	return code;
}

/* What is not in the trash is not to go now. */
static int leave_uncopied(struct removal *removal, struct uidset *rest, struct err *err)
{
	size_t kept = 0;
	int code = load_intents(removal, err);
	if (code == 0) {
		code = leave_copied(removal, rest, err);
	}
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		uint32_t uid = removal_row(removal, i)->uid;
		if (uidset_contains(rest, uid)) {
			code = uidset_remove(&removal->uids, uid, uid, err);
		} else {
			removal->ops[kept++] = removal->ops[i];
		}
	}
	removal->count = code == 0 ? kept : 0;
	return code;
}

static int copy_to_trash(struct removal *removal, struct mailbox *trash, const struct uidset *uids,
			 struct err *err)
{
	int code = mailboxes_ask_counts(removal->job->remote, trash, err);
	if (code == 0 && !trash->seen.has_counts) {
		code = err_set(err, ERR_REFUSED, SCOPE_MAILBOX,
			       "the server does not tell the numbers of the trash");
	}
	if (code == 0) {
		code = commit_intents(removal, trash, uids, err);
	}
	if (code == 0) {
		trash->done.was_changed_there = true;
		code = run_verb(removal, uids, VERB_COPY, trash->seen.wire, err);
	}
	if (code == 0) {
		code = load_intents(removal, err);
	}
	return code == 0 ? confirm_intents(removal, err) : code;
}

/* COPY of UIDS, and where that was refused a look at what was copied all the same. *REFUSED is then
 * the error. */
static int try_to_copy(struct removal *removal, struct mailbox *trash, const struct uidset *uids,
		       int *refused, struct err *err)
{
	struct job *job = removal->job;
	struct err ignored;
	int code = uids->count == 0 ? 0 : copy_to_trash(removal, trash, uids, err);
	*refused = 0;
	if (code == 0 || run_is_fatal(err)) {
		return code;
	}
	*refused = code;
	code = trash_settle_mailbox(job->run, job->remote, job->mailbox, &ignored);
	if (code == 0 || !run_is_fatal(&ignored)) {
		return 0;
	}
	*err = ignored;
	return code;
}

static int remove_copied(struct removal *removal, struct uidset *rest, struct err *err)
{
	int code = leave_uncopied(removal, rest, err);
	if (code < 0 || removal->count == 0) {
		return code;
	}
	code = job_select(removal->job, true, err);
	if (code == 0) {
		code = remove_marked(removal, err);
	}
	if (code < 0) {
		err_prefix(err, "messages are in the trash now, but could not be removed here");
	}
	return code;
}

/* A refused COPY holds up only what was not copied. */
static int copy_and_remove(struct removal *removal, struct mailbox *trash, struct err *err)
{
	struct uidset rest;
	struct err refusal;
	int refused = 0;
	uidset_init(&rest);
	int code = load_intents(removal, err);
	for (size_t i = 0; code == 0 && i < removal->uids.count; i++) {
		const struct uidrange *range = &removal->uids.ranges[i];
		code = uidset_add(&rest, range->first, range->last, err);
	}
	if (code == 0) {
		code = leave_copied(removal, &rest, err);
	}
	if (code == 0) {
		code = try_to_copy(removal, trash, &rest, &refused, &refusal);
		*err = code < 0 ? refusal : *err;
	}
	if (code == 0) {
		code = remove_copied(removal, &rest, err);
	}
	if (code == 0 && refused < 0) {
		*err = refusal;
		err_prefix(err,
			   "messages could not be moved to the trash, so they were not deleted");
		code = refused;
	}
	uidset_finish(&rest);
	return code;
}

static int move_to_trash(struct removal *removal, struct mailbox *trash, struct err *err)
{
	trash->done.was_changed_there = true;
	int code = run_verb(removal, &removal->uids, VERB_MOVE, trash->seen.wire, err);
	if (code < 0) {
		err_prefix(err,
			   "messages could not be moved to the trash, so they were not deleted");
	}
	return code < 0 ? code : commit_gone(removal, err);
}

int job_delete_remote(struct job *job, struct err *err)
{
	struct removal removal = {.job = job};
	struct mailbox *trash = NULL;
	removal.ops = job_ops(job, OP_DELETE_REMOTE, &removal.count, err);
	if (removal.ops == NULL) {
		return -(int)err->code;
	}
	uidset_init(&removal.uids);
	int code = trash_mailbox(job, &trash, err);
	for (size_t i = 0; code == 0 && i < removal.count; i++) {
		uint32_t uid = removal_row(&removal, i)->uid;
		code = uidset_add(&removal.uids, uid, uid, err);
	}
	if (code == 0) {
		code = job_select(job, true, err);
	}
	if (code == 0) {
		job->mailbox->done.was_changed_there = true;
		if (trash == NULL) {
			code = remove_marked(&removal, err);
		} else if (remote_facts(job->remote)->has_move) {
			code = move_to_trash(&removal, trash, err);
		} else {
			code = copy_and_remove(&removal, trash, err);
		}
	}
	uidset_finish(&removal.uids);
	state_intents_finish(&removal.intents);
	free(removal.ops);
	return code;
}
