/*
 * Downloads: bodies stream into drafts, of which fetch/fetch.h makes files and rows (J1).
 *
 * A body may have been ended by a lone dot that the server failed to escape. So the last one is
 * held back, in its draft, until the next status line shows that it was whole.
 */
#include <stdio.h>

#include "mailsync/base/clock.h"

#include "fetch/fetch.h"
#include "guard/guard.h"
#include "pop3_private.h"

struct retrieval {
	struct pop3_job *job;
	struct delivery *delivery;
	size_t asked_at, answered_at;
	bool is_end_queued;
	bool was_torn;             /* a body, which ended the session */
	unsigned passing_in_a_row; /* refused for now, with no body between */
	struct pop3_refusal refusal;
	struct pop3_arrival coming;
	struct pop3_arrival held; /* it came, and nothing behind it */
};

static int queue_more(struct retrieval *retrieval, struct err *err)
{
	struct pop3_session *session = &retrieval->job->session;
	int code = pop3_ask_for(retrieval->job, POP3_FOR_DOWNLOAD, POP3_WANT_MESSAGE,
				&retrieval->asked_at, err);
	if (code < 0 || retrieval->is_end_queued || retrieval->asked_at < session->view.count ||
	    !pop3_has_room(session->pop3)) {
		return code;
	}
	retrieval->is_end_queued = true;
	return pop3_fetch_end(session->pop3, err);
}

static struct pop3_item *next_answered(struct retrieval *retrieval)
{
	return pop3_next(retrieval->job, POP3_FOR_DOWNLOAD, &retrieval->answered_at);
}

static void discard(struct retrieval *retrieval, struct pop3_arrival *body)
{
	if (body->item != NULL) {
		maildir_draft_discard(retrieval->job->mailbox->dir, &body->draft);
		body->item = NULL;
	}
}

/* The row that BODY's message is going to have, with the name that its file gets. NULL: an
 * error. */
static struct pop3_row *make_row(struct pop3_job *job, const struct pop3_arrival *body, int64_t now,
				 struct err *err)
{
	char digest[POP3_DIGEST_SIZE];
	char unique[MAILDIR_UNIQUE_MAX + 1];
	struct pop3_item *item = body->item;
	if (pop3_item_digest(job, item, digest, err) < 0 ||
	    maildir_unique_make_pop3(unique, job->local.key, digest, err) < 0) {
		return NULL;
	}
	struct pop3_row *row = pop3_row_name(job, item, unique, err);
	if (row != NULL) {
		row->size = item->size;
		row->first_seen = now;
		row->reason = REASON_NONE;
		row->doubts = body->is_proven ? 0 : 1;
	}
	return row;
}

/* The row under which what is held is delivered, NULL where it is not; held->item is NULL then. */
static int find_row(struct retrieval *retrieval, struct pop3_row **row, struct err *err)
{
	struct pop3_job *job = retrieval->job;
	struct pop3_arrival *held = &retrieval->held;
	bool is_stored = true;
	int code = 0;
	*row = NULL;
	if (held->item->act == POP3_ACT_PROVE) {
		code = pop3_prove(job, held, &is_stored, err);
		*row = &job->session.rows.items[held->item->row];
		(*row)->first_seen = is_stored ? clock_real_s() : (*row)->first_seen;
	} else if (held->item->wants_content) {
		code = pop3_recognise(job, held, &is_stored, err);
	}
	if (code == 0 && *row == NULL && is_stored) {
		*row = make_row(job, held, clock_real_s(), err);
		code = *row != NULL ? 0 : -(int)err->code;
	}
	if (code < 0) {
		discard(retrieval, held);
	} else if (!is_stored) {
		held->item = NULL;
		*row = NULL;
	}
	return code;
}

/* The message that is held is whole: it is delivered. */
static int deliver_held(struct retrieval *retrieval, struct err *err)
{
	struct mailbox *mailbox = retrieval->job->mailbox;
	struct pop3_arrival *held = &retrieval->held;
	struct pop3_row *row;
	if (held->item == NULL) {
		return 0;
	}
	int code = find_row(retrieval, &row, err);
	if (code < 0 || row == NULL) {
		return code;
	}
	struct delivery_item item = {
		.mailbox = mailbox,
		.folder = mailbox->dir,
		.state = &held->item->state,
		.draft = held->draft,
		.pop3_row = row,
	};
	held->item = NULL;
	return delivery_add(retrieval->delivery, &item, err);
}

static int begin_body(struct retrieval *retrieval, struct err *err)
{
	struct pop3_item *item = next_answered(retrieval);
	int code;
	if ((code = deliver_held(retrieval, err)) < 0 ||
	    (code = run_claim(retrieval->job->run, err)) < 0 ||
	    (code = maildir_draft_create(retrieval->job->mailbox->dir, &retrieval->coming.draft,
					 err)) < 0) {
		return code;
	}
	retrieval->coming.item = item;
	return 0;
}

/* A9, A10. Behind a torn body the answers may be out of step with the commands: what was taken for
 * a line of it may have been the answer to the next one, unreadable, and each body behind it would
 * be taken for that of the message before. Nothing of that is believed (A13). */
static int fail_body(struct retrieval *retrieval, enum pop3_body body, uint64_t came,
		     struct err *err)
{
	struct pop3_item *item = retrieval->coming.item;
	unsigned long long listed = item->size.number;
	struct err why;
	if (body == POP3_BODY_EMPTY) {
		char size[40] = "without a size";
		if (item->size.is_told) {
			snprintf(size, sizeof(size), "with %llu bytes", listed);
		}
		err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
			"message %u came empty, and was listed %s; it is tried again next time",
			(unsigned)item->number, size);
	} else {
		err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
			"message %u has a line of a single dot that the server failed to escape, "
			"and came with %llu bytes where %llu were listed",
			(unsigned)item->number, (unsigned long long)came, listed);
	}
	discard(retrieval, &retrieval->coming);
	int code = pop3_job_fail(retrieval->job, item, &why, err);
	if (code == 0 && body == POP3_BODY_TORN) {
		*err = why;
		err->code = ERR_PROTOCOL;
		err->scope = SCOPE_ACCOUNT;
		code = -ERR_PROTOCOL;
		retrieval->was_torn = true;
	}
	return code;
}

static void log_short(const struct retrieval *retrieval)
{
	const struct pop3_arrival *coming = &retrieval->coming;
	if (!coming->is_proven && coming->item->act == POP3_ACT_DOWNLOAD) {
		log_line(retrieval->job->run->log, LOG_INFO,
			 "%s: message %u came with %llu bytes, %llu are listed; it stays on the "
			 "server until another session gives the same",
			 retrieval->job->run->account->name, (unsigned)coming->item->number,
			 (unsigned long long)coming->came_bytes,
			 (unsigned long long)coming->item->size.number);
	}
}

static int end_body(struct retrieval *retrieval, const struct pop3_piece *piece, struct err *err)
{
	struct pop3_arrival *coming = &retrieval->coming;
	enum pop3_body body =
		pop3_judge_body(coming->item->size, piece->size_bytes, piece->has_lone_dot);
	if (body == POP3_BODY_TORN || body == POP3_BODY_EMPTY) {
		return fail_body(retrieval, body, piece->size_bytes, err);
	}
	int code = maildir_draft_close(&coming->draft, (struct told_time){0}, err);
	if (code == 0) {
		struct told listed = coming->item->size;
		coming->came_bytes = piece->size_bytes;
		coming->is_short = body == POP3_BODY_SHORT || !listed.is_told;
		coming->is_proven = pop3_is_proven(listed, piece->size_bytes, piece->slack_bytes,
						   &retrieval->job->learnt.sizes);
		log_short(retrieval);
		retrieval->held = *coming;
		coming->item = NULL;
	}
	return code;
}

/* A server that is busy with each message is let be; the others are as good as that one. */
#define PASSING_MAX 3

static int note_passing(struct retrieval *retrieval, struct span words, struct err *err)
{
	retrieval->job->run->done.was_put_off = true;
	if (++retrieval->passing_in_a_row < PASSING_MAX) {
		return 0;
	}
	return err_set(err, ERR_TEMPORARY, SCOPE_RUN,
		       "the server refuses one message after the other for now, saying \"%.*s\"",
		       (int)(words.len > 80 ? 80 : words.len), words.data);
}

static int take_refusal(struct retrieval *retrieval, const struct pop3_piece *piece,
			struct err *err)
{
	struct pop3_item *item = next_answered(retrieval);
	int code = deliver_held(retrieval, err);
	if (code == 0) {
		pop3_refusal_set(&retrieval->refusal, item, piece->data);
		retrieval->refusal.is_passing = piece->is_passing;
	}
	return code;
}

/* Something came behind it: it was no last word. */
static int settle_refusal(struct retrieval *retrieval, struct err *err)
{
	struct pop3_job *job = retrieval->job;
	struct pop3_item *item = retrieval->refusal.item;
	struct span words = span_of(retrieval->refusal.words);
	int code;
	if (item == NULL) {
		return 0;
	}
	retrieval->refusal.item = NULL;
	pop3_suspects_went(job, item, SUSPECT_AT_RETR);
	if (pop3_job_lacks_utf8(job, words)) {
		return 0;
	}
	pop3_job_refused(job, "message", item, words);
	if (retrieval->refusal.is_passing && (code = note_passing(retrieval, words, err)) < 0) {
		return code;
	}
	return pop3_job_fail(job, item, NULL, err);
}

static int take_piece(struct retrieval *retrieval, const struct pop3_piece *piece, struct err *err)
{
	int code = piece->kind == PIECE_NONE ? 0 : settle_refusal(retrieval, err);
	if (code < 0) {
		return code;
	}
	switch (piece->kind) {
	case PIECE_BEGIN:
		return begin_body(retrieval, err);
	case PIECE_DATA:
		return maildir_draft_write(&retrieval->coming.draft, piece->data, err);
	case PIECE_END:
		retrieval->passing_in_a_row = 0;
		pop3_suspects_went(retrieval->job, retrieval->coming.item, SUSPECT_AT_RETR);
		return end_body(retrieval, piece, err);
	case PIECE_REFUSED:
		return take_refusal(retrieval, piece, err);
	case PIECE_NONE:
		break;
	}
	return 0;
}

static int stream(struct retrieval *retrieval, struct err *err)
{
	struct pop3 *pop3 = retrieval->job->session.pop3;
	struct pop3_piece piece = {.kind = PIECE_BEGIN};
	int code;
	while (piece.kind != PIECE_NONE) {
		if ((code = run_check_stop(retrieval->job->run, err)) < 0 ||
		    (code = queue_more(retrieval, err)) < 0 ||
		    (code = pop3_fetch_next(pop3, &piece, err)) < 0 ||
		    (code = take_piece(retrieval, &piece, err)) < 0) {
			return code;
		}
	}
	bool is_open = (retrieval->held.item != NULL && retrieval->held.is_short) ||
		       retrieval->refusal.item != NULL;
	if ((is_open && (code = pop3_confirm(pop3, err)) < 0) ||
	    (code = settle_refusal(retrieval, err)) < 0) {
		return code;
	}
	return deliver_held(retrieval, err);
}

/* After a broken answer the body before it is not believed; what the others want goes on in another
 * session (A13). After any other end what is held is kept if it has all that was listed. */
static int settle_held(struct retrieval *retrieval, const struct err *end, struct err *err)
{
	struct err why = *end;
	if (end->code != ERR_PROTOCOL) {
		if (retrieval->held.is_short) {
			discard(retrieval, &retrieval->held);
		}
		return deliver_held(retrieval, err);
	}
	struct pop3_item *item = retrieval->held.item;
	discard(retrieval, &retrieval->held);
	why.code = ERR_PARTIAL;
	why.scope = SCOPE_MESSAGE;
	return item != NULL ? pop3_job_fail(retrieval->job, item, &why, err) : 0;
}

/* The message that the connection ended on, unless what is held is to blame, or one that was torn
 * (A9). */
static void note_lost(struct retrieval *retrieval, const struct err *end)
{
	struct pop3_item *item = retrieval->coming.item;
	bool is_broken = end->code == ERR_PROTOCOL;
	if (is_broken && (retrieval->held.item != NULL || retrieval->was_torn)) {
		return;
	}
	if (item == NULL && retrieval->held.item != NULL && retrieval->held.is_short) {
		item = retrieval->held.item;
	}
	item = item != NULL ? item : retrieval->refusal.item;
	item = item != NULL ? item : next_answered(retrieval);
	pop3_suspects_lost(retrieval->job, item, SUSPECT_AT_RETR, end);
}

/* What came whole before a failure is kept; the failure is what is reported. */
static int stream_and_deliver(struct retrieval *retrieval, struct err *err)
{
	struct err ignored;
	int code = stream(retrieval, err);
	if (code == 0) {
		return delivery_flush(retrieval->delivery, err);
	}
	note_lost(retrieval, err);
	if (settle_held(retrieval, err, &ignored) == 0) {
		(void)delivery_flush(retrieval->delivery, &ignored);
	}
	return code;
}

static int note_failed(struct pop3_job *job, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < job->session.view.count; i++) {
		struct pop3_item *item = &job->session.view.items[i];
		code = item->state == WANT_FAILED ? pop3_job_fail(job, item, NULL, err) : 0;
	}
	return code;
}

/* Where it is there nothing is claimed before a body comes: all may be refused, in every run. */
static int open_inbox(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct maildir *maildir = run->session->maildir;
	struct stamp stamp;
	bool is_there =
		maildir_exists(maildir) && maildir_stat(maildir, mailbox->name, &stamp, err) == 0;
	int code = is_there ? 0 : run_claim(run, err);
	maildir = run->session->maildir; /* claiming may have made it */
	if (code < 0 || (code = maildir_create_folder(maildir, mailbox->name, err)) < 0 ||
	    (code = mailbox_open_dir(run, mailbox, err)) < 0) {
		return code;
	}
	return maildir_folder_sweep(mailbox->dir, err);
}

int pop3_download(struct run *run, struct err *err)
{
	struct retrieval retrieval = {.job = run->pop3};
	struct err ignored;
	size_t any_at = 0;
	int code;
	if (pop3_next(run->pop3, POP3_FOR_DOWNLOAD, &any_at) == NULL) {
		return 0;
	}
	if ((code = open_inbox(run, run->pop3->mailbox, err)) < 0) {
		return code;
	}
	retrieval.delivery = delivery_create(run, err);
	if (retrieval.delivery == NULL) {
		return -ERR_NOMEM;
	}
	code = stream_and_deliver(&retrieval, err);
	discard(&retrieval, &retrieval.coming);
	discard(&retrieval, &retrieval.held);
	delivery_destroy(retrieval.delivery);
	int noted = note_failed(run->pop3, code < 0 ? &ignored : err);
	if (code < 0 || (code = noted) < 0) {
		return code;
	}
	return pop3_put_proven(run->pop3, err);
}
