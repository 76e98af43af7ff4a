/*
 * Uploads. Before a batch is sent its intents are durable (I3); the rows follow from APPENDUID.
 * Where that is missing the intents stay open and the messages are looked for in the mailbox
 * (pair.h) before anything else is sent there.
 *
 * A batch is one APPEND with several messages where the server takes that (MULTIAPPEND, atomic:
 * refused, its messages are sent singly), else one APPEND a message, pipelined where literals need
 * no go-ahead.
 */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/progress.h"

#include "act_private.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define BATCH_MESSAGES    200
#define BATCH_BYTES       (8u << 20)
#define BATCHES_IN_FLIGHT 4
#define SMALL_BYTES \
	(1u << 20) /* held in memory whole, so that a file that changes meanwhile breaks nothing */

enum item_state {
	ITEM_OPEN,
	ITEM_SENT,
	ITEM_DONE,
	ITEM_UNKNOWN,
	ITEM_FAILED,
	ITEM_RETRY
};

struct item {
	struct row *row;
	enum item_state state;
	int64_t intent;
	uint64_t flags; /* sent */
	uint64_t size;  /* on the wire */
};

struct batch {
	struct item items[BATCH_MESSAGES];
	size_t count;
	uint64_t bytes;
	size_t in_flight; /* answers still to come */
	size_t together;  /* items of the one APPEND; 0: each has its own */
};

struct upload {
	struct job *job;
	struct batch batches[BATCHES_IN_FLIGHT];
	size_t current; /* the batch that is being filled */
	bool multi;     /* MULTIAPPEND is worth a try */
	bool pipelined; /* literals need no go-ahead */
	bool quota_hit;
	bool put_off; /* the server asks for patience: nothing more is sent now */
	struct err why;
	struct buf body;
};

/* The cookie of an APPEND: which batch, which of its items (0 for all of them). */
static uint64_t cookie_of(const struct upload *upload, const struct batch *batch, size_t item)
{
	return (uint64_t)(batch - upload->batches) * BATCH_MESSAGES + item;
}

static uint64_t flags_to_send(const struct job *job, const struct row *row)
{
	const struct state_mailbox *base = &job->mailbox->base;
	bool known = base->permanent_flags != 0 || base->permanent_any;
	uint64_t allowed = known ? base->permanent_flags : FLAGS_SYSTEM;
	if (!known || base->permanent_any) {
		allowed |= ~FLAGS_SYSTEM | FLAG_FORWARDED; /* $Forwarded is a keyword on the wire */
	}
	return row->local_flags & allowed;
}

/* Digest and size of what is going to be sent are in the row before the intent is. */
static int add_intents(struct upload *upload, struct batch *batch, struct err *err)
{
	struct job *job = upload->job;
	struct state *state = job->run->session->state;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		struct item *item = &batch->items[i];
		struct intent intent = {
			.kind = INTENT_APPEND,
			.row = item->row->id,
			.mailbox = job->mailbox->base.id,
			.uidvalidity = job->mailbox->base.uidvalidity,
			.uid_bound = job->mailbox->base.uidnext,
		};
		code = state_row_put(state, item->row, err);
		if (code == 0) {
			code = state_intent_add(state, &intent, err);
		}
		item->intent = intent.id;
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

/* The message's bytes, whole, into upload->body. */
static int read_small(struct upload *upload, struct maildir_reader *reader, struct err *err)
{
	buf_clear(&upload->body);
	for (;;) {
		struct span piece;
		int code = maildir_reader_next(reader, &piece, err);
		if (code < 0) {
			return code;
		}
		if (piece.len == 0) {
			return buf_status(&upload->body, "a message", err);
		}
		buf_append_span(&upload->body, piece);
	}
}

static int stream_large(struct job *job, struct maildir_reader *reader, struct err *err)
{
	for (;;) {
		struct span piece;
		int code = maildir_reader_next(reader, &piece, err);
		if (code == -ERR_CHANGED) {
			/* In the middle of a literal there is no way back but to hang up. */
			return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
				       "a large message was changed while it was sent; run again");
		}
		if (code < 0 || piece.len == 0) {
			return code;
		}
		code = remote_append_data(job->remote, piece, err);
		if (code < 0) {
			return code;
		}
	}
}

static int open_reader(struct job *job, const struct row *row, struct maildir_reader **reader,
		       struct err *err)
{
	struct maildir_entry entry;
	int code = job_find_file(job, row, &entry, err);
	return code < 0 ? code
			: maildir_reader_open(job->mailbox->dir, entry.name, entry.in_new, reader,
					      err);
}

/* Sends one message of an APPEND that is begun (BEGIN false) or to be begun. -ERR_REFUSED: the
 * server said NO to its literal. */
static int send_message(struct upload *upload, struct item *item, bool begin, uint64_t cookie,
			struct err *err)
{
	struct job *job = upload->job;
	struct maildir_reader *reader = NULL;
	int code = open_reader(job, item->row, &reader, err);
	if (code < 0) {
		return code;
	}
	item->size = maildir_reader_wire_size(reader);
	bool is_small = item->size <= SMALL_BYTES;
	struct remote_append append = {
		.flags = item->flags,
		.keywords = &job->mailbox->base.keywords,
		.date = maildir_reader_file(reader)->mtime,
		.size = item->size,
	};
	if (is_small) {
		code = read_small(upload, reader, err);
	}
	if (code == 0 && begin) {
		code = remote_append_begin(job->remote, job->mailbox->seen.wire, cookie, err);
	}
	if (code == 0) {
		code = remote_append_message(job->remote, &append, err);
	}
	if (code == 0) {
		code = is_small ? remote_append_data(job->remote, buf_span(&upload->body), err)
				: stream_large(job, reader, err);
	}
	maildir_reader_close(&reader);
	return code;
}

/* The row of a message that is on the server under UID. */
static int item_landed(struct upload *upload, struct item *item, uint32_t uid, struct err *err)
{
	struct job *job = upload->job;
	struct row seen;
	bool found = false;
	row_init(&seen);
	int code = state_row_by_uid(job->run->session->state, job->mailbox->base.id, uid, &seen,
				    &found, err);
	if (code == 0 && found && seen.unique[0] != '\0') {
		/* The server has it already as another message (Gmail): an alias. Both files stay,
		 * neither is sent again. */
		item->row->reason = REASON_AMBIGUOUS;
		code = state_row_put(job->run->session->state, item->row, err);
	} else if (code == 0) {
		code = found ? state_row_drop(job->run->session->state, seen.id, err) : 0;
		item->row->uid = uid;
		item->row->is_agreed = true;
		item->row->remote = MESSAGE_PRESENT;
		item->row->remote_flags = item->flags;
		item->row->flags = item->flags;
		item->row->reason = REASON_NONE;
		job_settle_flags(item->row);
		if (code == 0) {
			code = state_row_put(job->run->session->state, item->row, err);
		}
		job->mailbox->done.counts.uploaded++;
		progress_copied(job->run->account->server.progress, 1);
	}
	row_finish(&seen);
	if (code == 0) {
		code = state_intent_drop(job->run->session->state, item->intent, err);
	}
	item->state = ITEM_DONE;
	return code;
}

/* Refused for good, or not at all: its intent is void, since the server said that it did not take
 * it. */
static int item_refused(struct upload *upload, struct item *item, const struct err *why,
			struct err *err)
{
	int code = state_intent_drop(upload->job->run->session->state, item->intent, err);
	item->state = ITEM_FAILED;
	return code < 0 ? code : job_message_failed(upload->job, item->row, why);
}

/* Those items were not taken, or not even sent: what says that they may have been goes. */
static int void_intents(struct upload *upload, struct item *items, size_t count, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < count; i++) {
		items[i].state = ITEM_FAILED;
		code = state_intent_drop(upload->job->run->session->state, items[i].intent, err);
	}
	return code;
}

static bool uids_fit(const struct upload *upload, const struct remote_done *done, size_t count)
{
	return done->has_appended && done->uidvalidity == upload->job->mailbox->base.uidvalidity &&
	       uidset_size(&done->appended) == count;
}

/* Taken, but under which UIDs? They are looked for later. Until they are found they are not sent
 * again, though they look like nothing that is there: servers rewrite messages. */
static int items_unknown(struct upload *upload, struct item *items, size_t count, struct err *err)
{
	struct state *state = upload->job->run->session->state;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	upload->job->mailbox->seen.has_intents = true;
	for (size_t i = 0; code == 0 && i < count; i++) {
		items[i].state = ITEM_UNKNOWN;
		items[i].row->reason = REASON_AMBIGUOUS;
		code = state_row_put(state, items[i].row, err);
		upload->job->mailbox->done.counts.uploaded++;
		progress_copied(upload->job->run->account->server.progress, 1);
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

static int items_landed(struct upload *upload, struct item *items, size_t count,
			const struct remote_done *done, struct err *err)
{
	struct state *state = upload->job->run->session->state;
	struct uidset_cursor cursor = {0};
	uint32_t uid = 0;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < count; i++) {
		uidset_next(&done->appended, &cursor, &uid);
		code = item_landed(upload, &items[i], uid, err);
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

/* The answer to an APPEND of COUNT items. */
static int take_answer(struct upload *upload, struct item *items, size_t count,
		       const struct remote_done *done, struct err *err)
{
	upload->quota_hit |= done->status < 0 && done->refusal == REMOTE_REFUSAL_OVERQUOTA;
	if (done->status == 0) {
		upload->job->mailbox->done.was_changed_there = true;
		if (uids_fit(upload, done, count)) {
			return items_landed(upload, items, count, done, err);
		}
		return items_unknown(upload, items, count, err);
	}
	if (remote_busy_is_due(upload->job->remote)) {
		upload->put_off = true;
		upload->why = done->err;
		return void_intents(upload, items, count, err);
	}
	if (count == 1) {
		struct err why;
		err_set(&why, done->err.code, done->err.scope, "the file %s was not uploaded: %s",
			items[0].row->unique, done->err.text);
		return item_refused(upload, &items[0], &why, err);
	}
	/* Atomic: none was taken. Which one it was shows when each goes by itself. */
	upload->multi = false;
	for (size_t i = 0; i < count; i++) {
		items[i].state = ITEM_RETRY;
	}
	return 0;
}

/* A file that could not be read now: nothing was sent of it. */
static int item_unreadable(struct upload *upload, struct item *item, struct err *err)
{
	struct err why = *err;
	if (run_is_fatal(err)) {
		return -(int)err->code;
	}
	if (err->code == ERR_CHANGED) {
		item->state = ITEM_FAILED;
		upload->job->failures++;
		return state_intent_drop(upload->job->run->session->state, item->intent, err);
	}
	return item_refused(upload, item, &why, err);
}

static int take_next_answer(struct upload *upload, struct err *err)
{
	struct remote_done done;
	remote_done_init(&done);
	int code = remote_done_next(upload->job->remote, &done, err);
	if (code == 0) {
		struct batch *batch = &upload->batches[done.cookie / BATCH_MESSAGES];
		size_t first = (size_t)(done.cookie % BATCH_MESSAGES);
		size_t count = batch->together > 0 ? batch->together : 1;
		batch->in_flight--;
		code = take_answer(upload, &batch->items[first], count, &done, err);
	}
	remote_done_finish(&done);
	return code;
}

static int batch_wait(struct upload *upload, struct batch *batch, struct err *err)
{
	int code = 0;
	while (code == 0 && batch->in_flight > 0) {
		code = take_next_answer(upload, err);
	}
	return code;
}

static int send_one(struct upload *upload, struct batch *batch, size_t index, struct err *err)
{
	struct job *job = upload->job;
	struct item *item = &batch->items[index];
	int code = send_message(upload, item, true, cookie_of(upload, batch, index), err);
	if (code == 0) {
		item->state = ITEM_SENT;
		batch->in_flight++;
		code = remote_append_end(job->remote, err);
		return code == 0 && !upload->pipelined ? batch_wait(upload, batch, err) : code;
	}
	if (remote_append_was_refused(job->remote)) {
		/* At its literal: its answer is there already. */
		batch->in_flight++;
		return batch_wait(upload, batch, err);
	}
	return item_unreadable(upload, item, err);
}

/* No more of this mailbox in this job. */
static bool is_over(const struct upload *upload)
{
	return upload->quota_hit || upload->put_off;
}

/* Each message by its own APPEND. */
static int send_singly(struct upload *upload, struct batch *batch, struct err *err)
{
	int code = 0;
	batch->together = 0;
	for (size_t i = 0; code == 0 && i < batch->count && !is_over(upload); i++) {
		if (batch->items[i].state == ITEM_OPEN || batch->items[i].state == ITEM_RETRY) {
			code = send_one(upload, batch, i, err);
		}
	}
	return code;
}

/*
 * All of the batch in one APPEND. Where a file cannot be read now, none of its bytes was sent: the
 * command ends before it, and what comes after it goes by itself.
 */
static int send_together(struct upload *upload, struct batch *batch, struct err *err)
{
	size_t first = 0;
	batch->together = 0;
	for (size_t i = 0; i < batch->count; i++) {
		struct item *item = &batch->items[i];
		int code = send_message(upload, item, batch->together == 0,
					cookie_of(upload, batch, first), err);
		if (code == 0) {
			item->state = ITEM_SENT;
			batch->together++;
			continue;
		}
		code = item_unreadable(upload, item, err);
		if (code < 0) {
			return code;
		}
		if (batch->together > 0) {
			break; /* those after it go by themselves */
		}
		first = i + 1;
	}
	if (batch->together == 0) {
		return 0;
	}
	batch->in_flight = 1;
	return remote_append_end(upload->job->remote, err);
}

static int batch_send(struct upload *upload, struct batch *batch, struct err *err)
{
	if (batch->count == 0) {
		return 0;
	}
	int code = add_intents(upload, batch, err);
	if (code == 0 && upload->multi && batch->count > 1) {
		return send_together(upload, batch, err);
	}
	return code < 0 ? code : send_singly(upload, batch, err);
}

/* Waits for all of a batch, sends again by themselves those that were refused together, and empties
 * it. */
static int batch_settle(struct upload *upload, struct batch *batch, struct err *err)
{
	int code = batch_wait(upload, batch, err);
	bool retry = false;
	for (size_t i = 0; i < batch->count; i++) {
		retry |= batch->items[i].state == ITEM_RETRY || batch->items[i].state == ITEM_OPEN;
	}
	if (code == 0 && retry) {
		code = send_singly(upload, batch, err);
	}
	if (code == 0) {
		code = batch_wait(upload, batch, err);
	}
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		if (batch->items[i].state == ITEM_OPEN || batch->items[i].state == ITEM_RETRY) {
			code = void_intents(upload, &batch->items[i], 1, err);
		}
	}
	batch->count = 0;
	batch->bytes = 0;
	return code;
}

/* Sends the current batch and goes on to the next, waiting for the one that used its place
 * before. */
static int batch_turn(struct upload *upload, struct err *err)
{
	int code = batch_send(upload, &upload->batches[upload->current], err);
	upload->current = (upload->current + 1) % BATCHES_IN_FLIGHT;
	return code < 0 ? code : batch_settle(upload, &upload->batches[upload->current], err);
}

/* Header digest and size are noted; a row whose file is not there now is left for the next run. */
static int prepare(struct upload *upload, struct row *row, struct err *err)
{
	struct job *job = upload->job;
	struct maildir_entry entry;
	struct header_identity identity;
	struct maildir_file file;
	int code = job_find_file(job, row, &entry, err);
	if (code == 0) {
		code = maildir_folder_identify(job->mailbox->dir, entry.name, entry.in_new,
					       &identity, err);
	}
	if (code == 0) {
		code = maildir_folder_stat_file(job->mailbox->dir, entry.name, entry.in_new, &file,
						err);
	}
	if (code == -ERR_CHANGED) {
		job->failures++;
		return 0;
	}
	if (code < 0) {
		return job_message_failed(job, row, err);
	}
	row->has_digest = true;
	memcpy(row->digest, identity.digest, ROW_DIGEST_SIZE);
	row->size_bytes = file.size_bytes;
	struct batch *batch = &upload->batches[upload->current];
	batch->items[batch->count++] =
		(struct item){.row = row, .state = ITEM_OPEN, .flags = flags_to_send(job, row)};
	batch->bytes += file.size_bytes;
	return 0;
}

static int upload_rows(struct upload *upload, const size_t *ops, size_t count, struct err *err)
{
	struct job *job = upload->job;
	int code = 0;
	for (size_t i = 0; code == 0 && i < count && !is_over(upload); i++) {
		const struct batch *batch = &upload->batches[upload->current];
		code = run_check_stop(job->run, err);
		if (code == 0) {
			code = prepare(upload, job_row(job, &job->plan.plan.ops[ops[i]]), err);
		}
		if (code == 0 && (batch->count == BATCH_MESSAGES || batch->bytes >= BATCH_BYTES)) {
			code = batch_turn(upload, err);
		}
	}
	if (code == 0 && !is_over(upload)) {
		code = batch_send(upload, &upload->batches[upload->current], err);
	}
	for (size_t i = 0; code == 0 && i < BATCHES_IN_FLIGHT; i++) {
		code = batch_settle(upload, &upload->batches[i], err);
	}
	if (code == 0 && upload->put_off) {
		*err = upload->why;
		code = -(int)err->code;
	}
	job->failures += upload->quota_hit;
	return code;
}

/* Courier refuses an APPEND to the mailbox that is EXAMINEd at the time. Where literals wait for a
 * go-ahead, as there, one turn more is little; elsewhere it would be half of a small upload. */
static int reopen_examined(struct upload *upload, struct err *err)
{
	struct job *job = upload->job;
	bool is_open = remote_selected(job->remote, job->mailbox->seen.wire, false) != 0;
	return is_open && !upload->pipelined ? job_select(job, true, err) : 0;
}

int job_upload(struct job *job, struct err *err)
{
	size_t count = 0;
	size_t *ops = job_ops(job, OP_UPLOAD, &count, err);
	if (ops == NULL) {
		return -(int)err->code;
	}
	struct upload *upload = calloc(1, sizeof(*upload));
	int code = upload == NULL ? err_nomem(err) : 0;
	if (code == 0) {
		unsigned caps = imap_caps(remote_imap(job->remote));
		upload->job = job;
		upload->pipelined = (caps & IMAP_CAP_LITERAL_PLUS) != 0;
		upload->multi = (caps & IMAP_CAP_MULTIAPPEND) && upload->pipelined;
		buf_init(&upload->body, SMALL_BYTES + 1);
		code = reopen_examined(upload, err);
		if (code == 0) {
			code = upload_rows(upload, ops, count, err);
		}
		buf_finish(&upload->body);
	}
	free(upload);
	free(ops);
	return code;
}
