/*
 * Removals on the server, as the plan says (rules/removal_rules.h): into the trash, or marked
 * \Deleted and expunged. Without MOVE a message goes to the trash in two acts, COPY and removal;
 * intents tell the next run, or try, which of them is left (recover/recover.h).
 */
#include <stdlib.h>

#include "mailsync/base/array.h"

#include "act_private.h"
#include "observe/observe.h"
#include "plan/plan_removals.h"
#include "recover/recover.h"
#include "rules/effect.h"

/* The messages to go. */
struct removal {
	struct job *job;
	struct mailbox *trash;
	struct row **rows; /* in the order of their ids */
	size_t count;
	struct uidset uids;
	struct intents intents; /* of the mailbox, once they are asked for */
};

static int compare_id(const void *key, const void *item)
{
	int64_t wanted = *(const int64_t *)key;
	int64_t id = (*(struct row *const *)item)->id;
	return (wanted > id) - (wanted < id);
}

/* The row that INTENT, one of the trash, is about; NULL when it is not one to go. */
static const struct row *row_of(const struct removal *removal, const struct intent *intent)
{
	struct row *const *found =
		intent_is_of_trash(intent)
			? array_find(removal->rows, removal->count, sizeof(struct row *),
				     &intent->row, compare_id)
			: NULL;
	return found == NULL ? NULL : *found;
}

static int change(struct removal *removal, enum remote_change_kind kind, const struct uidset *uids,
		  struct err *err)
{
	bool is_to_trash = kind == REMOTE_COPY || kind == REMOTE_MOVE;
	const struct remote_change change = {
		.kind = kind,
		.uids = uids,
		.flags = FLAG_DELETED,
		.is_add = true,
		.keywords = &removal->job->mailbox->base.keywords,
		.wire = is_to_trash ? removal->trash->seen.wire : NULL,
	};
	return remote_change_now(removal->job->remote, &change, NULL, err);
}

static int put_rows(struct removal *removal, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		code = state_row_put(removal->job->run->session->state, removal->rows[i], err);
	}
	return code;
}

static int hold(struct removal *removal, struct err *err)
{
	struct job *job = removal->job;
	struct state *state = job->run->session->state;
	log_line(job->run->log, LOG_INFO,
		 "%s/%s: the server cannot expunge by UID and others' messages are marked "
		 "\\Deleted; ours wait",
		 job->run->account->name, job->mailbox->name);
	for (size_t i = 0; i < removal->count; i++) {
		effect_held(removal->rows[i], REASON_OBSTACLE);
	}
	job->plan.plan.skipped += removal->count;
	job->failures++;
	int code = state_begin(state, err);
	return code < 0 ? code : state_end(state, put_rows(removal, err), err);
}

static int drop_intents(struct removal *removal, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < removal->intents.count; i++) {
		const struct intent *intent = &removal->intents.items[i];
		if (row_of(removal, intent) != NULL) {
			code = state_intent_drop(removal->job->run->session->state, intent->id,
						 err);
		}
	}
	return code;
}

static int commit_gone(struct removal *removal, struct err *err)
{
	struct state *state = removal->job->run->session->state;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	if ((code = drop_intents(removal, err)) == 0) {
		for (size_t i = 0; i < removal->count; i++) {
			effect_deleted(removal->rows[i], SIDE_REMOTE);
		}
		removal->job->mailbox->done.counts.deleted_remote += removal->count;
		code = put_rows(removal, err);
	}
	return state_end(state, code, err);
}

/* Which messages are marked matters only where all of them would be expunged. */
static int expunge(struct removal *removal, struct err *err)
{
	struct remote *remote = removal->job->remote;
	bool by_uid = remote_facts(remote)->has_uid_expunge;
	struct uidset marked;
	uint32_t exists = 0;
	uidset_init(&marked);
	int code = by_uid ? 0 : remote_uids(remote, REMOTE_UIDS_DELETED, &marked, &exists, err);
	enum expunge_way way = expunge_rule(by_uid, &marked, &removal->uids);
	uidset_finish(&marked);
	if (code < 0 || way == EXPUNGE_HOLD) {
		return code < 0 ? code : hold(removal, err);
	}
	enum remote_change_kind kind = way == EXPUNGE_UIDS ? REMOTE_EXPUNGE : REMOTE_EXPUNGE_ALL;
	if ((code = change(removal, REMOTE_STORE, &removal->uids, err)) < 0 ||
	    (code = change(removal, kind, &removal->uids, err)) < 0) {
		return code;
	}
	return commit_gone(removal, err);
}

static int move_to_trash(struct removal *removal, struct err *err)
{
	removal->trash->done.was_changed_there = true;
	int code = change(removal, REMOTE_MOVE, &removal->uids, err);
	if (code < 0) {
		err_prefix(err,
			   "messages could not be moved to the trash, so they were not deleted");
		return code;
	}
	return commit_gone(removal, err);
}

static int load_intents(struct removal *removal, struct err *err)
{
	state_intents_finish(&removal->intents);
	return state_intents_load(removal->job->run->session->state, removal->job->mailbox->base.id,
				  &removal->intents, err);
}

/* An intent for each of UIDS, which are of those to go. */
static int commit_intents(struct removal *removal, const struct uidset *uids, struct err *err)
{
	struct state *state = removal->job->run->session->state;
	const struct mailbox_seen *trash = &removal->trash->seen;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		struct intent intent = {
			.kind = INTENT_TRASH,
			.row = removal->rows[i]->id,
			.mailbox = removal->job->mailbox->base.id,
			.uidvalidity = trash->uidvalidity,
			.uid_bound = trash->uidnext,
			.text = trash->wire,
		};
		if (uidset_contains(uids, removal->rows[i]->uid)) {
			code = state_intent_add(state, &intent, err);
		}
	}
	return state_end(state, code, err);
}

/* All of them were copied. */
static int confirm_intents(struct removal *removal, struct err *err)
{
	struct state *state = removal->job->run->session->state;
	int code = load_intents(removal, err);
	if (code < 0 || (code = state_begin(state, err)) < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < removal->intents.count; i++) {
		struct intent intent = removal->intents.items[i];
		if (intent.kind != INTENT_TRASH || row_of(removal, &intent) == NULL) {
			continue;
		}
		intent.kind = INTENT_TRASHED;
		if ((code = state_intent_drop(state, intent.id, err)) == 0) {
			code = state_intent_add(state, &intent, err);
		}
	}
	return state_end(state, code, err);
}

/* UIDS become those to go that are not in the trash already. */
static int find_uncopied(struct removal *removal, struct uidset *uids, struct err *err)
{
	uidset_finish(uids);
	int code = load_intents(removal, err);
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		code = uidset_add(uids, removal->rows[i]->uid, removal->rows[i]->uid, err);
	}
	for (size_t i = 0; code == 0 && i < removal->intents.count; i++) {
		const struct intent *intent = &removal->intents.items[i];
		const struct row *row = row_of(removal, intent);
		if (intent->kind == INTENT_TRASHED && row != NULL) {
			code = uidset_remove(uids, row->uid, row->uid, err);
		}
	}
	return code;
}

static int copy_to_trash(struct removal *removal, const struct uidset *uids, struct err *err)
{
	struct mailbox *trash = removal->trash;
	int code = mailboxes_ask_counts(removal->job->remote, trash, err);
	if (code < 0) {
		return code;
	}
	if (!trash->seen.has_counts) {
		return err_set(err, ERR_REFUSED, SCOPE_MAILBOX,
			       "the server does not tell the numbers of the trash");
	}
	if ((code = commit_intents(removal, uids, err)) < 0) {
		return code;
	}
	trash->done.was_changed_there = true;
	code = change(removal, REMOTE_COPY, uids, err);
	return code < 0 ? code : confirm_intents(removal, err);
}

/* COPY of UIDS. Where that was refused, *REFUSAL says so, and it is looked up what was copied all
 * the same; what cannot be told now stays open. */
static int try_to_copy(struct removal *removal, const struct uidset *uids, struct err *refusal,
		       struct err *err)
{
	struct job *job = removal->job;
	int code = uids->count == 0 ? 0 : copy_to_trash(removal, uids, err);
	if (code == 0 || run_is_fatal(err)) {
		return code;
	}
	*refusal = *err;
	code = trash_settle_mailbox(job->run, job->remote, job->mailbox, err);
	return code < 0 && run_is_fatal(err) ? code : 0;
}

/* What is not in the trash is not to go now. */
static int leave_uncopied(struct removal *removal, struct err *err)
{
	struct uidset uncopied;
	size_t kept = 0;
	uidset_init(&uncopied);
	int code = find_uncopied(removal, &uncopied, err);
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		uint32_t uid = removal->rows[i]->uid;
		if (uidset_contains(&uncopied, uid)) {
			code = uidset_remove(&removal->uids, uid, uid, err);
		} else {
			removal->rows[kept++] = removal->rows[i];
		}
	}
	removal->count = kept;
	uidset_finish(&uncopied);
	return code;
}

static int remove_copied(struct removal *removal, struct err *err)
{
	int code = leave_uncopied(removal, err);
	if (code < 0 || removal->count == 0) {
		return code;
	}
	if ((code = job_select(removal->job, true, err)) < 0 ||
	    (code = expunge(removal, err)) < 0) {
		err_prefix(err, "messages are in the trash now, but could not be removed here");
	}
	return code;
}

/* A refused COPY holds up only what was not copied. */
static int copy_and_remove(struct removal *removal, struct err *err)
{
	struct uidset uids;
	struct err refusal;
	err_clear(&refusal);
	uidset_init(&uids);
	int code = 0;
	if ((code = find_uncopied(removal, &uids, err)) == 0 &&
	    (code = try_to_copy(removal, &uids, &refusal, err)) == 0) {
		code = remove_copied(removal, err);
	}
	uidset_finish(&uids);
	if (code == 0 && refusal.code != 0) {
		*err = refusal;
		err_prefix(err,
			   "messages could not be moved to the trash, so they were not deleted");
		code = -(int)refusal.code;
	}
	return code;
}

static int remove_by(struct removal *removal, enum removal_way way, struct err *err)
{
	int code = job_select(removal->job, true, err);
	if (code < 0) {
		return code;
	}
	removal->job->mailbox->done.was_changed_there = true;
	if (way == REMOVAL_EXPUNGE) {
		return expunge(removal, err);
	}
	return way == REMOVAL_MOVE ? move_to_trash(removal, err) : copy_and_remove(removal, err);
}

/* The rows of the job's removals; NULL and COUNT 0 when there are none. */
static int gather(struct removal *removal, struct err *err)
{
	struct job *job = removal->job;
	size_t *ops = job_ops(job, OP_DELETE_REMOTE, &removal->count, err);
	int code = ops == NULL ? -(int)err->code : 0;
	removal->rows = ops == NULL ? NULL : calloc(removal->count, sizeof(struct row *));
	if (ops != NULL && removal->rows == NULL) {
		code = err_nomem(err);
	}
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		struct row *row = job_row(job, &job->plan.plan.ops[ops[i]]);
		removal->rows[i] = row;
		code = uidset_add(&removal->uids, row->uid, row->uid, err);
	}
	free(ops);
	return code;
}

int job_delete_remote(struct job *job, struct err *err)
{
	struct removal removal = {.job = job};
	uidset_init(&removal.uids);
	int code = gather(&removal, err);
	if (code < 0 || removal.count == 0) {
		goto finish;
	}
	enum removal_way way = plan_removals(job->run, job->mailbox, &removal.trash);
	if (way == REMOVAL_REFUSE) {
		code = err_set(
			err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the trash mailbox %s is not on the server; nothing was deleted there",
			job->run->account->trash);
		goto finish;
	}
	code = remove_by(&removal, way, err);
finish:
	uidset_finish(&removal.uids);
	state_intents_finish(&removal.intents);
	free(removal.rows);
	return code;
}
