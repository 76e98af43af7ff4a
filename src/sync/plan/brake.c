/*
 * The brake on a run (rules/brake.h): before anything is done all is planned once and counted, and
 * what is over the limit is marked in its rows at once. A job that is about to be carried out is
 * counted anew, since its rows may be others by then.
 */
#include "plan.h"

#include "mailsync/base/clock.h"
#include "mailsync/base/progress.h"

#include "guard/guard.h"
#include "rules/brake.h"

/* What this run has brought into base since it began. */
static uint64_t agreed_since(const struct mailbox *mailbox)
{
	const struct sync_counts *counts = &mailbox->done.counts;
	return counts->downloaded + counts->uploaded + counts->moved;
}

static struct brake_count count_removal(const struct run *run, const struct mailbox *mailbox)
{
	enum side side = mailbox->decided.remove;
	uint64_t agreed = mailbox->decided.agreed_before;
	bool is_held =
		side != SIDE_NONE && mailbox->base.held == side && !run->policy.releases_held;
	return is_held ? brake_of_held_removal(side, agreed) : brake_of_removal(side, agreed);
}

/* What MAILBOX would have deleted; adds to COPIES what it is going to copy. */
static int count_mailbox(struct run *run, struct mailbox *mailbox, struct plan_sum *copies,
			 struct err *err)
{
	struct brake_count *count = &mailbox->decided.deletes;
	struct job_sum all;
	struct job job;
	*count = count_removal(run, mailbox);
	int code = 0;
	if (!mailbox_is_idle(run, mailbox)) { /* as one that is to be removed is, too */
		if ((code = job_plan(&job, run, mailbox, 0, err)) == 0 &&
		    (code = job_plan_all(&job, &all, err)) == 0) {
			*count = all.plan.deletes;
			copies->copies += all.plan.copies;
			copies->copy_bytes += all.plan.copy_bytes;
			copies->has_unsized |= all.plan.has_unsized;
			mailbox->decided.shape = all.plan.shape;
		}
		job_finish(&job);
	}
	return code < 0 ? code
			: brake_complete_count(run, mailbox->base.id, agreed_since(mailbox), count,
					       err);
}

static int count_all(struct run *run, struct err *err)
{
	struct plan_sum copies = {0}; /* what there is to watch */
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = count_mailbox(run, &run->mailboxes.items[i], &copies, err);
	}
	progress_plan(run->account->server.progress, copies.copies,
		      copies.has_unsized ? 0 : copies.copy_bytes);
	return code;
}

/* B1. A removal that is held already is none of this run's either. */
static enum side judge_mailbox(const struct run *run, struct mailbox *mailbox)
{
	struct mailbox_decided *decided = &mailbox->decided;
	enum side over = brake_sides(&decided->deletes, run->account->max_delete_percent);
	bool is_held = decided->remove != SIDE_NONE && decided->deletes.held_agreed > 0;
	decided->braked |= over | (is_held ? decided->remove : SIDE_NONE);
	return over;
}

/* B2: *TOTAL of all that B1 lets pass, and the sides on which that is held. */
static int judge_account(struct run *run, struct brake_count *total, enum side *over,
			 struct err *err)
{
	uint64_t since = 0;
	*total = (struct brake_count){0};
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		brake_add(total, &mailbox->decided.deletes, mailbox->decided.braked);
		since += agreed_since(mailbox);
	}
	int code = brake_complete_count(run, 0, since, total, err);
	*over = brake_sides(total, run->account->max_delete_percent);
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		run->mailboxes.items[i].decided.braked |= *over;
	}
	return code;
}

/* What is new to the rows that are held. */
static int note_news(struct job *job, struct err *err)
{
	if (!job_has_news(job)) {
		return 0;
	}
	int code = run_begin(job->run, err);
	return state_end(job->run->session->state, code < 0 ? code : job_note_holds(job, err), err);
}

/* What the brake holds of MAILBOX goes into its rows, or, where it is to be removed, into itself.
 * What is held no more of a removal goes from there. */
static int note_mailbox(struct run *run, struct mailbox *mailbox, struct err *err)
{
	enum side held = mailbox->decided.braked & mailbox->decided.remove;
	struct job job;
	int code = 0;
	if (mailbox->in_base && mailbox->decided.exclusion == EXCLUDED_NOT &&
	    mailbox->base.held != held) {
		mailbox->base.held = held;
		mailbox->base.held_since = clock_real_s();
		if ((code = run_begin(run, err)) == 0) {
			code = state_mailbox_put(run->session->state, &mailbox->base, err);
		}
		code = state_end(run->session->state, code, err);
	}
	if (code < 0 || mailbox->decided.braked == SIDE_NONE || mailbox_is_idle(run, mailbox)) {
		return code;
	}
	bool is_there = true;
	code = job_plan(&job, run, mailbox, 0, err);
	while (code == 0 && is_there) {
		if ((code = note_news(&job, err)) == 0) {
			code = job_plan_next(&job, &is_there, err);
		}
	}
	job_finish(&job);
	return code;
}

static int note_all(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = note_mailbox(run, &run->mailboxes.items[i], err);
	}
	return code;
}

/* OVER: the sides on which MAILBOX, or the account (NULL), has just been found over the limit. */
static void tell_over(struct run *run, struct mailbox *mailbox, const struct brake_count *count,
		      enum side over)
{
	for (enum side side = SIDE_LOCAL; side <= SIDE_REMOTE; side++) {
		if ((over & side) != 0) {
			brake_tell_over(run, mailbox, count, side);
		}
	}
}

/* What a later round holds is told by then. */
static void tell_held(struct run *run, struct mailbox *mailbox)
{
	if (run->round == 0) {
		brake_tell_held(run, mailbox, &mailbox->decided.deletes);
	}
}

/* With --bring-back: what stays held all the same. */
static int tell_left(struct run *run, struct err *err)
{
	int code = count_all(run, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		tell_held(run, &run->mailboxes.items[i]);
	}
	return code;
}

static int judge_all(struct run *run, struct err *err)
{
	struct brake_count total;
	enum side over = SIDE_NONE;
	bool brings_back = run->options->bring_back;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		enum side here = judge_mailbox(run, mailbox);
		if (!brings_back) {
			tell_held(run, mailbox);
			tell_over(run, mailbox, &mailbox->decided.deletes, here);
		}
	}
	int code = judge_account(run, &total, &over, err);
	tell_over(run, NULL, &total, brings_back ? SIDE_NONE : over);
	return code;
}

int brake_plan(struct run *run, struct err *err)
{
	int code = count_all(run, err);
	if (code < 0 || run->policy.releases_held) {
		return code;
	}
	if ((code = judge_all(run, err)) < 0 || (code = note_all(run, err)) < 0 ||
	    !run->options->bring_back) {
		return code;
	}
	return (code = bring_back(run, err)) < 0 ? code : tell_left(run, err);
}

/* What JOB deletes from here on. */
static int count_job(struct job *job, struct brake_count *count, struct err *err)
{
	struct job_sum all;
	int code = job_plan_all(job, &all, err);
	*count = all.plan.deletes;
	return code < 0 ? code
			: brake_complete_count(job->run, job->mailbox->base.id,
					       agreed_since(job->mailbox), count, err);
}

static int brake_job(struct job *job, struct err *err)
{
	struct run *run = job->run;
	struct mailbox *mailbox = job->mailbox;
	struct mailbox_decided *decided = &mailbox->decided;
	struct brake_count total;
	enum side before = decided->braked;
	enum side over = SIDE_NONE;
	int code;
	decided->deletes = job->plan.deletes;
	if (run->policy.releases_held || (decided->deletes.local + decided->deletes.remote) == 0) {
		return 0;
	}
	if ((code = count_job(job, &decided->deletes, err)) < 0) {
		return code;
	}
	tell_over(run, mailbox, &decided->deletes, judge_mailbox(run, mailbox) & ~before);
	if ((code = judge_account(run, &total, &over, err)) < 0) {
		return code;
	}
	tell_over(run, NULL, &total, over & ~before);
	/* From now on it is what was deleted. */
	decided->deletes = (struct brake_count){0};
	if (decided->braked == SIDE_NONE) {
		return 0;
	}
	/* Not yet noted is what was decided for another mailbox's sake, too. */
	code = job_replan(job, err);
	return code < 0 ? code : note_news(job, err);
}

/* What is to be done in all. Where there is much, and the count of all mailboxes found something,
 * it is not asked again. */
static int look_ahead(struct job *job, struct err *err)
{
	struct mailbox_decided *decided = &job->mailbox->decided;
	int code = 0;
	if (job->slice.is_last || decided->shape <= PLAN_IDLE) {
		code = job_plan_all(job, &job->all, err);
		decided->shape = job->all.plan.shape;
	}
	return code;
}

int job_begin(struct job *job, struct run *run, struct remote *remote, struct mailbox *mailbox,
	      int64_t after, struct err *err)
{
	int code = job_plan(job, run, mailbox, after, err);
	job->remote = remote;
	if (code < 0 || (code = brake_job(job, err)) < 0 || after != 0) {
		return code;
	}
	return look_ahead(job, err);
}

int job_go_on(struct job *job, bool *is_there, struct err *err)
{
	*is_there = false;
	if (job->slice.is_last) {
		return 0; /* job_conclude does the rest */
	}
	int code = note_news(job, err);
	if (code < 0 || (code = job_plan_next(job, is_there, err)) < 0) {
		return code;
	}
	return brake_job(job, err);
}
