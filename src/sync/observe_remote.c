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

#include "backoff.h"
#include "accident.h"
#include "observe.h"
#include "pair.h"
#include "remote_delta.h"
#include "trash.h"

#define VIEWS_IN_FLIGHT 64

static bool numbers_are_equal(const struct box *box)
{
	const struct state_mailbox *base = &box->base;
	if (!box->has_counts || base->uidvalidity == 0 || box->uidvalidity != base->uidvalidity ||
	    box->uidnext != base->uidnext || box->messages != base->messages) {
		return false;
	}
	/* An empty mailbox has no flags that could have changed. */
	return box->messages == 0 || (box->modseq != 0 && box->modseq == base->modseq);
}

static bool needs_view(struct run *run, struct box *box)
{
	if (!box_is_active(box) || !box->in_remote || !box->in_local) {
		return run->options->dry_run && box->in_remote && box_is_active(box);
	}
	return !numbers_are_equal(box) || box->has_intents || box->needs_pairing;
}

static int note_intents(struct run *run, struct err *err)
{
	struct intents intents = {0};
	int code = state_intents_load(run->state, 0, &intents, err);
	for (size_t i = 0; code == 0 && i < intents.count; i++) {
		for (size_t b = 0; b < run->boxes.count; b++) {
			struct box *box = &run->boxes.items[b];
			if (box->in_base && box->base.id == intents.items[i].mailbox &&
			    !trash_is_intent(&intents.items[i])) {
				box->has_intents = true;
			}
		}
	}
	state_intents_finish(&intents);
	return code;
}

static bool may_be_written(const struct run *run, const struct box *box)
{
	return run->may_write_remote && !run->options->dry_run &&
	       (box->local_changed || box->base.pending > 0 || box->base.uidvalidity == 0 ||
		(run->policy.expunge & PLAN_REMOTE));
}

static void request_of(struct run *run, struct box *box, struct imap_view_request *request)
{
	const struct state_mailbox *base = &box->base;
	bool same = !box->has_counts || box->uidvalidity == base->uidvalidity;
	*request = (struct imap_view_request){
		.wire = box->wire,
		.is_writable = may_be_written(run, box),
		.uidvalidity = same ? base->uidvalidity : 0,
		.uidnext = same ? base->uidnext : 0,
		.modseq = same ? base->modseq : 0,
		.skip_new = same && box->has_counts && box->uidnext == base->uidnext,
		.is_empty = box->has_counts && box->messages == 0 && base->messages == 0,
		.keywords = &box->base.keywords,
		.intern = run->account->keywords,
	};
}

int observe_forget(struct run *run, struct box *box, struct err *err)
{
	int code = run_claim(run, err);
	if (code == 0) {
		code = state_mailbox_clear(run->state, box->base.id, err);
	}
	if (code < 0) {
		return code;
	}
	box->base.uidvalidity = 0;
	box->base.uidnext = 0;
	box->base.modseq = 0;
	box->base.messages = 0;
	box->base.has_stamp = false;
	box->base.synced_at = 0; /* until it is paired and synced, by whichever run */
	box->needs_pairing = true;
	box->pair_everything = true;
	return 0;
}

static int reset_box(struct run *run, struct box *box, struct err *err)
{
	log_line(run->log, LOG_WARN,
		 "%s/%s: the server's numbers are not those that base knows (it was renumbered, or "
		 "restored from a backup); pairing the mailbox anew",
		 run->account->name, box->name);
	int code = observe_forget(run, box, err);
	return code < 0 ? code : observe_local_box(run, box, err);
}

static int renumbered_now(struct err *err)
{
	return err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
		       "the server renumbered this mailbox during the run; the next run pairs it");
}

/* Looks at one mailbox by itself, listing everything. */
static int view_fully(struct run *run, struct imap *imap, struct box *box, struct err *err)
{
	struct imap_view view = {0};
	struct imap_view_request request;
	request_of(run, box, &request);
	request.uidvalidity = 0;
	request.is_empty = false;
	int code = imap_view_queue(imap, &request, err);
	if (code == 0) {
		code = imap_view_next(imap, &view, err);
	}
	if (code == 0 && view.status < 0) {
		*err = view.err;
		code = view.status;
	} else if (code == 0 && box->base.uidvalidity != 0 &&
		   view.uidvalidity != box->base.uidvalidity) {
		code = renumbered_now(err);
	} else if (code == 0) {
		code = remote_delta_apply(run, box, &view, err);
	}
	imap_view_finish(&view);
	return code;
}

/* Numbers never go back (RFC 9051 2.3.1.1, RFC 7162 3.1): where they do the server was restored
 * from a backup, and gives UIDs that base knows to other messages. */
static bool is_renumbered(const struct state_mailbox *base, const struct imap_view *view)
{
	return base->uidvalidity != 0 && (base->uidvalidity != view->uidvalidity ||
					  (view->uidnext != 0 && view->uidnext < base->uidnext) ||
					  (view->modseq != 0 && view->modseq < base->modseq));
}

static int take_view(struct run *run, struct box *box, struct imap_view *view, struct err *err)
{
	if (view->status < 0) {
		box->put_off = !box->was_put_off && imap_backoff_is_due(run->imap);
		run_report_error(run, box, 0, &view->err);
		box->is_excluded = true;
		return 0;
	}
	if (view->uidvalidity == 0) {
		err_set(err, ERR_PROTOCOL, SCOPE_MAILBOX,
			"the server gives no UIDVALIDITY for this mailbox; it cannot be synced");
		run_report_error(run, box, 0, err);
		box->is_excluded = true;
		return 0;
	}
	box->viewed = true;
	if (is_renumbered(&box->base, view)) {
		box->needs_view = true; /* again, when the pipeline is empty */
		box->uidvalidity = view->uidvalidity;
		box->uidnext = view->uidnext;
		box->has_uidvalidity = true;
		return 0;
	}
	return remote_delta_apply(run, box, view, err);
}

/* One window of views: all asked for, then all taken. */
static int view_window(struct run *run, size_t first, size_t last, struct err *err)
{
	for (size_t i = first; i < last; i++) {
		struct box *box = &run->boxes.items[i];
		struct imap_view_request request;
		if (!box->needs_view) {
			continue;
		}
		request_of(run, box, &request);
		int code = imap_view_queue(run->imap, &request, err);
		if (code < 0 && run_is_fatal(err)) {
			return code;
		}
		if (code < 0) {
			run_report_error(run, box, 0, err);
			box->needs_view = false;
			box->is_excluded = true;
		}
	}
	for (size_t i = first; i < last; i++) {
		struct box *box = &run->boxes.items[i];
		struct imap_view view = {0};
		if (!box->needs_view) {
			continue;
		}
		box->needs_view = false;
		bool asked_writable = may_be_written(run, box);
		int code = run_check_stop(run, err);
		if (code == 0) {
			code = imap_view_next(run->imap, &view, err);
		}
		if (code == 0) {
			box->is_read_only = view.status == 0 && asked_writable && !view.is_writable;
			code = take_view(run, box, &view, err);
		}
		imap_view_finish(&view);
		if (code < 0) {
			return code;
		}
	}
	return 0;
}

/* The server was too busy: once more, after the time it asks for. */
static int view_later(struct run *run, struct imap *imap, struct box *box, struct err *err)
{
	bool again = false;
	box->put_off = false;
	box->was_put_off = true;
	int code = backoff_wait(run, imap, &again, err);
	if (code == 0 && again) {
		run_report_forget(run, box, 0);
		box->is_excluded = false;
		code = observe_remote_box(run, imap, box, err);
		backoff_note(run, imap);
	}
	return code;
}

/* What a pipelined view could not settle: other numbers, or counts that do not fit. MAY_FORGET
 * false: a job is at work with the rows. */
static int view_again(struct run *run, struct imap *imap, struct box *box, bool may_forget,
		      struct err *err)
{
	int code = 0;
	if (box->put_off && may_forget) {
		return view_later(run, imap, box, err);
	}
	if (box->needs_view && !may_forget) {
		box->needs_view = false;
		code = renumbered_now(err);
	} else if (box->needs_view) {
		box->needs_view = false;
		code = accident_check_server(run, imap, err);
		if (code == 0) {
			code = reset_box(run, box, err);
		}
		if (code == 0) {
			code = view_fully(run, imap, box, err);
		}
	}
	if (code == 0 && box->needs_listing) {
		box->needs_listing = false;
		code = remote_delta_list(run, imap, box, err);
		if (code == 0 && box->lacks_rows) {
			box->lacks_rows = false;
			code = view_fully(run, imap, box, err);
			box->needs_listing = false;
		}
	}
	if (code < 0 && !run_is_fatal(err)) {
		run_report_error(run, box, 0, err);
		box->is_excluded = true;
		code = 0;
	}
	return code;
}

/* What has to be paired, also when a run that died has seen it first and noted its rows. */
static int note_pairing(struct run *run, struct box *box, struct err *err)
{
	const struct state_mailbox *base = &box->base;
	if (base->uidvalidity == 0 || (base->synced_at == 0 && base->pending > 0)) {
		box->needs_pairing = true;
		box->pair_everything = true;
		return 0;
	}
	if (box->needs_pairing || base->pending == 0 || base->held_policy == run->policy_hash) {
		return 0;
	}
	return pair_is_due(run, box, &box->needs_pairing, err);
}

int observe_remote(struct run *run, struct err *err)
{
	int code = note_intents(run, err);
	for (size_t i = 0; code == 0 && i < run->boxes.count; i++) {
		struct box *box = &run->boxes.items[i];
		code = box->in_base ? note_pairing(run, box, err) : 0;
		box->needs_view = code == 0 && needs_view(run, box);
	}
	for (size_t i = 0; code == 0 && i < run->boxes.count;) {
		size_t first = i;
		size_t asked = 0;
		while (i < run->boxes.count && asked < VIEWS_IN_FLIGHT) {
			asked += run->boxes.items[i++].needs_view;
		}
		code = view_window(run, first, i, err);
		for (size_t b = first; code == 0 && b < i; b++) {
			code = view_again(run, run->imap, &run->boxes.items[b], true, err);
		}
	}
	run->is_known_server |= code == 0; /* from now on only we change it */
	return code;
}

static int look(struct run *run, struct imap *imap, struct box *box, bool may_forget,
		struct err *err)
{
	struct imap_view view = {0};
	struct imap_view_request request;
	request_of(run, box, &request);
	request.is_writable = false;
	request.skip_new = false;
	request.is_empty = false;
	int code = imap_view_queue(imap, &request, err);
	if (code == 0) {
		code = imap_view_next(imap, &view, err);
	}
	if (code == 0) {
		code = take_view(run, box, &view, err);
	}
	imap_view_finish(&view);
	return code < 0 ? code : view_again(run, imap, box, may_forget, err);
}

int observe_remote_box(struct run *run, struct imap *imap, struct box *box, struct err *err)
{
	return look(run, imap, box, true, err);
}

int observe_remote_in_job(struct run *run, struct imap *imap, struct box *box, struct err *err)
{
	return look(run, imap, box, false, err);
}
