/* What the answers to uploads do to intents and rows, by rules/transfer_rules.h. */
#include "act_private.h"

#include "mailsync/base/progress.h"

#include "guard/guard.h"
#include "rules/effect.h"
#include "rules/transfer_rules.h"

static void count_upload(struct upload *upload, const struct upload_item *item)
{
	upload->job->mailbox->done.counts.uploaded++;
	progress_copied(upload->job->run->account->server.progress, item->row->size.number);
}

static int forget_refusal(struct upload *upload, const struct upload_item *item, struct err *err)
{
	const struct job *job = upload->job;
	bool was_refused = refusals_find(&job->refused, item->row->id) != NULL;
	return was_refused ? state_refusal_drop(job->run->session->state, item->row->id, err) : 0;
}

/* U2. FROM: a UID below the intent's bound that comes into question, too (U10); 0: none. */
static int item_unknown(struct upload *upload, struct upload_item *item, uint32_t from,
			struct err *err)
{
	struct mailbox *mailbox = upload->job->mailbox;
	struct state *state = upload->job->run->session->state;
	int code = 0;
	if (from != 0) {
		struct intent intent = {
			.kind = INTENT_APPEND,
			.row = item->row->id,
			.mailbox = mailbox->base.id,
			.uidvalidity = mailbox->base.numbers.uidvalidity,
			.uid_bound = told(from),
		};
		code = state_intent_drop(state, item->intent, err);
		code = code < 0 ? code : state_intent_add(state, &intent, err);
	}
	mailbox->open.has_intents = true;
	effect_held(item->row, REASON_AMBIGUOUS);
	count_upload(upload, item);
	code = code < 0 ? code : forget_refusal(upload, item, err);
	return code < 0 ? code : state_row_put(state, item->row, err);
}

/* The row that base had of UID (NULL: none) goes. */
static int item_there(struct upload *upload, struct upload_item *item, uint32_t uid,
		      const struct row *seen, struct err *err)
{
	struct state *state = upload->job->run->session->state;
	int code = seen == NULL ? 0 : state_row_drop(state, seen->id, err);
	effect_uploaded(item->row, uid, item->flags);
	effect_held(item->row, REASON_UNPROVEN);
	count_upload(upload, item);
	if (code < 0 || (code = forget_refusal(upload, item, err)) < 0 ||
	    (code = state_row_put(state, item->row, err)) < 0) {
		return code;
	}
	return state_intent_drop(state, item->intent, err);
}

static int item_alias(struct upload *upload, struct upload_item *item, struct err *err)
{
	struct state *state = upload->job->run->session->state;
	effect_held(item->row, REASON_AMBIGUOUS);
	int code = state_row_put(state, item->row, err);
	return code < 0 ? code : state_intent_drop(state, item->intent, err);
}

/* ITEM was taken, and the server tells that it has UID. */
static int item_landed(struct upload *upload, struct upload_item *item, uint32_t uid,
		       struct err *err)
{
	const struct state_mailbox *base = &upload->job->mailbox->base;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_uid(upload->job->run->session->state, base->id, uid, &row, &found,
				    err);
	const struct row *seen = found ? &row : NULL;
	if (code < 0) {
		goto finish;
	}
	switch (upload_landing(uid, base->numbers.uidnext, seen, item->row)) {
	case LANDING_THERE:
		code = item_there(upload, item, uid, seen, err);
		break;
	case LANDING_ALIAS:
		code = item_alias(upload, item, err);
		break;
	case LANDING_UNTOLD:
		code = item_unknown(upload, item, 0, err);
		break;
	case LANDING_LOOK:
		code = item_unknown(upload, item, uid, err);
		break;
	}
finish:
	row_finish(&row);
	return code;
}

/* UIDS: theirs; NULL: unknown. */
static int items_taken(struct upload *upload, struct upload_item *items, size_t count,
		       const struct uidset *uids, struct err *err)
{
	struct state *state = upload->job->run->session->state;
	struct uidset_cursor cursor = {0};
	uint32_t uid = 0;
	int code = run_begin(upload->job->run, err);
	for (size_t i = 0; code == 0 && i < count; i++) {
		code = uids != NULL && uidset_next(uids, &cursor, &uid)
			     ? item_landed(upload, &items[i], uid, err)
			     : item_unknown(upload, &items[i], 0, err);
	}
	return state_end(state, code, err);
}

int void_intents(struct upload *upload, struct upload_item *items, size_t count, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < count; i++) {
		items[i].is_due = false;
		code = state_intent_drop(upload->job->run->session->state, items[i].intent, err);
	}
	return code;
}

/* U4: what became of each shows when they are looked for. */
static void look_for_all(struct upload *upload)
{
	struct mailbox *mailbox = upload->job->mailbox;
	mailbox->open.has_intents = true;
	mailbox->done.was_changed_there = true;
}

int item_unreadable(struct upload *upload, struct upload_item *item, struct err *err)
{
	struct err why = *err;
	if (run_is_fatal(err)) {
		return -(int)err->code;
	}
	int code = void_intents(upload, item, 1, err);
	if (code == 0 && why.code == ERR_CHANGED) {
		upload->job->failures++;
		return 0;
	}
	return code < 0 ? code : job_message_failed(upload->job, item->row, &why);
}

/* U3. None of several is to blame. */
static int put_off(struct upload *upload, struct upload_item *items, size_t count,
		   const struct remote_done *done, struct err *err)
{
	struct job *job = upload->job;
	upload->job->course.is_over = true;
	job->is_put_off = true;
	if (count == 1) {
		return item_refused(upload, items, REFUSAL_NOW, &done->err, err);
	}
	job->failures++;
	run_report_error(job->run, job->mailbox, 0, &done->err);
	look_for_all(upload);
	return 0;
}

/* The answer to an APPEND of COUNT items. */
static int take_answer(struct upload *upload, struct upload_item *items, size_t count,
		       const struct remote_done *done, struct err *err)
{
	const struct upload_answer answer = {
		.is_taken = done->status == 0,
		.is_busy = done->refusal == REMOTE_REFUSAL_BUSY,
		.tells_uids = done->has_appended,
		.uidvalidity = done->uidvalidity,
		.uids = uidset_size(&done->appended),
		.sent = count,
	};
	struct mailbox *mailbox = upload->job->mailbox;
	mailbox->done.was_changed_there |= answer.is_taken;
	if (count == 1 || answer.is_taken) {
		refusal_course_note(&upload->job->course, done->refusal, items[0].row->size.number);
	}
	switch (upload_outcome(&answer, mailbox->base.numbers.uidvalidity)) {
	case UPLOAD_LANDED:
		return items_taken(upload, items, count, &done->appended, err);
	case UPLOAD_UNKNOWN:
		return items_taken(upload, items, count, NULL, err);
	case UPLOAD_PUT_OFF:
		return put_off(upload, items, count, done, err);
	case UPLOAD_SPLIT:
		upload->multi = false;
		mailbox->done.was_refused_together = true;
		look_for_all(upload);
		return 0;
	case UPLOAD_REFUSED:
		break;
	}
	return item_refused(upload, &items[0], refusal_kind_of(done->refusal), &done->err, err);
}

int upload_take_answer(struct upload *upload, struct err *err)
{
	struct remote_done done = {0};
	int code = remote_done_next(upload->job->remote, &done, err);
	if (code == 0) {
		struct upload_batch *batch = &upload->batches[done.cookie / REMOTE_BATCH_MESSAGES];
		size_t first = (size_t)(done.cookie % REMOTE_BATCH_MESSAGES);
		size_t count = batch->together > 0 ? batch->together : 1;
		batch->in_flight--;
		for (size_t i = first; i < first + count; i++) {
			const struct suspect_item went = message_item(
				upload->job->mailbox, batch->items[i].row, SUSPECT_AT_APPEND);
			batch->items[i].is_answered = true;
			suspects_went(upload->job->run, &went);
		}
		code = take_answer(upload, &batch->items[first], count, &done, err);
	}
	remote_done_finish(&done);
	return code;
}
