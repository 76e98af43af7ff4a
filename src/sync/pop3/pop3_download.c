/*
 * Downloads: bodies stream into drafts, of which fetch/fetch.h makes files and rows (J1).
 *
 * A body may have been ended by a lone dot that the server failed to escape. So the last one is
 * held back, in its draft, until the next status line shows that it was whole.
 */
#include <stdlib.h>

#include "mailsync/base/array.h"
#include "mailsync/base/clock.h"

#include "fetch/fetch.h"
#include "guard/guard.h"
#include "pop3_private.h"

/* A message on its way. Its row becomes the session's once it is in the state. */
struct wanted {
	struct pop3_item *item;
	struct pop3_row row;
	uint8_t state; /* enum want_state */
};

struct download {
	struct pop3_job *job;
	struct delivery *delivery;
	struct pop3_asked asked;
	struct wanted *wanted; /* one for each */
	bool is_all_queued;
	struct wanted *current; /* whose body is coming into DRAFT, or NULL */
	struct maildir_draft draft;
	struct wanted *held; /* its body came, into HELD_DRAFT, and nothing behind it; or NULL */
	struct maildir_draft held_draft;
	bool is_short; /* the body that is held: A11 */
};

static int gather_wanted(struct download *download, struct err *err)
{
	struct pop3_session *session = &download->job->session;
	struct pop3_rows *rows = &session->rows;
	int code = 0;
	for (size_t i = 0; code == 0 && i < session->listing.count; i++) {
		if (session->items[i].act == POP3_ACT_DOWNLOAD) {
			code = pop3_asked_add(&download->asked, &session->items[i], err);
		}
	}
	if (code < 0 || download->asked.count == 0) {
		return code;
	}
	download->wanted = calloc(download->asked.count, sizeof(*download->wanted));
	if (download->wanted == NULL) {
		return err_nomem(err);
	}
	return ARRAY_RESERVE(&rows->items, rows->count + download->asked.count, &rows->cap, err);
}

static int queue_more(struct download *download, struct err *err)
{
	struct pop3 *pop3 = download->job->session.pop3;
	int code = pop3_asked_queue(&download->asked, pop3, POP3_WANT_MESSAGE, err);
	if (code < 0 || download->is_all_queued || !pop3_has_room(pop3)) {
		return code;
	}
	download->is_all_queued = true;
	return pop3_fetch_end(pop3, err);
}

/* Fills the row that WANTED is going to have, with the name that its file gets. */
static int make_row(struct download *download, struct wanted *wanted, int64_t now, struct err *err)
{
	struct pop3_job *job = download->job;
	char digest[POP3_DIGEST_SIZE];
	char unique[MAILDIR_UNIQUE_MAX + 1];
	int code;
	if ((code = pop3_item_digest(wanted->item, digest, err)) < 0 ||
	    (code = maildir_unique_make_pop3(unique, job->local.key, digest, err)) < 0) {
		return code;
	}
	wanted->row = (struct pop3_row){
		.size_bytes = wanted->item->size_bytes,
		.first_seen = now,
		.reason = REASON_NONE,
	};
	return pop3_row_begin(job, wanted->item, unique, &wanted->row, err);
}

/* Takes the message that is held: NULL where none is. */
static struct wanted *release(struct download *download)
{
	struct wanted *held = download->held;
	download->held = NULL;
	return held;
}

static void discard_held(struct download *download)
{
	if (release(download) != NULL) {
		maildir_draft_discard(download->job->mailbox->dir, &download->held_draft);
	}
}

/* The message that is held is whole: it is delivered. */
static int deliver_held(struct download *download, struct err *err)
{
	struct mailbox *mailbox = download->job->mailbox;
	struct wanted *held = download->held;
	if (held == NULL) {
		return 0;
	}
	int code = make_row(download, held, clock_real_s(), err);
	if (code < 0) {
		discard_held(download);
		return code;
	}
	release(download);
	struct delivery_item item = {
		.mailbox = mailbox,
		.folder = mailbox->dir,
		.state = &held->state,
		.draft = download->held_draft,
		.pop3_row = &held->row,
	};
	return delivery_add(download->delivery, &item, err);
}

static struct wanted *next_answered(struct download *download, struct err *err)
{
	struct pop3_item *item = pop3_asked_next(&download->asked, err);
	if (item == NULL) {
		return NULL;
	}
	struct wanted *wanted = &download->wanted[download->asked.answered - 1];
	wanted->item = item;
	return wanted;
}

static int begin_body(struct download *download, struct err *err)
{
	int code = deliver_held(download, err);
	struct wanted *wanted = code < 0 ? NULL : next_answered(download, err);
	if (wanted == NULL) {
		return -(int)err->code;
	}
	code = maildir_draft_create(download->job->mailbox->dir, &download->draft, err);
	download->current = code < 0 ? NULL : wanted;
	return code;
}

static void discard_current(struct download *download)
{
	if (download->current != NULL) {
		maildir_draft_discard(download->job->mailbox->dir, &download->draft);
		download->current = NULL;
	}
}

static int fail_body(struct download *download, const struct err *why, struct err *err)
{
	struct pop3_item *item = download->current->item;
	discard_current(download);
	return pop3_job_report(download->job, item, why, err);
}

static int fail_empty(struct download *download, struct err *err)
{
	const struct pop3_item *item = download->current->item;
	struct err why;
	err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
		"message %u came empty, and was listed with %llu bytes; it is tried again next "
		"time",
		(unsigned)item->number, (unsigned long long)item->size_bytes);
	return fail_body(download, &why, err);
}

static int fail_torn(struct download *download, uint64_t size_bytes, struct err *err)
{
	const struct pop3_item *item = download->current->item;
	struct err why;
	err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
		"message %u has a line of a single dot that the server failed to escape, and came "
		"with %llu bytes where %llu were listed",
		(unsigned)item->number, (unsigned long long)size_bytes,
		(unsigned long long)item->size_bytes);
	return fail_body(download, &why, err);
}

static int hold_body(struct download *download, bool is_short, struct err *err)
{
	int code = maildir_draft_close(&download->draft, clock_real_s(), err);
	if (code < 0) {
		return code;
	}
	download->held = download->current;
	download->held_draft = download->draft;
	download->is_short = is_short;
	download->current = NULL;
	return 0;
}

static int end_body(struct download *download, const struct pop3_piece *piece, struct err *err)
{
	uint64_t listed = download->current->item->size_bytes;
	switch (pop3_judge_body(listed, piece->size_bytes, piece->has_lone_dot)) {
	case POP3_BODY_TORN:
		return fail_torn(download, piece->size_bytes, err);
	case POP3_BODY_EMPTY:
		return fail_empty(download, err);
	case POP3_BODY_SHORT:
		return hold_body(download, true, err);
	case POP3_BODY_WHOLE:
		break;
	}
	return hold_body(download, false, err);
}

static int take_refusal(struct download *download, struct span words, struct err *err)
{
	struct pop3_job *job = download->job;
	int code = deliver_held(download, err);
	struct wanted *wanted = code < 0 ? NULL : next_answered(download, err);
	if (wanted == NULL) {
		return -(int)err->code;
	}
	if (span_starts_nocase(words, "[UTF8]") && !job->learnt.wants_utf8) {
		job->learnt.wants_utf8 = true; /* A15 */
		return 0;
	}
	pop3_job_refused(job, "message", wanted->item->number, words);
	return pop3_job_fail(job, wanted->item, err);
}

static int take_piece(struct download *download, const struct pop3_piece *piece, struct err *err)
{
	switch (piece->kind) {
	case PIECE_BEGIN:
		return begin_body(download, err);
	case PIECE_DATA:
		return maildir_draft_write(&download->draft, piece->data, err);
	case PIECE_END:
		return end_body(download, piece, err);
	case PIECE_REFUSED:
		return take_refusal(download, piece->data, err);
	case PIECE_NONE:
		break;
	}
	return 0;
}

static int stream(struct download *download, struct err *err)
{
	struct pop3 *pop3 = download->job->session.pop3;
	struct pop3_piece piece = {.kind = PIECE_BEGIN};
	int code;
	while (piece.kind != PIECE_NONE) {
		if ((code = run_check_stop(download->job->run, err)) < 0 ||
		    (code = queue_more(download, err)) < 0 ||
		    (code = pop3_fetch_next(pop3, &piece, err)) < 0 ||
		    (code = take_piece(download, &piece, err)) < 0) {
			return code;
		}
	}
	if (download->held != NULL && download->is_short && (code = pop3_confirm(pop3, err)) < 0) {
		return code;
	}
	return deliver_held(download, err);
}

/* After a broken answer the body before it is not believed; what the others want goes on in another
 * session (A13). After any other end what is held is kept if it has all that was listed. */
static int settle_held(struct download *download, const struct err *end, struct err *err)
{
	struct wanted *held = download->held;
	struct err why = *end;
	if (held == NULL || (end->code != ERR_PROTOCOL && !download->is_short)) {
		return deliver_held(download, err);
	}
	discard_held(download);
	if (end->code != ERR_PROTOCOL) {
		return 0;
	}
	why.code = ERR_PARTIAL;
	why.scope = SCOPE_MESSAGE;
	return pop3_job_report(download->job, held->item, &why, err);
}

/* What came whole before a failure is kept; the failure is what is reported. */
static int stream_and_deliver(struct download *download, struct err *err)
{
	struct err ignored;
	int code = stream(download, err);
	if (code == 0) {
		return delivery_flush(download->delivery, err);
	}
	if (settle_held(download, err, &ignored) == 0) {
		(void)delivery_flush(download->delivery, &ignored);
	}
	return code;
}

/* What became of each message. */
static int take_rows(struct download *download, struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < download->asked.answered; i++) {
		struct wanted *wanted = &download->wanted[i];
		if (wanted->state == WANT_DONE) {
			pop3_row_keep(download->job, wanted->item, &wanted->row);
		} else if (wanted->state == WANT_FAILED && code == 0) {
			code = pop3_job_fail(download->job, wanted->item, err);
		}
		pop3_row_drop(&wanted->row);
	}
	return code;
}

static int open_inbox(struct run *run, struct mailbox *mailbox, struct err *err)
{
	int code;
	if ((code = run_claim(run, err)) < 0 ||
	    (code = maildir_create_folder(run->session->maildir, mailbox->name, err)) < 0 ||
	    (code = mailbox_open_dir(run, mailbox, err)) < 0) {
		return code;
	}
	return maildir_folder_sweep(mailbox->dir, err);
}

static int fetch_wanted(struct download *download, struct err *err)
{
	struct run *run = download->job->run;
	struct err ignored;
	int code = open_inbox(run, download->job->mailbox, err);
	if (code < 0) {
		return code;
	}
	download->delivery = calloc(1, sizeof(*download->delivery));
	if (download->delivery == NULL) {
		return err_nomem(err);
	}
	download->delivery->run = run;
	code = stream_and_deliver(download, err);
	discard_current(download);
	discard_held(download);
	delivery_discard(download->delivery);
	free(download->delivery);
	int taken = take_rows(download, code < 0 ? &ignored : err);
	return code < 0 ? code : taken;
}

int pop3_download(struct run *run, struct err *err)
{
	struct download download = {.job = run->pop3};
	int code = gather_wanted(&download, err);
	if (code == 0 && download.asked.count > 0) {
		code = fetch_wanted(&download, err);
	}
	free(download.wanted);
	free(download.asked.items);
	return code;
}
