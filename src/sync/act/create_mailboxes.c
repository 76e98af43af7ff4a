/* Mailboxes that one side lacks, made there. */
#include "create_mailboxes.h"

#include <stdlib.h>

#include "run/backoff.h"
#include "guard/claim.h"

#include "mailsync/store/imap.h" /* until it is converted */

int mailboxes_create_local(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct plan_entry entry = {.mailbox = mailbox->name,
				   .op = REPORT_CREATE_LOCAL,
				   .why = "the mailbox is new on the server"};
	mailbox->done.was_created = true;
	if (run->options->dry_run) {
		run_report_plan(run, &entry);
		return 0;
	}
	int code = run_claim(run, err);
	if (code == 0) {
		code = maildir_create_folder(run->session->maildir, mailbox->name, err);
	}
	if (code < 0 && !run_is_fatal(err)) {
		run_report_error(run, mailbox, 0, err);
		mailbox_exclude(mailbox, EXCLUDED_FAILED);
		return 0;
	}
	mailbox->seen.in_local = code == 0;
	mailbox->done.has_news = true;
	return code;
}

int mailboxes_create_remote(struct run *run, struct mailbox *mailbox, size_t index, struct err *err)
{
	struct plan_entry entry = {.mailbox = mailbox->name,
				   .op = REPORT_CREATE_REMOTE,
				   .why = "the mailbox is new in the Maildir"};
	struct buf wire;
	buf_init(&wire, MBNAME_MAX);
	int code = mbname_to_wire(&run->session->wire, mailbox->name, &wire, err);
	if (code == 0) {
		free(mailbox->seen.wire);
		mailbox->seen.wire = buf_steal(&wire);
		code = mailbox->seen.wire == NULL ? err_nomem(err) : 0;
	}
	buf_finish(&wire);
	if (code == 0 && run->options->dry_run) {
		run_report_plan(run, &entry);
		mailbox->done.was_created = true;
		return 0;
	}
	if (code == 0 && mailbox->seen.is_unsubscribed) {
		mailbox->seen.in_remote = true; /* there already: subscribed like a new one */
		mailbox->seen.has_counts = false;
		mailbox->done.was_created = true;
		return 0;
	}
	if (code == 0) {
		code = run_claim(run, err);
	}
	if (code == 0) {
		code = imap_admin_queue(remote_imap(run->session->remote), IMAP_CREATE,
					mailbox->seen.wire, index, err);
	}
	if (code < 0 && !run_is_fatal(err)) {
		run_report_error(run, mailbox, 0, err);
		mailbox_exclude(mailbox, EXCLUDED_FAILED);
		return 0;
	}
	mailbox->done.was_created = code == 0;
	return code;
}

static int create_answers(struct run *run, struct err *err)
{
	int code = 0;
	while (code == 0 && imap_outstanding(remote_imap(run->session->remote)) > 0) {
		struct imap_done done;
		imap_done_init(&done);
		code = imap_done_next(remote_imap(run->session->remote), &done, err);
		struct mailbox *mailbox = code == 0 ? &run->mailboxes.items[done.cookie] : NULL;
		if (mailbox != NULL && done.status < 0 && done.code != IMAP_CODE_ALREADYEXISTS) {
			err_prefix(&done.err, "the mailbox could not be created");
			run_report_error(run, mailbox, 0, &done.err);
			mailbox_exclude(mailbox, EXCLUDED_FAILED);
			mailbox->done.was_created = false;
			mailbox->view.is_put_off = remote_busy_is_due(run->session->remote);
		} else if (mailbox != NULL) {
			mailbox->seen.in_remote = true;
			mailbox->done.has_news = true;
		}
		imap_done_finish(&done);
	}
	return code;
}

/* New mailboxes are subscribed, as users of other clients expect; a refusal does not matter. */
static int subscribe_created(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->done.was_created && mailbox->seen.in_remote &&
		    mailbox->seen.in_local && mailbox->decided.exclusion == EXCLUDED_NOT &&
		    !run->options->dry_run && !mailbox->seen.has_counts) {
			code = imap_admin_queue(remote_imap(run->session->remote), IMAP_SUBSCRIBE,
						mailbox->seen.wire, i, err);
		}
	}
	while (code == 0 && imap_outstanding(remote_imap(run->session->remote)) > 0) {
		struct imap_done done;
		imap_done_init(&done);
		code = imap_done_next(remote_imap(run->session->remote), &done, err);
		imap_done_finish(&done);
	}
	return code;
}

/* The server was too busy: once more, after the time it asks for. */
static int create_again(struct run *run, struct err *err)
{
	bool again = false;
	int code = backoff_wait(run, run->session->remote, &again, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->view.is_put_off && again) {
			run_report_forget(run, mailbox, 0);
			mailbox->decided.exclusion = EXCLUDED_NOT;
			mailbox->done.was_created = true;
			code = imap_admin_queue(remote_imap(run->session->remote), IMAP_CREATE,
						mailbox->seen.wire, i, err);
		}
		mailbox->view.is_put_off = false;
	}
	if (code == 0) {
		code = create_answers(run, err);
	}
	if (code == 0) {
		backoff_note(run, run->session->remote);
	}
	return code;
}

int mailboxes_create_finish(struct run *run, struct err *err)
{
	int code = create_answers(run, err);
	if (code == 0 && remote_busy_is_due(run->session->remote)) {
		code = create_again(run, err);
	}
	return code < 0 ? code : subscribe_created(run, err);
}
