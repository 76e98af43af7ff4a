/* TOP n 0 for the items that want it, pipelined; RETR where the server has no TOP. */
#include "mailsync/base/array.h"

#include "pop3_private.h"
#include "recover/content.h"

struct pass {
	struct pop3_job *job;
	enum pop3_want want;
	size_t queued;          /* items up to here were asked for */
	size_t answered;        /* items up to here were answered */
	struct pop3_item *item; /* whose header is coming */
	bool was_refused;
};

static int keep_header(struct pass *pass, const struct header_identity *identity, struct err *err)
{
	struct pop3_session *session = &pass->job->session;

	if (pass->item == NULL) {
		return 0;
	}
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

/* The next wanted item from *AT on, which then stands behind it; NULL at the end. */
static struct pop3_item *next_wanted(struct pop3_session *session, size_t *at)
{
	while (*at < session->listing.count) {
		struct pop3_item *item = &session->items[(*at)++];
		if (item->wants_header && item->header == POP3_NO_ROW && !item->is_failed) {
			return item;
		}
	}
	return NULL;
}

static int queue_more(struct pass *pass, struct err *err)
{
	struct pop3_session *session = &pass->job->session;
	int code = 0;

	while (code == 0 && pop3_has_room(session->pop3)) {
		struct pop3_item *item = next_wanted(session, &pass->queued);
		if (item == NULL) {
			break;
		}
		code = pop3_fetch_queue(session->pop3, pass->want, item->number, err);
	}
	return code;
}

/* The item that an answer belongs to. Those asked for before it have their headers, or were
 * refused. */
static struct pop3_item *answered_item(struct pass *pass, uint32_t number)
{
	struct pop3_session *session = &pass->job->session;

	while (pass->answered < session->listing.count) {
		struct pop3_item *item = &session->items[pass->answered++];
		if (item->number == number) {
			return item;
		}
	}
	return NULL;
}

static int take_piece(struct pass *pass, const struct pop3_piece *piece,
		      const struct header_identity *identity, struct err *err)
{
	switch (piece->kind) {
	case PIECE_BEGIN:
		pass->item = answered_item(pass, piece->number);
		break;
	case PIECE_END:
		return keep_header(pass, identity, err);
	case PIECE_REFUSED:
		(void)answered_item(pass, piece->number);
		pass->was_refused = true;
		break;
	case PIECE_DATA:
	case PIECE_NONE:
		break;
	}
	return 0;
}

static int run_pass(struct pass *pass, struct err *err)
{
	struct pop3_piece piece = {.kind = PIECE_BEGIN};
	struct header_identity identity;
	int code = 0;

	while (code == 0 && piece.kind != PIECE_NONE) {
		if ((code = run_check_stop(pass->job->run, err)) < 0 ||
		    (code = queue_more(pass, err)) < 0 ||
		    (code = pop3_identity_next(pass->job->session.pop3, &piece, &identity, err)) <
			    0) {
			return code;
		}
		code = take_piece(pass, &piece, &identity, err);
	}
	return code;
}

/* Without CAPA it is tried. */
bool pop3_has_top(const struct pop3 *pop3)
{
	unsigned caps = pop3_caps(pop3);

	return (caps & POP3_CAP_KNOWN) == 0 || (caps & POP3_CAP_TOP) != 0;
}

int pop3_fetch_headers(struct pop3_job *job, struct err *err)
{
	struct pass by_top = {.job = job, .want = POP3_WANT_HEADER};
	struct pass by_retr = {.job = job, .want = POP3_WANT_MESSAGE};

	if (!job->learnt.has_no_top && pop3_has_top(job->session.pop3)) {
		int code = run_pass(&by_top, err);
		if (code < 0 || !by_top.was_refused) {
			return code;
		}
		log_line(job->run->log, LOG_INFO,
			 "%s: the server refuses TOP; reading headers by RETR",
			 job->run->account->name);
		job->learnt.has_no_top = true;
	}
	return run_pass(&by_retr, err);
}
