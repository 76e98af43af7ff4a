#include "act.h"

#include <string.h>

#include "mailsync/base/clock.h"

#include "run/backoff.h"
#include "observe/mailboxes.h"
#include "fetch/bulk.h"
#include "plan/job.h"
#include "observe/observe.h"
#include "recover/pairing.h"
#include "act_private.h"
#include "settle_mailboxes.h"
#include "fetch/fetch_mailbox.h"

/* Passes over the account at most: the second takes up what our own acts brought (the trash's new
 * messages), the third what arrived meanwhile; then the next run is near enough. */
#define PASSES_MAX 3

/* Carries the whole plan out. */
static int job_execute(struct job *job, struct err *err)
{
	static int (*const steps[])(struct job *, struct err *) = {
		job_local, job_download, job_upload, job_store_flags, job_delete_remote,
	};
	struct mailbox *mailbox = job->mailbox;
	int code = job_prepare(job, err);
	for (size_t i = 0; code == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
		code = run_check_stop(job->run, err);
		if (code == 0) {
			code = steps[i](job, err);
		}
	}
	if (code < 0 && !run_is_fatal(err)) {
		run_report_error(job->run, mailbox, 0, err);
		job->failures++;
		code = 0;
	}
	if (code == 0) {
		code = job_conclude(job, err);
	}
	return code;
}

static int try_job(struct run *run, struct remote *remote, struct mailbox *mailbox,
		   const struct move_list *moves, struct err *err)
{
	struct job job;
	mailbox->done.has_new_rows = false;
	int code = job_init(&job, run, remote, mailbox);
	job.failures = mailbox->done.failures;
	if (code == 0) {
		code = job_plan(&job, moves, err);
	}
	if (code == 0) {
		code = job_execute(&job, err);
	}
	mailbox->done.failures = job.failures;
	job_finish(&job);
	return code;
}

/* A mailbox's job, and where the server was too busy for it once more, after the time that it asks
 * for. */
static int run_job(struct run *run, struct remote *remote, struct mailbox *mailbox,
		   const struct move_list *moves, struct err *err)
{
	size_t errors = run->report->error_count;
	size_t failures = mailbox->done.failures;
	bool again = false;
	backoff_note(run, remote);
	int code = try_job(run, remote, mailbox, moves, err);
	if (code == 0) {
		code = backoff_wait(run, remote, &again, err);
	}
	if (code == 0 && again) {
		run_report_forget(run, mailbox, errors);
		mailbox->done.failures = failures;
		code = try_job(run, remote, mailbox, moves, err);
		backoff_note(run, remote);
	}
	return code;
}

/* A mailbox that our commands changed is looked at again, so that the next run need not; uploads
 * without a UID are found. One that turns out to be renumbered is paired, or all of it would be
 * copied both ways. */
static int settle_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox,
			  struct err *err)
{
	int code = 0;
	if (mailbox->done.was_changed_there && mailbox->seen.in_remote &&
	    mailbox->decided.exclusion == EXCLUDED_NOT) {
		mailbox->done.was_changed_there = false;
		code = observe_remote_mailbox(run, remote, mailbox, err);
	}
	bool must_pair = mailbox->decided.pairing != PAIRING_NONE;
	if (code == 0 && (mailbox->seen.has_intents || must_pair) &&
	    mailbox->decided.exclusion == EXCLUDED_NOT) {
		code = pair_mailbox(run, remote, mailbox, err);
	}
	if (code < 0 && !run_is_fatal(err)) {
		run_report_error(run, mailbox, 0, err);
		if (must_pair) {
			mailbox_exclude(mailbox, EXCLUDED_FAILED);
		}
		code = 0;
	}
	return code;
}

static bool is_due(const struct run *run, const struct mailbox *mailbox)
{
	return !planning_is_idle(run, mailbox) && (run->round == 0 || mailbox->done.has_new_rows);
}

/* Nothing to do here. Once, that is written down too: it is in sync. */
static int leave_idle(struct run *run, struct mailbox *mailbox, struct err *err)
{
	mailbox->done.counts.skipped = mailbox->base.skipped;
	if (mailbox->base.synced_at != 0 || mailbox->base.pending > 0 || !mailbox->seen.in_local ||
	    !mailbox->seen.in_remote || mailbox->base.uidvalidity == 0) {
		return 0;
	}
	mailbox->base.synced_at = clock_real_ns() / 1000000000;
	return mailbox_store(run, mailbox, err);
}

static int one_pass(struct run *run, struct move_list *moves, bool *again, struct err *err)
{
	int code = run->round == 0 ? bulk_download(run, moves, err) : 0;
	if (code == 0) {
		/* What the server was too busy for is taken up by the mailboxes' jobs. */
		code = backoff_wait(run, run->session->remote, again, err);
	}
	*again = false;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (is_due(run, mailbox)) {
			code = run_job(run, run->session->remote, mailbox, moves, err);
		} else if (run->round == 0 && mailbox->in_base && mailbox_is_active(mailbox)) {
			code = leave_idle(run, mailbox, err);
		}
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		code = settle_mailbox(run, run->session->remote, mailbox, err);
	}
	if (code == 0) {
		code = move_settle(run, moves, err);
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		*again |= mailbox->done.has_new_rows && !planning_is_idle(run, mailbox);
	}
	return code;
}

int execute_run(struct run *run, struct move_list *moves, struct err *err)
{
	bool again = true;
	int code = mailboxes_remove(run, err);
	if (code == 0) {
		code = move_execute(run, run->session->remote, moves, err);
	}
	for (run->round = 0; code == 0 && again && run->round < PASSES_MAX; run->round++) {
		if (run->round > 0) {
			code = planning_brake(run, moves, err);
		}
		if (code == 0) {
			code = one_pass(run, moves, &again, err);
		}
	}
	return code;
}
