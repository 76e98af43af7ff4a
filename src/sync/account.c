/* The order of a run's steps, and what they share. */
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
#include "recover/pairing.h"
#include "plan/planning.h"
#include "pop3/pop3_run.h"
#include "act/rename_mailboxes.h"
#include "act/settle_mailboxes.h"
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

static int open_remote(struct run *run, struct err *err)
{
	int code = run_connect(run, 1, &run->session->remote, err);
	run->report->connections = code == 0;
	return code;
}

/* Everything between login and logout. */
static int run_steps(struct run *run, struct err *err)
{
	int code = mailboxes_check_accidents(run, err);
	if (code == 0) {
		code = accident_check_address(run, err);
	}
	if (code == 0) {
		code = rename_mailboxes(run, err);
	}
	if (code == 0) {
		code = accident_check_server(run, run->session->remote, err);
	}
	if (code == 0) {
		code = mailboxes_settle(run, err);
	}
	if (code == 0) {
		code = observe_local(run, err);
	}
	if (code == 0) {
		code = observe_remote(run, err);
	}
	if (code == 0) {
		code = pair_mailboxes(run, err);
	}
	if (code == 0) {
		code = trash_settle(run, err);
	}
	struct move_list moves = {0};
	if (code == 0) {
		code = move_find(run, &moves, err);
	}
	if (code == 0) {
		code = planning_brake(run, &moves, err);
	}
	if (code == 0) {
		code = run->options->dry_run ? planning_report(run, &moves, err)
					     : execute_run(run, &moves, err);
	}
	move_list_finish(&moves);
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

static int run_account(struct run *run, struct err *err)
{
	struct err ignored;
	run_policy_init(run);
	int code = run_policy_hash(run, err);
	if (code == 0) {
		code = run_open_lock(run, err);
	}
	if (code == 0) {
		code = run_open_local(run, err);
	}
	if (code == 0) {
		code = note_keywords(run, err);
	}
	if (code == 0) {
		code = open_remote(run, err);
	}
	if (code == 0) {
		code = run_discover(run, err);
	}
	if (code == 0) {
		run_report_unknown(run);
		code = run_steps(run, err);
	}
	if (code == 0) {
		backoff_note(run, run->session->remote);
	}
	if (code == 0 && run->session->has_generation) {
		code = ownership_release(run->session->maildir, run->session->state, err);
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
	run_finish(run);
	session_finish(session);
	session_init(session, session->account, session->options);
	session->is_second_try = true;
	err_clear(err);
	int code = run_init(run, session, report, err);
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
	int64_t started = clock_monotonic_us();
	err_clear(err);
	session_init(&session, account, options);
	int code = run_init(&run, &session, report, err);
	if (code < 0) {
		return code;
	}
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
	run_finish(&run);
	session_finish(&session);
	return code;
}
