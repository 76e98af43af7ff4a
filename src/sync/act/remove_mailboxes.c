/*
 * Mailboxes that were removed on one side, removed on the other. Only when the surviving side holds
 * nothing but what base knows: a message that the other side never had is not thrown away with its
 * folder.
 */
#include "settle_mailboxes.h"

#include "observe/mailboxes.h"
#include "guard/claim.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/store/imap.h" /* until it is converted */

/* True when every file of the folder is a message that base has on both sides. */
static int local_is_known(struct run *run, const struct mailbox *mailbox,
			  const struct maildir_scan *scan, bool *is_known, struct err *err)
{
	int code = 0;
	*is_known = scan->is_still && scan->others.count == 0;
	for (size_t i = 0; code == 0 && *is_known && i < scan->count; i++) {
		struct row row;
		bool found = false;
		char unique[MAILDIR_NAME_MAX + 1];
		memcpy(unique, scan->entries[i].name, scan->entries[i].unique_len);
		unique[scan->entries[i].unique_len] = '\0';
		row_init(&row);
		code = state_row_by_unique(run->session->state, mailbox->base.id, unique, &row,
					   &found, err);
		*is_known = found && row.is_agreed;
		row_finish(&row);
	}
	return code;
}

/* Those alone: what was delivered since keeps its folder. */
static int remove_files(struct mailbox *mailbox, const struct maildir_scan *scan, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < scan->count; i++) {
		code = maildir_folder_remove(mailbox->dir, scan->entries[i].name,
					     scan->entries[i].in_new, err);
	}
	return code;
}

static bool has_all_counts(const struct imap_mailbox *mailbox)
{
	unsigned needed = IMAP_COUNT_MESSAGES | IMAP_COUNT_UIDNEXT | IMAP_COUNT_UIDVALIDITY;
	return (mailbox->counts.has & needed) == needed;
}

/* STATUS of WIRE and, where it is not NULL, of SECOND; ANSWERS is the caller's to finish. */
static int ask_status(struct remote *remote, const char *wire, const char *second,
		      struct imap_mailboxes *answers, struct err *err)
{
	const bool wanted[] = {true, true};
	*answers = (struct imap_mailboxes){.items = calloc(2, sizeof(*answers->items)), .count = 1};
	if (answers->items == NULL) {
		return err_nomem(err);
	}
	answers->items[0].wire = span_dup(span_of(wire));
	if (second != NULL) {
		answers->count = 2;
		answers->items[1].wire = span_dup(span_of(second));
	}
	for (size_t i = 0; i < answers->count; i++) {
		if (answers->items[i].wire == NULL) {
			return err_nomem(err);
		}
	}
	return imap_status(remote_imap(remote), answers, wanted, err);
}

int mailboxes_ask_counts(struct remote *remote, struct mailbox *mailbox, struct err *err)
{
	struct imap_mailboxes answers;
	int code = ask_status(remote, mailbox->seen.wire, NULL, &answers, err);
	if (code == 0) {
		const struct imap_mailbox *now = answers.items;
		mailbox->seen.has_counts = has_all_counts(now);
		mailbox->seen.messages = now->counts.messages;
		mailbox->seen.uidnext = now->counts.uidnext;
		mailbox->seen.uidvalidity = now->counts.uidvalidity;
	}
	imap_mailboxes_finish(&answers);
	return code;
}

/* Many servers say NO without a code of a mailbox that is not there, and some say so whenever
 * something is amiss: then INBOX would not be told either. */
static int judge_gone(const struct imap_mailbox *asked, const struct imap_mailbox *inbox,
		      struct err *err)
{
	if (asked->counts.has != 0) {
		return err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
			       "the server does not list the mailbox any more, and yet has it; its "
			       "folder is kept");
	}
	if (asked->refusal == IMAP_REFUSED_NONEXISTENT ||
	    (asked->refusal == IMAP_REFUSED_UNCODED && has_all_counts(inbox))) {
		return 0;
	}
	return err_set(
		err, ERR_PARTIAL, SCOPE_MAILBOX,
		"the server does not list the mailbox any more, and does not say either that "
		"it is gone; its folder is kept");
}

/* A listing that lacks it is no proof: servers hide mailboxes, or forget them for a while. */
static int check_gone(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct imap_mailboxes answers = {0};
	struct buf wire;
	buf_init(&wire, MBNAME_MAX);
	int code = mbname_to_wire(&run->session->wire, mailbox->name, &wire, err);
	if (code == 0) {
		code = ask_status(run->session->remote, wire.data, "INBOX", &answers, err);
	}
	if (code == 0) {
		code = judge_gone(&answers.items[0], &answers.items[1], err);
	}
	imap_mailboxes_finish(&answers);
	buf_finish(&wire);
	return code;
}

static int remove_local(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct maildir_scan scan;
	bool is_known = false;
	int code = check_gone(run, mailbox, err);
	if (code == 0) {
		code = mailbox_open_dir(run, mailbox, err);
	}
	if (code == 0) {
		code = maildir_folder_scan(mailbox->dir, &mailbox->base.keywords, &scan, err);
	}
	if (code < 0) {
		mailbox_release(mailbox);
		return code;
	}
	code = local_is_known(run, mailbox, &scan, &is_known, err);
	if (code == 0 && !is_known) {
		code = err_set(
			err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the mailbox was removed on the server, but its folder holds mail that "
			"the server never had; it is kept");
	}
	if (code == 0) {
		code = remove_files(mailbox, &scan, err);
		if (code == -ERR_CHANGED) {
			err_prefix(err, "the mailbox was removed on the server, but somebody is at "
					"work in its folder");
		}
	}
	maildir_scan_finish(&scan);
	mailbox_release(mailbox);
	return code == 0 ? maildir_remove_folder(run->session->maildir, mailbox->name, err) : code;
}

/* False when the server's mailbox holds, or may hold, mail that was never here. That its count fits
 * is no proof: a message held back (too old, too large) may stand in for one of base's that is gone
 * there. */
static int remote_is_known(struct run *run, struct mailbox *mailbox, bool *is_known,
			   struct err *err)
{
	const struct state_mailbox *base = &mailbox->base;
	uint64_t agreed = 0;
	uint64_t only_there = 0;
	int code = state_count_agreed(run->session->state, base->id, &agreed, err);
	if (code == 0) {
		code = state_count_remote_only(run->session->state, base->id, &only_there, err);
	}
	if (code == 0) {
		/* LIST need not have told. */
		code = mailboxes_ask_counts(run->session->remote, mailbox, err);
	}
	*is_known = only_there == 0 && mailbox->seen.has_counts &&
		    mailbox->seen.uidnext == base->uidnext &&
		    mailbox->seen.uidvalidity == base->uidvalidity &&
		    mailbox->seen.messages <= agreed;
	return code;
}

static int remove_remote(struct run *run, struct mailbox *mailbox, struct err *err)
{
	bool is_known = false;
	int code = remote_is_known(run, mailbox, &is_known, err);
	if (code == 0 && !is_known) {
		code = err_set(
			err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the mailbox was removed locally, but on the server it holds mail that "
			"was never here; it is kept");
	}
	struct imap_done done;
	imap_done_init(&done);
	if (code == 0) {
		code = imap_admin_queue(remote_imap(run->session->remote), IMAP_DELETE,
					mailbox->seen.wire, 0, err);
	}
	if (code == 0) {
		code = imap_done_next(remote_imap(run->session->remote), &done, err);
	}
	if (code == 0 && done.status < 0) {
		*err = done.err;
		code = done.status;
	}
	imap_done_finish(&done);
	return code;
}

static int remove_one(struct run *run, struct mailbox *mailbox, struct err *err)
{
	int code = run_claim(run, err);
	if (code == 0) {
		code = mailbox->decided.remove == SIDE_LOCAL ? remove_local(run, mailbox, err)
							     : remove_remote(run, mailbox, err);
	}
	if (code == 0) {
		mailbox->done.has_news = true;
		code = state_mailbox_drop(run->session->state, mailbox->base.id, err);
	}
	if (code < 0 && !run_is_fatal(err)) {
		run_report_error(run, mailbox, 0, err);
		code = 0;
	}
	return code;
}

int mailboxes_remove(struct run *run, struct err *err)
{
	int code = 0;
	/* Children before parents. */
	for (size_t i = run->mailboxes.count; code == 0 && i > 0; i--) {
		struct mailbox *mailbox = &run->mailboxes.items[i - 1];
		if (mailbox->decided.remove != 0 && mailbox->decided.braked == SIDE_NONE) {
			code = remove_one(run, mailbox, err);
		}
	}
	return code;
}
