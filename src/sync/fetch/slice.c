/* A piece of a download: asks for bodies, and what comes becomes drafts. */
#include <string.h>

#include "mailsync/base/clock.h"

#include "guard/guard.h"
#include "rules/effect.h"

#include "fetch_private.h"

bool slice_has_more(const struct slice *slice)
{
	return !slice->is_void && !slice->worker->put_off && slice->next < slice->wants.count;
}

int slice_ask(struct slice *slice, struct err *err)
{
	const struct wants *wants = &slice->wants;
	struct remote *remote = slice->worker->remote;
	bool one_by_one = slice->of->one_by_one;
	size_t most = suspects_batch(slice->worker->tasks->run, REMOTE_BATCH_MESSAGES);
	struct remote_batch batch;
	int code = 0;
	most = one_by_one ? 1 : most;
	remote_batch_init(&batch);
	for (; code == 0 && slice->next < wants->count; slice->next++) {
		const struct row *row = wants->rows[slice->next];
		if (batch.count == most || !remote_batch_has_room(remote, &batch)) {
			break;
		}
		if (want_is_due(wants, slice->next, one_by_one)) {
			code = remote_batch_add(&batch, row->uid, row->size, err);
		}
	}
	if (code == 0 && batch.count > 0) {
		code = remote_fetch_queue(remote, REMOTE_WHOLE, &batch.uids, slice->cookie, err);
		slice->in_flight += code == 0;
	}
	remote_batch_finish(&batch);
	return code;
}

void slice_drop_arrival(struct slice *slice)
{
	struct arrival *arrival = &slice->arrival;
	if (arrival->has_draft) {
		maildir_draft_discard(arrival->folder, &arrival->draft);
	}
	arrival->has_draft = false;
	arrival->is_whole = false;
}

static int begin_arrival(struct slice *slice, uint64_t wire_bytes, struct err *err)
{
	struct arrival *arrival = &slice->arrival;
	slice_drop_arrival(slice);
	arrival->draft = (struct maildir_draft){.fd = -1};
	arrival->has_draft = true;
	arrival->folder = slice->folder;
	arrival->wire_bytes = wire_bytes;
	arrival->head_len = 0;
	int code = run_claim(slice->worker->tasks->run, err); /* of a retry (R32) */
	return code < 0 ? code : maildir_draft_create(arrival->folder, &arrival->draft, err);
}

static int add_to_arrival(struct arrival *arrival, struct span data, struct err *err)
{
	size_t room = sizeof(arrival->head) - arrival->head_len;
	size_t len = data.len < room ? data.len : room;
	memcpy(arrival->head + arrival->head_len, data.data, len);
	arrival->head_len += len;
	return arrival->has_draft ? maildir_draft_write(&arrival->draft, data, err) : 0;
}

static enum fetch_verdict judge(const struct slice *slice, const struct remote_body *body,
				size_t index)
{
	const struct arrival *arrival = &slice->arrival;
	bool is_wanted = index != WANT_NONE && slice->wants.states[index] == WANT_OPEN;
	struct fetch_answer answer = {
		.is_wanted = is_wanted,
		.has_whole_body = arrival->has_draft && arrival->is_whole && body->has_body,
		.told = is_wanted ? slice->wants.rows[index]->size : UNTOLD,
		.wire_bytes = arrival->wire_bytes,
		.head = {arrival->head, arrival->head_len},
	};
	return fetch_judge(&answer);
}

/* The body that came in is the message of the row at INDEX. */
static int deliver(struct slice *slice, size_t index, int64_t date, struct err *err)
{
	struct arrival *arrival = &slice->arrival;
	struct job *job = slice->of->job;
	struct row *row = slice->wants.rows[index];
	int code = maildir_draft_close(&arrival->draft, told_time(date), err);
	if (code < 0) {
		slice_drop_arrival(slice);
		return code;
	}
	const struct suspect_item went = message_item(job->mailbox, row, SUSPECT_AT_FETCH);
	suspects_went(job->run, &went);
	struct delivery_item item = {
		.mailbox = job->mailbox,
		.folder = arrival->folder,
		.state = &slice->wants.states[index],
		.draft = arrival->draft,
		.date = date,
		.flags = row->remote_flags & message_local_flags(&job->facts),
		.row = row,
		.key = slice->of->key,
	};
	arrival->has_draft = false;
	arrival->is_whole = false;
	return delivery_add(slice->worker->delivery, &item, err);
}

/* A response closed. Only now it is known whose body that was. */
static int take_message(struct slice *slice, const struct remote_body *body, struct err *err)
{
	size_t index = body->uid == 0 ? WANT_NONE : wants_find(&slice->wants, body->uid);
	if (judge(slice, body, index) != FETCH_MESSAGE) {
		slice_drop_arrival(slice);
		return 0;
	}
	struct told_time known = slice->wants.rows[index]->date;
	struct told_time date = body->date.is_told ? body->date : known;
	return deliver(slice, index, told_time_or(date, clock_real_s()), err);
}

static void take_done(struct slice *slice, const struct remote_body *body)
{
	struct worker *worker = slice->worker;
	const struct job *job = slice->of->job;
	slice->in_flight--;
	if (body->status < 0 && remote_busy_is_due(worker->remote)) {
		worker->put_off = true;
		worker->err = body->err;
	} else if (body->status < 0) {
		log_line(job->run->log, LOG_INFO, "%s/%s: %s", job->run->account->name,
			 job->mailbox->name, body->err.text);
	}
}

int slice_take(struct slice *slice, const struct remote_body *body, struct err *err)
{
	switch (body->type) {
	case REMOTE_FETCHED_BEGIN:
		return begin_arrival(slice, body->size, err);
	case REMOTE_FETCHED_DATA:
		return add_to_arrival(&slice->arrival, body->data, err);
	case REMOTE_FETCHED_END:
		slice->arrival.is_whole = true;
		break;
	case REMOTE_FETCHED_MESSAGE:
		return take_message(slice, body, err);
	case REMOTE_FETCHED_DONE:
		take_done(slice, body);
		break;
	case REMOTE_FETCHED_OPENED:
		break; /* concerns the worker */
	}
	return 0;
}

static struct suspect_item item_of(const struct slice *slice, size_t index)
{
	return message_item(slice->of->job->mailbox, slice->wants.rows[index], SUSPECT_AT_FETCH);
}

size_t slice_suspects(const struct slice *slice, struct suspect_item *items)
{
	size_t count = 0;
	for (size_t i = 0; i < slice->next; i++) {
		if (want_is_due(&slice->wants, i, slice->of->one_by_one)) {
			items[count++] = item_of(slice, i);
		}
	}
	return count;
}

bool slice_suspect(const struct slice *slice, struct suspect_item *item)
{
	size_t index = wants_suspect(&slice->wants, slice->of->one_by_one);
	bool is_known = index != WANT_NONE && index < slice->next;
	if (is_known) {
		*item = item_of(slice, index);
	}
	return is_known;
}
