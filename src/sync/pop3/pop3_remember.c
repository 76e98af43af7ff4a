/* What a listing told, put into the rows. */
#include "guard/guard.h"
#include "pop3_private.h"

/* Deletions that a cut left open: the listing has told which of them happened. */
static int drop_intents(struct run *run, struct err *err)
{
	struct state *state = run->session->state;
	struct intents intents = {0};
	int code = state_intents_load(state, 0, &intents, err);
	for (size_t i = 0; code == 0 && i < intents.count; i++) {
		if (intents.items[i].kind == INTENT_POP3_DELETE) {
			log_line(run->log, LOG_INFO,
				 "%s: the last session was cut while it deleted; what is still "
				 "listed was not deleted",
				 run->account->name);
			code = state_intent_drop(state, intents.items[i].id, err);
		}
	}
	state_intents_finish(&intents);
	return code;
}

/* Gives ITEM a row, where it is one to be remembered, and that its key, where it is a new one. */
static int name_row(struct pop3_job *job, struct pop3_item *item, struct err *err)
{
	struct pop3_session *session = &job->session;
	bool is_new = pop3_is_remembered(item);
	if (!is_new && !item->is_renamed) {
		return 0;
	}
	const char *unique = is_new ? item->unique : session->rows.items[item->row].unique;
	struct pop3_row *row = pop3_row_name(job, item, unique, err);
	if (row != NULL && is_new) {
		pop3_remember_as(&session->view, item, job->policy.now);
	}
	if (row != NULL && item->act == POP3_ACT_ADOPT) {
		return pop3_judge_adopted(job, item, err);
	}
	return row != NULL ? 0 : -ERR_NOMEM;
}

/* Deleted by this run, over a connection that was lost before the server could say so. */
static bool is_late_deletion(const struct pop3_job *job, size_t row)
{
	const struct pop3_view *view = &job->session.view;
	return job->learnt.is_intent_open && row < view->row_count && !view->is_listed[row] &&
	       view->news[row] == POP3_NEWS && view->rows[row].is_deleted;
}

static int put_all(struct pop3_job *job, struct err *err)
{
	struct state *state = job->run->session->state;
	struct pop3_session *session = &job->session;
	struct pop3_view *view = &session->view;
	int code = drop_intents(job->run, err);
	if (code == 0 && view->whose != WHOSE_OURS) {
		code = whose_note(job->run, err);
	}
	for (size_t i = 0; code == 0 && i < view->count; i++) {
		code = name_row(job, &view->items[i], err);
	}
	for (size_t r = 0; code == 0 && r < session->rows.count; r++) {
		enum pop3_news news = r < view->row_count ? view->news[r] : POP3_NEWS;
		job->mailbox->done.counts.deleted_remote += is_late_deletion(job, r);
		if (news == POP3_NEWS_OVER) {
			code = state_pop3_drop(state, session->rows.items[r].id, err);
		} else if (news == POP3_NEWS) {
			code = state_pop3_put(state, &session->rows.items[r], err);
		}
	}
	return code;
}

int pop3_remember(struct run *run, struct err *err)
{
	struct pop3_view *view = &run->pop3->session.view;
	struct state *state = run->session->state;
	int code;
	bool has_news = pop3_learn(view, run->pop3->policy.now) || run->session->was_unclean ||
			run->pop3->learnt.is_intent_open;
	if (!has_news &&
	    (view->whose == WHOSE_OURS || (view->whose == WHOSE_NOBODYS && view->count == 0))) {
		return 0;
	}
	if ((code = run_begin(run, err)) < 0) {
		return code;
	}
	code = state_end(state, put_all(run->pop3, err), err);
	run->pop3->learnt.is_intent_open &= code < 0;
	return code;
}
