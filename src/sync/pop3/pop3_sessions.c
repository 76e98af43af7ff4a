/* The sessions of a run: as a rule one; each is a table of steps. */
#include <stdlib.h>

#include "pop3_private.h"

#define SESSIONS_MAX 200 /* of one run */

int pop3_connect(const struct account *account, const struct sync_options *options, bool wants_utf8,
		 struct pop3 **pop3, struct err *err)
{
	struct pop3_params params = {
		.server = &account->server,
		.log = options->log,
		.label = account->name,
		.stop = options->stop,
		.wants_utf8 = wants_utf8,
	};
	return pop3_open(pop3, &params, err);
}

static int connect_session(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct pop3_session *session = &job->session;
	int code = pop3_connect(run->account, run->options, job->learnt.wants_utf8, &session->pop3,
				err);
	if (code < 0) {
		return code;
	}
	run->report->connections = 1;
	session->is_partial =
		pop3_lists_some(pop3_is_gmail(session->pop3), run->account->server.user);
	return 0;
}

/* For --dry-run. */
static void print_item(struct run *run, const struct pop3_item *item)
{
	struct pop3_job *job = run->pop3;
	struct plan_entry entry = {.mailbox = job->mailbox->name, .uid = item->number};
	bool is_download = item->act == POP3_ACT_DOWNLOAD;
	if (is_download) {
		entry.op = REPORT_DOWNLOAD;
		entry.why = "new on the server";
		run_report_plan(run, &entry);
	}
	if ((item->row != POP3_NO_ROW &&
	     pop3_is_due(&job->session.rows.items[item->row], &job->policy)) ||
	    (is_download && pop3_is_due_at_once(&job->policy))) {
		entry.op = REPORT_DELETE_REMOTE;
		entry.why = "downloaded, and leave_on_server does not keep it";
		run_report_plan(run, &entry);
	}
}

static int print_plan(struct run *run, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < run->pop3->session.listing.count; i++) {
		print_item(run, &run->pop3->session.items[i]);
	}
	return 0;
}

static const struct step steps[] = {
	{"connect", connect_session, STEP_LOOKS},
	{"UIDL and LIST", pop3_observe_list, STEP_LOOKS},
	{"keys", pop3_observe_keys, STEP_LOOKS},
	{"rows", pop3_observe_rows, STEP_LOOKS},
	{"delivered files", pop3_observe_delivered, STEP_LOOKS},
	{"new messages", pop3_observe_new, STEP_LOOKS},
	{"print", print_plan, STEP_DRY_RUN},
	{"remember", pop3_remember, STEP_ACTS},
	{"download", pop3_download, STEP_ACTS},
	{"delete", pop3_delete, STEP_ACTS},
	{"quit", pop3_end_session, STEP_LOOKS},
};

static void end_session(struct run *run)
{
	struct pop3_session *session = &run->pop3->session;
	struct remote_totals totals;
	if (session->pop3 != NULL) {
		pop3_get_totals(session->pop3, &totals);
		run_add_totals(run, &totals);
		pop3_close(&session->pop3);
	}
	state_pop3_finish(&session->rows);
	pop3_listing_finish(&session->listing);
	strlist_finish(&session->keys);
	free(session->due.items);
	free(session->items);
	free(session->headers);
	free(session->is_listed);
	*session = (struct pop3_session){0};
}

/* *GOES_ON: another session is worth while. */
static int run_session(struct run *run, bool *goes_on, struct err *err)
{
	struct pop3_job *job = run->pop3;
	uint64_t downloaded = job->mailbox->done.counts.downloaded;
	size_t failed = job->learnt.failed.count;
	bool had_utf8 = job->learnt.wants_utf8;
	int code = run_take_steps(run, steps, sizeof(steps) / sizeof(steps[0]), err);
	struct pop3_outcome outcome = {
		.is_broken = code == -ERR_PROTOCOL,
		.has_failures = job->learnt.failed.count > failed,
		.is_partial = job->session.is_partial,
		.downloaded = job->mailbox->done.counts.downloaded - downloaded,
		.lacked_utf8 = job->learnt.wants_utf8 && !had_utf8,
	};
	end_session(run);
	*goes_on = (code == 0 || outcome.is_broken) && pop3_goes_on(&outcome);
	return code;
}

int pop3_run_sessions(struct run *run, struct err *err)
{
	bool goes_on = true;
	int code = 0;
	for (int session = 0; goes_on && session < SESSIONS_MAX; session++) {
		code = run_session(run, &goes_on, err);
	}
	return code;
}
