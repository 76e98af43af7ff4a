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
	*header = (struct pair_candidate){.size = item->size};
	pair_identify(header, identity);
	item->header = (uint32_t)view->header_count++;
	return 0;
}

/* What came of a pass. */
struct pass {
	enum pop3_want want;
	bool was_refused; /* the header of some message */
	size_t told, untold;
};

/* No header has a line of a single dot: what follows may be out of step with the commands (A9). */
static int lose_step(struct pop3_job *job, const struct pop3_piece *piece, struct err *err)
{
	job->learnt.has_no_top = true;
	job->session.outcome.has_failures = true;
	return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
		       "the server's answer to TOP of message %u has a line of a single dot; what "
		       "follows it cannot be told apart",
		       (unsigned)piece->number);
}

/* K14 */
static bool is_told(const struct pass *pass, const struct pop3_item *item,
		    const struct pop3_piece *piece, const struct header_identity *identity)
{
	return pop3_header_is_told(&(struct pop3_header_facts){
		.is_complete = identity->is_complete,
		.is_all = pass->want == POP3_WANT_MESSAGE,
		.came_bytes = piece->size_bytes,
		.slack_bytes = piece->slack_bytes,
		.listed = item->size,
	});
}

static enum suspect_act act_of(const struct pass *pass)
{
	return pass->want == POP3_WANT_HEADER ? SUSPECT_AT_TOP : SUSPECT_AT_RETR;
}

static int run_pass(struct pop3_job *job, struct pass *pass, struct err *err)
{
	struct pop3_session *session = &job->session;
	struct pop3_piece piece = {.kind = PIECE_BEGIN};
	struct header_identity identity;
	struct pop3_item *item = NULL; /* whose header is coming, or was refused as the last */
	size_t asked_at = 0, answered_at = 0;
	int code = 0;
	while (code == 0 && piece.kind != PIECE_NONE) {
		if ((code = run_check_stop(job->run, err)) < 0 ||
		    (code = pop3_ask_for(job, POP3_FOR_HEADER, pass->want, &asked_at, err)) < 0 ||
		    (code = pop3_identity_next(session->pop3, &piece, &identity, err)) < 0) {
			item = item != NULL ? item : pop3_next(job, POP3_FOR_HEADER, &answered_at);
			pop3_suspects_lost(job, item, act_of(pass), err);
			return code;
		}
		if (piece.kind == PIECE_REFUSED &&
		    (pop3_job_lacks_utf8(job, piece.data) || piece.is_passing)) {
			pass->untold++;
			job->run->done.was_put_off |=
				piece.is_passing && pass->want == POP3_WANT_MESSAGE;
		} else if (piece.kind == PIECE_REFUSED) {
			pass->was_refused = true;
		}
		if (piece.kind == PIECE_END && piece.has_lone_dot &&
		    pass->want == POP3_WANT_HEADER) {
			return lose_step(job, &piece, err);
		}
		if (item != NULL && piece.kind != PIECE_DATA && piece.kind != PIECE_NONE) {
			pop3_suspects_went(job, item, act_of(pass));
		}
		if (piece.kind == PIECE_BEGIN || piece.kind == PIECE_REFUSED) {
			item = pop3_next(job, POP3_FOR_HEADER, &answered_at);
		}
		if (piece.kind == PIECE_END && is_told(pass, item, &piece, &identity)) {
			pass->told++;
			code = keep_header(&session->view, item, &identity, err);
		} else if (piece.kind == PIECE_END) {
			pass->untold++;
		}
		item = piece.kind == PIECE_END ? NULL : item;
	}
	if (code == 0 && item != NULL && (code = pop3_confirm(session->pop3, err)) < 0) {
		pop3_suspects_lost(job, item, act_of(pass), err);
	}
	return code;
}

int pop3_fetch_headers(struct pop3_job *job, struct err *err)
{
	struct pass top = {.want = POP3_WANT_HEADER}, retr = {.want = POP3_WANT_MESSAGE};
	if (!job->learnt.has_no_top && pop3_has_top(job->session.pop3)) {
		int code = run_pass(job, &top, err);
		if (code < 0 || (!top.was_refused && top.untold == 0)) {
			return code;
		}
		log_line(job->run->log, LOG_INFO,
			 "%s: the server refuses TOP, or does not answer it; reading headers by "
			 "RETR",
			 job->run->account->name);
		job->learnt.has_no_top =
			top.was_refused || (top.told == 0 && !job->session.outcome.lacked_utf8);
	}
	return run_pass(job, &retr, err);
}
