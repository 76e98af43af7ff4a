/*
 * Downloads: several UID FETCH commands in flight, bodies streamed to drafts, and per batch: contents durable, names
 * published, names durable, rows committed (I2). A cut anywhere leaves drafts that the next run sweeps, or published files that
 * it adopts by their names.
 */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

#include "job.h"
#include "observe.h"

#define BATCH_MESSAGES 500
#define BATCH_BYTES (64u << 20)
#define COMMAND_MESSAGES 200
#define COMMAND_BYTES (4u << 20)    /* of RFC822.SIZE, as far as told */
#define COMMANDS_IN_FLIGHT 4
#define SET_TEXT_MAX 900
#define HEAD_SIZE 1024
#define STUB_MAX 8192

enum want_state { WANT_OPEN, WANT_DRAFTED, WANT_DONE, WANT_FAILED };

struct want {
	struct row *row;
	enum want_state state;
	struct maildir_draft draft;
	int64_t date;
};

/* A want and what is held of it while its batch is open; wants are many, drafts few: so they are apart. */
struct download {
	struct job *job;
	struct row **rows;           /* ascending by UID */
	uint8_t *states;             /* enum want_state of each */
	size_t count;
	size_t next;                 /* the first row not yet asked for */
	size_t in_flight;
	struct want batch[BATCH_MESSAGES];
	size_t batch_count;
	uint64_t batch_bytes;
	struct maildir_draft draft;  /* of the body that is coming in */
	bool has_draft;
	bool is_whole;
	bool one_by_one;             /* second try: a command for each */
	bool put_off;                /* the server asked for patience: nothing more is asked for */
	struct err why;              /* its words */
	uint64_t wire_size;          /* of the body that is coming in */
	char head[HEAD_SIZE];        /* its beginning */
	size_t head_len;
	char key[MAILDIR_KEY_SIZE];
};

static int compare_row_uid(const void *x, const void *y)
{
	const struct row *one = *(struct row *const *)x;
	const struct row *two = *(struct row *const *)y;
	if (one->uid != two->uid) {
		return one->uid < two->uid ? -1 : 1;
	}
	return 0;
}

static size_t find_uid(const struct download *download, uint32_t uid)
{
	size_t low = 0;
	size_t high = download->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (download->rows[middle]->uid < uid) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < download->count && download->rows[low]->uid == uid ? low : SIZE_MAX;
}

/* One FETCH for the next rows that are still open. */
static int ask_some(struct download *download, struct err *err)
{
	struct uidset uids;
	struct buf text;
	uint64_t bytes = 0;
	size_t count = 0;
	size_t from = 0;
	int code = 0;
	size_t most = download->one_by_one ? 1 : COMMAND_MESSAGES;
	uidset_init(&uids);
	buf_init(&text, SET_TEXT_MAX + 64);
	while (code == 0 && download->next < download->count && count < most &&
	       bytes < COMMAND_BYTES) {
		size_t index = download->next;
		/* What failed before comes last, each by itself: it may be what the server breaks off at. */
		if (download->states[index] != WANT_OPEN ||
		    (!download->one_by_one &&
		     download->rows[index]->reason == REASON_FAILED)) {
			download->next++;
			continue;
		}
		/* A set of scattered UIDs may not fit the line: 11 bytes each at most. */
		if (uids.count * 22 + 22 > SET_TEXT_MAX) {
			break;
		}
		const struct row *row = download->rows[index];
		code = uidset_add(&uids, row->uid, row->uid, err);
		bytes += row->size_bytes;
		count++;
		download->next++;
	}
	if (code == 0 && count > 0) {
		uidset_format_some(&uids, &from, SET_TEXT_MAX, &text);
		code = buf_status(&text, "a set of UIDs", err);
	}
	if (code == 0 && count > 0) {
		code = imap_fetch_queue(download->job->imap, IMAP_WHOLE, buf_span(&text), 0, err);
		download->in_flight++;
	}
	buf_finish(&text);
	uidset_finish(&uids);
	return code;
}

static int publish_one(struct download *download, struct want *want, struct err *err)
{
	struct job *job = download->job;
	struct row *row = want->row;
	char unique[MAILDIR_UNIQUE_MAX + 1];
	uint64_t flags = row->remote_flags & (FLAGS_SYSTEM | job->local_keywords);
	uint64_t granted = 0;
	int code = maildir_unique_make(unique, download->key, job->box->base.uidvalidity, row->uid,
				       err);
	if (code == 0) {
		code = maildir_box_grant(job->box->dir, flags, &job->box->base.keywords, &granted,
					 err);
		job->failures += granted != flags; /* the next run tries again */
		flags = granted;
	}
	if (code == 0) {
		code = maildir_draft_publish(job->box->dir, &want->draft, unique, flags,
					     &job->box->base.keywords, err);
	}
	if (code == 0) {
		code = row_set_unique(row, unique, strlen(unique), err);
	}
	if (code == 0) {
		row->local = SIDE_PRESENT;
		row->local_flags = flags;
		row->is_agreed = true;
		row->flags = flags;
		row->reason = REASON_NONE;
		row->size_bytes = want->draft.size_bytes;
		row->date = want->date;
		row->has_digest = true;
		memcpy(row->digest, want->draft.identity.digest, ROW_DIGEST_SIZE);
	}
	return code;
}

static int commit_batch(struct download *download, struct err *err)
{
	struct state *state = download->job->run->state;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < download->batch_count; i++) {
		if (download->batch[i].state == WANT_DONE) {
			code = state_row_put(state, download->batch[i].row, err);
		}
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

static int flush_batch(struct download *download, struct err *err)
{
	struct job *job = download->job;
	if (download->batch_count == 0) {
		return 0;
	}
	int code = maildir_box_sync_files(job->box->dir, err);
	size_t done = 0;
	for (size_t i = 0; code == 0 && i < download->batch_count; i++) {
		struct want *want = &download->batch[i];
		code = publish_one(download, want, err);
		if (code == 0) {
			want->state = WANT_DONE;
			done++;
		} else {
			code = job_message_failed(job, want->row, err);
			want->state = WANT_FAILED;
		}
		size_t index = find_uid(download, want->row->uid);
		download->states[index] = (uint8_t)want->state;
	}
	if (code == 0) {
		code = maildir_box_sync_names(job->box->dir, err);
	}
	if (code == 0) {
		code = commit_batch(download, err);
	}
	if (code == 0) {
		job->box->counts.downloaded += done;
		download->batch_count = 0;
		download->batch_bytes = 0;
	}
	return code;
}

static void discard_draft(struct download *download)
{
	if (download->has_draft) {
		maildir_draft_discard(download->job->box->dir, &download->draft);
	}
	download->has_draft = false;
	download->is_whole = false;
}

/*
 * A body that stands for a message that the server does not give: empty though it has a size, or what Exchange sends instead of
 * an item that it cannot render. Stored, it would be taken for the message for ever.
 */
static bool is_stub(const struct download *download, const struct row *row)
{
	static const char subject[] =
		"\nSubject: Retrieval using the IMAP4 protocol failed for the following message:";
	struct span head = {download->head, download->head_len};
	if (download->wire_size == 0) {
		return row->size_bytes > 0;
	}
	for (; download->wire_size <= STUB_MAX && head.len > 0; head.data++, head.len--) {
		if (span_starts_nocase(head, subject)) {
			return true;
		}
	}
	return false;
}

/* A response closed. Only now it is known whose body that was. */
static int take_message(struct download *download, const struct imap_body *body, struct err *err)
{
	size_t index = body->uid == 0 ? SIZE_MAX : find_uid(download, body->uid);
	if (index == SIZE_MAX || !download->has_draft || !download->is_whole || !body->has_body ||
	    download->states[index] != WANT_OPEN || is_stub(download, download->rows[index])) {
		discard_draft(download);
		return 0;
	}
	struct row *row = download->rows[index];
	int64_t date = body->has_date ? body->date : row->date;
	if (date == 0) {
		date = clock_real_ns() / 1000000000;
	}
	int code = maildir_draft_close(&download->draft, date, err);
	if (code < 0) {
		discard_draft(download);
		return code;
	}
	struct want *want = &download->batch[download->batch_count++];
	*want = (struct want){
		.row = row, .state = WANT_DRAFTED, .draft = download->draft, .date = date};
	download->has_draft = false;
	download->is_whole = false;
	download->states[index] = WANT_DRAFTED;
	download->batch_bytes += want->draft.size_bytes;
	if (download->batch_count == BATCH_MESSAGES || download->batch_bytes >= BATCH_BYTES) {
		code = flush_batch(download, err);
	}
	return code;
}

static void note_head(struct download *download, struct span data)
{
	size_t room = sizeof(download->head) - download->head_len;
	size_t len = data.len < room ? data.len : room;
	memcpy(download->head + download->head_len, data.data, len);
	download->head_len += len;
}

static int take_body(struct download *download, const struct imap_body *body, struct err *err)
{
	struct job *job = download->job;
	switch (body->type) {
	case IMAP_FETCHED_BEGIN:
		discard_draft(download);
		download->draft = (struct maildir_draft){.fd = -1};
		download->has_draft = true;
		download->wire_size = body->size;
		download->head_len = 0;
		return maildir_draft_create(job->box->dir, &download->draft, err);
	case IMAP_FETCHED_DATA:
		note_head(download, body->data);
		return download->has_draft
			       ? maildir_draft_write(&download->draft, body->data, err)
			       : 0;
	case IMAP_FETCHED_END:
		download->is_whole = true;
		return 0;
	case IMAP_FETCHED_MESSAGE:
		return take_message(download, body, err);
	case IMAP_FETCHED_DONE:
		download->in_flight--;
		if (body->status < 0 && imap_backoff_is_due(job->imap)) {
			download->put_off = true;
			download->why = body->err;
		} else if (body->status < 0) {
			log_line(job->run->log, LOG_INFO, "%s/%s: %s", job->run->account->name,
				 job->box->name, body->err.text);
		}
		return 0;
	}
	return 0;
}

/*
 * The connection broke within a body, or what came made no sense. Servers answer in order, so it was the first one still open; that one is asked for last
 * from now on, lest it hold up the others in every run.
 */
static int suspect_one(struct download *download, struct err *err)
{
	struct job *job = download->job;
	for (size_t i = 0; i < download->count; i++) {
		struct row *row = download->rows[i];
		struct err why;
		if (download->states[i] != WANT_OPEN ||
		    (!download->one_by_one && row->reason == REASON_FAILED)) {
			continue;
		}
		row->reason = REASON_FAILED;
		run_report_error(job->run, job->box, row->uid, err);
		if (state_row_put(job->run->state, row, &why) < 0) {
			log_line(job->run->log, LOG_INFO, "%s", why.text);
		}
		break;
	}
	return -(int)err->code;
}

static int fetch_all(struct download *download, struct err *err)
{
	struct job *job = download->job;
	int code = 0;
	while (code == 0) {
		while (code == 0 && !download->put_off &&
		       download->in_flight < COMMANDS_IN_FLIGHT &&
		       download->next < download->count) {
			code = ask_some(download, err);
		}
		if (code < 0 || download->in_flight == 0) {
			break;
		}
		struct imap_body body;
		code = imap_fetch_next(job->imap, &body, err);
		if (code == 0) {
			code = take_body(download, &body, err);
		}
		if (code == 0 && body.type == IMAP_FETCHED_MESSAGE) {
			code = run_check_stop(job->run, err);
		}
	}
	struct err why;
	if (code < 0 && ((download->has_draft && err->code == ERR_TEMPORARY) ||
			 err->code == ERR_PROTOCOL)) {
		code = suspect_one(download, err);
	}
	discard_draft(download);
	/* What is here is kept, whatever ended it. */
	int flushed = flush_batch(download, &why);
	if (flushed < 0 && code == 0) {
		*err = why;
		code = flushed;
	}
	return code;
}

/* Rows that got no body although the server is done: asked for once more each by itself, so that one bad message holds up no
 * other. */
static size_t count_open(const struct download *download)
{
	size_t open = 0;
	for (size_t i = 0; i < download->count; i++) {
		open += download->states[i] == WANT_OPEN;
	}
	return open;
}

static int report_missing(struct download *download, struct err *err)
{
	struct job *job = download->job;
	/* Expunged meanwhile is no failure: look before complaining. */
	int code = observe_remote_box(job->run, job->imap, job->box, err);
	for (size_t i = 0; code == 0 && i < download->count; i++) {
		struct row now;
		bool found = false;
		if (download->states[i] != WANT_OPEN) {
			continue;
		}
		row_init(&now);
		code = state_row_by_id(job->run->state, download->rows[i]->id, &now, &found, err);
		if (code == 0 && found && now.remote == SIDE_PRESENT) {
			struct err why;
			err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
				"the server lists this message but does not give its text; it is tried "
				"again in the next run");
			code = job_message_failed(job, &now, &why);
		}
		row_finish(&now);
	}
	return code;
}

static int download_run(struct download *download, struct err *err)
{
	int code = fetch_all(download, err);
	if (code == 0 && !download->put_off && count_open(download) > 0) {
		download->one_by_one = true;
		download->next = 0;
		code = fetch_all(download, err);
	}
	if (code == 0 && download->put_off) {
		*err = download->why;
		code = -(int)err->code;
	}
	if (code == 0 && count_open(download) > 0) {
		code = report_missing(download, err);
	}
	for (size_t i = 0; i < download->batch_count; i++) {
		maildir_draft_discard(download->job->box->dir, &download->batch[i].draft);
	}
	return code;
}

static int download_init(struct download *download, struct job *job, const size_t *ops, size_t count,
			 struct err *err)
{
	download->job = job;
	download->count = count;
	download->draft.fd = -1;
	download->rows = malloc(count * sizeof(*download->rows));
	download->states = calloc(count, sizeof(*download->states));
	if (download->rows == NULL || download->states == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < count; i++) {
		download->rows[i] = job_row(job, &job->plan.plan.ops[ops[i]]);
	}
	qsort(download->rows, count, sizeof(*download->rows), compare_row_uid);
	return maildir_box_key(job->run->account->name, job->box->name, download->key, err);
}

int job_download(struct job *job, struct err *err)
{
	size_t count = 0;
	size_t *ops = job_ops(job, OP_DOWNLOAD, &count, err);
	if (ops == NULL) {
		return -(int)err->code;
	}
	struct download *download = calloc(1, sizeof(*download));
	int code = download == NULL ? err_nomem(err) : 0;
	if (code == 0) {
		code = download_init(download, job, ops, count, err);
	}
	if (code == 0) {
		code = job_select(job, false, err);
	}
	if (code == 0) {
		code = download_run(download, err);
	}
	if (download != NULL) {
		free(download->rows);
		free(download->states);
		free(download);
	}
	free(ops);
	return code;
}
