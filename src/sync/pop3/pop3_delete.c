/*
 * DELE and QUIT. Deleting happens at QUIT, all at once or (RFC 1939 6) partly: so what is going
 * to be deleted is durable before the first DELE (J2), and what is still listed next time was
 * not deleted, whatever QUIT said. Where every DELE is refused nothing comes of it, and nothing is
 * claimed (R32).
 */
#include "guard/guard.h"
#include "pop3_private.h"

static int commit_intent(struct pop3_job *job, struct err *err)
{
	struct pop3_session *session = &job->session;
	struct state *state = job->run->session->state;
	struct pop3_item *item;
	size_t at = 0;
	int code;
	session->intent =
		(struct intent){.kind = INTENT_POP3_DELETE, .mailbox = job->mailbox->base.id};
	if ((code = state_begin(state, err)) < 0) {
		return code;
	}
	code = state_intent_add(state, &session->intent, err);
	job->learnt.is_intent_open = true;
	while (code == 0 && (item = pop3_next(job, POP3_FOR_DELETION, &at)) != NULL) {
		session->rows.items[item->row].is_deleted = true;
		code = state_pop3_put(state, &session->rows.items[item->row], err);
	}
	return state_end(state, code, err);
}

/* CODE and ERR are what came after it. */
static int settle_refusal(struct pop3_job *job, struct pop3_refusal *refusal, int code,
			  struct err *err)
{
	struct pop3_item *item = refusal->item;
	if (item == NULL) {
		return code;
	}
	refusal->item = NULL;
	if (code < 0) {
		pop3_suspects_lost(job, item, SUSPECT_AT_DELE, err);
		return code;
	}
	pop3_suspects_went(job, item, SUSPECT_AT_DELE);
	pop3_job_refused(job, "to delete message", item, span_of(refusal->words));
	return pop3_job_fail(job, item, NULL, err);
}

static int take_answer(struct pop3_job *job, struct pop3_item *item, struct pop3_refusal *refusal,
		       struct err *err)
{
	struct span words = {0};
	int code = pop3_dele_next(job->session.pop3, &item->is_accepted, &words, err);
	if (code < 0 && refusal->item == NULL) {
		pop3_suspects_lost(job, item, SUSPECT_AT_DELE, err);
		return code;
	}
	if ((code = settle_refusal(job, refusal, code, err)) < 0) {
		return code;
	}
	if (item->is_accepted) {
		pop3_suspects_went(job, item, SUSPECT_AT_DELE);
	} else {
		pop3_refusal_set(refusal, item, words);
	}
	return 0;
}

int pop3_delete(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct pop3_refusal refusal = {0};
	struct pop3_item *item;
	size_t asked_at = 0, answered_at = 0, any_at = 0;
	int code = 0;
	if (pop3_next(job, POP3_FOR_DELETION, &any_at) != NULL) {
		code = commit_intent(job, err);
	}
	while (code == 0 && (item = pop3_next(job, POP3_FOR_DELETION, &answered_at)) != NULL) {
		code = pop3_ask_for(job, POP3_FOR_DELETION, POP3_WANT_DELETION, &asked_at, err);
		if (code < 0 || (code = run_check_stop(run, err)) < 0) {
			return code;
		}
		code = take_answer(job, item, &refusal, err);
	}
	if (code == 0 && refusal.item != NULL) {
		code = settle_refusal(job, &refusal, pop3_confirm(job->session.pop3, err), err);
	}
	return code;
}

/* So that the next listing has nothing to tell of what was refused. */
static int commit_refused(struct pop3_job *job, struct err *err)
{
	struct pop3_session *session = &job->session;
	int code = 0;
	for (size_t i = 0; code == 0 && i < session->view.count; i++) {
		const struct pop3_item *item = &session->view.items[i];
		if (item->row != POP3_NO_ROW && item->is_failed &&
		    session->rows.items[item->row].is_deleted) {
			session->rows.items[item->row].is_deleted = false;
			code = state_pop3_put(job->run->session->state,
					      &session->rows.items[item->row], err);
		}
	}
	return code;
}

/* IS_DONE: what was accepted is gone, which is noted, so that the next run has nothing to note. */
static int commit_end(struct pop3_job *job, bool is_done, struct err *err)
{
	struct state *state = job->run->session->state;
	struct pop3_item *item;
	size_t at = 0;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	code = state_intent_drop(state, job->session.intent.id, err);
	while (is_done && code == 0 && (item = pop3_next(job, POP3_FOR_DELETION, &at)) != NULL) {
		if (item->is_accepted) {
			struct pop3_row *row = &job->session.rows.items[item->row];
			row->gone_since = job->policy.now;
			code = state_pop3_put(state, row, err);
			job->mailbox->done.counts.deleted_remote++;
			job->mailbox->base.numbers.messages.number--;
		}
	}
	code = is_done && code == 0 ? commit_refused(job, err) : code;
	job->learnt.is_intent_open = false;
	return state_end(state, code, err);
}

static bool any_is_accepted(struct pop3_job *job)
{
	const struct pop3_item *item;
	size_t at = 0;
	while ((item = pop3_next(job, POP3_FOR_DELETION, &at)) != NULL) {
		if (item->is_accepted) {
			return true;
		}
	}
	return false;
}

/* Without deletions the connection stays, for the next pass.
 * After QUIT some of the deletions may be left: no error of ours, the next listing tells. */
int pop3_end_session(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	int code;
	if (job->session.intent.id == 0) {
		return 0;
	}
	if (any_is_accepted(job) && (code = run_claim(run, err)) < 0) {
		return code;
	}
	job->session.has_quit = true;
	code = pop3_quit(job->session.pop3, err);
	if (code == -ERR_REFUSED) {
		run_report_error(run, job->mailbox, 0, err);
	} else if (code < 0) {
		return code;
	}
	return commit_end(job, code == 0, err);
}
