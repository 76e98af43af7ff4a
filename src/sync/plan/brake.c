/* The brake on a whole run, and a note of what it held under which limit. */
#include "plan.h"

#include <stdio.h>

#include "mailsync/base/progress.h"

#include "guard/guard.h"
#include "rules/brake.h"

/* The state's value with max_delete as it was when something was last held. */
#define HELD_UNDER       "max_delete"
#define NOTHING_HELD_YET 100

/* MAILBOX NULL: the account. */
static void report_over(struct run *run, const struct mailbox *mailbox,
			const struct brake_count *count, enum side side)
{
	struct err err;
	uint64_t deletes = side == SIDE_LOCAL ? count->local : count->remote;
	err_set(&err, ERR_BRAKE, mailbox == NULL ? SCOPE_ACCOUNT : SCOPE_MAILBOX,
		"%llu of %llu messages would be deleted %s; that is over max_delete (%u%%), so "
		"none of them was. If it is right, run once with --allow-mass-delete",
		(unsigned long long)deletes, (unsigned long long)count->agreed, side_text(side),
		run->account->max_delete_percent);
	run_report_held(run, mailbox, &err);
}

static void report_still_held(struct run *run, const struct mailbox *mailbox, uint64_t count,
			      enum side side)
{
	struct err err;
	/* What a round holds is told by then. */
	if (count == 0 || run->round > 0) {
		return;
	}
	err_set(&err, ERR_BRAKE, SCOPE_MAILBOX,
		"%llu message%s would be deleted %s; an earlier run held what was over max_delete, "
		"and it stays held. If it is right, run once with --allow-mass-delete",
		(unsigned long long)count, count == 1 ? "" : "s", side_text(side));
	run_report_held(run, mailbox, &err);
}

/* The sides on which COUNT, of MAILBOX or of the account (NULL), is held now: told. */
static enum side judge(struct run *run, const struct mailbox *mailbox,
		       const struct brake_count *count)
{
	enum side held = brake_sides(count, run->account->max_delete_percent);
	for (enum side side = SIDE_LOCAL; side <= SIDE_REMOTE; side++) {
		if ((held & side) != 0) {
			report_over(run, mailbox, count, side);
		}
	}
	return held;
}

/* How many messages there were. MAILBOX 0: in all of them. */
static int count_agreed(struct run *run, int64_t mailbox, struct brake_count *count,
			struct err *err)
{
	if (!brake_is_near(count) || count->agreed > 0) {
		return 0;
	}
	int code = state_count_agreed(run->session->state, mailbox, &count->agreed, err);
	count->agreed -= count->held_agreed;
	return code;
}

/* What MAILBOX would have deleted, and how many messages it is going to copy. */
static int count_mailbox(struct run *run, struct mailbox *mailbox, struct brake_count *count,
			 uint64_t *copies, struct err *err)
{
	struct job job;
	*count = brake_of_removal(mailbox->decided.remove, mailbox->decided.agreed_before);
	if (mailbox_is_idle(run, mailbox)) { /* as one that is to be removed is, too */
		return 0;
	}
	int code = job_plan(&job, run, NULL, mailbox, err);
	*count = job.plan.deletes;
	*copies += message_plan_copies(&job.plan);
	job_finish(&job);
	return code < 0 ? code : count_agreed(run, mailbox->base.id, count, err);
}

static int brake_mailboxes(struct run *run, struct brake_count *total, struct err *err)
{
	uint64_t copies = 0; /* what there is to watch */
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		struct brake_count count;
		if ((code = count_mailbox(run, mailbox, &count, &copies, err)) == 0) {
			report_still_held(run, mailbox, count.held_local, SIDE_LOCAL);
			report_still_held(run, mailbox, count.held_remote, SIDE_REMOTE);
			mailbox->decided.braked |= judge(run, mailbox, &count);
			brake_add(total, &count, mailbox->decided.braked);
		}
	}
	progress_plan(run->account->server.progress, copies);
	return code;
}

static int note_mailbox(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct job job;
	if (mailbox->decided.braked == SIDE_NONE || mailbox_is_idle(run, mailbox)) {
		return 0;
	}
	int code = job_plan(&job, run, NULL, mailbox, err);
	if (code == 0) {
		code = job_note_holds(&job, err);
	}
	job_finish(&job);
	return code;
}

static int note_held(struct run *run, struct err *err)
{
	char percent[16];
	struct state *state = run->session->state;
	int code = run_begin(run, err);
	snprintf(percent, sizeof(percent), "%u", run->account->max_delete_percent);
	if (code == 0) {
		code = state_set(state, HELD_UNDER, percent, err);
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = note_mailbox(run, &run->mailboxes.items[i], err);
	}
	return state_end(state, code, err);
}

static int find_held_under(struct run *run, uint32_t *held_under, struct err *err)
{
	char text[16];
	int code = state_get(run->session->state, HELD_UNDER, text, sizeof(text), err);
	if (code < 0 || !span_to_u32(span_of(text), held_under)) {
		*held_under = NOTHING_HELD_YET;
	}
	return code;
}

int brake_plan(struct run *run, struct err *err)
{
	bool allow = run->options->allow_mass_delete;
	unsigned percent = run->account->max_delete_percent;
	uint32_t held_under = NOTHING_HELD_YET;
	struct brake_count total = {0};
	bool has_held = false; /* in this round or an earlier one */
	int code = find_held_under(run, &held_under, err);
	run->policy.releases_held = brake_lets_go(allow, percent, held_under);
	if (code < 0 || brake_is_off(allow, percent)) {
		return code;
	}
	if ((code = brake_mailboxes(run, &total, err)) < 0 ||
	    (code = count_agreed(run, 0, &total, err)) < 0) {
		return code;
	}
	enum side held = judge(run, NULL, &total);
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		run->mailboxes.items[i].decided.braked |= held;
		has_held |= run->mailboxes.items[i].decided.braked != SIDE_NONE;
	}
	return has_held ? note_held(run, err) : 0;
}
