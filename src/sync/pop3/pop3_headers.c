/* TOP n 0 for the items that want it, pipelined; RETR where the server has no TOP. */
#include <stdlib.h>

#include "mailsync/base/array.h"

#include "pop3_private.h"

struct pass {
	struct pop3_job *job;
	enum pop3_want want;
	struct pop3_asked asked;
	struct pop3_item *item; /* whose header is coming */
	bool was_refused;
};

static int keep_header(struct pass *pass, const struct header_identity *identity, struct err *err)
{
	struct pop3_session *session = &pass->job->session;
	if (ARRAY_RESERVE(&session->headers, session->header_count + 1, &session->header_cap, err) <
	    0) {
		return -ERR_NOMEM;
	}
	struct pair_candidate *header = &session->headers[session->header_count];
	*header = (struct pair_candidate){.size = pass->item->size_bytes};
	pair_identify(header, identity);
	pass->item->header = (uint32_t)session->header_count++;
	return 0;
}

static int take_piece(struct pass *pass, const struct pop3_piece *piece,
		      const struct header_identity *identity, struct err *err)
{
	if (piece->kind == PIECE_BEGIN || piece->kind == PIECE_REFUSED) {
		pass->item = pop3_asked_next(&pass->asked, err);
		pass->was_refused = pass->was_refused || piece->kind == PIECE_REFUSED;
		return pass->item == NULL ? -(int)err->code : 0;
	}
	return piece->kind == PIECE_END ? keep_header(pass, identity, err) : 0;
}

static int ask_all(struct pass *pass, struct err *err)
{
	struct pop3_session *session = &pass->job->session;
	struct pop3_piece piece = {.kind = PIECE_BEGIN};
	struct header_identity identity;
	int code = 0;
	for (size_t i = 0; code == 0 && i < session->listing.count; i++) {
		struct pop3_item *item = &session->items[i];
		if (item->wants_header && item->header == POP3_NO_ROW && !item->is_failed) {
			code = pop3_asked_add(&pass->asked, item, err);
		}
	}
	while (code == 0 && piece.kind != PIECE_NONE) {
		if ((code = run_check_stop(pass->job->run, err)) < 0 ||
		    (code = pop3_asked_queue(&pass->asked, session->pop3, pass->want, err)) < 0 ||
		    (code = pop3_identity_next(session->pop3, &piece, &identity, err)) < 0) {
			return code;
		}
		code = take_piece(pass, &piece, &identity, err);
	}
	return code;
}

/* *WAS_REFUSED: the header of some message. */
static int run_pass(struct pop3_job *job, enum pop3_want want, bool *was_refused, struct err *err)
{
	struct pass pass = {.job = job, .want = want};
	int code = ask_all(&pass, err);
	*was_refused = pass.was_refused;
	free(pass.asked.items);
	return code;
}

int pop3_fetch_headers(struct pop3_job *job, struct err *err)
{
	bool was_refused = false;
	if (!job->learnt.has_no_top && pop3_has_top(job->session.pop3)) {
		int code = run_pass(job, POP3_WANT_HEADER, &was_refused, err);
		if (code < 0 || !was_refused) {
			return code;
		}
		log_line(job->run->log, LOG_INFO,
			 "%s: the server refuses TOP; reading headers by RETR",
			 job->run->account->name);
		job->learnt.has_no_top = true;
	}
	return run_pass(job, POP3_WANT_MESSAGE, &was_refused, err);
}
