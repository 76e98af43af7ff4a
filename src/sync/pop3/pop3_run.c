/* A POP3 run: the table of its steps. */
#include "pop3_run.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/clock.h"

#include "guard/guard.h"
#include "pop3_private.h"

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
	run->pop3->is_base_known = code == 0;
	return code;
}

static int make_key(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	return maildir_folder_key(run->account->name, job->mailbox->name, job->local.key, err);
}

static const struct step steps[] = {
	{"lock", run_open_lock, STEP_ACTS},
	{"open", run_open_local, STEP_LOOKS},
	{"base", load_base, STEP_LOOKS},
	{"names of files", make_key, STEP_LOOKS},
	{"accidents", accident_check_inbox, STEP_LOOKS},
	{"sessions", pop3_run_sessions, STEP_LOOKS},
};

static int put_end(struct run *run, int outcome, const struct err *why, struct err *err)
{
	struct mailbox *mailbox = run->pop3->mailbox;
	struct state_mailbox *base = &mailbox->base;
	if (outcome < 0) {
		free(base->trouble);
		base->trouble = span_dup(span_of(why->text));
		return mailbox_store(run, mailbox, err);
	}
	base->synced_at = run->pop3->policy.now;
	int code = mailbox_store(run, mailbox, err);
	return code < 0 ? code : run_release(run, err);
}

/* Notes how the run ended, for `status` also where it failed: in one transaction, as each costs
 * several syncs. */
static int note_end(struct run *run, int outcome, const struct err *why, struct err *err)
{
	struct state *state = run->session->state;
	if (!run->pop3->is_base_known) {
		return 0;
	}
	int code = state_begin(state, err);
	return code < 0 ? code : state_end(state, put_end(run, outcome, why, err), err);
}

/* INBOX is always there. */
static int add_inbox(struct run *run, struct err *err)
{
	struct mailboxes *mailboxes = &run->mailboxes;
	const struct strlist *only = run->options->only;
	int code = ARRAY_RESERVE(&mailboxes->items, 1, &mailboxes->cap, err);
	if (code < 0) {
		return code;
	}
	struct mailbox *inbox = &mailboxes->items[0];
	*inbox = (struct mailbox){.seen = {.in_local = true, .in_remote = true}};
	state_mailbox_init(&inbox->base);
	inbox->name = span_dup(SPAN_LIT("INBOX"));
	if (inbox->name == NULL) {
		return err_nomem(err);
	}
	mailboxes->count = 1;
	bool is_wanted = only == NULL || only->count == 0;
	for (size_t i = 0; !is_wanted && i < only->count; i++) {
		is_wanted = strcmp(only->items[i], inbox->name) == 0;
	}
	if (!is_wanted) {
		mailbox_exclude(inbox, EXCLUDED_BY_NAME);
	}
	return 0;
}

static void job_finish(struct pop3_job *job)
{
	strlist_finish(&job->local.delivered);
	strlist_finish(&job->local.adopted);
	strlist_finish(&job->learnt.failed);
}

int pop3_run(struct run *run, struct err *err)
{
	struct pop3_job job = {
		.run = run,
		.policy = pop3_policy_of(run->account, run->options, clock_real_s()),
	};
	struct err why;
	int code = add_inbox(run, err);
	if (code < 0) {
		return code;
	}
	job.mailbox = &run->mailboxes.items[0];
	run->pop3 = &job;
	run_report_unknown(run);
	if (mailbox_is_active(job.mailbox)) {
		code = run_take_steps(run, steps, sizeof(steps) / sizeof(steps[0]), err);
		int noted = note_end(run, code, err, &why);
		if (noted < 0 && code == 0) {
			*err = why;
			code = noted;
		}
	}
	job_finish(&job);
	run->pop3 = NULL;
	return code;
}
