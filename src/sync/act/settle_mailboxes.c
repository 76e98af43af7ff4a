/*
 * The table of mailboxes of a run. A mailbox is on a side or not; base knows where it was. What
 * that means:
 *
 *   local  remote  base had    then
 *   yes    yes                 sync
 *   no     yes     not local   new on the server: created locally where `create` covers it
 *   no     yes     local       removed locally: removed on the server where `remove_mailboxes`
 *                              covers it, else its rows are dropped and it is new on the server
 *   yes    no                  the same with the sides exchanged
 *   no     no                  its base is dropped
 */
#include "create_mailboxes.h"
#include "settle_mailboxes.h"

#include <string.h>

#include "guard/claim.h"

/* The rows of a mailbox that vanished from one side are forgotten, so that it counts as new on the
 * other. */
static int mailbox_forget(struct run *run, struct mailbox *mailbox, struct err *err)
{
	int code = run_claim(run, err);
	if (code == 0) {
		code = state_mailbox_drop(run->session->state, mailbox->base.id, err);
	}
	if (code == 0) {
		state_mailbox_finish(&mailbox->base);
		state_mailbox_init(&mailbox->base);
		mailbox->in_base = false;
	}
	return code;
}

/* Only --pull or --push keep this run from it. */
static bool may_be_removed_later(const struct run *run, enum side side)
{
	bool is_kept = side == SIDE_LOCAL ? run->options->push : run->options->pull;
	return is_kept && (run->account->remove_mailboxes & run_sides(run) & side) != 0;
}

/* Whether its removal on one side is to be followed; the removal itself waits for the brake. */
static int settle_vanished(struct run *run, struct mailbox *mailbox, enum side gone_side,
			   struct err *err)
{
	enum side other = gone_side == SIDE_LOCAL ? SIDE_REMOTE : SIDE_LOCAL;
	if (gone_side == SIDE_LOCAL && run->session->lost_power) {
		return mailbox_forget(run, mailbox, err); /* its making did not reach the disk */
	}
	if ((run->policy.remove_mailboxes & other) && strcmp(mailbox->name, "INBOX") != 0) {
		mailbox->decided.remove = other;
		return state_count_agreed(run->session->state, mailbox->base.id,
					  &mailbox->decided.agreed_before, err);
	}
	if (may_be_removed_later(run, other) && strcmp(mailbox->name, "INBOX") != 0) {
		mailbox_exclude(mailbox, EXCLUDED_WAITING);
		return 0;
	}
	log_line(run->log, LOG_WARN,
		 "%s/%s: the mailbox was removed %s; its messages are kept %s (see "
		 "`remove_mailboxes`)",
		 run->account->name, mailbox->name,
		 gone_side == SIDE_LOCAL ? "locally" : "on the server",
		 other == SIDE_LOCAL ? "locally" : "on the server");
	return mailbox_forget(run, mailbox, err);
}

static int settle_one(struct run *run, struct mailbox *mailbox, size_t index, struct err *err)
{
	int code = 0;
	if (mailbox->in_base && mailbox->base.had_local && !mailbox->seen.in_local &&
	    mailbox->seen.in_remote) {
		code = settle_vanished(run, mailbox, SIDE_LOCAL, err);
	} else if (mailbox->in_base && mailbox->base.had_remote && !mailbox->seen.in_remote &&
		   mailbox->seen.in_local) {
		code = settle_vanished(run, mailbox, SIDE_REMOTE, err);
	} else if (mailbox->in_base && !mailbox->seen.in_local && !mailbox->seen.in_remote) {
		code = run->options->dry_run ? 0 : mailbox_forget(run, mailbox, err);
		mailbox_exclude(mailbox, EXCLUDED_GONE);
	}
	if (code < 0 || mailbox->decided.remove != 0 ||
	    mailbox->decided.exclusion != EXCLUDED_NOT) {
		return code;
	}
	if (!mailbox->seen.in_local) {
		if ((run->policy.create & SIDE_LOCAL) == 0) {
			mailbox_exclude(mailbox, EXCLUDED_NOT_CREATED);
			return 0;
		}
		return mailboxes_create_local(run, mailbox, err);
	}
	if (!mailbox->seen.in_remote) {
		if ((run->policy.create & SIDE_REMOTE) == 0) {
			mailbox_exclude(mailbox, EXCLUDED_NOT_CREATED);
			return 0;
		}
		return mailboxes_create_remote(run, mailbox, index, err);
	}
	return 0;
}

int mailboxes_settle(struct run *run, struct err *err)
{
	int code = 0;
	int64_t ignored_ms = 0;
	/* A STATUS refused so far costs nothing: that mailbox is opened now. */
	remote_busy_take(run->session->remote, &ignored_ms);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->decided.exclusion == EXCLUDED_NOT) {
			code = settle_one(run, mailbox, i, err);
		}
	}
	return code < 0 ? code : mailboxes_create_finish(run, err);
}
