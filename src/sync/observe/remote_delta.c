/*
 * A view becomes changes of rows, as rules/remote_rules.h says, committed with the mailbox's
 * numbers, so that no change can be known and forgotten (I8).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"
#include "observe_private.h"
#include "remote_delta.h"

#include "mailsync/base/array.h"

void numbers_store(struct state_mailbox *base, const struct numbers *told, uint32_t highest)
{
	base->numbers = numbers_to_store(&base->numbers, told, highest);
}

/* MESSAGE is the view's, or NULL; so is ROW base's. */
static int see(struct delta *delta, const struct remote_view_message *message,
	       const struct row *row, struct err *err)
{
	const struct delta_item item = {
		.news = remote_news_of(&delta->facts, message, row),
		.uid = message != NULL ? message->uid : row->uid,
		.flags = message == NULL ? 0 : remote_flags_of(&delta->facts, message, row),
		.message = message,
		.is_as_sent = row != NULL && message != NULL && row_is_settled(row) &&
			      remote_flags_of(&delta->facts, message, row) == row->remote_flags,
	};
	delta->unseen +=
		message == NULL && row->remote == MESSAGE_PRESENT && row->reason == REASON_UNSEEN;
	delta->listed += message != NULL;
	delta->tally.unread += !delta->view->is_full && row == NULL && item.news == REMOTE_SAME;
	if (delta->view->is_part && delta_is_absence(item.news)) {
		return uidset_add(&delta->parts->absent, item.uid, item.uid, err);
	}
	delta->gone += delta_is_absence(item.news);
	if (item.news == REMOTE_SAME) {
		return 0;
	}
	if (ARRAY_RESERVE(&delta->items, delta->count + 1, &delta->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	delta->items[delta->count++] = item;
	return 0;
}

/* By itself: MESSAGE (NULL: the view lacks it) and the row of UID. */
static int see_one(struct delta *delta, uint32_t uid, const struct remote_view_message *message,
		   struct err *err)
{
	struct view_parts *parts = delta->parts;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_uid(delta->run->session->state, delta->mailbox->base.id, uid, &row,
				    &found, err);
	if (code == 0 && (found || message != NULL)) {
		code = see(delta, message, found ? &row : NULL, err);
	}
	if (message != NULL && uid <= parts->last && found) {
		bool is_absent = uidset_contains(&parts->absent, uid);
		delta->listed -= !is_absent; /* it was in a part */
		code = code == 0 && is_absent ? uidset_remove(&parts->absent, uid, uid, err) : code;
	}
	row_finish(&row);
	return code;
}

/* A view that tells of changes only. What it says of a message that is not known shows that it, or
 * one before it, left that out. */
static int see_changes(struct delta *delta, struct err *err)
{
	const struct remote_view *view = delta->view;
	int code = 0;
	for (size_t i = 0; code == 0 && i < view->count; i++) {
		code = see_one(delta, view->messages[i].uid, &view->messages[i], err);
	}
	delta->facts.believes_gone = view_is_whole(&delta->tally);
	return code;
}

/* The messages from MESSAGE on and the rows behind the parts, up to UID LAST, both in the order of
 * UIDs. */
static int see_range(struct delta *delta, const struct remote_view_message *message, uint32_t last,
		     struct err *err)
{
	const struct remote_view_message *end = delta->view->messages + delta->view->count;
	struct state_cursor *cursor = NULL;
	const struct row *row = NULL;
	int code;
	if ((code = state_cursor_open_from(delta->run->session->state, delta->mailbox->base.id,
					   (uint64_t)delta->parts->last + 1, &cursor, err)) == 0) {
		code = state_cursor_next(cursor, &row, err);
	}
	while (code == 0 && (row != NULL || message < end)) {
		bool has_row = row != NULL && (message == end || row->uid <= message->uid);
		bool is_told = message < end && (row == NULL || message->uid <= row->uid);
		if (!is_told && row->uid > last) {
			break;
		}
		code = see(delta, is_told ? message : NULL, has_row ? row : NULL, err);
		message += is_told;
		if (code == 0 && has_row) {
			code = state_cursor_next(cursor, &row, err);
		}
	}
	state_cursor_close(&cursor);
	return code;
}

/* The lowest UID that was told of, where there is any. */
static uint32_t lowest_uid(const struct remote_view *view, const struct view_parts *parts)
{
	uint32_t first = view->count == 0 ? UINT32_MAX : view->messages[0].uid;
	return parts->listed > 0 && parts->first < first ? parts->first : first;
}

/* LISTED: how many messages, each once. */
static void judge_window(struct delta *delta, uint64_t listed)
{
	uint32_t limit = remote_facts(delta->run->session->remote)->message_limit;
	delta->is_window = view_is_window(limit, listed, delta->view->numbers.messages);
	delta->facts.gone_from = delta->is_window ? lowest_uid(delta->view, delta->parts) : 0;
}

/* What is left of a listing of all: what was told late, or once more; what follows the parts; what
 * none of them listed. */
static int see_listing(struct delta *delta, struct err *err)
{
	const struct remote_view_message *message = delta->view->messages;
	const struct remote_view_message *end = message + delta->view->count;
	struct uidset_cursor cursor = {0};
	uint32_t uid = 0;
	int code = 0;
	for (; code == 0 && message < end && message->uid <= delta->parts->last; message++) {
		code = see_one(delta, message->uid, message, err);
	}
	judge_window(delta, delta->listed + (uint64_t)(end - message));
	if (code < 0 || (code = see_range(delta, message, UINT32_MAX, err)) < 0) {
		return code;
	}
	while (code == 0 && uidset_next(&delta->parts->absent, &cursor, &uid)) {
		code = see_one(delta, uid, NULL, err);
	}
	return code;
}

/* What a view of changes says is gone. */
static int see_vanished(struct delta *delta, struct err *err)
{
	const struct uidset *gone = &delta->view->gone;
	bool is_told = delta->facts.believes_gone && !delta->view->is_full;
	int code = 0;
	for (size_t i = 0; code == 0 && is_told && i < gone->count; i++) {
		code = delta_put_gone(delta, gone->ranges[i].first, gone->ranges[i].last, err);
	}
	return code;
}

/* Notes what there is to be written; where the run has yet to claim its generation, what vanished
 * is tried out, too. The transaction is for that, and for one snapshot under the cursor: it is
 * taken back. */
static int compute(struct delta *delta, struct err *err)
{
	struct state *state = delta->run->session->state;
	int code;
	if ((code = state_begin(state, err)) < 0) {
		return code;
	}
	code = delta->view->is_full ? see_listing(delta, err) : see_changes(delta, err);
	if (code == 0 && !delta->run->session->has_generation) {
		code = see_vanished(delta, err);
	}
	state_rollback(state);
	return code;
}

static int apply(struct delta *delta, struct err *err)
{
	delta->changes = 0;
	int code = delta_put(delta, delta->facts.believes_gone, err);
	return code < 0 ? code : see_vanished(delta, err);
}

static int take_facts(struct mailbox *mailbox, const struct remote_view *view, struct err *err)
{
	struct state_mailbox *base = &mailbox->base;
	if (view->has_permanent && view->is_writable) {
		if (!base->has_permanent || base->permanent_flags != view->permanent_flags ||
		    base->permanent_any != view->permanent_any) {
			base->held_policy = 0; /* flags held before may be settable now */
		}
		base->has_permanent = true;
		base->permanent_flags = view->permanent_flags;
		base->permanent_any = view->permanent_any;
	}
	const char *id = view->mailboxid != NULL ? view->mailboxid : mailbox->seen.mailboxid;
	if (id != NULL && (base->mailboxid == NULL || strcmp(base->mailboxid, id) != 0)) {
		free(base->mailboxid);
		base->mailboxid = span_dup(span_of(id));
		return base->mailboxid == NULL ? err_nomem(err) : 0;
	}
	return 0;
}

static uint32_t highest_uid(const struct delta *delta)
{
	const struct remote_view *view = delta->view;
	uint32_t last = view->count == 0 ? 0 : view->messages[view->count - 1].uid;
	return last > delta->parts->last ? last : delta->parts->last;
}

static void take_numbers(struct delta *delta, bool is_fit)
{
	struct mailbox *mailbox = delta->mailbox;
	const struct remote_view *view = delta->view;
	struct numbers told = view->numbers;
	if (is_fit) {
		told.modseq = delta->unseen > 0 ? UNTOLD : told.modseq;
		numbers_store(&mailbox->base, &told, highest_uid(delta));
		return;
	}
	/* Known by now: which numbers they are; not: that nothing is missing. */
	mailbox->base.numbers.uidvalidity = told.uidvalidity;
	mailbox->view.state = view_next_state(&delta->tally, &mailbox->view.asked);
	mailbox->view.numbers = told;
}

int remote_delta_store(struct run *run, struct mailbox *mailbox, uint64_t changes, struct err *err)
{
	if (changes > 0) {
		mailbox->base.held_policy = 0;
		mailbox->open.has_new_rows = true;
	}
	int code = mailbox_store(run, mailbox, err);
	return code < 0 || changes == 0
		     ? code
		     : state_mailbox_count(run->session->state, &mailbox->base, err);
}

/* With what a listing lacks beside what is not shown anyway the one might be the other (D37). */
static bool is_proof(const struct delta *delta, uint64_t present)
{
	return delta->facts.believes_gone && (delta->unseen == 0 || delta->gone == 0) &&
	       rows_fit(present, delta->counted, delta->is_window);
}

/* In one transaction, which is taken back where, with what is said to be gone, the counts do not
 * fit: *IS_FIT false. */
static int attempt(struct delta *delta, bool *is_fit, struct err *err)
{
	struct state *state = delta->run->session->state;
	struct mailbox *mailbox = delta->mailbox;
	const struct remote_view *view = delta->view;
	bool is_new = !mailbox->in_base;
	uint64_t present = 0;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	if ((is_new && (code = mailbox_store(delta->run, mailbox, err)) < 0) ||
	    (code = apply(delta, err)) < 0 ||
	    (code = state_count_remote(state, mailbox->base.id, &present, err)) < 0) {
		goto undo;
	}
	*is_fit = is_proof(delta, present);
	if ((!*is_fit && delta->facts.believes_gone) ||
	    (code = take_facts(mailbox, view, err)) < 0) {
		goto undo;
	}
	take_numbers(delta, *is_fit);
	if ((code = remote_delta_store(delta->run, mailbox, delta->parts->changes + delta->changes,
				       err)) == 0) {
		return state_commit(state, err);
	}
undo:
	state_rollback(state);
	if (is_new) {
		mailbox->in_base = false;
		mailbox->base.id = 0;
	}
	return code;
}

static int commit(struct delta *delta, struct err *err)
{
	struct run *run = delta->run;
	bool was_whole = delta->facts.believes_gone;
	bool is_fit = true;
	int code;
	if ((delta->count + delta->changes > 0 && (code = run_claim(run, err)) < 0) ||
	    (code = attempt(delta, &is_fit, err)) < 0 || is_fit) {
		return code;
	}
	log_line(run->log, LOG_INFO,
		 "%s/%s: what the server tells of changes %s (%" PRIu64 " messages, %" PRIu64
		 " not told of); asking further",
		 run->account->name, delta->mailbox->name,
		 was_whole ? "does not fit its count" : "is not whole",
		 delta->view->numbers.messages.number, delta->tally.unread);
	if (!was_whole) {
		return 0;
	}
	delta->facts.believes_gone = false;
	return attempt(delta, &is_fit, err);
}

/* How many of the UIDs from FROM up to UIDNEXT were told of, and how many are said to be gone. */
static uint64_t count_fresh(const struct remote_view *view, struct told from, struct told uidnext)
{
	uint64_t fresh = 0;
	if (!told_below(from, uidnext)) {
		return 0;
	}
	for (size_t i = view->count; i > 0 && view->messages[i - 1].uid >= from.number; i--) {
		fresh += view->messages[i - 1].uid < uidnext.number;
	}
	for (size_t i = 0; i < view->gone.count; i++) {
		uint64_t first = view->gone.ranges[i].first;
		uint64_t last = view->gone.ranges[i].last;
		first = first < from.number ? from.number : first;
		last = last < uidnext.number ? last : uidnext.number - 1;
		fresh += first <= last ? last - first + 1 : 0;
	}
	return fresh;
}

static struct view_tally tally_of(const struct mailbox *mailbox, const struct remote_view *view)
{
	struct told from = mailbox->base.numbers.uidnext;
	return (struct view_tally){
		.is_full = view->is_full,
		.unread = view->unread,
		.from = from,
		.uidnext = view->numbers.uidnext,
		.fresh = count_fresh(view, from, view->numbers.uidnext),
	};
}

/* What is known of the look at the mailbox by this view. */
static void note_view(struct delta *delta)
{
	struct mailbox_view *look = &delta->mailbox->view;
	const struct remote_view *view = delta->view;
	look->unread = view->unread;
	look->unseen = delta->unseen;
	look->asked.was_listed |= view->is_full;
	delta->mailbox->seen.is_window |= delta->is_window;
	if (view->is_full) {
		look->listed = told(delta->listed);
	}
}

void view_parts_finish(struct view_parts *parts)
{
	uidset_finish(&parts->absent);
	*parts = (struct view_parts){0};
}

static struct delta_facts facts_of(const struct run *run, const struct remote_view *view)
{
	return (struct delta_facts){
		.keeps_keywords = run->account->keywords == KEYWORDS_NO,
		.is_full = view->is_full,
		.uidnext = view->numbers.uidnext,
	};
}

/* It is known by now which numbers the UIDs are of, and must not be without rows. */
static int commit_part(struct delta *delta, struct err *err)
{
	struct state *state = delta->run->session->state;
	struct mailbox *mailbox = delta->mailbox;
	int code;
	if (delta->count == 0) {
		return 0;
	}
	if ((code = run_claim(delta->run, err)) < 0 || (code = state_begin(state, err)) < 0) {
		return code;
	}
	mailbox->base.numbers.uidvalidity = delta->view->numbers.uidvalidity;
	mailbox->base.held_policy = 0;
	mailbox->open.has_new_rows = true;
	code = mailbox_store(delta->run, mailbox, err);
	code = code < 0 ? code : delta_put(delta, true, err);
	/* How many is counted at the end; that there are some a run that dies before has to say. */
	if (code == 0 && mailbox->base.pending == 0) {
		code = state_mailbox_count(state, &mailbox->base, err);
	}
	return state_end(state, code, err);
}

int remote_delta_apply_part(struct run *run, struct mailbox *mailbox,
			    const struct remote_view *part, struct view_parts *parts,
			    struct err *err)
{
	struct state *state = run->session->state;
	struct delta delta = {
		.run = run,
		.mailbox = mailbox,
		.view = part,
		.parts = parts,
		.facts = facts_of(run, part),
	};
	uint32_t last = part->messages[part->count - 1].uid;
	delta.facts.believes_gone = true; /* for now: it is judged once all is told */
	int code = state_begin(state, err);
	if (code == 0) {
		code = see_range(&delta, part->messages, last, err);
		state_rollback(state);
	}
	if (code == 0) {
		code = commit_part(&delta, err);
	}
	parts->first = parts->listed == 0 ? part->messages[0].uid : parts->first;
	parts->last = last;
	parts->listed += delta.listed;
	parts->unseen += delta.unseen;
	parts->changes += delta.changes;
	free(delta.items);
	return code;
}

int remote_delta_apply(struct run *run, struct mailbox *mailbox, const struct remote_view *view,
		       struct view_parts *parts, struct err *err)
{
	struct surplus surplus;
	int code = surplus_load(run, mailbox, &surplus, err);
	if (code < 0) {
		return code;
	}
	struct delta delta = {
		.run = run,
		.mailbox = mailbox,
		.view = view,
		.parts = parts,
		.facts = facts_of(run, view),
		.tally = tally_of(mailbox, view),
		.counted = surplus_less(&surplus, view->numbers.messages),
		.unseen = parts->unseen,
		.listed = parts->listed,
	};
	delta.facts.believes_gone = view_is_whole(&delta.tally);
	if ((code = compute(&delta, err)) == 0) {
		note_view(&delta);
		code = commit(&delta, err);
	}
	free(delta.items);
	return code;
}
