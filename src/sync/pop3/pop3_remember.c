/* What a listing told, put into the rows. */
#include <stdlib.h>

#include "mailsync/base/array.h"

#include "guard/guard.h"
#include "pop3_private.h"

/* K10. */
static int put_listed(struct pop3_job *job, struct pop3_item *item, struct err *err)
{
	struct pop3_view view = pop3_job_view(job);
	struct pop3_row *row = &job->session.rows.items[item->row];
	pop3_learn(&view, item, row);
	if (item->is_renamed) {
		char *uidl = span_dup(span_of(item->key));
		if (uidl == NULL) {
			return err_nomem(err);
		}
		free(row->uidl);
		row->uidl = uidl;
		item->is_renamed = false;
	}
	return state_pop3_put(job->run->session->state, row, err);
}

static int put_new(struct pop3_job *job, struct pop3_item *item, struct err *err)
{
	struct pop3_view view = pop3_job_view(job);
	struct pop3_rows *rows = &job->session.rows;
	const char *unique = NULL;
	struct pop3_row row;
	int code = 0;
	if (item->act == POP3_ACT_ADOPT) {
		code = pop3_delivered(job, item, &unique, err);
	}
	unique = unique == NULL ? "" : unique;
	pop3_remember_as(&view, item, unique, job->policy.now, &row);
	if (code < 0 ||
	    (code = ARRAY_RESERVE(&rows->items, rows->count + 1, &rows->cap, err)) < 0 ||
	    (code = pop3_row_begin(job, item, unique, &row, err)) < 0) {
		return code;
	}
	code = state_pop3_put(job->run->session->state, &row, err);
	if (code < 0) {
		pop3_row_drop(&row);
		return code;
	}
	pop3_row_keep(job, item, &row);
	return 0;
}

/* K12 and K13. */
static int put_unlisted(struct pop3_job *job, size_t index, struct err *err)
{
	struct state *state = job->run->session->state;
	struct pop3_view view = pop3_job_view(job);
	struct pop3_row *row = &job->session.rows.items[index];
	switch (pop3_absence_of(&view, index, job->policy.now)) {
	case POP3_ABSENCE_OVER:
		return state_pop3_drop(state, row->id, err);
	case POP3_ABSENCE_BEGINS:
		row->gone_since = job->policy.now;
		return state_pop3_put(state, row, err);
	case POP3_ABSENCE_NO_NEWS:
		break;
	}
	return 0;
}

/* Deletions that a cut left open: the listing has told which of them happened. */
static int drop_intents(struct pop3_job *job, struct err *err)
{
	struct state *state = job->run->session->state;
	struct intents intents = {0};
	int code = state_intents_load(state, 0, &intents, err);
	for (size_t i = 0; code == 0 && i < intents.count; i++) {
		if (intents.items[i].kind == INTENT_POP3_DELETE) {
			log_line(job->run->log, LOG_INFO,
				 "%s: the last session was cut while it deleted; what is still "
				 "listed was not deleted",
				 job->run->account->name);
			code = state_intent_drop(state, intents.items[i].id, err);
		}
	}
	state_intents_finish(&intents);
	return code;
}

static bool has_news(struct pop3_job *job)
{
	const struct pop3_session *session = &job->session;
	struct pop3_view view = pop3_job_view(job);
	for (size_t i = 0; i < view.count; i++) {
		if (pop3_is_remembered(&view.items[i]) || pop3_has_news(&view, &view.items[i])) {
			return true;
		}
	}
	for (size_t r = 0; r < view.row_count; r++) {
		if (pop3_absence_of(&view, r, job->policy.now) != POP3_ABSENCE_NO_NEWS) {
			return true;
		}
	}
	return job->run->session->was_unclean || session->whose == WHOSE_OTHERS ||
	       (session->whose == WHOSE_NOBODYS && view.count > 0);
}

static int put_all(struct pop3_job *job, struct err *err)
{
	struct pop3_view view = pop3_job_view(job);
	int code = drop_intents(job, err);
	if (code == 0 && job->session.whose != WHOSE_OURS) {
		code = whose_note(job->run, err);
	}
	for (size_t i = 0; code == 0 && i < view.count; i++) {
		if (pop3_is_remembered(&view.items[i])) {
			code = put_new(job, &view.items[i], err);
		} else if (pop3_has_news(&view, &view.items[i])) {
			code = put_listed(job, &view.items[i], err);
		}
		view = pop3_job_view(job); /* the rows may have moved */
	}
	for (size_t r = 0; code == 0 && r < view.row_count; r++) {
		code = put_unlisted(job, r, err);
	}
	return code;
}

int pop3_remember(struct run *run, struct err *err)
{
	struct state *state = run->session->state;
	int code;
	if (!has_news(run->pop3)) {
		return 0;
	}
	if ((code = run_claim(run, err)) < 0 || (code = state_begin(state, err)) < 0) {
		return code;
	}
	return state_end(state, put_all(run->pop3, err), err);
}
