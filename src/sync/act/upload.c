/* The uploads of one mailbox: batches are sent, their answers taken by upload_answer.c. */
#include "act_private.h"

#include <stdlib.h>
#include <string.h>

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
		.asks_first = item->asks_first,
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
	item->is_begun = true;
	item->is_answered = false;
	if ((code = job_find_file(job, item->row, &entry, err)) == 0 &&
	    (code = maildir_reader_open(job->mailbox->dir, entry.name, entry.in_new, &reader,
					err)) == 0) {
		const struct maildir_file *file = maildir_reader_file(reader);
		const struct file_mark mark = maildir_file_mark(file);
		row_set_file(item->row, &mark, maildir_reader_content(reader));
		uint64_t wire_size = maildir_reader_wire_size(reader);
		item->row->size = told(file->size_bytes);
		if (told_below(upload->limit, told(wire_size))) {
			item->over = told(wire_size);
			code = err_set(err, ERR_LIMIT, SCOPE_MESSAGE, "too large");
		} else {
			code = send_body(upload, item, reader, begin, err);
		}
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

static int wait_for_all(struct upload *upload, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < BATCHES_IN_FLIGHT; i++) {
		code = batch_wait(upload, &upload->batches[i], err);
	}
	return code;
}

/* ITEM, or what came before it in one APPEND, was not sent whole, and not refused. */
static int item_unsent(struct upload *upload, struct upload_item *item, struct err *err)
{
	return item->over.is_told ? item_too_large(upload, item, err)
				  : item_unreadable(upload, item, err);
}

static int send_one(struct upload *upload, struct upload_batch *batch, size_t index,
		    struct err *err)
{
	struct remote *remote = upload->job->remote;
	struct upload_item *item = &batch->items[index];
	uint64_t cookie = cookie_of(upload, batch, index);
	int code;
	item->asks_first |= upload->job->course.is_wary;
	/* No other answer may come where the go-ahead is waited for. */
	if (item->asks_first && (code = wait_for_all(upload, err)) < 0) {
		return code;
	}
	code = send_message(upload, item, &cookie, err);
	bool is_refused = code < 0 && remote_append_was_refused(remote);
	if (code < 0 && !is_refused) {
		return item_unsent(upload, item, err);
	}
	item->is_due = false;
	batch->in_flight++;
	/* Refused at its literal, its answer is there already. */
	code = is_refused ? 0 : remote_append_end(remote, err);
	bool has_to_wait = is_refused || item->asks_first || !upload->pipelined;
	return code == 0 && has_to_wait ? batch_wait(upload, batch, err) : code;
}

static bool is_admitted(const struct upload *upload, const struct row *row)
{
	return !upload->job->course.is_over &&
	       refusal_course_admits(&upload->job->course, row->size.number);
}

/* Each message by its own APPEND. */
static int send_singly(struct upload *upload, struct upload_batch *batch, struct err *err)
{
	int code = 0;
	batch->together = 0;
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		struct upload_item *item = &batch->items[i];
		if (item->is_due && is_admitted(upload, item->row)) {
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
		code = item_unsent(upload, item, err);
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
		if (batch->items[i].is_due) { /* not admitted any more */
			upload->job->failures++;
			code = void_intents(upload, &batch->items[i], 1, err);
		}
	}
	if (code == 0) { /* else it tells what was on its way */
		batch->count = 0;
		batch->bytes = 0;
	}
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

/* Header digest and size of a row's file are noted; -ERR_CHANGED: it is not there now. *IS_SAME: it
 * is as it was when that was done last. */
static int identify(struct job *job, struct row *row, bool *is_same, struct err *err)
{
	struct maildir_folder *dir = job->mailbox->dir;
	struct maildir_entry entry;
	struct maildir_reading reading;
	int code;
	if ((code = job_find_file(job, row, &entry, err)) < 0 ||
	    (code = maildir_folder_read_header(dir, entry.name, entry.in_new, &reading, err)) < 0) {
		return code;
	}
	const struct file_mark mark = maildir_file_mark(&reading.file);
	*is_same = file_mark_equal(&row->mark, &mark);
	row->has_digest = true;
	memcpy(row->digest, reading.identity.digest, ROW_DIGEST_SIZE);
	row->size = told(reading.file.size_bytes);
	row_set_file(row, &mark, NULL); /* what is sent is read then */
	return 0;
}

/* Into the current batch, which is sent once it is full. A row whose file is not there now is left
 * for the next run. */
static int add_row(struct upload *upload, struct row *row, bool asks_first, struct err *err)
{
	struct job *job = upload->job;
	struct upload_batch *batch = &upload->batches[upload->current];
	bool is_same = false;
	int code = identify(job, row, &is_same, err);
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
		.is_same = is_same,
		.asks_first = asks_first,
	};
	batch->bytes += row->size.number;
	bool is_full = batch->count == upload->most || batch->bytes >= BATCH_BYTES;
	return is_full ? batch_turn(upload, err) : 0;
}

/* Sends what is left of the current batch, and waits for all. */
static int drain(struct upload *upload, struct err *err)
{
	int code = batch_send(upload, &upload->batches[upload->current], err);
	for (size_t i = 0; code == 0 && i < BATCHES_IN_FLIGHT; i++) {
		code = batch_settle(upload, &upload->batches[i], err);
	}
	return code;
}

/* The connection ended on one of those that are on their way. */
static void lose_uploads(const struct upload *upload, const struct err *err)
{
	const struct job *job = upload->job;
	struct suspect_item items[BATCHES_IN_FLIGHT * REMOTE_BATCH_MESSAGES];
	size_t count = 0;
	for (size_t i = 0; i < BATCHES_IN_FLIGHT; i++) {
		const struct upload_batch *batch = &upload->batches[i];
		for (size_t k = 0; k < batch->count; k++) {
			const struct upload_item *item = &batch->items[k];
			if (item->is_begun && !item->is_answered) {
				items[count++] =
					message_item(job->mailbox, item->row, SUSPECT_AT_APPEND);
			}
		}
	}
	suspects_lost(job->run, items, count, err);
}

/* N7 to N9. What was refused before, or goes where something was, goes by itself; what else failed
 * (U8) is not sent together with others. */
static int take_turn(struct upload *upload, const struct refusal_turn *turn, struct err *err)
{
	struct job *job = upload->job;
	struct row *row = job_row(job, &job->plan.ops[turn->place]);
	bool is_wary = turn->kind != REFUSAL_NONE || upload->job->course.is_wary;
	bool ends_multi = turn->has_failed && upload->multi;
	int code = run_check_stop(job->run, err);
	if (code < 0 || ((is_wary || ends_multi) && (code = drain(upload, err)) < 0)) {
		return code;
	}
	upload->multi &= !ends_multi;
	if (!is_admitted(upload, row)) {
		job->failures++;
		return 0;
	}
	code = add_row(upload, row, is_wary, err);
	return code == 0 && is_wary ? drain(upload, err) : code;
}

static int compare_turns(const void *one, const void *other)
{
	return refusal_turn_compare(one, other);
}

/* The order in which messages go, to be freed. */
static int gather_turns(struct upload *upload, struct refusal_turn **turns, size_t *count,
			struct err *err)
{
	const struct job *job = upload->job;
	const struct op *op;
	bool by_size = false;
	*turns = calloc(job->plan.count + 1, sizeof(**turns));
	if (*turns == NULL) {
		return err_nomem(err);
	}
	for (size_t at = 0; (op = job_next(job, OP_UPLOAD, &at)) != NULL;) {
		const struct row *row = job_row(job, op);
		const struct refusal *refusal = refusals_find(&job->refused, row->id);
		struct refusal_turn *turn = &(*turns)[(*count)++];
		turn->kind = refusal == NULL ? REFUSAL_NONE : refusal->kind;
		turn->has_failed = row->reason == REASON_FAILED;
		turn->size_bytes = row->size.number;
		turn->place = (size_t)(op - job->plan.ops);
		by_size |= turn->kind == REFUSAL_QUOTA;
		upload->job->course.is_wary |= turn->kind == REFUSAL_NOW || by_size;
	}
	for (size_t i = 0; i < *count; i++) {
		(*turns)[i].by_size = by_size;
	}
	qsort(*turns, *count, sizeof(**turns), compare_turns);
	return 0;
}

static int upload_rows(struct upload *upload, struct err *err)
{
	struct refusal_turn *turns = NULL;
	size_t count = 0;
	int code = gather_turns(upload, &turns, &count, err);
	for (size_t i = 0; code == 0 && i < count; i++) {
		code = take_turn(upload, &turns[i], err);
	}
	if (code == 0) {
		code = drain(upload, err);
	}
	free(turns);
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

/* Where each mailbox has a limit of its own it is asked for, unless the listing told it. */
static int learn_limit(struct upload *upload, struct err *err)
{
	struct job *job = upload->job;
	struct mailbox *mailbox = job->mailbox;
	struct remote_counts counts = {0};
	int code = 0;
	if (remote_facts(job->remote)->has_append_limits && !mailbox->seen.append_limit.is_told) {
		code = remote_count_one(job->remote, mailbox->wire, &counts, err);
		mailbox->seen.append_limit = counts.append_limit;
		remote_counts_finish(&counts);
	}
	upload->limit = plan_append_limit(job->run, mailbox);
	return code;
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
	upload->most = suspects_batch(job->run, REMOTE_BATCH_MESSAGES);
	upload->pipelined = facts->appends_without_wait && upload->most == REMOTE_BATCH_MESSAGES;
	upload->multi = facts->takes_many_appends && upload->pipelined &&
			!job->mailbox->done.was_refused_together;
	buf_init(&upload->body, SMALL_BYTES + 1);
	int code;
	if ((code = reopen_examined(upload, err)) == 0 && (code = learn_limit(upload, err)) == 0 &&
	    (code = upload_rows(upload, err)) < 0) {
		lose_uploads(upload, err);
	}
	buf_finish(&upload->body);
	free(upload);
	return code;
}
