#include "download_private.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

static bool has_room(const struct download *download, const struct remote_batch *batch)
{
	return download->one_by_one ? batch->count == 0
				    : remote_batch_has_room(download->remote, batch);
}

int download_ask(struct download *download, struct err *err)
{
	const struct wants *wants = &download->wants;
	struct remote_batch batch;
	int code = 0;
	remote_batch_init(&batch);
	for (; code == 0 && download->next < wants->count && has_room(download, &batch);
	     download->next++) {
		const struct row *row = wants->rows[download->next];
		if (want_is_due(wants, download->next, download->one_by_one)) {
			code = remote_batch_add(&batch, row->uid, row->size_bytes, err);
		}
	}
	if (code == 0 && batch.count > 0) {
		code = remote_fetch_queue(download->remote, REMOTE_WHOLE, &batch.uids,
					  download->cookie, err);
		download->in_flight += code == 0;
	}
	remote_batch_finish(&batch);
	return code;
}

void download_drop_arrival(struct download *download)
{
	struct arrival *arrival = &download->arrival;
	if (arrival->has_draft) {
		maildir_draft_discard(arrival->folder, &arrival->draft);
	}
	arrival->has_draft = false;
	arrival->is_whole = false;
}

static int begin_arrival(struct download *download, uint64_t wire_bytes, struct err *err)
{
	struct arrival *arrival = &download->arrival;
	download_drop_arrival(download);
	arrival->draft = (struct maildir_draft){.fd = -1};
	arrival->has_draft = true;
	arrival->folder = download->folder;
	arrival->wire_bytes = wire_bytes;
	arrival->head_len = 0;
	return maildir_draft_create(arrival->folder, &arrival->draft, err);
}

static int add_to_arrival(struct arrival *arrival, struct span data, struct err *err)
{
	size_t room = sizeof(arrival->head) - arrival->head_len;
	size_t len = data.len < room ? data.len : room;
	memcpy(arrival->head + arrival->head_len, data.data, len);
	arrival->head_len += len;
	return arrival->has_draft ? maildir_draft_write(&arrival->draft, data, err) : 0;
}

static enum fetch_verdict judge(const struct download *download, const struct remote_body *body,
				size_t index)
{
	const struct arrival *arrival = &download->arrival;
	bool is_wanted = index != WANT_NONE && download->wants.states[index] == WANT_OPEN;
	struct fetch_answer answer = {
		.is_wanted = is_wanted,
		.has_whole_body = arrival->has_draft && arrival->is_whole && body->has_body,
		.told_bytes = is_wanted ? download->wants.rows[index]->size_bytes : 0,
		.wire_bytes = arrival->wire_bytes,
		.head = {arrival->head, arrival->head_len},
	};
	return fetch_judge(&answer);
}

/* The body that came in is the message of the row at INDEX. */
static int deliver(struct download *download, size_t index, int64_t date, struct err *err)
{
	struct arrival *arrival = &download->arrival;
	struct row *row = download->wants.rows[index];
	int code = maildir_draft_close(&arrival->draft, date, err);
	if (code < 0) {
		download_drop_arrival(download);
		return code;
	}
	struct delivery_item item = {
		.mailbox = download->job->mailbox,
		.folder = arrival->folder,
		.state = &download->wants.states[index],
		.draft = arrival->draft,
		.date = date,
		.flags = row->remote_flags & message_local_flags(&download->job->facts),
		.row = row,
		.key = download->key,
	};
	arrival->has_draft = false;
	arrival->is_whole = false;
	return delivery_add(download->delivery, &item, err);
}

/* A response closed. Only now it is known whose body that was. */
static int take_message(struct download *download, const struct remote_body *body, struct err *err)
{
	size_t index = body->uid == 0 ? WANT_NONE : wants_find(&download->wants, body->uid);
	if (judge(download, body, index) != FETCH_MESSAGE) {
		download_drop_arrival(download);
		return 0;
	}
	int64_t date = body->has_date ? body->date : download->wants.rows[index]->date;
	if (date == 0) {
		date = clock_real_s();
	}
	return deliver(download, index, date, err);
}

static void take_done(struct download *download, const struct remote_body *body)
{
	const struct run *run = download->job->run;
	download->in_flight--;
	if (body->status < 0 && remote_busy_is_due(download->remote)) {
		download->put_off = true;
		download->why = body->err;
	} else if (body->status < 0) {
		log_line(run->log, LOG_INFO, "%s/%s: %s", run->account->name,
			 download->job->mailbox->name, body->err.text);
	}
}

int download_take(struct download *download, const struct remote_body *body, struct err *err)
{
	switch (body->type) {
	case REMOTE_FETCHED_BEGIN:
		return begin_arrival(download, body->size, err);
	case REMOTE_FETCHED_DATA:
		return add_to_arrival(&download->arrival, body->data, err);
	case REMOTE_FETCHED_END:
		download->arrival.is_whole = true;
		return 0;
	case REMOTE_FETCHED_MESSAGE:
		return take_message(download, body, err);
	case REMOTE_FETCHED_DONE:
		take_done(download, body);
		return 0;
	case REMOTE_FETCHED_OPENED:
		return 0; /* concerns the driver */
	}
	return 0;
}

/* From now on it is asked for last, lest it hold up the others in every run. */
static void blame(struct download *download, struct row *row, const struct err *err)
{
	struct run *run = download->job->run;
	struct err why;
	row->reason = REASON_FAILED;
	run_report_error(run, download->job->mailbox, row->uid, err);
	if (state_row_put(run->session->state, row, &why) < 0) {
		log_line(run->log, LOG_INFO, "%s", why.text);
	}
}

int download_broke(struct download *download, struct err *err)
{
	bool in_body = download->arrival.has_draft && err->code == ERR_TEMPORARY;
	size_t suspect = in_body || err->code == ERR_PROTOCOL
			       ? wants_suspect(&download->wants, download->one_by_one)
			       : WANT_NONE;
	if (suspect != WANT_NONE) {
		blame(download, download->wants.rows[suspect], err);
	}
	download_drop_arrival(download);
	return -(int)err->code;
}

int download_init(struct download *download, struct job *job, struct delivery *delivery,
		  struct err *err)
{
	struct wants *wants = &download->wants;
	const struct op *op;
	*download = (struct download){
		.job = job,
		.remote = job->remote,
		.delivery = delivery,
	};
	wants->rows = calloc(job->plan.count + 1, sizeof(*wants->rows));
	wants->states = calloc(job->plan.count + 1, sizeof(*wants->states));
	if (wants->rows == NULL || wants->states == NULL) {
		return err_nomem(err);
	}
	for (size_t at = 0; (op = job_next(job, OP_DOWNLOAD, &at)) != NULL;) {
		wants->rows[wants->count++] = job_row(job, op);
	}
	wants_sort(wants);
	return maildir_folder_key(job->run->account->name, job->mailbox->name, download->key, err);
}

void download_finish(struct download *download)
{
	download_drop_arrival(download);
	free(download->wants.rows);
	free(download->wants.states);
	download->wants = (struct wants){0};
}

void download_slice(struct download *slice, const struct download *whole, size_t first,
		    size_t count)
{
	*slice = (struct download){
		.job = whole->job,
		.wants = {whole->wants.rows + first, whole->wants.states + first, count},
	};
	memcpy(slice->key, whole->key, sizeof(slice->key));
}

void download_hand_over(struct download *from, struct download *to)
{
	to->arrival = from->arrival;
	from->arrival.has_draft = false;
	from->arrival.is_whole = false;
}

bool download_has_more(const struct download *download)
{
	return !download->put_off && download->next < download->wants.count;
}
