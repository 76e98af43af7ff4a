/*
 * What may be a move, as it is found on either side. A message that is new on the server in one
 * mailbox, and has the EMAILID (V13 of rules/move_rules.h), or without it the date (V10), of
 * one that is gone from another, is asked for its header. Without such nothing is asked.
 */
#include "observe.h"
#include "observe_private.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "rules/effect.h"

struct search {
	struct run *run;
	struct state_moves *pairs;
	struct move_trace *traces;
	size_t trace_count, trace_cap;
	struct uidset
		uids; /* of the mailbox that is looked at, those whose header is to be asked for */
};

static int pairs_add(struct state_moves *pairs, int64_t gone_row, int64_t new_row, struct err *err)
{
	if (ARRAY_RESERVE(&pairs->items, pairs->count + 1, &pairs->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	pairs->items[pairs->count++] = (struct state_move){gone_row, new_row};
	return 0;
}

static bool has_gone(const struct state_moves *pairs, int64_t row)
{
	for (size_t i = 0; i < pairs->count; i++) {
		if (pairs->items[i].gone_row == row) {
			return true;
		}
	}
	return false;
}

static int find_from_unreadable(struct run *run, struct state_moves *pairs, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		const struct mailbox *from = &run->mailboxes.items[i];
		if (from->seen.is_unreadable && from->in_base) {
			code = state_moves_load(run->session->state, from->base.id, pairs, err);
		}
	}
	return code;
}

/* The first of OTHERS that is gone elsewhere and is not found to be another's; by the header of the
 * arrival ROW, where that is told. NULL: none. */
static const struct row *original_of(const struct search *search, const struct row_list *others,
				     const struct row *row, const struct header_identity *identity)
{
	for (size_t i = 0; i < others->count; i++) {
		const struct row *other = &others->items[i];
		const struct mailbox *from = run_mailbox_by_id(search->run, other->mailbox);
		if (move_is_original(other) && other->mailbox != row->mailbox && from != NULL &&
		    mailbox_is_active(from) && !has_gone(search->pairs, other->id) &&
		    (identity == NULL || move_is_proven(other, row, identity))) {
			return other;
		}
	}
	return NULL;
}

/* Whether a message of ROW's EMAILID may be the one that has come there; with its header (not NULL)
 * they are a pair. */
static int find_by_emailid(struct search *search, const struct row *row,
			   const struct header_identity *identity, bool *may_be, struct err *err)
{
	struct row_list others;
	const struct row *original = NULL;
	row_list_init(&others);
	int code = state_rows_by_emailid(search->run->session->state, row->emailid, &others, err);
	original = code < 0 ? NULL : original_of(search, &others, row, identity);
	*may_be = original != NULL;
	if (original != NULL && identity != NULL) {
		code = pairs_add(search->pairs, original->id, row->id, err);
	}
	row_list_finish(&others);
	return code;
}

/* The same by its date, and with its header by that. */
static int find_by_trace(struct search *search, const struct row *row, bool has_emailid,
			 const struct header_identity *identity, bool *may_be, struct err *err)
{
	const struct move_arrival arrival = {row->mailbox, row->date, has_emailid};
	struct move_trace *trace =
		move_is_arrival(row)
			? move_trace_find(search->traces, search->trace_count, &arrival, identity)
			: NULL;
	*may_be = trace != NULL;
	if (trace == NULL || identity == NULL) {
		return 0;
	}
	trace->is_taken = true;
	return pairs_add(search->pairs, trace->row, row->id, err);
}

static int find_original(struct search *search, const struct row *row,
			 const struct header_identity *identity, bool *may_be, struct err *err)
{
	bool has_emailid = row->emailid != NULL && move_is_arrival(row);
	bool is_shared = false; /* V14 */
	int code = 0;
	*may_be = false;
	if (has_emailid) {
		code = state_emailid_is_shared(search->run->session->state, row->emailid,
					       &is_shared, err);
		has_emailid = !is_shared;
	}
	if (code == 0 && has_emailid) {
		code = find_by_emailid(search, row, identity, may_be, err);
	}
	/* That of the original may not have been told. */
	return code < 0 || *may_be ? code
				   : find_by_trace(search, row, has_emailid, identity, may_be, err);
}

static int add_trace(struct search *search, const struct row *row, struct err *err)
{
	if (!move_is_original(row) || !row->has_digest || !row->date.is_told) {
		return 0;
	}
	if (ARRAY_RESERVE(&search->traces, search->trace_count + 1, &search->trace_cap, err) < 0) {
		return -ERR_NOMEM;
	}
	struct move_trace *trace = &search->traces[search->trace_count++];
	*trace = (struct move_trace){.date = row->date,
				     .row = row->id,
				     .mailbox = row->mailbox,
				     .has_emailid = row->emailid != NULL};
	memcpy(trace->digest, row->digest, sizeof(trace->digest));
	return 0;
}

static int add_traces(struct search *search, const struct mailbox *mailbox, struct err *err)
{
	struct state *state = search->run->session->state;
	struct state_slice slice = {.is_last = false};
	struct row_list rows;
	int code = 0;
	row_list_init(&rows);
	while (code == 0 && !slice.is_last) {
		code = state_rows_pending(state, mailbox->base.id, &slice, &rows, err);
		for (size_t i = 0; code == 0 && i < rows.count; i++) {
			code = add_trace(search, &rows.items[i], err);
		}
	}
	row_list_finish(&rows);
	return code;
}

static int compare_uid(const void *x, const void *y)
{
	const struct row *one = x;
	const struct row *two = y;
	return (one->uid > two->uid) - (one->uid < two->uid);
}

/* ROWS are sorted by UID. */
static int take_header(struct search *search, const struct row_list *rows,
		       const struct remote_identity *told, struct err *err)
{
	const struct row wanted = {.uid = told->uid};
	const struct row *row =
		array_find(rows->items, rows->count, sizeof(wanted), &wanted, compare_uid);
	bool is_found;
	return row == NULL ? 0 : find_original(search, row, &told->identity, &is_found, err);
}

/* The header of one of these was on its way when the connection ended. */
static void lose_headers(struct search *search, const struct mailbox *mailbox,
			 const struct row_list *rows, const struct err *err)
{
	struct suspect_item *items = calloc(rows->count + 1, sizeof(*items));
	size_t count = 0;
	for (size_t i = 0; items != NULL && i < rows->count; i++) {
		if (uidset_contains(&search->uids, rows->items[i].uid)) {
			items[count++] = message_item(mailbox, &rows->items[i], SUSPECT_AT_FETCH);
		}
	}
	if (items != NULL) {
		suspects_lost(search->run, items, count, err);
	}
	free(items);
}

static int ask_headers(struct search *search, const struct mailbox *mailbox,
		       const struct row_list *rows, struct err *err)
{
	struct remote *remote = search->run->session->remote;
	struct remote_identity told = {0};
	int code;
	if ((code = remote_open(remote, mailbox->wire, REMOTE_READ,
				mailbox->base.numbers.uidvalidity, NULL, err)) == 0) {
		code = remote_headers_begin(remote, &search->uids, err);
	}
	while (code == 0 && (code = remote_headers_next(remote, &told, err)) == 0 &&
	       !told.is_done) {
		code = take_header(search, rows, &told, err);
	}
	return code;
}

static int find_among(struct search *search, const struct mailbox *mailbox, struct row_list *rows,
		      struct err *err)
{
	int code = 0;
	uidset_init(&search->uids);
	for (size_t i = 0; code == 0 && i < rows->count; i++) {
		const struct row *row = &rows->items[i];
		bool may_be = false;
		/* What is tried by itself is not asked for here: it comes down as a new one. */
		if (suspects_are_any(search->run) &&
		    (suspects_batch(search->run, SIZE_MAX) < SIZE_MAX ||
		     suspects_place(search->run, SUSPECT_MESSAGE, mailbox->name, row->id) !=
			     SUSPECT_GOES)) {
			continue;
		}
		code = find_original(search, row, NULL, &may_be, err);
		if (code == 0 && may_be) {
			code = uidset_add(&search->uids, row->uid, row->uid, err);
		}
	}
	if (code == 0 && search->uids.count > 0) {
		qsort(rows->items, rows->count, sizeof(*rows->items), compare_uid);
		if ((code = ask_headers(search, mailbox, rows, err)) < 0) {
			lose_headers(search, mailbox, rows, err);
		}
	}
	uidset_finish(&search->uids);
	return code;
}

/* What cannot be told now is downloaded at its new place, and its old one removed. */
static int find_arrivals(struct search *search, const struct mailbox *mailbox, struct err *err)
{
	struct state *state = search->run->session->state;
	struct state_slice slice = {.is_last = false};
	struct row_list rows;
	int code = 0;
	row_list_init(&rows);
	while (code == 0 && !slice.is_last) {
		code = state_rows_pending(state, mailbox->base.id, &slice, &rows, err);
		if (code == 0) {
			code = find_among(search, mailbox, &rows, err);
		}
	}
	row_list_finish(&rows);
	return code < 0 && !run_is_fatal(err) ? 0 : code;
}

bool mailbox_may_have_arrivals(const struct mailbox *mailbox)
{
	return mailbox_is_active(mailbox) && mailbox->in_base && mailbox->open.has_new_rows &&
	       mailbox->decided.pairing != PAIRING_ALL && mailbox->wire != NULL;
}

static int gather_traces(struct search *search, struct err *err)
{
	const struct mailboxes *mailboxes = &search->run->mailboxes;
	int code = 0;
	for (size_t i = 0; code == 0 && i < mailboxes->count; i++) {
		const struct mailbox *mailbox = &mailboxes->items[i];
		if (mailbox_is_active(mailbox) && mailbox->in_base &&
		    (mailbox->seen.was_viewed || mailbox->base.pending > 0)) {
			code = add_traces(search, mailbox, err);
		}
	}
	if (search->trace_count > 1) {
		qsort(search->traces, search->trace_count, sizeof(*search->traces),
		      move_trace_compare);
	}
	return code;
}

static int find_there(struct run *run, struct state_moves *pairs, struct err *err)
{
	struct search search = {.run = run, .pairs = pairs};
	bool wants_traces = true;
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		if (!mailbox_may_have_arrivals(mailbox)) {
			continue;
		}
		if (wants_traces) {
			code = gather_traces(&search, err);
			wants_traces = false;
		}
		if (code == 0 && search.trace_count > 0) {
			code = find_arrivals(&search, mailbox, err);
		}
	}
	free(search.traces);
	return code;
}

int find_moves(struct run *run, enum move_seen seen, struct state_moves *pairs, struct err *err)
{
	switch (seen) {
	case MOVE_SEEN_HERE:
		return state_moves_load(run->session->state, 0, pairs, err);
	case MOVE_SEEN_RENAMED:
		return find_renamed(run, pairs, err);
	case MOVE_SEEN_UNREADABLE:
		return run->seen.has_unreadable ? find_from_unreadable(run, pairs, err) : 0;
	case MOVE_SEEN_THERE:
		break;
	}
	return find_there(run, pairs, err);
}

int move_rows_load(struct run *run, const struct state_move *pair, struct move_rows *rows,
		   struct err *err)
{
	struct state *state = run->session->state;
	bool is_gone_there = false;
	int code;
	rows->are_there = false;
	row_init(&rows->gone);
	row_init(&rows->fresh);
	code = state_row_by_id(state, pair->gone_row, &rows->gone, &is_gone_there, err);
	if (code < 0 || !is_gone_there) {
		return code;
	}
	return state_row_by_id(state, pair->new_row, &rows->fresh, &rows->are_there, err);
}

void move_rows_finish(struct move_rows *rows)
{
	row_finish(&rows->gone);
	row_finish(&rows->fresh);
}

struct local_file local_file_of(const struct maildir_told *told)
{
	return (struct local_file){
		.is_message = true,
		.flags = told->flags,
		.known = told->known,
		.has_letters = told->has_letters,
	};
}

struct local_facts letter_facts_of(const struct run *run, const struct mailbox *mailbox)
{
	return (struct local_facts){
		.keywords = run->account->keywords,
		.trusts_letters = mailbox->base.trusts_letters,
		.has_uidlist = maildir_folder_has_uidlist(mailbox->dir),
	};
}

int find_moved_file(struct run *run, struct mailbox *from, struct mailbox *to,
		    const struct move_rows *rows, struct moved_file *file, struct err *err)
{
	struct keywords *old = &from->base.keywords;
	struct keywords *new = &to->base.keywords;
	struct maildir_told by_old;
	struct maildir_told by_new;
	int code = 0;
	if ((code = mailbox_open_dir(run, to, err)) < 0 ||
	    (code = maildir_folder_find(to->dir, span_of(rows->fresh.unique), file->name,
					&file->in_new, err)) < 0 ||
	    (code = mailbox_open_dir(run, from, err)) < 0 ||
	    (code = maildir_folder_read_letters(to->dir, file->name, file->in_new, new, &by_new,
						err)) < 0 ||
	    (code = maildir_folder_read_letters(from->dir, file->name, file->in_new, old, &by_old,
						err)) < 0) {
		return code;
	}
	const struct moved_letters letters = {local_file_of(&by_old), local_file_of(&by_new)};
	struct local_facts facts = letter_facts_of(run, from);
	facts.has_uidlist |= maildir_folder_has_uidlist(to->dir);
	facts.is_move = true;
	file->has_letters = by_old.has_letters;
	file->told = effect_moved_letters(&facts, &rows->gone, &letters, old, new);
	return 0;
}
