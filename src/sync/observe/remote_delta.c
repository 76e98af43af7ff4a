/*
 * A view becomes changes of rows, as rules/remote_rules.h says, committed with the mailbox's
 * numbers, so that no change can be known and forgotten (I8).
 */
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"
#include "observe_private.h"

#include "mailsync/base/array.h"

struct remote_numbers numbers_of_base(const struct state_mailbox *base)
{
	return (struct remote_numbers){base->uidvalidity, base->uidnext, base->messages,
				       base->modseq};
}

void numbers_into_base(const struct remote_numbers *numbers, struct state_mailbox *base)
{
	base->uidvalidity = numbers->uidvalidity;
	base->uidnext = numbers->uidnext;
	base->messages = numbers->messages;
	base->modseq = numbers->modseq;
}

struct remote_numbers numbers_of_view(const struct remote_view *view)
{
	return (struct remote_numbers){view->uidvalidity, view->uidnext, view->exists,
				       view->modseq};
}

struct delta {
	struct run *run;
	struct mailbox *mailbox;
	const struct remote_view *view;
	struct delta_facts facts;
	bool is_window;
	bool is_claimed; /* rows may be written */
	uint64_t changes;
};

/* What is to be written of one UID. */
struct delta_item {
	enum remote_news news;
	uint32_t uid;
	uint32_t message; /* index in the view */
	uint64_t flags;
};

/* MESSAGE is the view's, or NULL; so is ROW base's. */
static struct delta_item item_of(const struct delta *delta,
				 const struct remote_view_message *message, const struct row *row)
{
	struct delta_item item = {
		.news = remote_news_of(&delta->facts, message, row),
		.uid = message != NULL ? message->uid : row->uid,
	};
	if (message != NULL) {
		item.message = (uint32_t)(message - delta->view->messages);
		item.flags = remote_flags_of(&delta->facts, message, row);
	}
	return item;
}

static int put_new(struct delta *delta, const struct delta_item *item, struct err *err)
{
	const struct remote_view_message *message = &delta->view->messages[item->message];
	const char *emailid = remote_view_emailid(delta->view, message);
	struct row row;
	int code = 0;
	row_init(&row);
	row.mailbox = delta->mailbox->base.id;
	row.uid = item->uid;
	row.remote = MESSAGE_PRESENT;
	row.remote_flags = item->flags;
	row.size_bytes = message->size;
	row.date = message->has_date ? message->date : 0;
	if (emailid != NULL) {
		code = row_set_emailid(&row, emailid, strlen(emailid), err);
	}
	if (code == 0) {
		code = state_row_put(delta->run->session->state, &row, err);
	}
	row_finish(&row);
	return code;
}

static int put_back(struct delta *delta, const struct delta_item *item, struct err *err)
{
	struct state *state = delta->run->session->state;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_uid(state, delta->mailbox->base.id, item->uid, &row, &found, err);
	if (code == 0 && found) {
		row.remote = MESSAGE_PRESENT;
		row.reason = REASON_NONE;
		if (delta->view->messages[item->message].has_flags) {
			row.remote_flags = item->flags;
		}
		code = state_row_put(state, &row, err);
	}
	row_finish(&row);
	return code;
}

static int see_gone(struct delta *delta, uint32_t first, uint32_t last, struct err *err)
{
	uint64_t count = 0;
	int code = state_see_remote_gone(delta->run->session->state, delta->mailbox->base.id, first,
					 last, &count, err);
	delta->changes += count;
	return code;
}

static int apply_item(struct delta *delta, const struct delta_item *item, struct err *err)
{
	delta->changes += item->news != REMOTE_SAME && item->news != REMOTE_GONE;
	switch (item->news) {
	case REMOTE_SAME:
		break;
	case REMOTE_NEW:
		return put_new(delta, item, err);
	case REMOTE_BACK:
		return put_back(delta, item, err);
	case REMOTE_FLAGS:
		return state_see_remote_flags(delta->run->session->state, delta->mailbox->base.id,
					      item->uid, item->flags, err);
	case REMOTE_GONE:
		return see_gone(delta, item->uid, item->uid, err);
	}
	return 0;
}

/* The first change has to wait for the claim: all is taken back and comes again. */
static bool awaits_claim(const struct delta *delta)
{
	return !delta->is_claimed && delta->changes > 0;
}

static int see_message(struct delta *delta, const struct remote_view_message *message,
		       struct err *err)
{
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_uid(delta->run->session->state, delta->mailbox->base.id,
				    message->uid, &row, &found, err);
	if (code == 0) {
		struct delta_item item = item_of(delta, message, found ? &row : NULL);
		code = apply_item(delta, &item, err);
	}
	row_finish(&row);
	return code;
}

/* A view that tells of changes only. */
static int see_changes(struct delta *delta, struct err *err)
{
	const struct remote_view *view = delta->view;
	size_t gone = delta->facts.believes_gone ? view->gone.count : 0;
	int code = 0;
	for (size_t i = 0; code == 0 && i < view->count && !awaits_claim(delta); i++) {
		code = see_message(delta, &view->messages[i], err);
	}
	for (size_t i = 0; code == 0 && i < gone && !awaits_claim(delta); i++) {
		code = see_gone(delta, view->gone.ranges[i].first, view->gone.ranges[i].last, err);
	}
	return code;
}

/* What a listing changes, noted first: rows may not change under the cursor. */
struct delta_items {
	struct delta_item *items;
	size_t count;
	size_t cap;
};

static int items_add(struct delta_items *items, const struct delta_item *item, struct err *err)
{
	if (item->news == REMOTE_SAME) {
		return 0;
	}
	if (ARRAY_RESERVE(&items->items, items->count + 1, &items->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	items->items[items->count++] = *item;
	return 0;
}

/* Both in the order of UIDs. */
static int merge_listing(struct delta *delta, struct state_cursor *cursor,
			 struct delta_items *items, struct err *err)
{
	const struct remote_view_message *message = delta->view->messages;
	const struct remote_view_message *end = message + delta->view->count;
	const struct row *row = NULL;
	int code = state_cursor_next(cursor, &row, err);
	while (code == 0 && (row != NULL || message < end)) {
		bool has_row = row != NULL && (message == end || row->uid <= message->uid);
		bool is_told = message < end && (row == NULL || message->uid <= row->uid);
		struct delta_item item =
			item_of(delta, is_told ? message : NULL, has_row ? row : NULL);
		code = items_add(items, &item, err);
		message += is_told;
		if (code == 0 && has_row) {
			code = state_cursor_next(cursor, &row, err);
		}
	}
	return code;
}

static int see_listing(struct delta *delta, struct err *err)
{
	struct state_cursor *cursor = NULL;
	struct delta_items items = {0};
	int code = state_cursor_open(delta->run->session->state, delta->mailbox->base.id,
				     STATE_BY_UID, &cursor, err);
	if (code == 0) {
		code = merge_listing(delta, cursor, &items, err);
	}
	state_cursor_close(&cursor);
	for (size_t i = 0; code == 0 && i < items.count && !awaits_claim(delta); i++) {
		code = apply_item(delta, &items.items[i], err);
	}
	free(items.items);
	return code;
}

static int take_facts(struct mailbox *mailbox, const struct remote_view *view, struct err *err)
{
	struct state_mailbox *base = &mailbox->base;
	if (view->has_permanent && view->is_writable) {
		if (base->permanent_flags != view->permanent_flags ||
		    base->permanent_any != view->permanent_any) {
			base->held_policy = 0; /* flags held before may be settable now */
		}
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

static void take_numbers(struct delta *delta, bool is_fit)
{
	const struct remote_view *view = delta->view;
	struct mailbox *mailbox = delta->mailbox;
	struct remote_numbers base = numbers_of_base(&mailbox->base);
	struct remote_numbers told = numbers_of_view(view);
	uint32_t highest = view->count == 0 ? 0 : view->messages[view->count - 1].uid;
	if (is_fit) {
		struct remote_numbers stored = numbers_to_store(&base, &told, highest);
		numbers_into_base(&stored, &mailbox->base);
		return;
	}
	/* Known by now: which numbers they are; not: that nothing is missing. */
	mailbox->base.uidvalidity = told.uidvalidity;
	mailbox->view.state = VIEW_MISCOUNTED;
	mailbox->view.numbers = told;
}

static int finish_delta(struct delta *delta, bool is_fit, struct err *err)
{
	struct mailbox *mailbox = delta->mailbox;
	int code = take_facts(mailbox, delta->view, err);
	take_numbers(delta, is_fit);
	if (delta->changes > 0) {
		mailbox->base.held_policy = 0;
		mailbox->done.has_new_rows = true;
	}
	if (code < 0 || (code = mailbox_store(delta->run, mailbox, err)) < 0) {
		return code;
	}
	return delta->changes == 0
		     ? 0
		     : state_mailbox_count(delta->run->session->state, &mailbox->base, err);
}

enum attempt_end {
	ATTEMPT_UNCLAIMED, /* taken back: there are rows to write, which the run has to claim */
	ATTEMPT_MISFIT,    /* taken back: with what is said to be gone the counts do not fit */
	ATTEMPT_DONE       /* committed */
};

/* In one transaction. */
static int attempt(struct delta *delta, enum attempt_end *end, struct err *err)
{
	struct state *state = delta->run->session->state;
	struct mailbox *mailbox = delta->mailbox;
	bool is_new = !mailbox->in_base;
	uint64_t present = 0;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	delta->changes = 0;
	if ((is_new && (code = mailbox_store(delta->run, mailbox, err)) < 0) ||
	    (code = delta->view->is_full ? see_listing(delta, err) : see_changes(delta, err)) < 0 ||
	    (code = state_count_remote(state, mailbox->base.id, &present, err)) < 0) {
		goto undo;
	}
	bool is_fit = rows_fit(present, delta->view->exists, delta->is_window);
	*end = awaits_claim(delta)                   ? ATTEMPT_UNCLAIMED
	     : !is_fit && delta->facts.believes_gone ? ATTEMPT_MISFIT
						     : ATTEMPT_DONE;
	if (*end == ATTEMPT_DONE && (code = finish_delta(delta, is_fit, err)) == 0) {
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

int remote_delta_apply(struct run *run, struct mailbox *mailbox, struct remote_view *view,
		       struct err *err)
{
	bool is_window =
		view->is_full && view_is_window(remote_facts(run->session->remote)->shows_window,
						view->count, view->exists);
	struct delta delta = {
		.run = run,
		.mailbox = mailbox,
		.view = view,
		.facts = {.keeps_keywords = !run->account->keywords,
			  .is_full = view->is_full,
			  .uidnext = view->uidnext,
			  .believes_gone = true,
			  .gone_from = is_window ? view->messages[0].uid : 0},
		.is_window = is_window,
		.is_claimed = run->session->has_generation,
	};
	enum attempt_end end = ATTEMPT_UNCLAIMED;
	int code = attempt(&delta, &end, err);
	if (code == 0 && end == ATTEMPT_UNCLAIMED) {
		code = run_claim(run, err);
		delta.is_claimed = true; /* or a dry run's copy of the state, that nobody minds */
		code = code < 0 ? code : attempt(&delta, &end, err);
	}
	if (code == 0 && end == ATTEMPT_MISFIT) {
		log_line(run->log, LOG_INFO,
			 "%s/%s: what the server tells of changes does not fit its count of %u "
			 "messages; listing them",
			 run->account->name, mailbox->name, view->exists);
		delta.facts.believes_gone = false;
		code = attempt(&delta, &end, err);
	}
	return code;
}
