/*
 * The look at mailboxes on the server, along the states of rules/remote_rules.h. Views are
 * pipelined; each becomes changes of rows (remote_delta.c). What one view cannot settle is settled
 * when the pipeline is empty.
 */
#include "guard/guard.h"
#include "observe.h"
#include "observe_private.h"

#define VIEWS_IN_FLIGHT 64

static void request_of(struct run *run, struct mailbox *mailbox, enum view_scope scope,
		       struct remote_view_request *request)
{
	struct view_facts facts = view_facts_of(run, mailbox);
	*request = view_request(&facts, scope);
	request->wire = mailbox->seen.wire;
	request->keywords = &mailbox->base.keywords;
	request->intern = run->account->keywords;
}

static int queue_view(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      enum view_scope scope, struct err *err)
{
	struct remote_view_request request;
	request_of(run, mailbox, scope, &request);
	return remote_view_queue(remote, &request, err);
}

static void give_up(struct run *run, struct mailbox *mailbox, const struct err *err)
{
	run_report_error(run, mailbox, 0, err);
	mailbox_exclude(mailbox, EXCLUDED_FAILED);
	mailbox->view.state = VIEW_NONE;
}

static int renumbered_now(struct err *err)
{
	return err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
		       "the server renumbered this mailbox during the run; the next run pairs it");
}

static int take_view(struct run *run, struct remote *remote, struct mailbox *mailbox,
		     struct remote_view *view, struct err *err)
{
	struct remote_numbers base = numbers_of_base(&mailbox->base);
	struct remote_numbers told = numbers_of_view(view);
	mailbox->view.state = VIEW_NONE;
	if (view->status < 0) {
		give_up(run, mailbox, &view->err);
		if (!mailbox->view.was_put_off && remote_busy_is_due(remote)) {
			mailbox->view.state = VIEW_PUT_OFF;
		}
		return 0;
	}
	if (!view_is_usable(&told)) {
		err_set(err, ERR_PROTOCOL, SCOPE_MAILBOX,
			"the server gives no UIDVALIDITY for this mailbox; it cannot be synced");
		give_up(run, mailbox, err);
		return 0;
	}
	mailbox->seen.was_viewed = true;
	if (view_is_renumbered(&base, &told)) {
		mailbox->view.state = VIEW_RENUMBERED;
		mailbox->seen.uidvalidity = told.uidvalidity;
		mailbox->seen.uidnext = told.uidnext;
		mailbox->seen.has_uidvalidity = true;
		return 0;
	}
	return remote_delta_apply(run, mailbox, view, err);
}

/* Looks at one mailbox by itself, listing everything. */
static int view_fully(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      struct err *err)
{
	struct remote_view view = {0};
	bool is_last = mailbox->view.state == VIEW_INCOMPLETE;
	int code;
	mailbox->view.state = VIEW_NONE;
	if ((code = queue_view(run, remote, mailbox, VIEW_ALL, err)) < 0 ||
	    (code = remote_view_next(remote, &view, err)) < 0) {
		goto finish;
	}
	if (view.status < 0) {
		*err = view.err;
		code = view.status;
	} else if (mailbox->base.uidvalidity != 0 &&
		   view.uidvalidity != mailbox->base.uidvalidity) {
		code = renumbered_now(err);
	} else {
		code = remote_delta_apply(run, mailbox, &view, err);
	}
	if (is_last) {
		mailbox->view.state = VIEW_NONE;
	}
finish:
	remote_view_finish(&view);
	return code;
}

static int pair_anew(struct run *run, struct remote *remote, struct mailbox *mailbox,
		     struct err *err)
{
	int code = accident_check_server(run, remote, err);
	if (code < 0) {
		return code;
	}
	log_line(run->log, LOG_WARN,
		 "%s/%s: the server's numbers are not those that base knows (it was renumbered, or "
		 "restored from a backup); pairing the mailbox anew",
		 run->account->name, mailbox->name);
	if ((code = mailbox_forget_base(run, mailbox, err)) < 0 ||
	    (code = observe_local_mailbox(run, mailbox, err)) < 0) {
		return code;
	}
	return view_fully(run, remote, mailbox, err);
}

static int view_once(struct run *run, struct remote *remote, struct mailbox *mailbox,
		     struct err *err)
{
	struct remote_view view = {0};
	int code;
	if ((code = queue_view(run, remote, mailbox, VIEW_SINCE_CHANGES, err)) < 0 ||
	    (code = remote_view_next(remote, &view, err)) < 0) {
		goto finish;
	}
	code = take_view(run, remote, mailbox, &view, err);
finish:
	remote_view_finish(&view);
	return code;
}

/* The server was too busy: once more, after the time it asks for. */
static int view_later(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      struct err *err)
{
	bool again = false;
	mailbox->view.state = VIEW_NONE;
	mailbox->view.was_put_off = true;
	int code = backoff_wait(run, remote, &again, err);
	if (code < 0 || !again) {
		return code;
	}
	run_report_forget(run, mailbox, 0);
	mailbox->decided.exclusion = EXCLUDED_NOT;
	code = view_once(run, remote, mailbox, err);
	backoff_note(run, remote);
	return code;
}

static bool is_open(const struct mailbox *mailbox, enum look why)
{
	switch (mailbox->view.state) {
	case VIEW_NONE:
	case VIEW_WANTED:
		return false;
	case VIEW_PUT_OFF:
		return why != LOOK_IN_JOB;
	case VIEW_RENUMBERED:
	case VIEW_MISCOUNTED:
	case VIEW_INCOMPLETE:
		break;
	}
	return true;
}

/* From one open state to another, or to none. */
static int view_step(struct run *run, struct remote *remote, struct mailbox *mailbox, enum look why,
		     struct err *err)
{
	switch (mailbox->view.state) {
	case VIEW_NONE:
	case VIEW_WANTED:
		break;
	case VIEW_PUT_OFF:
		return view_later(run, remote, mailbox, err);
	case VIEW_RENUMBERED:
		return why == LOOK_IN_JOB ? renumbered_now(err)
					  : pair_anew(run, remote, mailbox, err);
	case VIEW_MISCOUNTED:
		return remote_uids_apply(run, remote, mailbox, err);
	case VIEW_INCOMPLETE:
		return view_fully(run, remote, mailbox, err);
	}
	return 0;
}

static int settle_view(struct run *run, struct remote *remote, struct mailbox *mailbox,
		       enum look why, struct err *err)
{
	int code = 0;
	while (code == 0 && is_open(mailbox, why)) {
		code = view_step(run, remote, mailbox, why, err);
	}
	if (code < 0 && !run_is_fatal(err)) {
		give_up(run, mailbox, err);
		code = 0;
	}
	return code;
}

int observe_remote_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox,
			   enum look why, struct err *err)
{
	int code = view_once(run, remote, mailbox, err);
	return code < 0 ? code : settle_view(run, remote, mailbox, why, err);
}

/* Mailboxes of a window, from FIRST to before LAST: all that are wanted are asked for... */
static int ask_window(struct run *run, size_t first, size_t last, struct err *err)
{
	for (size_t i = first; i < last; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->view.state != VIEW_WANTED) {
			continue;
		}
		int code = queue_view(run, run->session->remote, mailbox, VIEW_SINCE_COUNTS, err);
		if (code < 0 && run_is_fatal(err)) {
			return code;
		}
		if (code < 0) {
			give_up(run, mailbox, err);
		}
	}
	return 0;
}

static int take_answer(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct remote *remote = run->session->remote;
	struct remote_view_request request;
	struct remote_view view = {0};
	int code;
	request_of(run, mailbox, VIEW_SINCE_COUNTS, &request);
	if ((code = run_check_stop(run, err)) < 0 ||
	    (code = remote_view_next(remote, &view, err)) < 0) {
		goto finish;
	}
	mailbox->seen.is_read_only = view.status == 0 && request.is_writable && !view.is_writable;
	code = take_view(run, remote, mailbox, &view, err);
finish:
	remote_view_finish(&view);
	return code;
}

/* ... all are taken, and then settled. */
static int view_window(struct run *run, size_t first, size_t last, struct err *err)
{
	int code = ask_window(run, first, last, err);
	for (size_t i = first; code == 0 && i < last; i++) {
		if (run->mailboxes.items[i].view.state == VIEW_WANTED) {
			code = take_answer(run, &run->mailboxes.items[i], err);
		}
	}
	for (size_t i = first; code == 0 && i < last; i++) {
		code = settle_view(run, run->session->remote, &run->mailboxes.items[i], LOOK_ANEW,
				   err);
	}
	return code;
}

/* Where a window that begins at FIRST ends. */
static size_t window_end(const struct run *run, size_t first)
{
	size_t end = first;
	for (size_t asked = 0; end < run->mailboxes.count && asked < VIEWS_IN_FLIGHT; end++) {
		asked += run->mailboxes.items[end].view.state == VIEW_WANTED;
	}
	return end;
}

static bool is_wanted(const struct run *run, const struct mailbox *mailbox)
{
	struct view_facts facts = view_facts_of(run, mailbox);
	return mailbox_is_active(mailbox) && mailbox->seen.in_remote && view_is_needed(&facts);
}

int observe_remote(struct run *run, struct err *err)
{
	int code = view_needs_note(run, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		mailbox->view.state = is_wanted(run, mailbox) ? VIEW_WANTED : VIEW_NONE;
	}
	for (size_t first = 0, end = 0; code == 0 && first < run->mailboxes.count; first = end) {
		end = window_end(run, first);
		code = view_window(run, first, end, err);
	}
	run->seen.is_known_server |= code == 0; /* from now on only we change it */
	return code;
}
