#include "observe/moves.h"

#include <stdlib.h>
#include <string.h>

#include "observe/observe.h"
#include "recover/pairing.h"
#include "guard/claim.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define BATCH_MESSAGES 100

/* The same flags in the words of another mailbox's keyword table. */
static uint64_t translate(uint64_t flags, const struct keywords *from, struct keywords *to)
{
	uint64_t result = flags & FLAGS_SYSTEM;
	for (int i = 0; i < from->count; i++) {
		int index = (flags & FLAG_KEYWORD(i)) ? keywords_intern(to, span_of(from->names[i]))
						      : -1;
		if (index >= 0) {
			result |= FLAG_KEYWORD(index);
		}
	}
	return result;
}

/* What the moved file's letters mean, in the target's words. */
static int moved_flags(struct run *run, const struct move *move, const struct row *gone,
		       const char *name, uint64_t *flags, struct err *err)
{
	struct keywords *from = &move->from->base.keywords;
	struct keywords *to = &move->to->base.keywords;
	uint64_t here = 0;
	uint64_t there = 0;
	int code = mailbox_open_dir(run, move->from, err);
	if (code == 0) {
		code = maildir_folder_read_letters(move->to->dir, name, to, &here, err);
	}
	if (code == 0) {
		code = maildir_folder_read_letters(move->from->dir, name, from, &there, err);
	}
	if (code == 0) {
		/* Rewritten already, by a run that died: by the old table they would change. */
		bool is_rewritten =
			((translate(gone->local_flags, from, to) ^ here) & ~FLAGS_SYSTEM) == 0;
		*flags = is_rewritten ? here : translate(there, from, to);
	}
	return code;
}

/*
 * A moved file carries the letters of the folder that it came from. They are read by that folder's
 * table and written anew by the target's, before the server moves anything: what comes after may
 * have to be pieced together without base's row.
 */
static int rewrite_letters(struct run *run, const struct move *move, const struct row *gone,
			   struct row *fresh, struct err *err)
{
	char name[MAILDIR_NAME_MAX + 1];
	struct maildir_change change = {
		.file = name, .keywords = &move->to->base.keywords, .replace_keywords = true};
	uint64_t meant = 0;
	int code = mailbox_open_dir(run, move->to, err);
	if (code == 0) {
		code = maildir_folder_find(move->to->dir, span_of(fresh->unique), name,
					   &change.in_new, err);
	}
	if (code == 0) {
		code = moved_flags(run, move, gone, name, &meant, err);
	}
	if (code == 0) {
		code = maildir_folder_grant(move->to->dir, meant, change.keywords, &meant, err);
	}
	if (code == 0) {
		change.add = meant & ~FLAGS_SYSTEM;
		code = maildir_folder_set_flags(move->to->dir, &change, NULL, err);
	}
	if (code == 0) {
		code = maildir_folder_sync_names(move->to->dir, err);
	}
	if (code == 0) {
		fresh->local_flags = meant;
	}
	return code;
}

/* The original is still there, and is removed by the plan like anything deleted locally; but it
 * does not belong in the trash. */
static int note_copied(struct run *run, const struct move *move, uint32_t uid, struct err *err)
{
	struct intent intent = {
		.kind = INTENT_TRASHED,
		.row = move->gone_row,
		.mailbox = move->from->base.id,
		.uidvalidity = move->to->base.uidvalidity,
		.uid_bound = uid,
		.text = move->to->seen.wire,
	};
	return run->account->trash == NULL ? 0
					   : state_intent_add(run->session->state, &intent, err);
}

/* A move that the server carried out, as rows. */
static int record_moved(struct run *run, const struct move *move, uint32_t uid, bool original_gone,
			struct err *err)
{
	struct row gone;
	struct row fresh;
	bool found = false;
	row_init(&gone);
	row_init(&fresh);
	int code = move_load_rows(run, move, &gone, &fresh, &found, err);
	if (code == 0 && found) {
		struct keywords *from = &move->from->base.keywords;
		struct keywords *to = &move->to->base.keywords;
		fresh.uid = uid;
		fresh.is_agreed = true;
		fresh.remote = MESSAGE_PRESENT;
		fresh.flags = translate(gone.flags, from, to);
		fresh.remote_flags = translate(gone.remote_flags, from, to);
		fresh.reason = REASON_NONE;
		fresh.has_digest = gone.has_digest;
		memcpy(fresh.digest, gone.digest, ROW_DIGEST_SIZE);
		code = original_gone ? state_row_drop(run->session->state, gone.id, err)
				     : note_copied(run, move, uid, err);
	}
	if (code == 0 && found) {
		code = state_row_put(run->session->state, &fresh, err);
	}
	row_finish(&gone);
	row_finish(&fresh);
	return code;
}

/* One UID MOVE (or COPY) and what it moves. */
struct batch {
	struct run *run;
	struct remote *remote;
	struct mailbox *from;
	struct mailbox *to;
	struct move *moves[BATCH_MESSAGES];
	uint32_t uids[BATCH_MESSAGES];
	int64_t intents[BATCH_MESSAGES];
	size_t count;
	bool by_copy;
	bool originals_gone; /* from the mailbox that they were in */
};

/* What a move leaves in its new row before it is sent: its letters, and the header by which it is
 * found. A file that a MUA has renamed again meanwhile keeps its letters; the next scan sees
 * them. */
static int batch_note(struct batch *batch, const struct move *move, struct err *err)
{
	struct run *run = batch->run;
	struct row gone;
	struct row fresh;
	bool found = false;
	row_init(&gone);
	row_init(&fresh);
	int code = move_load_rows(run, move, &gone, &fresh, &found, err);
	if (code == 0 && found) {
		fresh.has_digest = gone.has_digest;
		memcpy(fresh.digest, gone.digest, ROW_DIGEST_SIZE);
	}
	if (code == 0 && found && run->account->keywords) {
		code = rewrite_letters(run, move, &gone, &fresh, err);
		code = code == -ERR_CHANGED ? 0 : code;
	}
	if (code == 0 && found) {
		code = state_row_put(run->session->state, &fresh, err);
	}
	row_finish(&gone);
	row_finish(&fresh);
	return code;
}

static int batch_intents(struct batch *batch, struct err *err)
{
	struct state *state = batch->run->session->state;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		struct intent intent = {
			.kind = batch->by_copy ? INTENT_COPY : INTENT_MOVE,
			.row = batch->moves[i]->new_row,
			.mailbox = batch->to->base.id,
			.uidvalidity = batch->to->base.uidvalidity,
			.uid_bound = batch->to->base.uidnext,
		};
		code = batch_note(batch, batch->moves[i], err);
		if (code == 0) {
			code = state_intent_add(state, &intent, err);
		}
		batch->intents[i] = intent.id;
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

static int batch_select(struct batch *batch, struct err *err)
{
	struct mailbox *from = batch->from;
	uint32_t uidvalidity = remote_selected(batch->remote, from->seen.wire, true);
	if (uidvalidity == 0) {
		struct imap_view opened = {0};
		int code = imap_select(remote_imap(batch->remote), from->seen.wire, true, &opened,
				       err);
		uidvalidity = opened.uidvalidity;
		imap_view_finish(&opened);
		if (code < 0) {
			return code;
		}
	}
	if (uidvalidity != from->base.uidvalidity) {
		return err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
			       "the server renumbered this mailbox during the run");
	}
	return 0;
}

/* The rows of what COPYUID tells. */
static int batch_commit(struct batch *batch, const struct imap_done *done, struct err *err)
{
	struct state *state = batch->run->session->state;
	bool known = done->has_copyuid && done->uidvalidity == batch->to->base.uidvalidity;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && known && i < batch->count; i++) {
		for (size_t k = 0; code == 0 && k < done->copied.count; k++) {
			if (done->copied.from[k] != batch->uids[i]) {
				continue;
			}
			code = record_moved(batch->run, batch->moves[i], done->copied.to[k],
					    batch->originals_gone, err);
			if (code == 0) {
				code = state_intent_drop(state, batch->intents[i], err);
			}
			batch->moves[i]->is_done = code == 0;
			batch->to->done.counts.moved += code == 0;
		}
	}
	batch->to->seen.has_intents |= !known;
	if (code == 0) {
		code = state_mailbox_put(state, &batch->to->base, err); /* keywords may be new */
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

static int batch_refused(struct batch *batch, const struct err *why, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		run_report_error(batch->run, batch->to, batch->uids[i], why);
		code = state_intent_drop(batch->run->session->state, batch->intents[i], err);
	}
	batch->to->done.failures++;
	batch->from->done.failures++;
	return code;
}

/* After a COPY the originals go, by UID and nothing else; where that cannot be they are left to the
 * plan. */
static int batch_remove_originals(struct batch *batch, struct span uids, struct err *err)
{
	batch->originals_gone = true;
	struct imap_store_request request = {
		.uids = uids,
		.add = true,
		.flags = FLAG_DELETED,
		.keywords = &batch->from->base.keywords,
	};
	int code = imap_store_queue(remote_imap(batch->remote), &request, 0, err);
	if (code == 0) {
		code = imap_expunge_queue(remote_imap(batch->remote), uids, 0, err);
	}
	while (code == 0 && imap_outstanding(remote_imap(batch->remote)) > 0) {
		struct imap_done done;
		imap_done_init(&done);
		code = imap_done_next(remote_imap(batch->remote), &done, err);
		batch->originals_gone &= done.status == 0;
		imap_done_finish(&done);
	}
	return code;
}

static int batch_transfer(struct batch *batch, struct span uids, struct err *err)
{
	struct imap_done done;
	imap_done_init(&done);
	int code = imap_copy_queue(remote_imap(batch->remote), uids, batch->to->seen.wire,
				   !batch->by_copy, 0, err);
	if (code == 0) {
		code = imap_done_next(remote_imap(batch->remote), &done, err);
	}
	if (code == 0 && done.status < 0) {
		code = batch_refused(batch, &done.err, err);
	} else if (code == 0) {
		batch->from->done.was_changed_there = true;
		batch->to->done.was_changed_there = true;
		batch->originals_gone = !batch->by_copy;
		if (batch->by_copy && remote_facts(batch->remote)->has_uid_expunge &&
		    done.has_copyuid) {
			code = batch_remove_originals(batch, uids, err);
		}
		if (code == 0) {
			code = batch_commit(batch, &done, err);
		}
	}
	imap_done_finish(&done);
	return code;
}

static int batch_run(struct batch *batch, struct err *err)
{
	struct uidset set;
	struct buf text;
	int code = 0;
	uidset_init(&set);
	buf_init(&text, 8192);
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		code = uidset_add(&set, batch->uids[i], batch->uids[i], err);
	}
	uidset_format(&set, &text);
	if (code == 0) {
		code = buf_status(&text, "a set of UIDs", err);
	}
	if (code == 0) {
		code = batch_select(batch, err);
	}
	if (code == 0) {
		code = batch_intents(batch, err);
	}
	if (code == 0) {
		code = batch_transfer(batch, buf_span(&text), err);
	}
	uidset_finish(&set);
	buf_finish(&text);
	if (code < 0 && !run_is_fatal(err)) {
		run_report_error(batch->run, batch->to, 0, err);
		batch->to->done.failures++;
		code = 0;
	}
	return code;
}

static int batch_add(struct batch *batch, struct move *move, struct err *err)
{
	struct row gone;
	bool found = false;
	row_init(&gone);
	int code = state_row_by_id(batch->run->session->state, move->gone_row, &gone, &found, err);
	if (code == 0 && found && gone.uid != 0) {
		batch->moves[batch->count] = move;
		batch->uids[batch->count] = gone.uid;
		batch->count++;
	}
	row_finish(&gone);
	return code;
}

/* All local moves from one mailbox to another, in batches whose UIDs fit a line. */
static int move_group(struct run *run, struct remote *remote, struct move_list *moves, size_t first,
		      struct err *err)
{
	struct batch batch = {.run = run,
			      .remote = remote,
			      .from = moves->items[first].from,
			      .to = moves->items[first].to};
	batch.by_copy = !remote_facts(remote)->has_move;
	int code = 0;
	for (size_t i = first; code == 0 && i < moves->count; i++) {
		struct move *move = &moves->items[i];
		if (move->is_held || move->is_remote || move->from != batch.from ||
		    move->to != batch.to) {
			continue;
		}
		move->is_held = true; /* taken */
		move->was_tried = true;
		code = batch_add(&batch, move, err);
		if (code == 0 && batch.count == 80) {
			code = batch_run(&batch, err);
			batch.count = 0;
		}
	}
	if (code == 0 && batch.count > 0) {
		code = batch_run(&batch, err);
	}
	return code;
}

/* The file under the name that it has now, with the flags which that tells: TRANSFER's flags. */
static int transfer_file(struct run *run, const struct move *move, const struct row *gone,
			 struct maildir_transfer *transfer, struct err *err)
{
	char name[MAILDIR_NAME_MAX + 1];
	struct keywords *from = &move->from->base.keywords;
	uint64_t flags = 0;
	int code = mailbox_open_dir(run, move->from, err);
	if (code == 0) {
		code = mailbox_open_dir(run, move->to, err);
	}
	if (code == 0) {
		code = maildir_folder_find(move->from->dir, span_of(gone->unique), name,
					   &transfer->in_new, err);
	}
	if (code == 0) {
		code = maildir_folder_read_letters(move->from->dir, name, from, &flags, err);
	}
	if (code == 0) {
		transfer->file = name;
		transfer->from = move->from->dir;
		transfer->to = move->to->dir;
		transfer->keywords = &move->to->base.keywords;
		code = maildir_folder_grant(move->to->dir,
					    translate(flags, from, &move->to->base.keywords),
					    transfer->keywords, &transfer->flags, err);
	}
	return code == 0 ? maildir_transfer(transfer, err) : code;
}

#define TRANSFER_TRIES 3 /* a MUA may rename it between our look and our act */

/* Seen on the server: the file goes along. */
static int move_file(struct run *run, struct move *move, struct err *err)
{
	struct row gone;
	struct row fresh;
	bool found = false;
	char unique[MAILDIR_UNIQUE_MAX + 1];
	char key[MAILDIR_KEY_SIZE];
	struct maildir_transfer transfer = {.unique = unique};
	row_init(&gone);
	row_init(&fresh);
	int code = move_load_rows(run, move, &gone, &fresh, &found, err);
	if (code == 0 && found) {
		code = maildir_folder_key(run->account->name, move->to->name, key, err);
	}
	if (code == 0 && found) {
		code = maildir_unique_make(unique, key, move->to->base.uidvalidity, fresh.uid, err);
	}
	if (code == 0 && found) {
		code = -ERR_CHANGED;
	}
	for (int i = 0; code == -ERR_CHANGED && i < TRANSFER_TRIES; i++) {
		code = transfer_file(run, move, &gone, &transfer, err);
	}
	if (code == 0 && found) {
		fresh.local = MESSAGE_PRESENT;
		fresh.local_flags = transfer.flags;
		fresh.flags =
			translate(gone.flags, &move->from->base.keywords, &move->to->base.keywords);
		fresh.is_agreed = true;
		fresh.reason = REASON_NONE;
		fresh.size_bytes = gone.size_bytes;
		fresh.has_digest = gone.has_digest;
		memcpy(fresh.digest, gone.digest, ROW_DIGEST_SIZE);
	}
	if (code == 0 && found) {
		code = row_set_unique(&fresh, unique, strlen(unique), err);
	}
	if (code == 0 && found) {
		code = maildir_folder_sync_names(move->to->dir, err);
	}
	if (code == 0 && found) {
		code = maildir_folder_sync_names(move->from->dir, err);
	}
	if (code == 0 && found) {
		code = state_row_drop(run->session->state, gone.id, err);
	}
	if (code == 0 && found) {
		code = state_row_put(run->session->state, &fresh, err);
		move->to->done.counts.moved++;
		move->is_done = true;
	}
	row_finish(&gone);
	row_finish(&fresh);
	return code;
}

static void release_all(struct run *run)
{
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		mailbox_release(&run->mailboxes.items[i]);
	}
}

/* A move whose UIDs the server did not tell, and whose copy was found since. */
static int settle_one(struct run *run, struct move *move, struct err *err)
{
	struct row fresh;
	bool found = false;
	row_init(&fresh);
	int code = state_begin(run->session->state, err);
	if (code < 0) {
		return code;
	}
	code = state_row_by_id(run->session->state, move->new_row, &fresh, &found, err);
	if (code == 0 && found && fresh.is_agreed) {
		code = record_moved(run, move, fresh.uid, false, err);
		if (code == 0) {
			code = state_mailbox_put(run->session->state, &move->to->base, err);
		}
		move->is_done = code == 0;
		move->to->done.counts.moved += code == 0;
		move->to->done.has_new_rows = true;
		move->from->done.has_new_rows = true;
	}
	row_finish(&fresh);
	if (code < 0) {
		state_rollback(run->session->state);
		return code;
	}
	return state_commit(run->session->state, err);
}

int move_settle(struct run *run, struct move_list *moves, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < moves->count; i++) {
		struct move *move = &moves->items[i];
		if (move->was_tried && !move->is_done && !move->is_remote) {
			code = settle_one(run, move, err);
		}
	}
	release_all(run);
	return code;
}

int move_execute(struct run *run, struct remote *remote, struct move_list *moves, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < moves->count; i++) {
		struct move *move = &moves->items[i];
		code = run_check_stop(run, err);
		if (code < 0 || move->is_held) {
			continue;
		}
		code = run_claim(run, err);
		if (code < 0) {
			break;
		}
		move->from->base.held_policy = 0;
		move->to->base.held_policy = 0;
		if (!move->is_remote) {
			code = move_group(run, remote, moves, i, err);
			continue;
		}
		code = move_file(run, move, err);
		if (code < 0 && !run_is_fatal(err)) {
			move->was_tried = true; /* the next run looks again */
			if (code != -ERR_CHANGED) {
				run_report_error(run, move->to, 0, err);
			}
			code = 0;
		}
	}
	release_all(run);
	return code;
}
