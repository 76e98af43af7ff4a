/* The rounds of the messages: moves, then mailbox by mailbox, until nothing is left to take up. */
#include "act_private.h"

#include "mailsync/base/clock.h"

#include "fetch/fetch.h"
#include "observe/observe.h"
#include "recover/recover.h"

/* Rounds of a run at most: the second takes up what our own acts brought (the trash's new
 * messages), the third what arrived meanwhile; then the next run is near enough. */
#define ROUNDS_MAX 3

int act_ignore_answers(struct remote *remote, struct err *err)
{
	struct remote_done done = {0};
	int code;
	while ((code = remote_answer_next(remote, &done, err)) > 0) {
	}
	return code;
}

static int execute_slice(struct job *job, struct err *err)
{
	static int (*const steps[])(struct job *, struct err *) = {
		job_claim, job_local, job_download, job_upload, job_store_flags, job_delete_remote,
	};
	int code = 0;
	for (size_t i = 0; code == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
		code = run_check_stop(job->run, err);
		if (code == 0 && !job->is_put_off) {
			code = steps[i](job, err);
		}
	}
	return code;
}

/* Carries a mailbox's share of the plan out. */
static int execute_job(struct job *job, struct err *err)
{
	bool has_more = true;
	int code = run_check_stop(job->run, err);
	if (code == 0) {
		code = job_prepare(job, err);
	}
	while (code == 0 && has_more) {
		if ((code = execute_slice(job, err)) == 0) {
			code = job_go_on(job, &has_more, err);
		}
	}
	job->failures += job->is_put_off;
	code = run_outlives(job->run, job->mailbox, code, &job->failures, err);
	return code < 0 ? code : job_conclude(job, err);
}

static int try_job(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct job job;
	mailbox->open.has_new_rows = false;
	int code = job_begin(&job, run, run->session->remote, mailbox, 0, err);
	job.failures += mailbox->open.failures;
	if (code == 0 && job_changes_nothing(&job)) {
		mailbox->done.counts.skipped = job.all.plan.skipped;
	} else if (code == 0) {
		code = execute_job(&job, err);
	}
	mailbox->open.failures = job.failures;
	job_finish(&job);
	return code;
}

/* A mailbox's job, and where the server was too busy for it once more, after the time that it asks
 * for. */
static int run_job(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct remote *remote = run->session->remote;
	size_t errors = run->report->error_count;
	size_t failures = mailbox->open.failures;
	bool again = false;
	int code;
	backoff_note(run, remote);
	if ((code = try_job(run, mailbox, err)) < 0 ||
	    (code = backoff_wait(run, remote, &again, err)) < 0 || !again) {
		return code;
	}
	run_report_forget(run, mailbox, errors);
	mailbox->open.failures = failures;
	code = try_job(run, mailbox, err);
	backoff_note(run, remote);
	return code;
}

/* A mailbox that our commands changed is looked at again, so that the next run need not. */
static int look_again(struct run *run, struct mailbox *mailbox, struct err *err)
{
	int code = 0;
	if (mailbox->decided.exclusion == EXCLUDED_NOT && mailbox->done.was_changed_there &&
	    (mailbox->seen.in & SIDE_REMOTE)) {
		mailbox->done.was_changed_there = false;
		code = observe_remote_mailbox(run, run->session->remote, mailbox, LOOK_ANEW, err);
	}
	return run_outlives(run, mailbox, code, NULL, err);
}

/* Uploads and copies without a UID are found, or they would come down as new mail. A mailbox that
 * turns out to be renumbered is paired, or all of it would be copied both ways. */
static int settle_mailbox(struct run *run, struct mailbox *mailbox, struct err *err)
{
	bool must_pair = mailbox->decided.pairing != PAIRING_NONE || mailbox->open.has_intents;
	int code = 0;
	if (must_pair && mailbox->decided.exclusion == EXCLUDED_NOT) {
		code = pair_mailbox(run, run->session->remote, mailbox, err);
	}
	if (code == 0 && mailbox->open.has_new_rows) {
		code = pair_held(run, run->session->remote, mailbox, err);
		must_pair |= code < 0;
	}
	if (code < 0 && must_pair) {
		mailbox_exclude(mailbox, EXCLUDED_FAILED);
	}
	return run_outlives(run, mailbox, code, NULL, err);
}

/* Nothing to do here. Once, that is written down too: it is in sync. */
static int leave_idle(struct run *run, struct mailbox *mailbox, struct err *err)
{
	mailbox->done.counts.skipped = mailbox->base.skipped;
	if (mailbox->base.synced_at != 0 || mailbox->base.pending > 0 ||
	    mailbox->seen.in != SIDE_BOTH || !mailbox->base.numbers.uidvalidity.is_told) {
		return 0;
	}
	mailbox->base.synced_at = clock_real_s();
	return mailbox_store(run, mailbox, err);
}

static int run_jobs(struct run *run, struct err *err)
{
	bool is_first = run->round == 0;
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (!mailbox_is_idle(run, mailbox) && (is_first || mailbox->open.has_new_rows)) {
			code = run_job(run, mailbox, err);
		} else if (is_first && mailbox->in_base && mailbox_is_active(mailbox)) {
			code = leave_idle(run, mailbox, err);
		}
	}
	return code;
}

/* All are looked at first: what a move left at its old place shows there. */
static int settle_mailboxes(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = look_again(run, &run->mailboxes.items[i], err);
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = settle_mailbox(run, &run->mailboxes.items[i], err);
	}
	return code < 0 ? code : move_settle(run, err);
}

/* What this round brought is to be taken up by another. */
static bool has_more(const struct run *run)
{
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->open.has_new_rows && !mailbox_is_idle(run, mailbox)) {
			return true;
		}
	}
	return false;
}

static int one_round(struct run *run, struct err *err)
{
	bool ignored = false;
	/* Downloads of many mailboxes at once come before each has its own turn. What the server
	 * was too busy for is taken up by the mailboxes' jobs. */
	int code = run->round == 0 ? bulk_download(run, err) : brake_plan(run, err);
	if (code < 0 || (code = backoff_wait(run, run->session->remote, &ignored, err)) < 0 ||
	    (code = run_jobs(run, err)) < 0) {
		return code;
	}
	return settle_mailboxes(run, err);
}

/* Before the first act: where something is going to be done. */
static int listen(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox_is_active(mailbox) && !mailbox_is_idle(run, mailbox)) {
			code = alone_begin_as_known(run, mailbox, err);
		}
	}
	return code;
}

int act_on_plan(struct run *run, struct err *err)
{
	int code = listen(run, err);
	code = code < 0 ? code : move_execute(run, err);
	bool again = code == 0;
	for (run->round = 0; again && run->round < ROUNDS_MAX; run->round++) {
		code = one_round(run, err);
		again = code == 0 && has_more(run);
	}
	return code;
}
