/* An account's session and run: the tables of their steps, and what is told of it at the end. */
#include "account.h"

#include "mailsync/base/clock.h"

#include "guard/guard.h"
#include "observe/observe.h"
#include "act/act.h"
#include "recover/recover.h"
#include "plan/plan.h"
#include "pop3/pop3_run.h"
#include "rules/pop3_rules.h"

#define SETTLE_MS       1000
#define SETTLE_SLICE_MS 50

static int decide_policy(struct run *run, struct err *err)
{
	return policy_make(run->account, run->options, clock_real_s(), &run->policy, err);
}

/* The account's first connection, or the one after the last one. */
static int connect_anew(struct run *run, struct err *err)
{
	size_t number = run->report->connections + 1;
	int code = run_connect(run, number, &run->session->remote, err);
	run->report->connections += code == 0;
	return code;
}

/* That of the last run, if its server still answers. */
static bool take_kept(struct run *run)
{
	struct session *session = run->session;
	struct sync_keep *keep = run->options->keep;
	struct err err;
	if (keep == NULL || keep->remote == NULL) {
		return false;
	}
	session->remote = keep->remote;
	keep->remote = NULL;
	remote_totals(session->remote, &session->before);
	if (remote_wake(session->remote, &err) < 0) {
		log_line(run->log, LOG_INFO, "%s: %s; connecting anew", run->account->name,
			 err.text);
		remote_close(&session->remote);
		session->before = (struct remote_totals){0};
	}
	return session->remote != NULL;
}

static int open_remote(struct run *run, struct err *err)
{
	if (take_kept(run)) {
		return 0;
	}
	int code = login_check(run, err);
	return code < 0 ? code : login_note(run, connect_anew(run, err), err);
}

static int discover(struct run *run, struct err *err)
{
	int code = observe_mailboxes(run, err);
	if (code == 0) {
		run_report_unknown(run);
	}
	return code;
}

static int check_server(struct run *run, struct err *err)
{
	int64_t ignored_ms = 0;
	int code = accident_check_server(run, run->session->remote, err);
	/* What was refused so far costs nothing: such a mailbox is opened later. */
	remote_busy_take(run->session->remote, &ignored_ms);
	return code;
}

static int release(struct run *run, struct err *err)
{
	backoff_note(run, run->session->remote);
	return run_release(run, err);
}

/* What a session over IMAP begins with. */
static const struct step opening[] = {
	{"lock", run_open_lock, STEP_ACTS},         {"open", run_open_local, STEP_LOOKS},
	{"keywords", observe_keywords, STEP_LOOKS}, {"suspects", suspects_load, STEP_LOOKS},
	{"connect", open_remote, STEP_LOOKS},
};

/* Once through the account, in a session that is open: first all looks, */
static const struct step looks[] = {
	{"policy", decide_policy, STEP_LOOKS},
	{"which mailboxes", discover, STEP_LOOKS},
	{"accidents", accident_check_mailboxes, STEP_LOOKS},
	{"server's address", accident_check_address, STEP_LOOKS},
	{"renames that were cut", rename_settle_cut, STEP_LOOKS},
	{"renames on both sides", rename_follow_twice, STEP_LOOKS},
	{"plan of renames", plan_renames, STEP_LOOKS},
	{"renames", act_rename_mailboxes, STEP_ACTS},
	{"names of one mailbox", observe_folded, STEP_LOOKS},
	{"server's identity", check_server, STEP_LOOKS},
	{"plan of mailboxes", plan_mailboxes, STEP_LOOKS},
	{"new names", act_check_new_names, STEP_LOOKS},
	{"new mailboxes", act_create_mailboxes, STEP_ACTS},
	{"leftovers", recover_leftovers, STEP_ACTS},
	{"local delta", observe_local, STEP_LOOKS},
	{"remote delta", observe_remote, STEP_LOOKS},
	{"what is restored", restore_choose, STEP_LOOKS},
	{"pairing", pair_mailboxes, STEP_LOOKS},
	{"intents of the trash", trash_settle, STEP_LOOKS},
	{"plan of moves", plan_moves, STEP_LOOKS},
	{"brake", brake_plan, STEP_LOOKS},
	{"what is to be sent", restore_tell, STEP_LOOKS},
};

/* then what comes of them. */
static const struct step acts[] = {
	{"print", plan_print, STEP_DRY_RUN},
	{"removed mailboxes", act_remove_mailboxes, STEP_ACTS},
	{"act", act_on_plan, STEP_ACTS},
	{"what was refused", act_tell_refused, STEP_ACTS},
};

/* When all passes are over, and well. */
static const struct step closing[] = {
	{"what only we changed", alone_conclude, STEP_ACTS},
	{"release", release, STEP_LOOKS},
};

#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))

/* What the connection cost in this session. */
static void add_totals(struct run *run)
{
	struct session *session = run->session;
	struct remote_totals totals;
	remote_totals(session->remote, &totals);
	totals.commands -= session->before.commands;
	totals.round_trips -= session->before.round_trips;
	totals.bytes_in -= session->before.bytes_in;
	totals.bytes_out -= session->before.bytes_out;
	run_add_totals(run, &totals);
	session->before = (struct remote_totals){0};
}

/* Says good-bye where the server is there to hear it, and adds up what the connection cost. */
void account_take_leave(struct run *run, bool is_well)
{
	struct remote *remote = run->session->remote;
	struct err ignored;
	if (remote == NULL) {
		return;
	}
	if (is_well) {
		remote_logout(remote, &ignored);
	}
	add_totals(run);
}

/* The same at the end of the session, which may leave the connection to the next one. */
static void take_last_leave(struct run *run, bool is_well)
{
	struct session *session = run->session;
	struct sync_keep *keep = run->options->keep;
	struct err ignored;
	bool is_kept = is_well && keep != NULL && session->remote != NULL &&
		       !suspects_are_any(run) && remote_rest(session->remote, &ignored) == 0;
	if (!is_kept) {
		account_take_leave(run, is_well);
		return;
	}
	add_totals(run);
	keep->remote = session->remote;
	session->remote = NULL;
}

/* What was seen so far is seen anew where opening mailboxes showed that it has to be, once. */
static int take_looks(struct run *run, struct err *err)
{
	int code = run_take_steps(run, looks, COUNT(looks), err);
	if (code < 0 && run->seen.begins_anew) {
		run->seen.begins_anew = false;
		plan_finish(run->plan);
		run_report_begin_anew(run);
		err_clear(err);
		code = run_take_steps(run, looks, COUNT(looks), err);
	}
	return code;
}

static int take_pass(struct run *run, struct err *err)
{
	int code = take_looks(run, err);
	return code < 0 ? code : run_take_steps(run, acts, COUNT(acts), err);
}

int account_look(struct run *run, struct err *err)
{
	int code;
	if ((code = observe_keywords(run, err)) < 0 || (code = suspects_load(run, err)) < 0 ||
	    (code = open_remote(run, err)) < 0) {
		return code;
	}
	return take_looks(run, err);
}

/* An act may be carried out though its connection is gone: what is looked for at once is not there
 * yet, and would be sent a second time. */
static int let_settle(struct run *run, struct err *err)
{
	int64_t end_ms = clock_monotonic_ms() + (run->options->settles_at_once ? 0 : SETTLE_MS);
	int code = 0;
	while (clock_monotonic_ms() < end_ms && (code = run_check_stop(run, err)) == 0) {
		clock_sleep_ms(SETTLE_SLICE_MS);
	}
	return code;
}

/* Forgets what the pass knew, but for what it did: the next one goes by the state. */
static int begin_next_pass(struct run *run, bool is_lost, bool is_cut, struct err *err)
{
	struct session *session = run->session;
	struct report *report = run->report;
	struct plan *plan = run->plan;
	int64_t backoff_ms = run->done.backoff_ms;
	bool is_known_server = run->seen.is_known_server;
	int code = run_report_pass(run, err);
	plan_finish(plan);
	*plan = (struct plan){0};
	run_finish(run);
	run_init(run, session, report);
	run->plan = plan;
	run->done.backoff_ms = backoff_ms;
	run->seen.is_known_server = is_known_server;
	session->was_unclean |= is_lost;
	if (code < 0 || !is_cut) {
		return code;
	}
	account_take_leave(run, !is_lost);
	remote_close(&session->remote);
	code = is_lost && suspects_has_unsettled(run) ? let_settle(run, err) : 0;
	/* That the same login was taken before says more than a refusal now: it is not noted. */
	return code < 0 ? code : connect_anew(run, err);
}

/* Passes, until nothing is left to try. A connection that is lost ends a pass and no more: this is
 * the one place where that is decided (run/suspects.h). */
static int take_passes(struct run *run, struct err *err)
{
	enum suspect_step next = SUSPECT_STEP_REST;
	bool is_cut = false;
	int code = 0;
	while (next != SUSPECT_STEP_DONE) {
		int outcome = take_pass(run, err);
		if (outcome < 0) {
			log_line(run->log, LOG_INFO, "%s: %s", run->account->name, err->text);
		}
		code = suspects_after(run, outcome, &next, &is_cut, err);
		if (next == SUSPECT_STEP_DONE || next == SUSPECT_STEP_GIVE_UP ||
		    (code = begin_next_pass(run, outcome < 0, is_cut, err)) < 0) {
			break;
		}
	}
	return code;
}

static int run_account(struct run *run, struct err *err)
{
	if (run->account->is_pop3) {
		return pop3_run(run, err);
	}
	int code = run_take_steps(run, opening, COUNT(opening), err);
	if (code == 0 && (code = take_passes(run, err)) == 0) {
		code = run_take_steps(run, closing, COUNT(closing), err);
	}
	take_last_leave(run, code == 0 || err->code == ERR_BRAKE);
	return code;
}

static int run_once(struct run *run, struct session *session, struct plan *plan,
		    struct report *report, struct err *err)
{
	err_clear(err);
	run_init(run, session, report);
	run->plan = plan;
	*plan = (struct plan){0};
	int code = run_account(run, err);
	return suspects_conclude(run, code, err);
}

static void finish(struct run *run)
{
	plan_finish(run->plan);
	run_finish(run);
	session_finish(run->session);
}

int sync_account(const struct account *account, const struct sync_options *options,
		 struct report *report, struct err *err)
{
	struct account own = account->is_pop3 ? pop3_account_of(account) : (struct account){0};
	const struct account *used = account->is_pop3 ? &own : account; /* what is kept needs it */
	struct session session;
	struct run run;
	struct plan plan;
	session_init(&session, used, options);
	int code = run_once(&run, &session, &plan, report, err);
	if (code < 0 && session.state != NULL && state_is_damaged(session.state)) {
		/* Behind its first page. Closing moves it aside; what has been done so far is what
		 * a run that was killed there would have left. */
		int64_t started_us = session.started_us;
		log_line(run.log, LOG_WARN, "%s: %s", used->name, err->text);
		finish(&run);
		session_init(&session, used, options);
		session.started_us = started_us;
		session.is_second_try = true;
		code = run_once(&run, &session, &plan, report, err);
	}
	code = run_outcome(&run, code, err);
	silence_note(&run, code);
	run_store_trouble(&run, code, err);
	finish(&run);
	return code;
}

void sync_keep_finish(struct sync_keep *keep)
{
	remote_close(&keep->remote);
}
