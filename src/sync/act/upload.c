/* The uploads of one mailbox: batches are sent, their answers taken by upload_answer.c. */
#include "act_private.h"

#include <stdlib.h>
#include <string.h>

/* No more of this mailbox in this job. */
static bool upload_is_over(const struct upload *upload)
{
	return upload->quota_hit || upload->put_off;
}

/* The cookie of an APPEND: which batch, which of its items (0 for all of them). */
static uint64_t cookie_of(const struct upload *upload, const struct upload_batch *batch,
			  size_t item)
{
	return (uint64_t)(batch - upload->batches) * REMOTE_BATCH_MESSAGES + item;
}

/* Digest and size of what is going to be sent are in the row before the intent is. */
static int add_intents(struct upload *upload, struct upload_batch *batch, struct err *err)
{
	struct job *job = upload->job;
	struct state *state = job->run->session->state;
	int code = state_begin(state, err);
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		struct upload_item *item = &batch->items[i];
		struct intent intent = {
			.kind = INTENT_APPEND,
			.row = item->row->id,
			.mailbox = job->mailbox->base.id,
			.uidvalidity = job->mailbox->base.numbers.uidvalidity,
			.uid_bound = job->mailbox->base.numbers.uidnext,
		};
		if ((code = state_row_put(state, item->row, err)) == 0) {
			code = state_intent_add(state, &intent, err);
		}
		item->intent = intent.id;
	}
	return state_end(state, code, err);
}

/* The message's bytes, whole into upload->body or, of a large one, piece by piece to the server. */
static int pass_on(struct upload *upload, struct maildir_reader *reader, bool is_small,
		   struct err *err)
{
	struct span piece = {0};
	int code;
	buf_clear(&upload->body);
	while ((code = maildir_reader_next(reader, &piece, err)) == 0 && piece.len > 0) {
		if (is_small) {
			buf_append_span(&upload->body, piece);
		} else if ((code = remote_append_data(upload->job->remote, piece, err)) < 0) {
			return code;
		}
	}
	if (code == -ERR_CHANGED && !is_small) {
		/* In the middle of a literal there is no way back but to hang up. */
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "a large message was changed while it was sent; run again");
	}
	return code < 0 || !is_small ? code : buf_status(&upload->body, "a message", err);
}

/* The message itself, after its APPEND was begun, if BEGIN by us. */
static int send_body(struct upload *upload, struct upload_item *item, struct maildir_reader *reader,
		     const uint64_t *begin, struct err *err)
{
	struct job *job = upload->job;
	uint64_t size = maildir_reader_wire_size(reader);
	bool is_small = size <= SMALL_BYTES;
	struct remote_append append = {
		.flags = item->flags,
		.keywords = &job->mailbox->base.keywords,
		.date = maildir_reader_file(reader)->mtime,
		.size = size,
	};
	int code;
	/* Read before anything is sent: what cannot be read leaves the connection as it was. */
	if ((code = is_small ? pass_on(upload, reader, true, err) : 0) < 0 ||
	    (code = begin != NULL
			  ? remote_append_begin(job->remote, job->mailbox->wire, *begin, err)
			  : 0) < 0 ||
	    (code = remote_append_message(job->remote, &append, err)) < 0) {
		return code;
	}
	return is_small ? remote_append_data(job->remote, buf_span(&upload->body), err)
			: pass_on(upload, reader, false, err);
}

/* Sends one message of an APPEND that is begun, or to be begun with the cookie at BEGIN.
 * -ERR_REFUSED: the server said NO to its literal. */
static int send_message(struct upload *upload, struct upload_item *item, const uint64_t *begin,
			struct err *err)
{
	struct job *job = upload->job;
	struct maildir_reader *reader = NULL;
	struct maildir_entry entry;
	int code;
	if ((code = job_find_file(job, item->row, &entry, err)) == 0 &&
	    (code = maildir_reader_open(job->mailbox->dir, entry.name, entry.in_new, &reader,
					err)) == 0) {
		const struct maildir_file *file = maildir_reader_file(reader);
		const struct file_mark mark = maildir_file_mark(file);
		row_set_file(item->row, &mark, maildir_reader_content(reader));
		item->row->size = told(file->size_bytes);
		code = send_body(upload, item, reader, begin, err);
	}
	maildir_reader_close(&reader);
	return code;
}

static int batch_wait(struct upload *upload, struct upload_batch *batch, struct err *err)
{
	int code = 0;
	while (code == 0 && batch->in_flight > 0) {
		code = upload_take_answer(upload, err);
	}
	return code;
}

static int send_one(struct upload *upload, struct upload_batch *batch, size_t index,
		    struct err *err)
{
	struct remote *remote = upload->job->remote;
	struct upload_item *item = &batch->items[index];
	uint64_t cookie = cookie_of(upload, batch, index);
	int code = send_message(upload, item, &cookie, err);
	bool is_refused = code < 0 && remote_append_was_refused(remote);
	if (code < 0 && !is_refused) {
		return item_unreadable(upload, item, err);
	}
	item->is_due = false;
	batch->in_flight++;
	/* Refused at its literal, its answer is there already. */
	code = is_refused ? 0 : remote_append_end(remote, err);
	return code == 0 && (is_refused || !upload->pipelined) ? batch_wait(upload, batch, err)
							       : code;
}

/* Each message by its own APPEND. */
static int send_singly(struct upload *upload, struct upload_batch *batch, struct err *err)
{
	int code = 0;
	batch->together = 0;
	for (size_t i = 0; code == 0 && i < batch->count && !upload_is_over(upload); i++) {
		if (batch->items[i].is_due) {
			code = send_one(upload, batch, i, err);
		}
	}
	return code;
}

/*
 * All of the batch in one APPEND. Where a file cannot be read now, none of its bytes was sent: the
 * command ends before it, and what comes after it goes by itself.
 */
static int send_together(struct upload *upload, struct upload_batch *batch, struct err *err)
{
	size_t first = 0;
	batch->together = 0;
	for (size_t i = 0; i < batch->count; i++) {
		struct upload_item *item = &batch->items[i];
		uint64_t cookie = cookie_of(upload, batch, first);
		int code = send_message(upload, item, batch->together == 0 ? &cookie : NULL, err);
		if (code == 0) {
			item->is_due = false;
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

/* Makes BATCH's intents durable and sends it. */
static int batch_send(struct upload *upload, struct upload_batch *batch, struct err *err)
{
	int code = batch->count == 0 ? 0 : add_intents(upload, batch, err);
	if (code < 0 || batch->count == 0) {
		return code;
	}
	return upload->multi && batch->count > 1 ? send_together(upload, batch, err)
						 : send_singly(upload, batch, err);
}

/* Waits for all of a batch, sends by themselves those that its one APPEND ended before, and empties
 * it. */
static int batch_settle(struct upload *upload, struct upload_batch *batch, struct err *err)
{
	int code;
	if ((code = batch_wait(upload, batch, err)) == 0 &&
	    (code = send_singly(upload, batch, err)) == 0) {
		code = batch_wait(upload, batch, err);
	}
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		if (batch->items[i].is_due) { /* upload_is_over kept it from being sent */
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

/* Header digest and size of a row's file are noted; -ERR_CHANGED: it is not there now. */
static int identify(struct job *job, struct row *row, struct err *err)
{
	struct maildir_folder *dir = job->mailbox->dir;
	struct maildir_entry entry;
	struct header_identity identity;
	struct maildir_file file;
	int code;
	if ((code = job_find_file(job, row, &entry, err)) < 0 ||
	    (code = maildir_folder_identify(dir, entry.name, entry.in_new, &identity, err)) < 0 ||
	    (code = maildir_folder_stat_file(dir, entry.name, entry.in_new, &file, err)) < 0) {
		return code;
	}
	const struct file_mark mark = maildir_file_mark(&file);
	row->has_digest = true;
	memcpy(row->digest, identity.digest, ROW_DIGEST_SIZE);
	row->size = told(file.size_bytes);
	row_set_file(row, &mark, NULL); /* what is sent is read then */
	return 0;
}

/* Into the current batch, which is sent once it is full. A row whose file is not there now is left
 * for the next run. */
static int add_row(struct upload *upload, struct row *row, struct err *err)
{
	struct job *job = upload->job;
	struct upload_batch *batch = &upload->batches[upload->current];
	int code = identify(job, row, err);
	if (code == -ERR_CHANGED) {
		job->failures++;
		return 0;
	}
	if (code < 0) {
		return job_message_failed(job, row, err);
	}
	batch->items[batch->count++] = (struct upload_item){
		.row = row,
		.is_due = true,
		.flags = row->local_flags & message_remote_flags(&job->facts),
	};
	batch->bytes += row->size.number;
	bool is_full = batch->count == REMOTE_BATCH_MESSAGES || batch->bytes >= BATCH_BYTES;
	return is_full ? batch_turn(upload, err) : 0;
}

/* The rows that failed in an earlier run (U8), or the others, into batches, full ones sent. */
static int send_rows(struct upload *upload, bool has_failed, struct err *err)
{
	struct job *job = upload->job;
	const struct op *op;
	size_t at = 0;
	int code = 0;
	while (code == 0 && !upload_is_over(upload) &&
	       (op = job_next(job, OP_UPLOAD, &at)) != NULL) {
		struct row *row = job_row(job, op);
		if ((code = run_check_stop(job->run, err)) == 0 &&
		    (row->reason == REASON_FAILED) == has_failed) {
			code = add_row(upload, row, err);
		}
	}
	return code < 0 || upload_is_over(upload) ? code : batch_turn(upload, err);
}

/* All rows; then waits for all. */
static int upload_rows(struct upload *upload, struct err *err)
{
	struct job *job = upload->job;
	int code = send_rows(upload, false, err);
	upload->multi = false;
	code = code < 0 ? code : send_rows(upload, true, err);
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
	bool is_open = remote_selected(job->remote, job->mailbox->wire, false).is_told;
	return is_open && !upload->pipelined ? job_select(job, true, err) : 0;
}

int job_upload(struct job *job, struct err *err)
{
	const struct remote_facts *facts = remote_facts(job->remote);
	size_t at = 0;
	if (job_next(job, OP_UPLOAD, &at) == NULL) {
		return 0;
	}
	struct upload *upload = calloc(1, sizeof(*upload));
	if (upload == NULL) {
		return err_nomem(err);
	}
	upload->job = job;
	upload->pipelined = facts->appends_without_wait;
	upload->multi = facts->takes_many_appends && upload->pipelined &&
			!job->mailbox->done.was_refused_together;
	buf_init(&upload->body, SMALL_BYTES + 1);
	int code = reopen_examined(upload, err);
	if (code == 0) {
		code = upload_rows(upload, err);
	}
	buf_finish(&upload->body);
	free(upload);
	return code;
}
