/* Mailboxes that one side lacks, made there. */
#include "boxes_create.h"

#include <stdlib.h>

#include "backoff.h"

int boxes_create_local(struct run *run, struct box *box, struct err *err)
{
	struct plan_entry entry = {.mailbox = box->name,
				   .op = REPORT_CREATE_LOCAL,
				   .why = "the mailbox is new on the server"};
	box->was_created = true;
	if (run->options->dry_run) {
		run_report_plan(run, &entry);
		return 0;
	}
	int code = run_claim(run, err);
	if (code == 0) {
		code = maildir_create_box(run->maildir, box->name, err);
	}
	if (code < 0 && !run_is_fatal(err)) {
		run_report_error(run, box, 0, err);
		box->is_excluded = true;
		return 0;
	}
	box->in_local = code == 0;
	box->has_news = true;
	return code;
}

int boxes_create_remote(struct run *run, struct box *box, size_t index, struct err *err)
{
	struct plan_entry entry = {.mailbox = box->name,
				   .op = REPORT_CREATE_REMOTE,
				   .why = "the mailbox is new in the Maildir"};
	struct buf wire;
	buf_init(&wire, MBNAME_MAX);
	int code = mbname_to_wire(&run->wire, box->name, &wire, err);
	if (code == 0) {
		free(box->wire);
		box->wire = buf_steal(&wire);
		code = box->wire == NULL ? err_nomem(err) : 0;
	}
	buf_finish(&wire);
	if (code == 0 && run->options->dry_run) {
		run_report_plan(run, &entry);
		box->was_created = true;
		return 0;
	}
	if (code == 0 && box->is_unsubscribed) {
		box->in_remote = true; /* there already: subscribed like a new one */
		box->has_counts = false;
		box->was_created = true;
		return 0;
	}
	if (code == 0) {
		code = run_claim(run, err);
	}
	if (code == 0) {
		code = imap_admin_queue(run->imap, IMAP_CREATE, box->wire, index, err);
	}
	if (code < 0 && !run_is_fatal(err)) {
		run_report_error(run, box, 0, err);
		box->is_excluded = true;
		return 0;
	}
	box->was_created = code == 0;
	return code;
}

static int create_answers(struct run *run, struct err *err)
{
	int code = 0;
	while (code == 0 && imap_outstanding(run->imap) > 0) {
		struct imap_done done;
		imap_done_init(&done);
		code = imap_done_next(run->imap, &done, err);
		struct box *box = code == 0 ? &run->boxes.items[done.cookie] : NULL;
		if (box != NULL && done.status < 0 && done.code != IMAP_CODE_ALREADYEXISTS) {
			err_prefix(&done.err, "the mailbox could not be created");
			run_report_error(run, box, 0, &done.err);
			box->is_excluded = true;
			box->was_created = false;
			box->put_off = imap_backoff_is_due(run->imap);
		} else if (box != NULL) {
			box->in_remote = true;
			box->has_news = true;
		}
		imap_done_finish(&done);
	}
	return code;
}

/* New mailboxes are subscribed, as users of other clients expect; a refusal does not matter. */
static int subscribe_created(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->boxes.count; i++) {
		struct box *box = &run->boxes.items[i];
		if (box->was_created && box->in_remote && box->in_local && !box->is_excluded &&
		    !run->options->dry_run && !box->has_counts) {
			code = imap_admin_queue(run->imap, IMAP_SUBSCRIBE, box->wire, i, err);
		}
	}
	while (code == 0 && imap_outstanding(run->imap) > 0) {
		struct imap_done done;
		imap_done_init(&done);
		code = imap_done_next(run->imap, &done, err);
		imap_done_finish(&done);
	}
	return code;
}

/* The server was too busy: once more, after the time it asks for. */
static int create_again(struct run *run, struct err *err)
{
	bool again = false;
	int code = backoff_wait(run, run->imap, &again, err);
	for (size_t i = 0; code == 0 && i < run->boxes.count; i++) {
		struct box *box = &run->boxes.items[i];
		if (box->put_off && again) {
			run_report_forget(run, box, 0);
			box->is_excluded = false;
			box->was_created = true;
			code = imap_admin_queue(run->imap, IMAP_CREATE, box->wire, i, err);
		}
		box->put_off = false;
	}
	if (code == 0) {
		code = create_answers(run, err);
	}
	if (code == 0) {
		backoff_note(run, run->imap);
	}
	return code;
}

int boxes_create_finish(struct run *run, struct err *err)
{
	int code = create_answers(run, err);
	if (code == 0 && imap_backoff_is_due(run->imap)) {
		code = create_again(run, err);
	}
	return code < 0 ? code : subscribe_created(run, err);
}
