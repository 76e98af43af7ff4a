#include "remote_delta.h"

#include <stdlib.h>
#include <string.h>

#include "observe.h"
#include "guard/claim.h"

/* Yahoo shows the newest 10,000 messages of a mailbox, and counts no others: what lies below the
 * lowest that it lists is out of view, not gone. */
#define YAHOO_WINDOW 10000

static bool may_be_window(const struct run *run, uint64_t listed)
{
	return listed == YAHOO_WINDOW && remote_facts(run->session->remote)->shows_window;
}

/* What the changes come to, so that an idle look writes nothing. */
struct delta {
	struct run *run;
	struct mailbox *mailbox;
	const struct remote_view *view;
	bool with_gone;     /* believe VANISHED, or what the full listing lacks */
	uint32_t gone_from; /* from this UID on: the lowest in view */
	uint64_t changes;
};

/* MESSAGE's flags for ROW (NULL: a new one); with `keywords = no` its keywords stay as they are. */
static uint64_t flags_seen(const struct delta *delta, const struct row *row,
			   const struct remote_view_message *message)
{
	if (delta->run->account->keywords) {
		return message->flags;
	}
	uint64_t kept = row == NULL ? 0 : row->remote_flags & ~FLAGS_SYSTEM;
	return (message->flags & FLAGS_SYSTEM) | kept;
}

static bool message_is_news(const struct delta *delta, const struct row *row,
			    const struct remote_view_message *message)
{
	return row->remote != MESSAGE_PRESENT ||
	       (message->has_flags && row->remote_flags != flags_seen(delta, row, message));
}

static int put_new(struct delta *delta, const struct remote_view_message *message, struct err *err)
{
	struct row row;
	row_init(&row);
	row.mailbox = delta->mailbox->base.id;
	row.uid = message->uid;
	row.remote = MESSAGE_PRESENT;
	row.remote_flags = flags_seen(delta, NULL, message);
	row.size_bytes = message->size;
	row.date = message->has_date ? message->date : 0;
	const char *emailid = remote_view_emailid(delta->view, message);
	int code = 0;
	if (emailid != NULL) {
		row.emailid = span_dup(span_of(emailid));
		code = row.emailid == NULL ? err_nomem(err) : 0;
	}
	if (code == 0) {
		code = state_row_put(delta->run->session->state, &row, err);
	}
	row_finish(&row);
	delta->changes++;
	return code;
}

static int put_back(struct delta *delta, uint32_t uid, const struct remote_view_message *message,
		    struct err *err)
{
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_uid(delta->run->session->state, delta->mailbox->base.id, uid, &row,
				    &found, err);
	if (code == 0 && found) {
		row.remote = MESSAGE_PRESENT;
		row.reason = REASON_NONE;
		if (message != NULL && message->has_flags) {
			row.remote_flags = flags_seen(delta, &row, message);
		}
		code = state_row_put(delta->run->session->state, &row, err);
	}
	row_finish(&row);
	delta->changes++;
	return code;
}

static int see_message(struct delta *delta, const struct row *row,
		       const struct remote_view_message *message, struct err *err)
{
	if (!message_is_news(delta, row, message)) {
		return 0;
	}
	if (row->remote != MESSAGE_PRESENT) {
		return put_back(delta, message->uid, message, err);
	}
	delta->changes++;
	return state_see_remote_flags(delta->run->session->state, delta->mailbox->base.id,
				      message->uid, flags_seen(delta, row, message), err);
}

/* A line that was not asked for may tell of a message that is not there, which would make up for
 * one that is said to be gone. What a listing asked after comes with date or size; without them
 * only a listing of all of the flags tells of unknown messages, below UIDNEXT. */
static bool may_be_new(const struct delta *delta, const struct remote_view_message *message)
{
	const struct remote_view *view = delta->view;
	return message->has_flags &&
	       (message->has_date || message->size != 0 ||
		(view->is_full && (view->uidnext == 0 || message->uid < view->uidnext)));
}

/* A message told of by changes only; an unknown one without flags will be told of again. */
static int see_one(struct delta *delta, const struct remote_view_message *message, struct err *err)
{
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_uid(delta->run->session->state, delta->mailbox->base.id,
				    message->uid, &row, &found, err);
	if (code == 0 && found) {
		code = see_message(delta, &row, message, err);
	} else if (code == 0 && may_be_new(delta, message)) {
		code = put_new(delta, message, err);
	}
	row_finish(&row);
	return code;
}

static int see_changes(struct delta *delta, struct err *err)
{
	const struct remote_view *view = delta->view;
	int code = 0;
	for (size_t i = 0; code == 0 && i < view->count; i++) {
		code = see_one(delta, &view->messages[i], err);
	}
	for (size_t i = 0; code == 0 && delta->with_gone && i < view->gone.count; i++) {
		uint64_t count = 0;
		code = state_see_remote_gone(delta->run->session->state, delta->mailbox->base.id,
					     view->gone.ranges[i].first, view->gone.ranges[i].last,
					     &count, err);
		delta->changes += count;
	}
	return code;
}

/* What the listing says of rows that the cursor shows, noted first: rows may not change under
 * it. */
struct listing_change {
	uint32_t uid;
	size_t message; /* SIZE_MAX: gone */
};

struct listing_changes {
	struct listing_change *items;
	size_t count;
	size_t cap;
};

static int changes_add(struct listing_changes *changes, uint32_t uid, size_t message,
		       struct err *err)
{
	if (changes->count == changes->cap) {
		size_t cap = changes->cap == 0 ? 64 : changes->cap * 2;
		struct listing_change *items = realloc(changes->items, cap * sizeof(*items));
		if (items == NULL) {
			return err_nomem(err);
		}
		changes->items = items;
		changes->cap = cap;
	}
	changes->items[changes->count++] = (struct listing_change){uid, message};
	return 0;
}

static int merge_listing(struct delta *delta, struct state_cursor *cursor,
			 struct listing_changes *changes, struct err *err)
{
	const struct remote_view *view = delta->view;
	const struct row *row = NULL;
	size_t i = 0;
	int code = state_cursor_next(cursor, &row, err);
	while (code == 0 && (row != NULL || i < view->count)) {
		if (row == NULL || (i < view->count && view->messages[i].uid < row->uid)) {
			code = changes_add(changes, view->messages[i].uid, i, err);
			i++;
			continue;
		}
		if (i < view->count && view->messages[i].uid == row->uid) {
			if (message_is_news(delta, row, &view->messages[i])) {
				code = changes_add(changes, row->uid, i, err);
			}
			i++;
		} else if (row->remote == MESSAGE_PRESENT && delta->with_gone &&
			   row->uid >= delta->gone_from) {
			code = changes_add(changes, row->uid, SIZE_MAX, err);
		}
		if (code == 0) {
			code = state_cursor_next(cursor, &row, err);
		}
	}
	return code;
}

static int see_listing(struct delta *delta, struct err *err)
{
	struct state_cursor *cursor = NULL;
	struct listing_changes changes = {0};
	int64_t mailbox = delta->mailbox->base.id;
	int code =
		state_cursor_open(delta->run->session->state, mailbox, STATE_BY_UID, &cursor, err);
	if (code == 0) {
		code = merge_listing(delta, cursor, &changes, err);
	}
	state_cursor_close(&cursor);
	for (size_t i = 0; code == 0 && i < changes.count; i++) {
		const struct listing_change *change = &changes.items[i];
		uint64_t count = 0;
		if (change->message == SIZE_MAX) {
			code = state_see_remote_gone(delta->run->session->state, mailbox,
						     change->uid, change->uid, &count, err);
			delta->changes += count;
		} else {
			code = see_one(delta, &delta->view->messages[change->message], err);
		}
	}
	free(changes.items);
	return code;
}

static uint32_t highest_uid(const struct remote_view *view)
{
	return view->count == 0 ? 0 : view->messages[view->count - 1].uid;
}

/* The numbers up to which everything is now known. */
static void take_numbers(struct mailbox *mailbox, const struct remote_view *view)
{
	struct state_mailbox *base = &mailbox->base;
	uint32_t above = highest_uid(view) == UINT32_MAX ? UINT32_MAX : highest_uid(view) + 1;
	base->uidvalidity = view->uidvalidity;
	if (view->uidnext != 0) {
		base->uidnext = view->uidnext;
	} else if (above > base->uidnext) {
		base->uidnext = above;
	}
	base->modseq = view->modseq;
	base->messages = view->exists;
}

static int take_facts(struct mailbox *mailbox, struct remote_view *view, struct err *err)
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

static int apply_rows(struct delta *delta, struct err *err)
{
	return delta->view->is_full ? see_listing(delta, err) : see_changes(delta, err);
}

/* Whether the rows that now count as present are as many as the server says. */
static int counts_fit(struct delta *delta, bool *fit, struct err *err)
{
	uint64_t present = 0;
	int code = state_count_remote(delta->run->session->state, delta->mailbox->base.id, &present,
				      err);
	*fit = present == delta->view->exists;
	return code;
}

static int finish_delta(struct delta *delta, struct remote_view *view, bool fit, struct err *err)
{
	struct mailbox *mailbox = delta->mailbox;
	int code = take_facts(mailbox, view, err);
	if (fit) {
		take_numbers(mailbox, view);
	} else {
		/* Known by now: which numbers they are; not: that nothing is missing. */
		mailbox->base.uidvalidity = view->uidvalidity;
		mailbox->view.needs_listing = true;
		mailbox->view.modseq = view->modseq;
		mailbox->view.uidnext = view->uidnext;
	}
	if (delta->changes > 0) {
		mailbox->base.held_policy = 0;
		mailbox->done.has_new_rows = true;
	}
	if (code == 0) {
		code = mailbox_store(delta->run, mailbox, err);
	}
	if (code == 0 && delta->changes > 0) {
		code = state_mailbox_count(delta->run->session->state, &mailbox->base, err);
	}
	return code;
}

static void attempt_undo(struct run *run, struct mailbox *mailbox, bool is_new)
{
	state_rollback(run->session->state);
	if (is_new) {
		mailbox->in_base = false;
		mailbox->base.id = 0;
	}
}

/* One attempt, in one transaction. *FIT false: rolled back where VANISHED was believed, else
 * committed without removals. */
static int attempt(struct run *run, struct mailbox *mailbox, struct remote_view *view,
		   bool with_gone, bool *fit, struct err *err)
{
	struct delta delta = {.run = run, .mailbox = mailbox, .view = view, .with_gone = with_gone};
	bool is_window =
		view->is_full && view->count == view->exists && may_be_window(run, view->count);
	delta.gone_from = is_window ? view->messages[0].uid : 0;
	bool is_new = !mailbox->in_base;
	int code = state_begin(run->session->state, err);
	if (code == 0 && is_new) {
		code = mailbox_store(run, mailbox, err);
	}
	if (code == 0) {
		code = apply_rows(&delta, err);
	}
	if (code == 0 && delta.changes > 0 && !run->session->has_generation &&
	    !run->options->dry_run) {
		/* The first rows of this run: it has to say so before (ownership.h). */
		attempt_undo(run, mailbox, is_new);
		code = run_claim(run, err);
		return code < 0 ? code : attempt(run, mailbox, view, with_gone, fit, err);
	}
	if (code == 0) {
		code = counts_fit(&delta, fit, err);
		*fit |= is_window; /* what is out of view is counted here alone */
	}
	if (code == 0 && !*fit && with_gone) {
		attempt_undo(run, mailbox, is_new);
		return 0;
	}
	if (code == 0) {
		code = finish_delta(&delta, view, *fit, err);
	}
	if (code < 0) {
		state_rollback(run->session->state);
		return code;
	}
	return state_commit(run->session->state, err);
}

int remote_delta_apply(struct run *run, struct mailbox *mailbox, struct remote_view *view,
		       struct err *err)
{
	bool fit = false;
	int code = attempt(run, mailbox, view, true, &fit, err);
	if (code < 0 || fit) {
		return code;
	}
	log_line(run->log, LOG_INFO,
		 "%s/%s: what the server tells of changes does not fit its count of %u messages; "
		 "listing them",
		 run->account->name, mailbox->name, view->exists);
	return attempt(run, mailbox, view, false, &fit, err);
}

static int list_gone(struct run *run, struct mailbox *mailbox, const struct uidset *uids,
		     struct err *err)
{
	uint32_t from = may_be_window(run, uidset_size(uids)) ? uids->ranges[0].first : 1;
	uint64_t changes = 0;
	uint64_t count = 0;
	int code = 0;
	for (size_t i = 0; code == 0 && i < uids->count; i++) {
		if (uids->ranges[i].first > from) {
			code = state_see_remote_gone(run->session->state, mailbox->base.id, from,
						     uids->ranges[i].first - 1, &count, err);
			changes += count;
		}
		from = uids->ranges[i].last == UINT32_MAX ? 0 : uids->ranges[i].last + 1;
	}
	if (code == 0 && from != 0) {
		code = state_see_remote_gone(run->session->state, mailbox->base.id, from,
					     UINT32_MAX, &count, err);
		changes += count;
	}
	if (code == 0 && changes > 0) {
		mailbox->done.has_new_rows = true;
		mailbox->base.held_policy = 0;
		code = state_mailbox_count(run->session->state, &mailbox->base, err);
	}
	return code;
}

/* UIDNEXT of a server that does not tell it. */
static uint32_t above(const struct uidset *uids)
{
	uint32_t last = uids->count == 0 ? 0 : uids->ranges[uids->count - 1].last;
	return last == UINT32_MAX ? last : last + 1;
}

static int commit_listing(struct run *run, struct mailbox *mailbox, const struct uidset *uids,
			  const struct remote_opened *opened, struct err *err)
{
	uint64_t present = 0;
	int code = run_claim(run, err);
	if (code == 0) {
		code = state_begin(run->session->state, err);
	}
	if (code < 0) {
		return code;
	}
	code = list_gone(run, mailbox, uids, err);
	if (code == 0) {
		code = state_count_remote(run->session->state, mailbox->base.id, &present, err);
	}
	bool is_known = present == uidset_size(uids) || may_be_window(run, uidset_size(uids));
	if (code == 0 && is_known && opened->modseq >= mailbox->view.modseq) {
		mailbox->base.modseq = mailbox->view.modseq;
		mailbox->base.uidnext =
			mailbox->view.uidnext != 0 ? mailbox->view.uidnext : above(uids);
		mailbox->base.messages = (uint32_t)uidset_size(uids);
	}
	mailbox->view.lacks_rows = present < uidset_size(uids);
	if (code == 0) {
		code = mailbox_store(run, mailbox, err);
	}
	if (code < 0) {
		state_rollback(run->session->state);
		return code;
	}
	return state_commit(run->session->state, err);
}

int remote_delta_list(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      struct err *err)
{
	struct remote_opened opened;
	struct uidset uids;
	uint32_t exists = 0;
	uidset_init(&uids);
	int code = remote_open(remote, mailbox->seen.wire, REMOTE_ANEW, mailbox->base.uidvalidity,
			       &opened, err);
	if (code == 0) {
		code = remote_uids(remote, REMOTE_UIDS_ALL, &uids, &exists, err);
	}
	if (code == 0 && uidset_size(&uids) != exists) {
		log_line(
			run->log, LOG_INFO,
			"%s/%s: the server lists %llu of %u messages; nothing is taken for removed",
			run->account->name, mailbox->name, (unsigned long long)uidset_size(&uids),
			exists);
	} else if (code == 0) {
		code = commit_listing(run, mailbox, &uids, &opened, err);
	}
	remote_opened_finish(&opened);
	uidset_finish(&uids);
	return code;
}
