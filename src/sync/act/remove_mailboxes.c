/*
 * What is to be removed is looked at once more, just before: the surviving side must hold nothing
 * but what base knows, or a message that the other side never had would be thrown away with its
 * folder (M20 to M25).
 */
#include "act_private.h"

#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"
#include "observe/observe.h"

/* 0 where it is due, else an error that says why it is kept. */
static int removal_check(enum removal_verdict verdict, enum side side, struct err *err)
{
	static const char *const why_kept[] = {
		[REMOVAL_STILL_THERE] =
			"the server does not list the mailbox any more, and yet has it; its "
			"folder is kept",
		[REMOVAL_UNTOLD] = "the server does not list the mailbox any more, and does not "
				   "say either that it is gone; its folder is kept",
		[REMOVAL_HOLDS_MAIL] = "the mailbox was removed on the server, but its folder "
				       "holds mail that the server never had; it is kept",
	};
	const char *why = why_kept[verdict];
	if (verdict == REMOVAL_HOLDS_MAIL && side == SIDE_REMOTE) {
		why = "the mailbox was removed locally, but on the server it holds mail that was "
		      "never here; it is kept";
	}
	return verdict == REMOVAL_DUE ? 0 : err_set(err, ERR_PARTIAL, SCOPE_MAILBOX, "%s", why);
}

/* A listing that lacks it is no proof: servers hide mailboxes, or forget them for a while. */
static int check_gone(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct remote_counts counts[2] = {0}; /* its own, and INBOX's */
	char *wire = NULL;
	int code = plan_wire_name(run, mailbox->name, &wire, err);
	if (code == 0) {
		const char *const names[] = {wire, "INBOX"};
		code = remote_count_names(run->session->remote, names, 2, counts, err);
	}
	if (code == 0) {
		const struct vanished_facts facts = {.told = counts[0].numbers,
						     .refusal = counts[0].refusal,
						     .inbox_told = counts[1].numbers,
						     .is_list_whole = run->seen.is_list_whole};
		code = removal_check(removal_of_vanished(&facts), SIDE_LOCAL, err);
	}
	remote_counts_finish(&counts[0]);
	remote_counts_finish(&counts[1]);
	free(wire);
	return code;
}

/* Whether ENTRY is a message that base has on both sides. */
static int check_file(struct run *run, const struct mailbox *mailbox,
		      const struct maildir_entry *entry, bool *is_agreed, struct err *err)
{
	struct file_look look = {.verdict = CONTENT_UNKNOWN};
	struct row row;
	bool found = false;
	char unique[MAILDIR_NAME_MAX + 1];
	memcpy(unique, entry->name, entry->unique_len);
	unique[entry->unique_len] = '\0';
	row_init(&row);
	int code = state_row_by_unique(run->session->state, mailbox->base.id, unique, &row, &found,
				       err);
	if (code == 0 && found && row.is_agreed) {
		code = observe_file(mailbox->dir, &row, entry, &look, err);
		*is_agreed = code == 0 && look.verdict == CONTENT_SAME;
	}
	row_finish(&row);
	return code;
}

/* Those that share a unique part with another one, last. */
static const struct maildir_entry *file_at(const struct maildir_scan *scan, size_t index)
{
	return index < scan->count ? &scan->entries[index] : &scan->doubles[index - scan->count];
}

static int check_here(struct run *run, const struct mailbox *mailbox,
		      const struct maildir_scan *scan, struct err *err)
{
	struct folder_facts facts = {.is_still = scan->is_still,
				     .files = scan->count + scan->double_count,
				     .others = scan->others.count};
	int code = 0;
	/* Up to the first file that base does not know. */
	for (size_t i = 0; code == 0 && facts.agreed == i && i < facts.files; i++) {
		bool is_agreed = false;
		code = check_file(run, mailbox, file_at(scan, i), &is_agreed, err);
		facts.agreed += is_agreed;
	}
	return code < 0 ? code : removal_check(removal_here(&facts), SIDE_LOCAL, err);
}

/* Those alone: what was delivered since keeps its folder. */
static int remove_files(struct mailbox *mailbox, const struct maildir_scan *scan, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < scan->count + scan->double_count; i++) {
		const struct maildir_entry *entry = file_at(scan, i);
		code = maildir_folder_remove(mailbox->dir, entry->name, entry->in_new, err);
	}
	if (code == -ERR_CHANGED) {
		err_prefix(err, "the mailbox was removed on the server, but somebody is at work in "
				"its folder");
	}
	return code;
}

static int remove_here(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct maildir_scan scan;
	int code;
	if ((code = check_gone(run, mailbox, err)) < 0 ||
	    (code = mailbox_open_dir(run, mailbox, err)) < 0 ||
	    (code = maildir_folder_scan(mailbox->dir, &mailbox->base.keywords, &scan, err)) < 0) {
		goto release;
	}
	if ((code = check_here(run, mailbox, &scan, err)) == 0) {
		code = remove_files(mailbox, &scan, err);
	}
	maildir_scan_finish(&scan);
release:
	mailbox_release(mailbox);
	return code < 0 ? code : maildir_remove_folder(run->session->maildir, mailbox->name, err);
}

/* That its count fits is no proof: a message held back (too old, too large) may stand in for one of
 * base's that is gone there. */
static int remove_there(struct run *run, struct mailbox *mailbox, struct err *err)
{
	const struct remote_change change = {.kind = REMOTE_DELETE, .wire = mailbox->wire};
	const struct state_mailbox *base = &mailbox->base;
	struct state *state = run->session->state;
	struct held_there_facts facts = {.base = base->numbers};
	int code;
	if ((code = state_count_agreed(state, base->id, &facts.agreed, err)) < 0 ||
	    (code = state_count_remote_only(state, base->id, &facts.only_there, err)) < 0 ||
	    (code = mailboxes_ask_counts(run->session->remote, mailbox, err)) < 0) {
		return code;
	}
	facts.is_told = mailbox->seen.has_counts;
	facts.now = mailbox->seen.numbers;
	code = removal_check(removal_there(&facts), SIDE_REMOTE, err);
	return code < 0 ? code : remote_change_now(run->session->remote, &change, NULL, err);
}

static int forget_removed(struct run *run, const struct mailbox_op *op, struct err *err)
{
	struct state *state = run->session->state;
	struct mailbox *mailbox = op->mailbox;
	int code;
	if ((code = state_begin(state, err)) == 0 &&
	    (code = state_mailbox_drop(state, mailbox->base.id, err)) == 0) {
		code = brake_note_deleted(run, 0, op->decision.side, mailbox->decided.agreed_before,
					  err);
	}
	mailbox->decided.deletes = (struct brake_count){0};
	return state_end(state, code, err);
}

static int remove_one(struct run *run, const struct mailbox_op *op, struct err *err)
{
	struct mailbox *mailbox = op->mailbox;
	int code;
	if ((code = run_claim(run, err)) == 0 &&
	    (code = op->decision.side == SIDE_LOCAL ? remove_here(run, mailbox, err)
						    : remove_there(run, mailbox, err)) == 0) {
		mailbox->done.has_news = true;
		code = forget_removed(run, op, err);
	}
	return run_outlives(run, mailbox, code, NULL, err);
}

int act_remove_mailboxes(struct run *run, struct err *err)
{
	const struct mailbox_ops *ops = &run->plan->mailboxes;
	int code = 0;
	/* Children before parents. */
	for (size_t i = ops->count; code == 0 && i > 0; i--) {
		const struct mailbox_op *op = &ops->items[i - 1];
		if (op->decision.kind == MAILBOX_REMOVE &&
		    op->mailbox->decided.braked == SIDE_NONE) {
			code = remove_one(run, op, err);
		}
	}
	return code;
}
