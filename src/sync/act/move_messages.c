/*
 * A move that was seen in the Maildir is carried out on the server: by MOVE, or by COPY and the
 * removal of the original. Intents tell the next run, or the look afterwards, what may have been
 * carried out without an answer that tells the new UIDs.
 */
#include "act_private.h"

#include <inttypes.h>
#include <stdio.h>

#include "guard/guard.h"
#include "observe/observe.h"
#include "recover/recover.h"
#include "rules/effect.h"
#include "rules/transfer_rules.h"

#define IN_VAIN_MAX 20

/* Some messages of one mailbox that go to another, in one act. */
struct move_item {
	struct move *move;
	int64_t intent;
};
struct move_batch {
	struct run *run;
	struct remote *remote;
	struct mailbox *from;
	struct mailbox *to;
	struct move_item items[REMOTE_BATCH_MESSAGES];
	size_t count;
	bool is_retry;  /* all were refused before (N11, R32) */
	size_t in_vain; /* of such, one after the other */
	struct uidset uids;
	bool is_told;       /* what the server says of new UIDs is believed (U7) */
	struct uidset gone; /* of these, by COPY: the server told the new UID and removed the old */
};

/* A move that the server carried out, as rows. In a transaction. An original that is still there is
 * removed by the plan (R26). */
static int record_moved(struct run *run, struct move *move, uint32_t uid, bool is_original_gone,
			struct err *err)
{
	struct state *state = run->session->state;
	struct move_rows rows;
	int code = move_rows_load(run, &move->pair, &rows, err);
	if (code < 0 || !rows.are_there) {
		goto finish;
	}
	bool was_seen = rows.fresh.is_agreed; /* by the look after it, under its new UID */
	uint64_t seen = rows.fresh.remote_flags;
	effect_moved_there(&rows.gone, &rows.fresh, uid, &move->from->base.keywords,
			   &move->to->base.keywords);
	if (was_seen) {
		effect_seen_first(&rows.fresh, seen);
	} else {
		effect_held(&rows.fresh, REASON_UNPROVEN);
	}
	code = is_original_gone ? state_row_drop(state, rows.gone.id, err) : 0;
	if (code == 0) {
		code = state_row_put(state, &rows.fresh, err);
	}
finish:
	move_rows_finish(&rows);
	if (code == 0) {
		move->state = MOVE_DONE;
		move->to->done.counts.moved++;
	}
	return code;
}

/*
 * A moved file carries the letters of the folder that it came from. They are written anew by the
 * target's table before the server moves anything: what comes after may have to be pieced together
 * without base's row. -ERR_CHANGED: a MUA has renamed the file again; the next scan sees its
 * letters.
 */
static int rewrite_letters(struct run *run, const struct move *move, struct move_rows *rows,
			   struct local_flags *told, struct err *err)
{
	struct moved_file file;
	struct maildir_change change = {.file = file.name, .keywords = &move->to->base.keywords};
	uint64_t granted = 0;
	int code = find_moved_file(run, move->from, move->to, rows, &file, err);
	if (code < 0) {
		return code;
	}
	/* Letters that no table tells the meaning of now are taken out with the others: their
	 * keywords are due, too (E16). A file without letters is left so (D17). */
	uint64_t due = file.told.flags & ~FLAGS_SYSTEM;
	due &= file.has_letters ? ~UINT64_C(0) : ~file.told.unlettered;
	if (run->account->keywords != KEYWORDS_NO) {
		change.in_new = file.in_new;
		change.came_from = move->from->dir;
		if ((code = maildir_folder_grant(move->to->dir, due, change.keywords, &granted,
						 err)) < 0) {
			return code;
		}
		change.add = granted;
		code = maildir_folder_set_flags(move->to->dir, &change, NULL, err);
		effect_letters_wait(&rows->gone, &file.told, due & ~granted,
				    &move->from->base.keywords, &move->to->base.keywords);
	}
	if (code == 0) {
		*told = file.told;
	}
	return code;
}

/* Where the file was renamed meanwhile: of its letters nothing is known, so all stays. */
static struct local_flags untold_flags(const struct move *move, const struct move_rows *rows)
{
	uint64_t keywords = keywords_translate(rows->gone.local_flags, &move->from->base.keywords,
					       &move->to->base.keywords) &
			    ~FLAGS_SYSTEM;
	return (struct local_flags){(rows->fresh.local_flags & FLAGS_SYSTEM) | keywords, keywords};
}

/* What a move leaves in its new row before it is sent. */
static int note_begun(struct run *run, const struct move *move, struct err *err)
{
	struct move_rows rows;
	int code = move_rows_load(run, &move->pair, &rows, err);
	if (code < 0 || !rows.are_there) {
		goto finish;
	}
	struct local_flags told = untold_flags(move, &rows);
	code = rewrite_letters(run, move, &rows, &told, err);
	if (code == 0 || code == -ERR_CHANGED) {
		effect_move_begun(&rows.gone, &rows.fresh, &told);
		code = state_row_put(run->session->state, &rows.fresh, err);
		code = code < 0 ? code : state_row_put(run->session->state, &rows.gone, err);
	}
finish:
	move_rows_finish(&rows);
	return code;
}

static int add_intents(struct move_batch *batch, struct err *err)
{
	const struct state_mailbox *to = &batch->to->base;
	bool has_move = remote_facts(batch->remote)->has_move;
	int code = 0;
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		struct move_item *item = &batch->items[i];
		char original[24];
		snprintf(original, sizeof(original), "%" PRId64, item->move->pair.gone_row);
		struct intent intent = {
			.kind = has_move ? INTENT_MOVE : INTENT_COPY,
			.row = item->move->pair.new_row,
			.mailbox = to->id,
			.uidvalidity = to->numbers.uidvalidity,
			.uid_bound = to->numbers.uidnext,
			.text = original,
		};
		if ((code = note_begun(batch->run, item->move, err)) == 0) {
			code = state_intent_add(batch->run->session->state, &intent, err);
		}
		item->intent = intent.id;
	}
	return code;
}

/* With the letters of their files, which are durable first, and the names of new keywords. */
static int commit_intents(struct move_batch *batch, struct err *err)
{
	struct state *state = batch->run->session->state;
	struct mailbox *to = batch->to;
	int code;
	if ((code = state_begin(state, err)) == 0 && (code = add_intents(batch, err)) == 0 &&
	    (code = to->dir == NULL ? 0 : maildir_folder_sync_names(to->dir, err)) == 0) {
		code = state_mailbox_put(state, &to->base, err);
	}
	return state_end(state, code, err);
}

/* Where a message is now, as the server told of this batch; 0: it did not. */
static uint32_t told_uid(const struct move_batch *batch, const struct remote_done *done,
			 uint32_t uid)
{
	for (size_t i = 0; batch->is_told && i < done->copied.count; i++) {
		if (done->copied.from[i] == uid) {
			return done->copied.to[i];
		}
	}
	return 0;
}

/* After a COPY the originals go, by UID and nothing else; where that cannot be they are left to the
 * plan. */
static int remove_originals(struct move_batch *batch, const struct remote_done *copy,
			    struct err *err)
{
	struct remote_done done = {0};
	struct remote_change change = {
		.kind = REMOTE_STORE,
		.uids = &batch->gone,
		.flags = FLAG_DELETED,
		.is_add = true,
		.keywords = &batch->from->base.keywords,
	};
	int code = 0;
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		uint32_t uid = batch->items[i].move->uid;
		code = told_uid(batch, copy, uid) == 0 ? 0
						       : uidset_add(&batch->gone, uid, uid, err);
	}
	if (code < 0 || batch->gone.count == 0 ||
	    (code = remote_change_queue(batch->remote, &change, 0, err)) < 0) {
		return code;
	}
	change.kind = REMOTE_EXPUNGE;
	code = remote_change_queue(batch->remote, &change, 0, err);
	while (code == 0 && (code = remote_answer_next(batch->remote, &done, err)) > 0) {
		code = uidset_remove_set(&batch->gone, &done.refused, err);
	}
	remote_done_finish(&done);
	return code;
}

/* *IS_FREE: UID of the target is no message of base's yet. One that was seen there and has no file
 * is this one, and its row goes. */
static int take_uid(struct move_batch *batch, uint32_t uid, bool *is_free, struct err *err)
{
	struct state *state = batch->run->session->state;
	struct row seen;
	bool found = false;
	row_init(&seen);
	int code = state_row_by_uid(state, batch->to->base.id, uid, &seen, &found, err);
	*is_free = !found || !uid_is_taken(&seen);
	if (code == 0 && found && *is_free) {
		code = state_row_drop(state, seen.id, err);
	}
	row_finish(&seen);
	return code;
}

/* It goes by itself in the next run (N11). */
static int record_refused(struct move_batch *batch, const struct move *move, struct err *why,
			  struct err *err)
{
	struct move_rows rows;
	int code = move_rows_load(batch->run, &move->pair, &rows, err);
	run_report_error(batch->run, batch->to, move->uid, why);
	if (code == 0 && rows.are_there) {
		effect_held(&rows.gone, REASON_FAILED);
		code = state_row_put(batch->run->session->state, &rows.gone, err);
	}
	move_rows_finish(&rows);
	return code;
}

/* What became of one message: moved, as is told; else that is not known, and its intent stays. One
 * that was refused may have been moved all the same. */
static int record_item(struct move_batch *batch, const struct move_item *item,
		       struct remote_done *done, struct err *err)
{
	uint32_t uid = told_uid(batch, done, item->move->uid);
	bool is_gone = remote_facts(batch->remote)->has_move ||
		       uidset_contains(&batch->gone, item->move->uid);
	bool is_free = false;
	int code = uid == 0 ? 0 : take_uid(batch, uid, &is_free, err);
	if (code < 0 || !is_free) {
		batch->to->open.has_intents = true;
		if (code == 0 && uidset_contains(&done->refused, item->move->uid)) {
			code = record_refused(batch, item->move, &done->err, err);
		}
		return code;
	}
	if ((code = state_intent_drop(batch->run->session->state, item->intent, err)) < 0 ||
	    (code = record_moved(batch->run, item->move, uid, is_gone, err)) < 0 || is_gone) {
		return code;
	}
	return move_note_original(batch->run, item->move->pair.gone_row, batch->to, uid, err);
}

static int commit_answer(struct move_batch *batch, struct remote_done *done, struct err *err)
{
	struct state *state = batch->run->session->state;
	int code = done->status < 0 ? state_begin(state, err) : run_begin(batch->run, err);
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		code = record_item(batch, &batch->items[i], done, err);
	}
	if (code == 0) {
		code = state_mailbox_put(state, &batch->to->base, err); /* keywords may be new */
	}
	return state_end(state, code, err);
}

static int transfer(struct move_batch *batch, struct err *err)
{
	const struct remote_facts *facts = remote_facts(batch->remote);
	const struct remote_change change = {
		.kind = facts->has_move ? REMOTE_MOVE : REMOTE_COPY,
		.uids = &batch->uids,
		.wire = batch->to->wire,
	};
	struct remote_done done = {0};
	int code = remote_change_now(batch->remote, &change, &done, err);
	if (code == 0) {
		batch->in_vain = done.status < 0 ? batch->in_vain + batch->is_retry : 0;
		batch->is_told = copies_are_told(&done, &batch->uids, &batch->to->base.numbers);
		batch->from->done.was_changed_there = true;
		batch->to->done.was_changed_there = true;
		batch->from->open.failures += done.status < 0;
		batch->to->open.failures += done.status < 0;
		code = facts->has_move || !facts->has_uid_expunge
			     ? 0
			     : remove_originals(batch, &done, err);
	}
	if (code == 0) {
		code = commit_answer(batch, &done, err);
	}
	remote_done_finish(&done);
	return code;
}

/* Each of the messages is told of: it went through, or the connection ended (ERR). */
static void tell_suspects(const struct move_batch *batch, const struct err *err)
{
	struct suspect_item items[REMOTE_BATCH_MESSAGES];
	for (size_t i = 0; i < batch->count; i++) {
		const struct move *move = batch->items[i].move;
		items[i] = (struct suspect_item){
			.kind = SUSPECT_MESSAGE,
			.act = SUSPECT_AT_MOVE,
			.mailbox = batch->from->name,
			.row = move->pair.gone_row,
			.uid = move->uid,
		};
		if (err == NULL) {
			suspects_went(batch->run, &items[i]);
		}
	}
	if (err != NULL) {
		suspects_lost(batch->run, items, batch->count, err);
	}
}

static int move_batch_send(struct move_batch *batch, struct err *err)
{
	const struct mailbox *from = batch->from;
	int code = batch->is_retry ? 0 : run_claim(batch->run, err);
	code = code < 0 ? code
			: remote_open(batch->remote, from->wire, REMOTE_WRITE,
				      from->base.numbers.uidvalidity, NULL, err);
	if (code == 0 && (code = commit_intents(batch, err)) == 0) {
		code = transfer(batch, err);
		tell_suspects(batch, code < 0 ? err : NULL);
	}
	code = run_outlives(batch->run, batch->to, code, &batch->to->open.failures, err);
	uidset_finish(&batch->uids);
	uidset_finish(&batch->gone);
	batch->count = 0;
	return code;
}

/* Takes MOVE up; sends the batch once it is full. What was refused before goes by itself; where
 * none of many is taken, the rest is not tried. */
static int batch_add(struct move_batch *batch, struct move *move, struct err *err)
{
	int code = move->is_retry && batch->count > 0 ? move_batch_send(batch, err) : 0;
	move->state = MOVE_TRIED;
	if (code < 0 || (move->is_retry && batch->in_vain == IN_VAIN_MAX)) {
		return code;
	}
	batch->is_retry = move->is_retry;
	batch->items[batch->count++].move = move;
	code = uidset_add(&batch->uids, move->uid, move->uid, err);
	size_t most = move->is_retry ? 1 : suspects_batch(batch->run, REMOTE_BATCH_MESSAGES);
	return code == 0 && batch->count == most ? move_batch_send(batch, err) : code;
}

/* All from one mailbox to another that are to be carried out there, the first of which is given. */
static int move_group(struct run *run, size_t first, struct err *err)
{
	struct move_list *moves = &run->plan->moves;
	const struct move *like = &moves->items[first];
	struct move_batch batch = {
		.run = run, .remote = run->session->remote, .from = like->from, .to = like->to};
	int code = 0;
	for (size_t i = first; code == 0 && i < moves->count; i++) {
		struct move *move = &moves->items[i];
		if (move->state == MOVE_PLANNED && move->side == SIDE_REMOTE &&
		    move->from == batch.from && move->to == batch.to) {
			code = batch_add(&batch, move, err);
		}
	}
	return code < 0 || batch.count == 0 ? code : move_batch_send(&batch, err);
}

/* A move whose UIDs the server did not tell, and whose copy was found since: pairing has noted what
 * is left to do. */
static int settle_found(struct run *run, struct move *move, struct err *err)
{
	struct state *state = run->session->state;
	struct row fresh;
	bool found = false;
	int code;
	row_init(&fresh);
	if ((code = state_row_by_id(state, move->pair.new_row, &fresh, &found, err)) < 0 ||
	    !found || !fresh.is_agreed) {
		goto finish;
	}
	if ((code = run_begin(run, err)) == 0 &&
	    (code = record_moved(run, move, fresh.uid, false, err)) == 0) {
		code = state_mailbox_put(state, &move->to->base, err);
		move->to->open.has_new_rows = true;
		move->from->open.has_new_rows = true;
	}
	code = state_end(state, code, err);
finish:
	row_finish(&fresh);
	return code;
}

int move_settle(struct run *run, struct err *err)
{
	struct move_list *moves = &run->plan->moves;
	int code = 0;
	for (size_t i = 0; code == 0 && i < moves->count; i++) {
		struct move *move = &moves->items[i];
		if (move->state == MOVE_TRIED && move->side == SIDE_REMOTE) {
			code = settle_found(run, move, err);
		}
	}
	return code;
}

int move_execute(struct run *run, struct err *err)
{
	struct move_list *moves = &run->plan->moves;
	int code = 0;
	for (size_t i = 0; code == 0 && i < moves->count; i++) {
		struct move *move = &moves->items[i];
		if (move->state != MOVE_PLANNED) {
			continue;
		}
		bool is_here = move->side == SIDE_LOCAL;
		if ((code = run_check_stop(run, err)) < 0 ||
		    (is_here && (code = run_claim(run, err)) < 0)) {
			break;
		}
		move->from->base.held_policy = 0;
		move->to->base.held_policy = 0;
		code = move->side == SIDE_REMOTE ? move_group(run, i, err)
						 : move_carry_file(run, move, err);
	}
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		mailbox_release(&run->mailboxes.items[i]);
	}
	return code;
}
