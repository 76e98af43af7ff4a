/* `verify`: looks ahead at what the next sync would do, on a scratch copy of the state, then proves
 * what base says against what is there (verify/verify.h). */
#include "mailsync/sync/verify.h"

#include <stdlib.h>

#include "mailsync/base/clock.h"

#include "guard/guard.h"
#include "observe/observe.h"
#include "plan/plan.h"
#include "pop3/pop3_run.h"
#include "rules/pop3_rules.h"
#include "verify/verify.h"

#include "account.h"

/* It needs a view that stands still: a dry run would leave this out. */
static int lock(struct run *run, struct err *err)
{
	return run_open_lock(run, err);
}

static int open_proofs(struct verify *verify, const struct account *account,
		       const struct sync_options *options, struct err *err)
{
	char path[FILE_PATH_SIZE];
	struct state *there = NULL;
	account_path(account, options, ".db", path);
	/* Looking for one must not make one. */
	int code = state_open(&there, path, STATE_READ, err);
	state_close(&there);
	if (code == -ERR_CHANGED) {
		return err_set(err, ERR_PARTIAL, SCOPE_ACCOUNT,
			       "the account was never synced, so there is nothing to prove");
	}
	code = code < 0 ? code : state_open(&verify->proofs, path, STATE_WRITE, err);
	return code < 0 ? code : maildir_prover_create(&verify->prover, err);
}

static int decide_policy(struct run *run, struct err *err)
{
	return policy_make(run->account, run->options, clock_real_s(), &run->policy, err);
}

/* What is not this account's, or of another time, proves nothing. */
static int check_whose(struct run *run, struct err *err)
{
	if (!maildir_exists(run->session->maildir)) {
		return err_set(err, ERR_PARTIAL, SCOPE_ACCOUNT,
			       "%s is not there: is a disk not mounted?",
			       run->account->maildir.root);
	}
	return !run->session->pair_all
		     ? 0
		     : err_set(err, ERR_PARTIAL, SCOPE_ACCOUNT,
			       "the state database and the Maildir are not of one time, so "
			       "there is nothing to prove before the next sync has paired them");
}

static int gather_here(struct run *run, struct err *err)
{
	int code = observe_mailboxes_here(run, err);
	if (code == 0) {
		run_report_unknown(run);
	}
	return code;
}

/* Without the network. */
static const struct step steps_here[] = {
	{"open", run_open_local, STEP_LOOKS},       {"whose", check_whose, STEP_LOOKS},
	{"keywords", observe_keywords, STEP_LOOKS}, {"suspects", suspects_load, STEP_LOOKS},
	{"policy", decide_policy, STEP_LOOKS},      {"which mailboxes", gather_here, STEP_LOOKS},
	{"local delta", observe_local, STEP_LOOKS}, {"brake", brake_plan, STEP_LOOKS},
};

/* With it; the rest is a sync's own. */
static const struct step steps_opening[] = {
	{"open", run_open_local, STEP_LOOKS},
	{"whose", check_whose, STEP_LOOKS},
};

#define STEPS_OF_IMAP 2 /* the last of these */

#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))

static int look_ahead(struct verify *verify, struct err *err)
{
	struct run *run = verify->run;
	bool is_here = run->account->is_pop3 ||
		       (verify->options->level == VERIFY_FILES && !verify->options->repairs);
	if (!is_here) {
		int code = run_take_steps(run, steps_opening, COUNT(steps_opening), err);
		code = code < 0 ? code : account_look(run, err);
		run_report_drop_held(run);
		return code;
	}
	size_t count =
		run->account->is_pop3 ? COUNT(steps_here) - STEPS_OF_IMAP : COUNT(steps_here);
	int code = run_take_steps(run, steps_here, count, err);
	run_report_drop_held(run);
	return code;
}

/* A file system that keeps no times, as the sync has noted. */
static int note_times(struct verify *verify, struct err *err)
{
	char times[8];
	int code = state_get(verify->proofs, "times", times, sizeof(times), err);
	verify->lacks_times = code == 0 && times[0] != '\0';
	return code;
}

/* From here on the run is a real one. */
static int repair(struct verify *verify, struct sync_options *options, struct err *err)
{
	struct session *session = verify->run->session;
	if (verify->wishes.count == 0) {
		return 0;
	}
	state_close(&session->state);
	session->state = verify->proofs;
	session->is_scratch = false;
	options->dry_run = false;
	int code = decide_policy(verify->run, err);
	code = code < 0 ? code : verify_repair(verify, err);
	session->state = NULL;
	return code;
}

static int verify_account(struct verify *verify, struct sync_options *options, struct err *err)
{
	struct run *run = verify->run;
	struct state_proofs proofs = {0};
	int code;
	if ((code = lock(run, err)) < 0 ||
	    (code = open_proofs(verify, run->account, run->options, err)) < 0 ||
	    (code = look_ahead(verify, err)) < 0 || (code = note_times(verify, err)) < 0 ||
	    (code = verify_mailboxes(verify, err)) < 0 ||
	    (code = repair(verify, options, err)) < 0 ||
	    (code = state_proofs_count(verify->proofs, &proofs, err)) < 0) {
		return code;
	}
	verify->report->oldest_proof = proofs.unproven > 0 ? 0 : proofs.oldest;
	return 0;
}

int sync_verify(const struct account *account, const struct sync_options *options,
		const struct verify_options *verify_options, struct verify_report *report,
		struct err *err)
{
	struct account own_account = account->is_pop3 ? pop3_account_of(account) : *account;
	struct sync_options own = *options;
	struct session session;
	struct run run;
	struct plan plan = {0};
	struct verify verify = {
		.run = &run,
		.options = verify_options,
		.report = report,
		.now = clock_real_s(),
	};
	own.dry_run = true;
	session_init(&session, &own_account, &own);
	run_init(&run, &session, &report->run);
	run.plan = &plan;
	err_clear(err);
	int code = verify_account(&verify, &own, err);
	pop3_look_end(&run, code == 0);
	account_take_leave(&run, code == 0);
	code = run_outcome(&run, code, err);
	if (report->run.status == 0 && report->problems > report->repaired) {
		report->run.status = err_exit_status(ERR_PARTIAL);
	}
	maildir_prover_destroy(&verify.prover);
	whereabouts_finish(&verify.files);
	free(verify.moved.items);
	free(verify.moved_to.items);
	free(verify.wishes.items);
	plan_finish(&plan);
	run_finish(&run);
	session_finish(&session);
	state_close(&verify.proofs);
	return code;
}
