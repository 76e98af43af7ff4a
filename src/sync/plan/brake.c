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

/* What MAILBOX would have deleted, and how many messages it is going to copy. */
static int count_mailbox(struct run *run, struct mailbox *mailbox, uint64_t *copies,
			 struct err *err)
{
	struct brake_count *count = &mailbox->decided.deletes;
	struct job job;
	*count = count_removal(run, mailbox);
	int code = 0;
	if (!mailbox_is_idle(run, mailbox)) { /* as one that is to be removed is, too */
		code = job_plan(&job, run, mailbox, err);
		*count = job.plan.deletes;
		*copies += message_plan_copies(&job.plan);
		job_finish(&job);
	}
	return code < 0 ? code
			: brake_complete_count(run, mailbox->base.id, agreed_since(mailbox), count,
					       err);
}

static int count_all(struct run *run, struct err *err)
{
	uint64_t copies = 0; /* what there is to watch */
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = count_mailbox(run, &run->mailboxes.items[i], &copies, err);
	}
	progress_plan(run->account->server.progress, copies);
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
	code = job_plan(&job, run, mailbox, err);
	if (code == 0 && job_has_news(&job) && (code = run_begin(run, err)) == 0) {
		code = state_end(run->session->state, job_note_holds(&job, err), err);
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

/* Not yet noted is what was decided for another mailbox's sake, too. */
static int hold_job(struct job *job, struct err *err)
{
	struct state *state = job->run->session->state;
	int code = job_replan(job, err);
	if (code < 0 || !job_has_news(job) || (code = run_begin(job->run, err)) < 0) {
		return code;
	}
	return state_end(state, job_note_holds(job, err), err);
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
	if ((code = brake_complete_count(run, mailbox->base.id, agreed_since(mailbox),
					 &decided->deletes, err)) < 0) {
		return code;
	}
	tell_over(run, mailbox, &decided->deletes, judge_mailbox(run, mailbox) & ~before);
	if ((code = judge_account(run, &total, &over, err)) < 0) {
		return code;
	}
	tell_over(run, NULL, &total, over & ~before);
	/* From now on it is what was deleted. */
	decided->deletes = (struct brake_count){0};
	return decided->braked == SIDE_NONE ? 0 : hold_job(job, err);
}

int job_begin(struct job *job, struct run *run, struct remote *remote, struct mailbox *mailbox,
	      struct err *err)
{
	int code = job_plan(job, run, mailbox, err);
	job->remote = remote;
	return code < 0 ? code : brake_job(job, err);
}
