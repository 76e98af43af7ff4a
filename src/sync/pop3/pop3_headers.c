/* TOP n 0 for the items that want it, pipelined; RETR where the server has no TOP. */
#include "mailsync/base/array.h"

#include "pop3_private.h"

static int keep_header(struct pop3_view *view, struct pop3_item *item,
		       const struct header_identity *identity, struct err *err)
{
	if (ARRAY_RESERVE(&view->headers, view->header_count + 1, &view->header_cap, err) < 0) {
		return -ERR_NOMEM;
	}
	struct pair_candidate *header = &view->headers[view->header_count];
	*header = (struct pair_candidate){.size = item->size_bytes};
	pair_identify(header, identity);
	item->header = (uint32_t)view->header_count++;
	return 0;
}

/* *WAS_REFUSED: the header of some message. */
static int run_pass(struct pop3_job *job, enum pop3_want want, bool *was_refused, struct err *err)
{
	struct pop3_session *session = &job->session;
	struct pop3_piece piece = {.kind = PIECE_BEGIN};
	struct header_identity identity;
	struct pop3_item *item = NULL; /* whose header is coming */
	size_t asked_at = 0, answered_at = 0;
	int code = 0;
	while (code == 0 && piece.kind != PIECE_NONE) {
		if ((code = run_check_stop(job->run, err)) < 0 ||
		    (code = pop3_ask_for(job, POP3_FOR_HEADER, want, &asked_at, err)) < 0 ||
		    (code = pop3_identity_next(session->pop3, &piece, &identity, err)) < 0) {
			return code;
		}
		*was_refused |= piece.kind == PIECE_REFUSED;
		if (piece.kind == PIECE_BEGIN || piece.kind == PIECE_REFUSED) {
			item = pop3_next(job, POP3_FOR_HEADER, &answered_at);
		} else if (piece.kind == PIECE_END) {
			code = keep_header(&session->view, item, &identity, err);
		}
	}
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
