/* A POP3 run and its sessions, as a rule one: the tables of their steps. */
#include "pop3_run.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

#include "guard/guard.h"
#include "pop3_private.h"

#define PASSES_MAX   200 /* of one run */
#define QUITS_MAX    2   /* at which the connection ended */
#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))

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

/* Unless the last pass left a connection that can be asked more. */
static int connect_session(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct pop3_session *session = &job->session;
	int code = 0;
	if (session->pop3 == NULL) {
		session->has_utf8 = job->learnt.wants_utf8;
		if ((code = login_check(run, err)) < 0) {
			return code;
		}
		code = pop3_connect(run->account, run->options, session->has_utf8, &session->pop3,
				    err);
		if ((code = login_note(run, code, err)) < 0) {
			return code;
		}
		run->report->connections++;
	}
	session->view.is_partial =
		pop3_lists_some(pop3_is_gmail(session->pop3), run->account->server.user);
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
			entry.size_bytes = item->size.number;
			run_report_plan(run, &entry);
			entry.size_bytes = 0;
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

#define SESSION_LOOKS 6 /* the first of these, which decide; what follows tells or acts */
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

/* Forgets what a pass knew; the connection stays. */
static void finish_pass(struct pop3_session *session)
{
	state_pop3_finish(&session->rows);
	pop3_listing_finish(&session->listing);
	strlist_finish(&session->keys);
	free(session->view.items);
	free(session->view.headers);
	free(session->view.is_listed);
	free(session->view.news);
	*session = (struct pop3_session){
		.pop3 = session->pop3,
		.has_utf8 = session->has_utf8,
		.has_quit = session->has_quit,
	};
}

/* IS_WELL: the server is there to hear a QUIT, which deletes nothing then. */
static void disconnect(struct run *run, bool is_well)
{
	struct pop3_session *session = &run->pop3->session;
	struct remote_totals totals;
	if (session->pop3 == NULL) {
		return;
	}
	if (is_well && !session->has_quit) {
		pop3_leave(session->pop3);
	}
	int64_t delay_ms = pop3_login_delay_s(session->pop3) * 1000;
	if (delay_ms > run->report->patience_ms) {
		run->report->patience_ms = delay_ms; /* of who comes back */
	}
	pop3_get_totals(session->pop3, &totals);
	run_add_totals(run, &totals);
	pop3_close(&session->pop3);
	session->has_quit = false;
}

/* Whether it ended so that another session follows, of the same kind (A13 to A15). */
static bool take_pass(struct run *run, int *code, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct pop3_outcome *outcome = &job->session.outcome;
	uint64_t before = job->mailbox->done.counts.downloaded;
	*code = run_take_steps(run, session_steps, COUNT(session_steps), err);
	outcome->is_broken = *code == -ERR_PROTOCOL;
	outcome->is_partial = job->session.view.is_partial;
	outcome->downloaded = job->mailbox->done.counts.downloaded - before;
	run->report->earlier_errors = run->report->error_count;
	return (*code == 0 || outcome->is_broken) && pop3_goes_on(outcome);
}

/* Passes, until nothing is left to try. A connection that is lost ends a pass and no more; what it
 * was lost on is tried again when all else is done (run/suspects.h). */
static int take_passes(struct run *run, struct err *err)
{
	enum suspect_step next = SUSPECT_STEP_REST;
	int code = 0, lost_at_quit = 0;
	bool is_over = false;
	for (int pass = 0; !is_over && pass < PASSES_MAX; pass++) {
		bool is_cut = true;
		bool goes_on = take_pass(run, &code, err);
		bool is_well = code == 0;
		lost_at_quit += !is_well && run->pop3->session.has_quit;
		if (code < 0) {
			log_line(run->log, LOG_INFO, "%s: %s", run->account->name, err->text);
		}
		is_over = run->options->dry_run || lost_at_quit == QUITS_MAX;
		if (!goes_on && !is_over) {
			code = suspects_after(run, code, &next, &is_cut, err);
			is_over = next == SUSPECT_STEP_DONE || next == SUSPECT_STEP_GIVE_UP;
		}
		if (goes_on || is_over || is_cut || run->pop3->session.has_quit) {
			disconnect(run, is_well);
		}
		finish_pass(&run->pop3->session);
	}
	disconnect(run, false);
	return code;
}

/* What the account knows, and what names of its files are made of. */
static int load_rest(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	int code = pop3_sizes_load(job, err);
	job->is_base_known = code == 0;
	return code < 0 ? code
			: maildir_folder_key(run->account->name, job->mailbox->name, job->local.key,
					     err);
}

/* What the state has of INBOX, too. */
static int load_base(struct run *run, struct err *err)
{
	struct mailbox *mailbox = run->pop3->mailbox;
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
	return code < 0 ? code : load_rest(run, err);
}

static const struct step opening[] = {
	{"lock", run_open_lock, STEP_ACTS},
	{"open", run_open_local, STEP_LOOKS},
};
static const struct step account_steps[] = {
	{"base", load_base, STEP_LOOKS},
	{"accidents", accident_check_inbox, STEP_LOOKS},
	{"suspects", suspects_load, STEP_LOOKS},
	{"passes", take_passes, STEP_LOOKS},
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

static void finish_job(struct pop3_job *job)
{
	digest_destroy(&job->local.digest);
	strlist_finish(&job->local.delivered);
	strlist_finish(&job->local.adopted);
	strlist_finish(&job->learnt.failed);
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
		code = run_take_steps(run, opening, COUNT(opening), err);
		code = code < 0 ? code
				: run_take_steps(run, account_steps, COUNT(account_steps), err);
		int noted = note_end(run, code, err, &why);
		if (noted < 0 && code == 0) {
			*err = why;
			code = noted;
		}
	}
	finish_job(&job);
	run->pop3 = NULL;
	return code;
}

int pop3_look_begin(struct run *run, struct mailbox *inbox, struct err *err)
{
	struct pop3_job *job = calloc(1, sizeof(*job));
	if (job == NULL) {
		return err_nomem(err);
	}
	*job = (struct pop3_job){
		.run = run,
		.mailbox = inbox,
		.policy = pop3_policy_of(run->account, run->options, clock_real_s()),
	};
	run->pop3 = job;
	int code = load_rest(run, err);
	code = code < 0 ? code : run_take_steps(run, session_steps, SESSION_LOOKS, err);
	if (code < 0) {
		pop3_look_end(run, false);
	}
	return code;
}

void pop3_look_end(struct run *run, bool is_well)
{
	struct pop3_job *job = run->pop3;
	if (job == NULL) {
		return;
	}
	/* A server may mark as read, at QUIT, what it was asked for. */
	disconnect(run, is_well && !job->session.has_read);
	finish_pass(&job->session);
	finish_job(job);
	free(job);
	run->pop3 = NULL;
}
