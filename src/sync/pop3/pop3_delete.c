/*
 * DELE and QUIT. Deleting happens at QUIT, all at once or (RFC 1939 6) partly: so what is going
 * to be deleted is durable before the first DELE (J2), and what is still listed next time was
 * not deleted, whatever QUIT said.
 */
#include "guard/guard.h"
#include "pop3_private.h"

static int gather_due(struct pop3_job *job, struct err *err)
{
	struct pop3_session *session = &job->session;
	int code = 0;
	for (size_t i = 0; code == 0 && i < session->listing.count; i++) {
		struct pop3_item *item = &session->items[i];
		if (item->row != POP3_NO_ROW && !item->is_failed &&
		    pop3_is_due(&session->rows.items[item->row], &job->policy)) {
			code = pop3_asked_add(&session->due, item, err);
		}
	}
	return code;
}

static int mark_all(struct pop3_job *job, struct err *err)
{
	struct pop3_session *session = &job->session;
	struct state *state = job->run->session->state;
	int code = state_intent_add(state, &session->intent, err);
	for (size_t i = 0; code == 0 && i < session->due.count; i++) {
		struct pop3_row *row = &session->rows.items[session->due.items[i]->row];
		row->is_deleted = true;
		code = state_pop3_put(state, row, err);
	}
	return code;
}

static int commit_intent(struct pop3_job *job, struct err *err)
{
	struct state *state = job->run->session->state;
	int code;
	job->session.intent =
		(struct intent){.kind = INTENT_POP3_DELETE, .mailbox = job->mailbox->base.id};
	if ((code = run_claim(job->run, err)) < 0 || (code = state_begin(state, err)) < 0) {
		return code;
	}
	return state_end(state, mark_all(job, err), err);
}

static int take_answer(struct pop3_job *job, struct err *err)
{
	struct pop3_item *item = pop3_asked_next(&job->session.due, err);
	struct span words;
	bool is_ok;
	if (item == NULL) {
		return -(int)err->code;
	}
	int code = pop3_dele_next(job->session.pop3, &is_ok, &words, err);
	if (code < 0) {
		return code;
	}
	item->is_accepted = is_ok;
	if (!is_ok) {
		pop3_job_refused(job, "to delete message", item->number, words);
	}
	return 0;
}

static int send_all(struct pop3_job *job, struct err *err)
{
	struct pop3_asked *due = &job->session.due;
	struct pop3 *pop3 = job->session.pop3;
	int code = 0;
	while (code == 0 && due->answered < due->count) {
		while (code == 0 && due->queued < due->count && pop3_has_room(pop3)) {
			code = pop3_queue(pop3, POP3_WANT_DELETION,
					  due->items[due->queued++]->number, err);
		}
		if (code == 0 && (code = run_check_stop(job->run, err)) == 0) {
			code = take_answer(job, err);
		}
	}
	return code;
}

int pop3_delete(struct run *run, struct err *err)
{
	int code = gather_due(run->pop3, err);
	if (code < 0 || run->pop3->session.due.count == 0 ||
	    (code = commit_intent(run->pop3, err)) < 0) {
		return code;
	}
	return send_all(run->pop3, err);
}

/* Notes that what was accepted is gone, so that the next run has nothing to note. */
static int put_accepted(struct pop3_job *job, struct err *err)
{
	struct pop3_session *session = &job->session;
	int code = 0;
	for (size_t i = 0; code == 0 && i < session->due.count; i++) {
		if (session->due.items[i]->is_accepted) {
			struct pop3_row *row = &session->rows.items[session->due.items[i]->row];
			row->gone_since = job->policy.now;
			code = state_pop3_put(job->run->session->state, row, err);
			job->mailbox->done.counts.deleted_remote++;
			job->mailbox->base.messages--;
		}
	}
	return code;
}

static int commit_end(struct pop3_job *job, bool is_done, struct err *err)
{
	struct state *state = job->run->session->state;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	if ((code = is_done ? put_accepted(job, err) : 0) == 0) {
		code = state_intent_drop(state, job->session.intent.id, err);
	}
	return state_end(state, code, err);
}

/* After QUIT some of the deletions may be left: no error of ours, the next listing tells. */
int pop3_end_session(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct err ignored; /* with nothing to be deleted QUIT is of no consequence */
	bool is_deleting = job->session.intent.id != 0;
	int code = pop3_quit(job->session.pop3, is_deleting ? err : &ignored);
	if (!is_deleting) {
		return 0;
	}
	if (code == -ERR_REFUSED) {
		run_report_error(run, job->mailbox, 0, err);
	} else if (code < 0) {
		return code;
	}
	return commit_end(job, code == 0, err);
}
