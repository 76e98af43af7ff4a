/*
 * DELE and QUIT. Deleting happens at QUIT, all at once or (RFC 1939 6) partly: so what is going
 * to be deleted is durable before the first DELE (J2), and what is still listed next time was
 * not deleted, whatever QUIT said.
 */
#include <stdlib.h>
#include <string.h>

#include "pop3_private.h"
#include "guard/claim.h"

static bool is_due(const struct pop3_job *job, const struct pop3_item *item)
{
	return item->row != POP3_NO_ROW && !item->is_failed &&
	       pop3_is_due(&job->rows.items[item->row], &job->policy);
}

static struct pop3_item *next_due(struct pop3_job *job, size_t *at)
{
	while (*at < job->listing.count) {
		struct pop3_item *item = &job->items[(*at)++];
		if (is_due(job, item)) {
			return item;
		}
	}
	return NULL;
}

static int mark_all(struct pop3_job *job, struct intent *intent, struct err *err)
{
	struct pop3_item *item;
	size_t at = 0;
	int code = state_intent_add(job->run.session->state, intent, err);

	while (!code && (item = next_due(job, &at))) {
		struct pop3_row *row = &job->rows.items[item->row];
		row->is_deleted = true;
		code = state_pop3_put(job->run.session->state, row, err);
	}
	return code;
}

static int commit_intents(struct pop3_job *job, struct intent *intent, struct err *err)
{
	int code = run_claim(&job->run, err);

	if (!code) {
		code = state_begin(job->run.session->state, err);
	}
	if (code) {
		return code;
	}
	code = mark_all(job, intent, err);
	if (code) {
		state_rollback(job->run.session->state);
		return code;
	}
	return state_commit(job->run.session->state, err);
}

static int take_answer(struct pop3_job *job, size_t *answered, uint64_t *accepted, struct err *err)
{
	struct pop3_item *item = next_due(job, answered);
	struct span words;
	struct err why;
	uint32_t number;
	bool is_ok;
	int code = pop3_dele_next(job->pop3, &number, &is_ok, &words, err);

	if (code || !item) {
		return code;
	}
	item->is_accepted = is_ok;
	if (is_ok) {
		(*accepted)++;
		return 0;
	}
	err_set(&why, ERR_REFUSED, SCOPE_MESSAGE,
		"the server refused to delete message %u, saying \"%.*s\"", (unsigned)number,
		(int)(words.len > 300 ? 300 : words.len), words.data ? words.data : "");
	run_report_error(&job->run, &job->mailbox, 0, &why);
	return 0;
}

static int send_all(struct pop3_job *job, uint64_t *accepted, struct err *err)
{
	size_t queued = 0, answered = 0;
	struct pop3_item *item = next_due(job, &queued);
	int code = 0;

	while (!code && (item || pop3_in_flight(job->pop3) > 0)) {
		while (!code && item && pop3_has_room(job->pop3)) {
			code = pop3_dele_queue(job->pop3, item->number, err);
			item = next_due(job, &queued);
		}
		if (!code) {
			code = run_check_stop(&job->run, err);
		}
		if (!code) {
			code = take_answer(job, &answered, accepted, err);
		}
	}
	return code;
}

/* Noted now, so that the next run has nothing to note. */
static int put_accepted(struct pop3_job *job, struct err *err)
{
	int code = 0;

	for (size_t i = 0; !code && i < job->listing.count; i++) {
		if (job->items[i].is_accepted) {
			struct pop3_row *row = &job->rows.items[job->items[i].row];
			row->gone_since = job->policy.now;
			code = state_pop3_put(job->run.session->state, row, err);
		}
	}
	return code;
}

static int commit_end(struct pop3_job *job, const struct intent *intent, bool is_done,
		      struct err *err)
{
	int code = state_begin(job->run.session->state, err);

	if (code) {
		return code;
	}
	code = is_done ? put_accepted(job, err) : 0;
	if (!code) {
		code = state_intent_drop(job->run.session->state, intent->id, err);
	}
	if (code) {
		state_rollback(job->run.session->state);
		return code;
	}
	return state_commit(job->run.session->state, err);
}

/* After QUIT some of the deletions may be left: no error of ours, the next listing tells. */
static int quit(struct pop3_job *job, const struct intent *intent, uint64_t accepted,
		struct err *err)
{
	int code = pop3_quit(job->pop3, err);

	if (code == -ERR_REFUSED) {
		run_report_error(&job->run, &job->mailbox, 0, err);
		return commit_end(job, intent, false, err);
	}
	if (code) {
		return code;
	}
	job->mailbox.done.counts.deleted_remote += accepted;
	job->mailbox.base.messages -= (uint32_t)accepted;
	return commit_end(job, intent, true, err);
}

int pop3_delete(struct pop3_job *job, struct err *err)
{
	struct intent intent = {.kind = INTENT_POP3_DELETE, .mailbox = job->mailbox.base.id};
	uint64_t accepted = 0;
	size_t at = 0;
	struct err ignored;

	if (!next_due(job, &at)) {
		(void)pop3_quit(job->pop3, &ignored); /* of no consequence */
		return 0;
	}
	int code = commit_intents(job, &intent, err);
	if (!code) {
		code = send_all(job, &accepted, err);
	}
	return code ? code : quit(job, &intent, accepted, err);
}
