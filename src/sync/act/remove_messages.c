/*
 * Removals on the server, as the plan says (rules/trash_rules.h): into the trash, or marked
 * \Deleted and expunged. Without MOVE a message goes to the trash in two acts, COPY and removal;
 * intents tell the next run, or try, which of them is left (recover/recover.h).
 */
#include "act_private.h"

#include <stdlib.h>

#include "mailsync/base/array.h"
#include "mailsync/base/clock.h"

#include "guard/guard.h"
#include "observe/observe.h"
#include "recover/recover.h"
#include "rules/effect.h"

/* A message to go. */
struct removed {
	struct row *row;
	enum row_held held; /* what of it the brake holds afterwards */
	bool is_copied;     /* it is in the trash, or where it was moved to */
	bool is_moved;      /* the latter: no deletion (R26) */
	int64_t intent;     /* that says so, or that it may be; 0 none */
};

struct removal {
	struct job *job;
	struct state *state;
	struct mailbox *trash;
	struct removed *items; /* in the order of their rows' ids */
	size_t count;
	struct uidset uids; /* of these, those that the next command is about */
	struct uidset kept; /* the server left them as they were, alone or though it said OK */
	struct err why;     /* its words, where it has said why */
};

static int compare_id(const void *key, const void *item)
{
	int64_t wanted = *(const int64_t *)key;
	int64_t id = ((const struct removed *)item)->row->id;
	return (wanted > id) - (wanted < id);
}

/* Makes UIDS those of the messages that are, or are not, in the trash. */
static int collect(struct removal *removal, bool copied, struct err *err)
{
	int code = 0;
	uidset_finish(&removal->uids);
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		const struct removed *item = &removal->items[i];
		if (item->is_copied == copied) {
			code = uidset_add(&removal->uids, item->row->uid, item->row->uid, err);
		}
	}
	return code;
}

static int collect_all(struct removal *removal, struct err *err)
{
	int code = 0;
	uidset_finish(&removal->uids);
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		uint32_t uid = removal->items[i].row->uid;
		code = uidset_add(&removal->uids, uid, uid, err);
	}
	return code;
}

static int change(struct removal *removal, enum remote_change_kind kind, struct err *err)
{
	bool is_to_trash = kind == REMOTE_COPY || kind == REMOTE_MOVE;
	const struct remote_change change = {
		.kind = kind,
		.uids = &removal->uids,
		.flags = FLAG_DELETED,
		.is_add = true,
		.keywords = &removal->job->mailbox->base.keywords,
		.wire = is_to_trash ? removal->trash->wire : NULL,
	};
	struct remote_done done;
	remote_done_init(&done);
	int code = remote_change_now(removal->job->remote, &change, &done, err);
	bool may_keep = kind != REMOTE_COPY && uidset_size(&removal->uids) > 1;
	if (code == 0 && may_keep) {
		code = act_go_singly(removal->job->remote, &change, &done, err);
	}
	/* Refused without a word of which, nothing was done. */
	bool is_kept = may_keep && done.refused.count > 0 &&
		       uidset_size(&done.refused) < uidset_size(&removal->uids);
	if (code == 0 && done.status < 0 && is_kept) {
		removal->why = done.err;
	} else if (code == 0 && done.status < 0) {
		*err = done.err;
		code = done.status;
	}
	if (code == 0) {
		code = uidset_add_set(&removal->kept, &done.refused, err);
	}
	remote_done_finish(&done);
	return code;
}

/* Writes the rows down, of which DELETED are, and that nothing is to be known of their copies any
 * more. */
static int commit_rows(struct removal *removal, size_t deleted, struct err *err)
{
	const struct job *job = removal->job;
	int code = state_begin(removal->state, err);
	if (code == 0) {
		code = brake_note_deleted(job->run, job->mailbox->base.id, SIDE_REMOTE, deleted,
					  err);
	}
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		const struct removed *item = &removal->items[i];
		code = item->intent == 0 ? 0 : state_intent_drop(removal->state, item->intent, err);
		if (code == 0) {
			code = state_row_put(removal->state, item->row, err);
		}
	}
	return state_end(removal->state, code, err);
}

/* One that the server kept is tried again by the next run. */
static void leave_item(struct removal *removal, struct row *row)
{
	struct err ignored; /* it is tried again either way */
	act_hold_refused(row);
	(void)state_row_put(removal->state, row, &ignored);
}

static void leave_kept(struct removal *removal)
{
	struct job *job = removal->job;
	size_t gone = 0;
	struct err why;
	for (size_t i = 0; i < removal->count; i++) {
		if (uidset_contains(&removal->kept, removal->items[i].row->uid)) {
			leave_item(removal, removal->items[i].row);
		} else {
			removal->items[gone++] = removal->items[i];
		}
	}
	if (gone < removal->count) {
		job->failures++;
		err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
			"the server kept %zu of the messages that are to be removed%s%s",
			removal->count - gone, removal->why.code == 0 ? "" : ": ",
			removal->why.code == 0 ? "" : removal->why.text);
		run_report_error(job->run, job->mailbox, 0, &why);
	}
	removal->count = gone;
}

static int commit_gone(struct removal *removal, struct err *err)
{
	size_t deleted = 0;
	leave_kept(removal);
	int code = removal->count == 0 ? 0 : run_claim(removal->job->run, err);
	if (code < 0 || removal->count == 0) {
		return code;
	}
	for (size_t i = 0; i < removal->count; i++) {
		const struct removed *item = &removal->items[i];
		effect_deleted(item->row, SIDE_REMOTE);
		effect_braked(item->row, item->held, clock_real_s());
		deleted += !item->is_moved;
	}
	removal->job->mailbox->done.counts.deleted_remote += deleted;
	return commit_rows(removal, deleted, err);
}

static int hold(struct removal *removal, struct err *err)
{
	struct job *job = removal->job;
	log_line(job->run->log, LOG_INFO,
		 "%s/%s: the server cannot expunge by UID and others' messages are marked "
		 "\\Deleted; ours wait",
		 job->run->account->name, job->mailbox->name);
	for (size_t i = 0; i < removal->count; i++) {
		effect_held(removal->items[i].row, REASON_OBSTACLE);
		removal->items[i].intent = 0; /* what is in the trash stays known to be */
	}
	job->plan.skipped += removal->count;
	job->failures++;
	return commit_rows(removal, 0, err);
}

/* Which messages are marked matters only where all of them would be expunged. */
static int expunge(struct removal *removal, struct err *err)
{
	struct remote *remote = removal->job->remote;
	bool by_uid = remote_facts(remote)->has_uid_expunge;
	struct uidset marked = {0};
	struct told ignored;
	int code = by_uid ? 0 : remote_uids(remote, REMOTE_UIDS_DELETED, &marked, &ignored, err);
	enum expunge_way way = expunge_rule(by_uid, &marked, &removal->uids);
	uidset_finish(&marked);
	if (code < 0 || way == EXPUNGE_HOLD) {
		return code < 0 ? code : hold(removal, err);
	}
	if ((code = change(removal, REMOTE_STORE, err)) < 0 ||
	    (code = change(removal, way == EXPUNGE_UIDS ? REMOTE_EXPUNGE : REMOTE_EXPUNGE_ALL,
			   err)) < 0) {
		return code;
	}
	return commit_gone(removal, err);
}

static int not_moved(struct err *err)
{
	err_prefix(err, "messages could not be moved to the trash, so they were not deleted");
	return -(int)err->code;
}

static int move_to_trash(struct removal *removal, struct err *err)
{
	removal->trash->done.was_changed_there = true;
	return change(removal, REMOTE_MOVE, err) < 0 ? not_moved(err) : commit_gone(removal, err);
}

/* Of each message that is not known to be in the trash: it may be, or (IS_COPIED) it is. */
static int commit_intents(struct removal *removal, bool is_copied, struct err *err)
{
	const struct mailbox *trash = removal->trash;
	int code = run_begin(removal->job->run, err);
	for (size_t i = 0; code == 0 && i < removal->count; i++) {
		struct removed *item = &removal->items[i];
		struct intent intent = {
			.kind = is_copied ? INTENT_TRASHED : INTENT_TRASH,
			.row = item->row->id,
			.mailbox = removal->job->mailbox->base.id,
			.uidvalidity = trash->seen.numbers.uidvalidity,
			.uid_bound = trash->seen.numbers.uidnext,
			.text = trash->wire,
		};
		if (item->is_copied) {
			continue;
		}
		code = is_copied ? state_intent_drop(removal->state, item->intent, err) : 0;
		if (code == 0) {
			code = state_intent_add(removal->state, &intent, err);
		}
		item->intent = intent.id;
		item->is_copied = is_copied;
	}
	return state_end(removal->state, code, err);
}

/* What the intents say is in the trash, or elsewhere, already. */
static int find_copied(struct removal *removal, struct err *err)
{
	struct intents intents = {0};
	int code =
		state_intents_load(removal->state, removal->job->mailbox->base.id, &intents, err);
	for (size_t i = 0; code == 0 && i < intents.count; i++) {
		const struct intent *intent = &intents.items[i];
		struct removed *item =
			array_find(removal->items, removal->count, sizeof(*removal->items),
				   &intent->row, compare_id);
		if (item != NULL &&
		    (intent->kind == INTENT_TRASHED || intent->kind == INTENT_MOVED)) {
			item->is_copied = true;
			item->is_moved = intent->kind == INTENT_MOVED;
			item->intent = intent->id;
		}
	}
	state_intents_finish(&intents);
	return code;
}

static int copy_to_trash(struct removal *removal, struct err *err)
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
	if ((code = commit_intents(removal, false, err)) < 0) {
		return code;
	}
	trash->done.was_changed_there = true;
	code = change(removal, REMOTE_COPY, err);
	return code < 0 ? code : commit_intents(removal, true, err);
}

/* COPY of what is not in the trash yet. Where that was refused, *REFUSAL says so, and it is looked
 * up what was copied all the same; what cannot be told now stays open. */
static int try_to_copy(struct removal *removal, struct err *refusal, struct err *err)
{
	struct job *job = removal->job;
	int code = collect(removal, false, err);
	if (code < 0) {
		return code;
	}
	code = removal->uids.count == 0 ? 0 : copy_to_trash(removal, err);
	if (code == 0 || run_is_fatal(err)) {
		return code;
	}
	*refusal = *err;
	code = trash_settle_mailbox(job->run, job->remote, job->mailbox, err);
	return code < 0 && run_is_fatal(err) ? code : find_copied(removal, err);
}

/* What is not in the trash is not to go now. */
static int remove_copied(struct removal *removal, struct err *err)
{
	size_t kept = 0;
	for (size_t i = 0; i < removal->count; i++) {
		if (removal->items[i].is_copied) {
			removal->items[kept++] = removal->items[i];
		}
	}
	removal->count = kept;
	int code = collect(removal, true, err);
	if (code < 0 || kept == 0) {
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
	struct err refusal;
	err_clear(&refusal);
	int code = try_to_copy(removal, &refusal, err);
	if (code < 0 || (code = remove_copied(removal, err)) < 0 || refusal.code == 0) {
		return code;
	}
	*err = refusal;
	return not_moved(err);
}

/* Those that are copied already stand first from now on; how many they are. */
static size_t copied_first(struct removal *removal)
{
	size_t copied = 0;
	for (size_t i = 0; i < removal->count; i++) {
		struct removed item = removal->items[i];
		if (item.is_copied) {
			removal->items[i] = removal->items[copied];
			removal->items[copied++] = item;
		}
	}
	return copied;
}

/* Into the trash, but for what is there already, or was moved elsewhere (T12). */
static int move_and_remove(struct removal *removal, struct err *err)
{
	struct removed *all = removal->items;
	size_t left = removal->count;
	size_t copied = copied_first(removal);
	int code = 0;
	removal->count = copied;
	left -= copied;
	if (copied > 0 && (code = collect(removal, true, err)) == 0) {
		code = expunge(removal, err);
	}
	removal->items = all + copied;
	removal->count = left;
	if (code == 0 && left > 0 && (code = collect(removal, false, err)) == 0) {
		code = move_to_trash(removal, err);
	}
	removal->items = all;
	return code;
}

static int remove_all(struct removal *removal, struct err *err)
{
	struct job *job = removal->job;
	enum removal_way way = plan_removals(job->run, job->mailbox, &removal->trash);
	if (way == REMOVAL_REFUSE) {
		return err_set(
			err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the trash mailbox %s is not on the server; nothing was deleted there",
			job->run->account->trash);
	}
	int code = job_select(job, true, err);
	if (code < 0) {
		return code;
	}
	job->mailbox->done.was_changed_there = true;
	if ((code = find_copied(removal, err)) < 0) {
		return code;
	}
	if (way == REMOVAL_COPY) {
		return copy_and_remove(removal, err);
	}
	if (way == REMOVAL_MOVE) {
		return move_and_remove(removal, err);
	}
	code = collect_all(removal, err);
	return code < 0 ? code : expunge(removal, err);
}

/* Each of the messages is told of: it went through, or the connection ended (ERR). */
static void tell_suspects(const struct removal *removal, size_t count, const struct err *err)
{
	struct job *job = removal->job;
	struct suspect_item *items = calloc(count + 1, sizeof(*items));
	size_t told = 0;
	for (size_t i = 0; items != NULL && i < count; i++) {
		const struct row *row = removal->items[i].row;
		if (row != NULL) {
			items[told++] = message_item(job->mailbox, row, SUSPECT_AT_EXPUNGE);
		}
	}
	for (size_t i = 0; err == NULL && i < told; i++) {
		suspects_went(job->run, &items[i]);
	}
	if (items != NULL && err != NULL) {
		suspects_lost(job->run, items, told, err);
	}
	free(items);
}

/* As many at once as may be on their way. */
static int remove_in_turns(struct removal *removal, struct err *err)
{
	struct removed *all = removal->items;
	size_t left = removal->count;
	int code = 0;
	while (code == 0 && left > 0) {
		size_t count = suspects_batch(removal->job->run, left);
		removal->count = count;
		code = remove_all(removal, err);
		tell_suspects(removal, count, code < 0 ? err : NULL);
		removal->items += count;
		left -= count;
	}
	removal->items = all;
	return code;
}

int job_delete_remote(struct job *job, struct err *err)
{
	struct removal removal = {.job = job, .state = job->run->session->state};
	const struct op *op;
	int code = 0;
	removal.items = calloc(job->plan.count + 1, sizeof(*removal.items));
	if (removal.items == NULL) {
		return err_nomem(err);
	}
	for (size_t at = 0; (op = job_next(job, OP_DELETE_REMOTE, &at)) != NULL;) {
		removal.items[removal.count++] =
			(struct removed){.row = job_row(job, op), .held = op->held};
	}
	size_t count = removal.count;
	code = remove_in_turns(&removal, err);
	for (size_t i = 0; code < 0 && !run_is_fatal(err) && i < count; i++) {
		struct row *row = removal.items[i].row;
		if (row != NULL && row->remote == MESSAGE_PRESENT) {
			leave_item(&removal, row);
		}
	}
	uidset_finish(&removal.uids);
	uidset_finish(&removal.kept);
	free(removal.items);
	return code;
}
