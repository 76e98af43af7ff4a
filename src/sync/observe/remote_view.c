/*
 * The look at mailboxes on the server, along the states of rules/remote_rules.h. Views are
 * pipelined; each becomes changes of rows (remote_delta.c). What one view cannot settle is settled
 * when the pipeline is empty.
 */
#include "guard/guard.h"
#include "observe.h"
#include "observe_private.h"

#define VIEWS_IN_FLIGHT 64

static struct remote_view_request request_of(const struct run *run, struct mailbox *mailbox,
					     enum view_scope scope)
{
	struct view_facts facts = view_facts_of(run, mailbox);
	struct remote_view_request request = view_request(&facts, scope);
	request.wire = mailbox->wire;
	request.keywords = &mailbox->base.keywords;
	request.intern = run->account->keywords != KEYWORDS_NO;
	return request;
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

/* What it says as a whole is judged at the end. */
static int take_part(struct run *run, struct mailbox *mailbox, const struct remote_view *part,
		     struct view_parts *parts, struct err *err)
{
	if (!view_is_usable(&part->numbers) ||
	    view_is_renumbered(&mailbox->base.numbers, &part->numbers)) {
		return 0;
	}
	return remote_delta_apply_part(run, mailbox, part, parts, err);
}

/* VIEW is the last part of it. */
static int await_view(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      struct remote_view *view, struct view_parts *parts, struct err *err)
{
	int code;
	while ((code = remote_view_next(remote, view, err)) == 0 && view->is_part) {
		code = take_part(run, mailbox, view, parts, err);
		remote_view_finish(view);
		if (code < 0 || (code = run_check_stop(run, err)) < 0) {
			return code;
		}
	}
	return code;
}

static int judge_view(struct run *run, struct mailbox *mailbox, const struct remote_view *view,
		      struct view_parts *parts, struct err *err)
{
	struct mailbox_seen *seen = &mailbox->seen;
	const struct numbers *told = &view->numbers;
	if (!view_is_usable(told)) {
		err_set(err, ERR_PROTOCOL, SCOPE_MAILBOX,
			"the server gives no UIDVALIDITY for this mailbox; it cannot be synced");
		give_up(run, mailbox, err);
		return 0;
	}
	seen->was_viewed = true;
	if (!view_is_renumbered(&mailbox->base.numbers, told)) {
		return remote_delta_apply(run, mailbox, view, parts, err);
	}
	mailbox->view.state = VIEW_RENUMBERED;
	seen->numbers.uidvalidity = told->uidvalidity;
	seen->numbers.uidnext = told->uidnext;
	return 0;
}

static int take_view(struct run *run, struct remote *remote, struct mailbox *mailbox,
		     enum view_scope scope, struct err *err)
{
	bool is_write_asked = request_of(run, mailbox, scope).is_writable;
	struct remote_view view = {0};
	struct view_parts parts = {0};
	int code = await_view(run, remote, mailbox, &view, &parts, err);
	if (code < 0) {
		goto finish;
	}
	const struct suspect_item item = mailbox_item(mailbox, SUSPECT_AT_OPEN);
	suspects_went(run, &item);
	mailbox->view.state = VIEW_NONE;
	if (view.status == 0) {
		mailbox->seen.is_read_only |= is_write_asked && !view.is_writable;
		code = judge_view(run, mailbox, &view, &parts, err);
		goto finish;
	}
	give_up(run, mailbox, &view.err);
	if (!mailbox->view.was_put_off && remote_busy_is_due(remote)) {
		mailbox->view.state = VIEW_PUT_OFF;
	}
finish:
	view_parts_finish(&parts);
	remote_view_finish(&view);
	return code;
}

/* The connection ended on one of these. */
static void lose_views(struct run *run, struct mailbox *const *window, size_t count,
		       const struct err *err)
{
	struct suspect_item items[VIEWS_IN_FLIGHT];
	for (size_t i = 0; i < count; i++) {
		items[i] = mailbox_item(window[i], SUSPECT_AT_OPEN);
	}
	suspects_lost(run, items, count, err);
}

/* One mailbox by itself. */
static int view_once(struct run *run, struct remote *remote, struct mailbox *mailbox,
		     enum view_scope scope, struct err *err)
{
	const struct remote_view_request request = request_of(run, mailbox, scope);
	int code = remote_view_queue(remote, &request, err);
	if (code < 0 || (code = take_view(run, remote, mailbox, scope, err)) < 0) {
		lose_views(run, &mailbox, 1, err);
	}
	return code;
}

static int pair_anew(struct run *run, struct remote *remote, struct mailbox *mailbox,
		     struct err *err)
{
	int code = accident_check_server(run, remote, err);
	if (code < 0 || run->seen.is_untold_server) {
		mailbox->view.state = VIEW_NONE;
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
	return view_once(run, remote, mailbox, VIEW_ALL, err);
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
	code = view_once(run, remote, mailbox, VIEW_SINCE_CHANGES, err);
	backoff_note(run, remote);
	return code;
}

/* What UID SEARCH told of and nothing else: the last look of this run. */
static int view_fully(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      struct err *err)
{
	int code = view_once(run, remote, mailbox, VIEW_ALL, err);
	if (code == 0 && mailbox->view.state == VIEW_RENUMBERED) {
		mailbox->view.state = VIEW_NONE;
		return renumbered_now(err);
	}
	return code;
}

/* What could not be read, or was not asked for. */
static int view_again(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      struct err *err)
{
	mailbox->view.asked.was_again = true;
	return view_once(run, remote, mailbox, VIEW_SINCE_CHANGES, err);
}

/* On a server that tells the numbers of none before it is opened, they may be another's (M53). */
static int begin_anew(struct run *run, struct err *err)
{
	run->seen.begins_anew = true;
	run->seen.asks_numbers = true;
	return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
		       "the server's mailboxes have other numbers than before");
}

static int renumbered(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      enum look why, struct err *err)
{
	if (why == LOOK_IN_JOB) {
		return renumbered_now(err);
	}
	return why == LOOK_FIRST && run->seen.lacks_numbers ? begin_anew(run, err)
							    : pair_anew(run, remote, mailbox, err);
}

/* From one open state to another, or to none. */
static int view_step(struct run *run, struct remote *remote, struct mailbox *mailbox, enum look why,
		     struct err *err)
{
	switch (mailbox->view.state) {
	case VIEW_NONE:
		break;
	case VIEW_PUT_OFF:
		return view_later(run, remote, mailbox, err);
	case VIEW_RENUMBERED:
		return renumbered(run, remote, mailbox, why, err);
	case VIEW_MISCOUNTED:
		return remote_uids_apply(run, remote, mailbox, err);
	case VIEW_AGAIN:
		return view_again(run, remote, mailbox, err);
	case VIEW_INCOMPLETE:
		return view_fully(run, remote, mailbox, err);
	}
	return 0;
}

/* What has to be paired first, or settled, needs a mailbox that was seen whole: copied without that
 * it would be there twice. */
static int leave_unpaired(struct run *run, struct mailbox *mailbox, struct err *err)
{
	bool is_due = false;
	int code = mailbox->decided.pairing == PAIRING_NONE
			 ? 0
			 : observe_unjoined(run, mailbox, true, &is_due, err);
	if (is_due || mailbox->open.has_intents) {
		mailbox_exclude(mailbox, EXCLUDED_FAILED);
	}
	return code;
}

static int settle_view(struct run *run, struct remote *remote, struct mailbox *mailbox,
		       enum look why, struct err *err)
{
	const enum view_state *state = &mailbox->view.state;
	int code = 0;
	while (code == 0 && *state != VIEW_NONE && (*state != VIEW_PUT_OFF || why != LOOK_IN_JOB)) {
		code = view_step(run, remote, mailbox, why, err);
	}
	if (code < 0 && !run_is_fatal(err)) {
		give_up(run, mailbox, err);
		code = 0;
	}
	return code < 0 || !mailbox->view.is_short ? code : leave_unpaired(run, mailbox, err);
}

int observe_remote_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox,
			   enum look why, struct err *err)
{
	mailbox->view.asked = (struct view_asked){0};
	mailbox->view.is_short = false;
	int code = view_once(run, remote, mailbox, VIEW_SINCE_CHANGES, err);
	return code < 0 ? code : settle_view(run, remote, mailbox, why, err);
}

/* D42: it is not opened though its flags may have changed. */
static bool leaves_flags(const struct view_facts *facts)
{
	struct view_facts otherwise = *facts;
	otherwise.leaves_flags = false;
	return view_is_needed(&otherwise);
}

/* *ASKED: whether a view of it is on its way. */
static int ask_view(struct run *run, struct mailbox *mailbox, bool *asked, struct err *err)
{
	struct view_facts facts = view_facts_of(run, mailbox);
	*asked = false;
	if (mailbox->seen.place != SUSPECT_GOES) {
		mailbox_exclude(mailbox, EXCLUDED_SUSPECT);
	}
	if (!mailbox_is_active(mailbox) || !(mailbox->seen.in & SIDE_REMOTE)) {
		return 0;
	}
	if (!view_is_needed(&facts)) {
		run->report->flags_left += leaves_flags(&facts);
		return 0;
	}
	const struct remote_view_request request = request_of(run, mailbox, VIEW_SINCE_COUNTS);
	int code = remote_view_queue(run->session->remote, &request, err);
	if (code < 0 && !run_is_fatal(err)) {
		give_up(run, mailbox, err);
		return 0;
	}
	*asked = code == 0;
	return code;
}

/* From mailbox *NEXT on: what goes on its way at once is asked for, taken, and then settled. */
static int view_window(struct run *run, size_t *next, struct err *err)
{
	struct remote *remote = run->session->remote;
	struct mailbox *window[VIEWS_IN_FLIGHT];
	const size_t most = suspects_batch(run, VIEWS_IN_FLIGHT);
	size_t count = 0;
	int code = 0;
	for (; code == 0 && *next < run->mailboxes.count && count < most; (*next)++) {
		bool asked = false;
		window[count] = &run->mailboxes.items[*next];
		code = ask_view(run, window[count], &asked, err);
		count += asked;
	}
	if (code < 0) {
		lose_views(run, window, count + 1, err);
	}
	for (size_t i = 0; code == 0 && i < count; i++) {
		if ((code = run_check_stop(run, err)) == 0 &&
		    (code = take_view(run, remote, window[i], VIEW_SINCE_COUNTS, err)) < 0) {
			lose_views(run, &window[i], count - i, err);
		}
	}
	for (size_t i = 0; code == 0 && i < count; i++) {
		code = settle_view(run, remote, window[i], LOOK_FIRST, err);
	}
	return code;
}

/* X10: one that has nothing to do. A server that ends behind SELECT shows that when asked. */
static int try_control(struct run *run, struct err *err)
{
	struct remote *remote = run->session->remote;
	const struct mailbox *control = NULL;
	struct uidset ignored;
	struct told exists;
	for (size_t i = 0; control == NULL && i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		bool is_there = mailbox_is_active(mailbox) && mailbox->in_base &&
				(mailbox->seen.in & SIDE_REMOTE) && !mailbox->seen.was_viewed;
		control = is_there ? mailbox : NULL;
	}
	if (control == NULL) {
		return 0;
	}
	uidset_init(&ignored);
	int code = remote_open(remote, control->wire, REMOTE_READ,
			       control->base.numbers.uidvalidity, NULL, err);
	code = code < 0 ? code : remote_uids(remote, REMOTE_UIDS_DELETED, &ignored, &exists, err);
	uidset_finish(&ignored);
	suspects_note_control(run, code, err);
	return code < 0 && suspects_is_loss(err) ? code : 0;
}

int observe_remote(struct run *run, struct err *err)
{
	int code = view_needs_note(run, err);
	for (size_t next = 0; code == 0 && next < run->mailboxes.count;) {
		code = view_window(run, &next, err);
	}
	if (code == 0 && suspects_want_control(run)) {
		code = try_control(run, err);
	}
	/* From now on only we change it. */
	run->seen.is_known_server |= code == 0 && !run->seen.is_untold_server;
	return code;
}
