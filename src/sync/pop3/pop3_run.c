/* A POP3 run and its sessions, as a rule one: the tables of their steps. */
#include "pop3_run.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

#include "guard/guard.h"
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
	session->has_utf8 = job->learnt.wants_utf8;
	int code = login_check(run, err);
	if (code == 0) {
		code = pop3_connect(run->account, run->options, session->has_utf8, &session->pop3,
				    err);
		code = login_note(run, code, err);
	}
	if (code == 0) {
		run->report->connections = 1;
		session->view.is_partial =
			pop3_lists_some(pop3_is_gmail(session->pop3), run->account->server.user);
	}
	return code;
}

/* For --dry-run. */
static int print_plan(struct run *run, struct err *err)
{
	const struct pop3_job *job = run->pop3;
	(void)err;
	for (size_t i = 0; i < job->session.view.count; i++) {
		const struct pop3_item *item = &job->session.view.items[i];
		struct plan_entry entry = {.mailbox = job->mailbox->name, .uid = item->number};
		bool is_download = item->act == POP3_ACT_DOWNLOAD;
		if (is_download) {
			entry.op = REPORT_DOWNLOAD;
			entry.why = "new on the server";
			run_report_plan(run, &entry);
		}
		if (is_download ? pop3_is_due_at_once(&job->policy)
				: item->row != POP3_NO_ROW &&
					  pop3_is_due(&job->session.view.rows[item->row],
						      &job->policy)) {
			entry.op = REPORT_DELETE_REMOTE;
			entry.why = "downloaded, and leave_on_server does not keep it";
			run_report_plan(run, &entry);
		}
	}
	return 0;
}

static const struct step session_steps[] = {
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

static void finish_session(struct run *run)
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
	free(session->view.items);
	free(session->view.headers);
	free(session->view.is_listed);
	free(session->view.news);
	*session = (struct pop3_session){0};
}

static int run_sessions(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct pop3_outcome *outcome = &job->session.outcome;
	bool goes_on = true;
	int code = 0;
	for (int session = 0; goes_on && session < SESSIONS_MAX; session++) {
		uint64_t before = job->mailbox->done.counts.downloaded;
		code = run_take_steps(run, session_steps,
				      sizeof(session_steps) / sizeof(session_steps[0]), err);
		outcome->is_broken = code == -ERR_PROTOCOL;
		outcome->is_partial = job->session.view.is_partial;
		outcome->downloaded = job->mailbox->done.counts.downloaded - before;
		goes_on = (code == 0 || outcome->is_broken) && pop3_goes_on(outcome);
		finish_session(run);
	}
	return code;
}

/* What the state has of INBOX, and what names of its files are made of. */
static int load_base(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct mailbox *mailbox = job->mailbox;
	struct state_mailboxes known = {0};
	int code = state_mailboxes_load(run->session->state, &known, err);
	for (size_t i = 0; code == 0 && i < known.count; i++) {
		if (strcmp(known.items[i].name, mailbox->name) == 0) {
			mailbox->base = known.items[i];
			mailbox->in_base = true;
			state_mailbox_init(&known.items[i]);
		}
	}
	state_mailboxes_finish(&known);
	code = code < 0 ? code : pop3_sizes_load(job, err);
	job->is_base_known = code == 0;
	return code < 0
		     ? code
		     : maildir_folder_key(run->account->name, mailbox->name, job->local.key, err);
}

static const struct step opening[] = {
	{"lock", run_open_lock, STEP_ACTS},
	{"open", run_open_local, STEP_LOOKS},
};
static const struct step pass[] = {
	{"base", load_base, STEP_LOOKS},
	{"accidents", accident_check_inbox, STEP_LOOKS},
	{"sessions", run_sessions, STEP_LOOKS},
};

/* Notes how the run ended, for `status` also where it failed: in one transaction, as each costs
 * several syncs. */
static int note_end(struct run *run, int outcome, const struct err *why, struct err *err)
{
	struct mailbox *mailbox = run->pop3->mailbox;
	struct state *state = run->session->state;
	int code;
	if (!run->pop3->is_base_known) {
		return 0;
	}
	if ((code = state_begin(state, err)) < 0) {
		return code;
	}
	if (outcome < 0) {
		free(mailbox->base.trouble);
		mailbox->base.trouble = span_dup(span_of(why->text));
	} else {
		mailbox->base.synced_at = run->pop3->policy.now;
	}
	if ((code = mailbox_store(run, mailbox, err)) == 0) {
		code = pop3_sizes_store(run->pop3, err);
	}
	if (code == 0 && outcome == 0) {
		code = run_release(run, err);
	}
	return state_end(state, code, err);
}

int pop3_run(struct run *run, struct err *err)
{
	struct pop3_job job = {
		.run = run,
		.mailbox = run_mailbox_add(run, "INBOX", err),
		.policy = pop3_policy_of(run->account, run->options, clock_real_s()),
	};
	struct err why;
	int code = 0;
	if (job.mailbox == NULL) {
		return -(int)err->code;
	}
	job.mailbox->seen.in = SIDE_BOTH; /* always */
	run->pop3 = &job;
	run_report_unknown(run);
	if (mailbox_is_active(job.mailbox)) {
		code = run_take_steps(run, opening, sizeof(opening) / sizeof(opening[0]), err);
		code = code < 0 ? code
				: run_take_steps(run, pass, sizeof(pass) / sizeof(pass[0]), err);
		int noted = note_end(run, code, err, &why);
		if (noted < 0 && code == 0) {
			*err = why;
			code = noted;
		}
	}
	strlist_finish(&job.local.delivered);
	strlist_finish(&job.local.adopted);
	strlist_finish(&job.learnt.failed);
	run->pop3 = NULL;
	return code;
}
