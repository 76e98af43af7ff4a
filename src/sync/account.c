/* An account's run: the table of its steps, and what is told of it at the end. */
#include "run/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

#include "guard/server_check.h"
#include "run/backoff.h"
#include "observe/mailboxes.h"
#include "act/act.h"
#include "observe/moves.h"
#include "observe/observe.h"
#include "guard/open.h"
#include "guard/claim.h"
#include "guard/ownership.h"
#include "recover/leftovers.h"
#include "recover/pairing.h"
#include "plan/brake.h"
#include "plan/plan.h"
#include "plan/print.h"
#include "pop3/pop3_run.h"
#include "act/create_mailboxes.h"
#include "act/remove_mailboxes.h"
#include "act/rename_mailboxes.h"
#include "recover/cut_renames.h"
#include "recover/trash.h"

/* Keywords that changed while nobody looked are not told again: everything is looked at. */
static int note_keywords(struct run *run, struct err *err)
{
	const char *now = run->account->keywords ? "yes" : "no";
	struct buf value;
	bool found = false;
	buf_init(&value, 16);
	int code = state_get(run->session->state, "keywords", &value, &found, err);
	bool was_no = found && strcmp(value.data, "no") == 0;
	bool is_same = found ? strcmp(value.data, now) == 0 : run->account->keywords;
	buf_finish(&value);
	if (code < 0 || is_same) {
		return code;
	}
	code = state_begin(run->session->state, err);
	if (code < 0) {
		return code;
	}
	if (was_no) {
		code = state_look_again(run->session->state, err);
	}
	if (code == 0) {
		code = state_set(run->session->state, "keywords", now, err);
	}
	if (code < 0) {
		state_rollback(run->session->state);
		return code;
	}
	return state_commit(run->session->state, err);
}

static int decide_policy(struct run *run, struct err *err)
{
	int64_t now = clock_real_ns() / 1000000000;
	return policy_make(run->account, run->options, now, &run->policy, err);
}

static int open_remote(struct run *run, struct err *err)
{
	int code = run_connect(run, 1, &run->session->remote, err);
	run->report->connections = code == 0;
	return code;
}

static void add_counts(struct sync_counts *total, const struct sync_counts *counts)
{
	total->downloaded += counts->downloaded;
	total->uploaded += counts->uploaded;
	total->moved += counts->moved;
	total->flags_local += counts->flags_local;
	total->flags_remote += counts->flags_remote;
	total->deleted_local += counts->deleted_local;
	total->deleted_remote += counts->deleted_remote;
	total->skipped += counts->skipped;
	total->errors += counts->errors;
}

static int report_mailboxes(struct run *run, struct err *err)
{
	struct report *report = run->report;
	report->mailboxes = calloc(run->mailboxes.count + 1, sizeof(*report->mailboxes));
	if (report->mailboxes == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		const struct sync_counts *c = &mailbox->done.counts;
		report->mailboxes_selected += mailbox->decided.exclusion != EXCLUDED_BY_NAME &&
					      (mailbox->seen.in_local || mailbox->seen.in_remote);
		bool is_changed = mailbox->done.has_news ||
				  c->downloaded + c->uploaded + c->moved + c->flags_local +
						  c->flags_remote + c->deleted_local +
						  c->deleted_remote >
					  0;
		report->mailboxes_changed += is_changed;
		add_counts(&report->total, c);
		if (!is_changed && c->skipped == 0 && c->errors == 0) {
			continue;
		}
		struct report_mailbox *entry = &report->mailboxes[report->mailbox_count];
		entry->name = span_dup(span_of(mailbox->name));
		if (entry->name == NULL) {
			return err_nomem(err);
		}
		entry->counts = *c;
		entry->is_changed = is_changed;
		report->mailbox_count++;
	}
	return 0;
}

static void report_totals(struct run *run)
{
	if (run->session->remote == NULL) {
		return;
	}
	struct remote_totals totals;
	remote_totals(run->session->remote, &totals);
	run->report->commands += totals.commands;
	run->report->round_trips += totals.round_trips;
	run->report->bytes_in += totals.bytes_in;
	run->report->bytes_out += totals.bytes_out;
}

static int run_status(const struct run *run, int code, const struct err *err)
{
	if (code < 0) {
		return err_exit_status(err->code);
	}
	if (run->done.brake_hit) {
		return err_exit_status(ERR_BRAKE);
	}
	if (run->done.was_put_off) {
		return err_exit_status(ERR_TEMPORARY);
	}
	return run->report->total.errors > 0 || run->report->error_count > 0
		     ? err_exit_status(ERR_PARTIAL)
		     : 0;
}

static int discover(struct run *run, struct err *err)
{
	int code = run_discover(run, err);
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

static int find_moves(struct run *run, struct err *err)
{
	return move_find(run, &run->plan->moves, err);
}

static int release(struct run *run, struct err *err)
{
	struct session *session = run->session;
	backoff_note(run, session->remote);
	return session->has_generation ? ownership_release(session->maildir, session->state, err)
				       : 0;
}

enum step_kind {
	STEP_LOOKS,  /* changes nothing but rows: in a dry run these are a scratch copy */
	STEP_ACTS,   /* left out of a dry run */
	STEP_DRY_RUN /* only in a dry run */
};

/* A run over IMAP. */
static const struct step {
	const char *name;
	int (*take)(struct run *run, struct err *err);
	enum step_kind kind;
} steps[] = {
	{"policy", decide_policy, STEP_LOOKS},
	{"lock", run_open_lock, STEP_ACTS},
	{"open", run_open_local, STEP_LOOKS},
	{"keywords", note_keywords, STEP_LOOKS},
	{"connect", open_remote, STEP_LOOKS},
	{"which mailboxes", discover, STEP_LOOKS},
	{"accidents", accident_check_mailboxes, STEP_LOOKS},
	{"server's address", accident_check_address, STEP_LOOKS},
	{"renames that were cut", rename_settle_cut, STEP_LOOKS},
	{"plan of renames", plan_renames, STEP_LOOKS},
	{"renames", act_rename_mailboxes, STEP_ACTS},
	{"server's identity", check_server, STEP_LOOKS},
	{"plan of mailboxes", plan_mailboxes, STEP_LOOKS},
	{"new mailboxes", act_create_mailboxes, STEP_ACTS},
	{"leftovers", recover_leftovers, STEP_ACTS},
	{"local delta", observe_local, STEP_LOOKS},
	{"remote delta", observe_remote, STEP_LOOKS},
	{"pairing", pair_mailboxes, STEP_LOOKS},
	{"intents of the trash", trash_settle, STEP_LOOKS},
	{"moves", find_moves, STEP_LOOKS},
	{"brake", brake_plan, STEP_LOOKS},
	{"print mailboxes", plan_print_mailboxes, STEP_DRY_RUN},
	{"print", plan_print, STEP_DRY_RUN},
	{"removed mailboxes", act_remove_mailboxes, STEP_ACTS},
	{"act", act_on_plan, STEP_ACTS},
	{"release", release, STEP_LOOKS},
};

static int run_account(struct run *run, struct err *err)
{
	enum step_kind left_out = run->options->dry_run ? STEP_ACTS : STEP_DRY_RUN;
	struct err ignored;
	int code = 0;
	for (size_t i = 0; code == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].kind != left_out) {
			log_line(run->log, LOG_WIRE, "%s: %s", run->account->name, steps[i].name);
			code = steps[i].take(run, err);
		}
	}
	if (run->session->remote != NULL && (code == 0 || err->code == ERR_BRAKE)) {
		remote_logout(run->session->remote, &ignored);
	}
	return code;
}

/*
 * The database is damaged behind its first page. Closing moves it aside; what has been done so far
 * is what a run that was killed there would have left.
 */
static int run_again(struct run *run, struct err *err)
{
	struct session *session = run->session;
	struct report *report = run->report;
	log_line(run->log, LOG_WARN, "%s: %s", run->account->name, err->text);
	report_totals(run);
	struct plan *plan = run->plan;
	run_finish(run);
	plan_finish(plan);
	session_finish(session);
	session_init(session, session->account, session->options);
	session->is_second_try = true;
	err_clear(err);
	int code = run_init(run, session, report, err);
	run->plan = plan;
	return code < 0 ? code : run_account(run, err);
}

int sync_account(const struct account *account, const struct sync_options *options,
		 struct report *report, struct err *err)
{
	if (account->is_pop3) {
		int code = pop3_run(account, options, report, err);
		report_unknown_pop3(report, options);
		return code;
	}
	struct session session;
	struct run run;
	struct plan plan;
	int64_t started = clock_monotonic_us();
	err_clear(err);
	session_init(&session, account, options);
	int code = run_init(&run, &session, report, err);
	if (code < 0) {
		return code;
	}
	plan_init(&plan);
	run.plan = &plan;
	code = run_account(&run, err);
	if (code < 0 && session.state != NULL && state_is_damaged(session.state)) {
		code = run_again(&run, err);
	}
	if (code < 0) {
		run_report_error(&run, NULL, 0, err);
	}
	run_store_trouble(&run, code, err);
	struct err why;
	if (report_mailboxes(&run, &why) < 0 && code == 0) {
		*err = why;
		code = -(int)why.code;
	}
	report_totals(&run);
	report->status = run_status(&run, code, err);
	report->seconds = (double)(clock_monotonic_us() - started) / 1e6;
	plan_finish(&plan);
	run_finish(&run);
	session_finish(&session);
	return code;
}
