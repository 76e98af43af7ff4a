/*
 * The remote delta. Views are pipelined; each is turned into changes of rows, checked, and
 * committed together with the mailbox's numbers, so that no change can be known and forgotten.
 *
 * A UID is taken for gone only when (a) VANISHED said so and the count of the rows that remain
 * equals EXISTS, or (b) a complete listing lacks it: one whose size equals EXISTS of the same
 * SELECT. Otherwise nothing is gone and the numbers stay, so the next run looks again.
 */
#include <stdlib.h>
#include <string.h>

#include "run/backoff.h"
#include "guard/server_check.h"
#include "observe.h"
#include "remote_delta.h"
#include "guard/claim.h"

#define VIEWS_IN_FLIGHT 64

static bool numbers_are_equal(const struct mailbox *mailbox)
{
	const struct state_mailbox *base = &mailbox->base;
	if (!mailbox->seen.has_counts || base->uidvalidity == 0 ||
	    mailbox->seen.uidvalidity != base->uidvalidity ||
	    mailbox->seen.uidnext != base->uidnext || mailbox->seen.messages != base->messages) {
		return false;
	}
	/* An empty mailbox has no flags that could have changed. */
	return mailbox->seen.messages == 0 ||
	       (mailbox->seen.modseq != 0 && mailbox->seen.modseq == base->modseq);
}

static bool needs_view(struct run *run, struct mailbox *mailbox)
{
	if (!mailbox_is_active(mailbox) || !mailbox->seen.in_remote || !mailbox->seen.in_local) {
		return run->options->dry_run && mailbox->seen.in_remote &&
		       mailbox_is_active(mailbox);
	}
	return !numbers_are_equal(mailbox) || mailbox->seen.has_intents ||
	       mailbox->decided.pairing != PAIRING_NONE;
}

static int note_intents(struct run *run, struct err *err)
{
	struct intents intents = {0};
	int code = state_intents_load(run->session->state, 0, &intents, err);
	for (size_t i = 0; code == 0 && i < intents.count; i++) {
		for (size_t b = 0; b < run->mailboxes.count; b++) {
			struct mailbox *mailbox = &run->mailboxes.items[b];
			if (mailbox->in_base && mailbox->base.id == intents.items[i].mailbox &&
			    !intent_is_of_trash(&intents.items[i])) {
				mailbox->seen.has_intents = true;
			}
		}
	}
	state_intents_finish(&intents);
	return code;
}

static bool may_be_written(const struct run *run, const struct mailbox *mailbox)
{
	return run->policy.may_write_remote && !run->options->dry_run &&
	       (mailbox->seen.has_local_changes || mailbox->base.pending > 0 ||
		mailbox->base.uidvalidity == 0 || (run->policy.messages.expunge & SIDE_REMOTE));
}

static void request_of(struct run *run, struct mailbox *mailbox,
		       struct remote_view_request *request)
{
	const struct state_mailbox *base = &mailbox->base;
	bool same = !mailbox->seen.has_counts || mailbox->seen.uidvalidity == base->uidvalidity;
	*request = (struct remote_view_request){
		.wire = mailbox->seen.wire,
		.is_writable = may_be_written(run, mailbox),
		.uidvalidity = same ? base->uidvalidity : 0,
		.uidnext = same ? base->uidnext : 0,
		.modseq = same ? base->modseq : 0,
		.skip_new =
			same && mailbox->seen.has_counts && mailbox->seen.uidnext == base->uidnext,
		.is_empty = mailbox->seen.has_counts && mailbox->seen.messages == 0 &&
			    base->messages == 0,
		.keywords = &mailbox->base.keywords,
		.intern = run->account->keywords,
	};
}

static int reset_mailbox(struct run *run, struct mailbox *mailbox, struct err *err)
{
	log_line(run->log, LOG_WARN,
		 "%s/%s: the server's numbers are not those that base knows (it was renumbered, or "
		 "restored from a backup); pairing the mailbox anew",
		 run->account->name, mailbox->name);
	int code = mailbox_forget_base(run, mailbox, err);
	return code < 0 ? code : observe_local_mailbox(run, mailbox, err);
}

static int renumbered_now(struct err *err)
{
	return err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
		       "the server renumbered this mailbox during the run; the next run pairs it");
}

/* Looks at one mailbox by itself, listing everything. */
static int view_fully(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      struct err *err)
{
	struct remote_view view = {0};
	struct remote_view_request request;
	request_of(run, mailbox, &request);
	request.uidvalidity = 0;
	request.is_empty = false;
	int code = remote_view_queue(remote, &request, err);
	if (code == 0) {
		code = remote_view_next(remote, &view, err);
	}
	if (code == 0 && view.status < 0) {
		*err = view.err;
		code = view.status;
	} else if (code == 0 && mailbox->base.uidvalidity != 0 &&
		   view.uidvalidity != mailbox->base.uidvalidity) {
		code = renumbered_now(err);
	} else if (code == 0) {
		code = remote_delta_apply(run, mailbox, &view, err);
	}
	remote_view_finish(&view);
	return code;
}

/* Numbers never go back (RFC 9051 2.3.1.1, RFC 7162 3.1): where they do the server was restored
 * from a backup, and gives UIDs that base knows to other messages. */
static bool is_renumbered(const struct state_mailbox *base, const struct remote_view *view)
{
	return base->uidvalidity != 0 && (base->uidvalidity != view->uidvalidity ||
					  (view->uidnext != 0 && view->uidnext < base->uidnext) ||
					  (view->modseq != 0 && view->modseq < base->modseq));
}

static int take_view(struct run *run, struct mailbox *mailbox, struct remote_view *view,
		     struct err *err)
{
	if (view->status < 0) {
		mailbox->view.is_put_off =
			!mailbox->view.was_put_off && remote_busy_is_due(run->session->remote);
		run_report_error(run, mailbox, 0, &view->err);
		mailbox_exclude(mailbox, EXCLUDED_FAILED);
		return 0;
	}
	if (view->uidvalidity == 0) {
		err_set(err, ERR_PROTOCOL, SCOPE_MAILBOX,
			"the server gives no UIDVALIDITY for this mailbox; it cannot be synced");
		run_report_error(run, mailbox, 0, err);
		mailbox_exclude(mailbox, EXCLUDED_FAILED);
		return 0;
	}
	mailbox->seen.was_viewed = true;
	if (is_renumbered(&mailbox->base, view)) {
		mailbox->view.is_wanted = true; /* again, when the pipeline is empty */
		mailbox->seen.uidvalidity = view->uidvalidity;
		mailbox->seen.uidnext = view->uidnext;
		mailbox->seen.has_uidvalidity = true;
		return 0;
	}
	return remote_delta_apply(run, mailbox, view, err);
}

/* One window of views: all asked for, then all taken. */
static int view_window(struct run *run, size_t first, size_t last, struct err *err)
{
	for (size_t i = first; i < last; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		struct remote_view_request request;
		if (!mailbox->view.is_wanted) {
			continue;
		}
		request_of(run, mailbox, &request);
		int code = remote_view_queue(run->session->remote, &request, err);
		if (code < 0 && run_is_fatal(err)) {
			return code;
		}
		if (code < 0) {
			run_report_error(run, mailbox, 0, err);
			mailbox->view.is_wanted = false;
			mailbox_exclude(mailbox, EXCLUDED_FAILED);
		}
	}
	for (size_t i = first; i < last; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		struct remote_view view = {0};
		if (!mailbox->view.is_wanted) {
			continue;
		}
		mailbox->view.is_wanted = false;
		bool asked_writable = may_be_written(run, mailbox);
		int code = run_check_stop(run, err);
		if (code == 0) {
			code = remote_view_next(run->session->remote, &view, err);
		}
		if (code == 0) {
			mailbox->seen.is_read_only =
				view.status == 0 && asked_writable && !view.is_writable;
			code = take_view(run, mailbox, &view, err);
		}
		remote_view_finish(&view);
		if (code < 0) {
			return code;
		}
	}
	return 0;
}

/* The server was too busy: once more, after the time it asks for. */
static int view_later(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      struct err *err)
{
	bool again = false;
	mailbox->view.is_put_off = false;
	mailbox->view.was_put_off = true;
	int code = backoff_wait(run, remote, &again, err);
	if (code == 0 && again) {
		run_report_forget(run, mailbox, 0);
		mailbox->decided.exclusion = EXCLUDED_NOT;
		code = observe_remote_mailbox(run, remote, mailbox, err);
		backoff_note(run, remote);
	}
	return code;
}

/* What a pipelined view could not settle: other numbers, or counts that do not fit. MAY_FORGET
 * false: a job is at work with the rows. */
static int view_again(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      bool may_forget, struct err *err)
{
	int code = 0;
	if (mailbox->view.is_put_off && may_forget) {
		return view_later(run, remote, mailbox, err);
	}
	if (mailbox->view.is_wanted && !may_forget) {
		mailbox->view.is_wanted = false;
		code = renumbered_now(err);
	} else if (mailbox->view.is_wanted) {
		mailbox->view.is_wanted = false;
		code = accident_check_server(run, remote, err);
		if (code == 0) {
			code = reset_mailbox(run, mailbox, err);
		}
		if (code == 0) {
			code = view_fully(run, remote, mailbox, err);
		}
	}
	if (code == 0 && mailbox->view.needs_listing) {
		mailbox->view.needs_listing = false;
		code = remote_delta_list(run, remote, mailbox, err);
		if (code == 0 && mailbox->view.lacks_rows) {
			mailbox->view.lacks_rows = false;
			code = view_fully(run, remote, mailbox, err);
			mailbox->view.needs_listing = false;
		}
	}
	if (code < 0 && !run_is_fatal(err)) {
		run_report_error(run, mailbox, 0, err);
		mailbox_exclude(mailbox, EXCLUDED_FAILED);
		code = 0;
	}
	return code;
}

/* Whether MAILBOX holds files that we delivered and whose rows a run that died did not join: what
 * the scan noted then is settled only now. */
static int pair_is_due(struct run *run, const struct mailbox *mailbox, bool *is_due,
		       struct err *err)
{
	struct row_list rows;
	row_list_init(&rows);
	int code = state_rows_pending(run->session->state, mailbox->base.id, false, &rows, err);
	*is_due = false;
	for (size_t i = 0; code == 0 && !*is_due && i < rows.count; i++) {
		const struct row *row = &rows.items[i];
		struct maildir_unique ours;
		*is_due = local_is_unjoined(
			row, maildir_unique_parse(span_of(row->unique), &ours) && !ours.is_pop3);
	}
	row_list_finish(&rows);
	return code;
}

/* What has to be paired, also when a run that died has seen it first and noted its rows. */
static int note_pairing(struct run *run, struct mailbox *mailbox, struct err *err)
{
	const struct state_mailbox *base = &mailbox->base;
	if (local_must_pair_all(base->uidvalidity, base->synced_at, base->pending)) {
		mailbox->decided.pairing = PAIRING_ALL;
		return 0;
	}
	if (mailbox->decided.pairing != PAIRING_NONE || base->pending == 0 ||
	    base->held_policy == run->policy.hash) {
		return 0;
	}
	bool is_due = false;
	int code = pair_is_due(run, mailbox, &is_due, err);
	if (is_due) {
		mailbox->decided.pairing = PAIRING_NAMED;
	}
	return code;
}

int observe_remote(struct run *run, struct err *err)
{
	int code = note_intents(run, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		code = mailbox->in_base ? note_pairing(run, mailbox, err) : 0;
		mailbox->view.is_wanted = code == 0 && needs_view(run, mailbox);
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count;) {
		size_t first = i;
		size_t asked = 0;
		while (i < run->mailboxes.count && asked < VIEWS_IN_FLIGHT) {
			asked += run->mailboxes.items[i++].view.is_wanted;
		}
		code = view_window(run, first, i, err);
		for (size_t b = first; code == 0 && b < i; b++) {
			code = view_again(run, run->session->remote, &run->mailboxes.items[b], true,
					  err);
		}
	}
	run->seen.is_known_server |= code == 0; /* from now on only we change it */
	return code;
}

static int look(struct run *run, struct remote *remote, struct mailbox *mailbox, bool may_forget,
		struct err *err)
{
	struct remote_view view = {0};
	struct remote_view_request request;
	request_of(run, mailbox, &request);
	request.is_writable = false;
	request.skip_new = false;
	request.is_empty = false;
	int code = remote_view_queue(remote, &request, err);
	if (code == 0) {
		code = remote_view_next(remote, &view, err);
	}
	if (code == 0) {
		code = take_view(run, mailbox, &view, err);
	}
	remote_view_finish(&view);
	return code < 0 ? code : view_again(run, remote, mailbox, may_forget, err);
}

int observe_remote_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox,
			   struct err *err)
{
	return look(run, remote, mailbox, true, err);
}

int observe_remote_in_job(struct run *run, struct remote *remote, struct mailbox *mailbox,
			  struct err *err)
{
	return look(run, remote, mailbox, false, err);
}
