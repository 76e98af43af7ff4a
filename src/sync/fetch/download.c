#include "download.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define COMMAND_MESSAGES 200
#define COMMAND_BYTES    (4u << 20) /* of RFC822.SIZE, as far as told */
#define SET_TEXT_MAX     900
#define STUB_MAX         8192

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
int download_ask(struct download *download, struct err *err)
{
	struct uidset uids;
	struct buf text;
	uint64_t bytes = 0;
	size_t count = 0;
	size_t from = 0;
	int code = 0;
	size_t most = download->one_by_one ? 1 : COMMAND_MESSAGES;
	uint64_t most_bytes =
		imap_is_pacing(remote_imap(download->remote)) ? IMAP_PACE_BYTES : COMMAND_BYTES;
	uidset_init(&uids);
	buf_init(&text, SET_TEXT_MAX + 64);
	while (code == 0 && download->next < download->count && count < most &&
	       bytes < most_bytes) {
		size_t index = download->next;
		/* What failed before comes last, each by itself: it may be what the server breaks
		 * off at. */
		if (download->states[index] != WANT_OPEN ||
		    (!download->one_by_one && download->rows[index]->reason == REASON_FAILED)) {
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
		code = imap_fetch_queue(remote_imap(download->remote), IMAP_WHOLE, buf_span(&text),
					download->cookie, err);
		download->in_flight++;
	}
	buf_finish(&text);
	uidset_finish(&uids);
	return code;
}

void download_drop_draft(struct download *download)
{
	if (download->has_draft) {
		maildir_draft_discard(download->draft_dir, &download->draft);
	}
	download->has_draft = false;
	download->is_whole = false;
}

/*
 * A body that stands for a message that the server does not give: empty though it has a size, or
 * what Exchange sends instead of an item that it cannot render. Stored, it would be taken for the
 * message for ever.
 */
static bool is_stub(const struct download *download, const struct row *row)
{
	static const char subject[] =
		"Subject: Retrieval using the IMAP4 protocol failed for the following message:";
	const char *end = download->head + download->head_len;
	const char *line = download->head;
	if (download->wire_size == 0) {
		return row->size_bytes > 0;
	}
	while (download->wire_size <= STUB_MAX && line != NULL && line < end) {
		if (span_starts_nocase((struct span){line, (size_t)(end - line)}, subject)) {
			return true;
		}
		line = memchr(line, '\n', (size_t)(end - line));
		line = line == NULL ? NULL : line + 1;
	}
	return false;
}

/* A response closed. Only now it is known whose body that was. */
static int take_message(struct download *download, const struct imap_body *body, struct err *err)
{
	size_t index = body->uid == 0 ? SIZE_MAX : find_uid(download, body->uid);
	if (index == SIZE_MAX || !download->has_draft || !download->is_whole || !body->has_body ||
	    download->states[index] != WANT_OPEN || is_stub(download, download->rows[index])) {
		download_drop_draft(download);
		return 0;
	}
	struct row *row = download->rows[index];
	int64_t date = body->has_date ? body->date : row->date;
	if (date == 0) {
		date = clock_real_ns() / 1000000000;
	}
	int code = maildir_draft_close(&download->draft, date, err);
	if (code < 0) {
		download_drop_draft(download);
		return code;
	}
	struct delivery_item item = {
		.mailbox = download->job->mailbox,
		.folder = download->draft_dir,
		.row = row,
		.flags = row->remote_flags & message_local_flags(&download->job->plan.facts),
		.state = &download->states[index],
		.key = download->key,
		.draft = download->draft,
		.date = date,
	};
	download->has_draft = false;
	download->is_whole = false;
	return delivery_add(download->delivery, &item, err);
}

static void note_head(struct download *download, struct span data)
{
	size_t room = sizeof(download->head) - download->head_len;
	size_t len = data.len < room ? data.len : room;
	memcpy(download->head + download->head_len, data.data, len);
	download->head_len += len;
}

int download_take(struct download *download, const struct imap_body *body, struct err *err)
{
	struct job *job = download->job;
	switch (body->type) {
	case IMAP_FETCHED_BEGIN:
		download_drop_draft(download);
		download->draft = (struct maildir_draft){.fd = -1};
		download->has_draft = true;
		download->draft_dir = download->dir;
		download->wire_size = body->size;
		download->head_len = 0;
		return maildir_draft_create(download->dir, &download->draft, err);
	case IMAP_FETCHED_DATA:
		note_head(download, body->data);
		return download->has_draft ? maildir_draft_write(&download->draft, body->data, err)
					   : 0;
	case IMAP_FETCHED_END:
		download->is_whole = true;
		return 0;
	case IMAP_FETCHED_MESSAGE:
		return take_message(download, body, err);
	case IMAP_FETCHED_DONE:
		download->in_flight--;
		if (body->status < 0 && remote_busy_is_due(download->remote)) {
			download->put_off = true;
			download->why = body->err;
		} else if (body->status < 0) {
			log_line(job->run->log, LOG_INFO, "%s/%s: %s", job->run->account->name,
				 job->mailbox->name, body->err.text);
		}
		return 0;
	case IMAP_FETCHED_OPENED:
		return 0; /* concerns the driver */
	}
	return 0;
}

/*
 * The connection broke within a body, or what came made no sense. Servers answer in order, so it
 * was the first one still open; that one is asked for last from now on, lest it hold up the others
 * in every run.
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
		run_report_error(job->run, job->mailbox, row->uid, err);
		if (state_row_put(job->run->session->state, row, &why) < 0) {
			log_line(job->run->log, LOG_INFO, "%s", why.text);
		}
		break;
	}
	return -(int)err->code;
}

size_t download_open(const struct download *download)
{
	size_t open = 0;
	for (size_t i = 0; i < download->count; i++) {
		open += download->states[i] == WANT_OPEN;
	}
	return open;
}

size_t download_failures(const struct download *download)
{
	size_t failures = 0;
	for (size_t i = 0; i < download->count; i++) {
		failures +=
			download->states[i] == WANT_FAILED || download->states[i] == WANT_PARTLY;
	}
	return failures;
}

static int download_rows(struct download *download, const size_t *ops, size_t count,
			 struct err *err)
{
	struct job *job = download->job;
	download->rows = malloc(count * sizeof(*download->rows));
	download->states = calloc(count, sizeof(*download->states));
	if (download->rows == NULL || download->states == NULL) {
		return err_nomem(err);
	}
	download->count = count;
	for (size_t i = 0; i < count; i++) {
		download->rows[i] = job_row(job, &job->plan.plan.ops[ops[i]]);
	}
	qsort(download->rows, count, sizeof(*download->rows), compare_row_uid);
	return maildir_folder_key(job->run->account->name, job->mailbox->name, download->key, err);
}

int download_init(struct download *download, struct job *job, struct remote *remote,
		  struct delivery *delivery, struct err *err)
{
	size_t count = 0;
	memset(download, 0, sizeof(*download));
	download->job = job;
	download->remote = remote;
	download->delivery = delivery;
	download->draft.fd = -1;
	size_t *ops = job_ops(job, OP_DOWNLOAD, &count, err);
	if (ops == NULL) {
		return -(int)err->code;
	}
	int code = download_rows(download, ops, count, err);
	free(ops);
	return code;
}

void download_finish(struct download *download)
{
	download_drop_draft(download);
	free(download->rows);
	free(download->states);
	download->rows = NULL;
	download->states = NULL;
	download->count = 0;
}

bool download_wants(const struct download *download, uint32_t uid)
{
	return find_uid(download, uid) != SIZE_MAX;
}

void download_hand_over(struct download *from, struct download *to)
{
	to->draft = from->draft;
	to->draft_dir = from->draft_dir;
	to->has_draft = from->has_draft;
	to->is_whole = from->is_whole;
	to->wire_size = from->wire_size;
	to->head_len = from->head_len;
	memcpy(to->head, from->head, from->head_len);
	from->has_draft = false;
	from->is_whole = false;
}

void download_slice(struct download *slice, const struct download *whole, size_t first,
		    size_t count)
{
	memset(slice, 0, sizeof(*slice));
	slice->job = whole->job;
	slice->draft.fd = -1;
	slice->rows = whole->rows + first;
	slice->states = whole->states + first;
	slice->count = count;
	memcpy(slice->key, whole->key, sizeof(slice->key));
}

bool download_has_more(const struct download *download)
{
	return !download->put_off && download->next < download->count;
}

int download_broke(struct download *download, struct err *err)
{
	bool in_body = download->has_draft && err->code == ERR_TEMPORARY;
	int code = -(int)err->code;
	if (in_body || err->code == ERR_PROTOCOL) {
		code = suspect_one(download, err);
	}
	download_drop_draft(download);
	return code;
}
