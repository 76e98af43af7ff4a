/*
 * Moves on a server that gives no EMAILID (V10 of rules/move_rules.h): a message that is new in one
 * mailbox and has the date of one that is gone from another is asked for its header. Without such
 * dates nothing is asked.
 */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "observe.h"
#include "observe_private.h"
#include "rules/move_rules.h"

struct arrival {
	uint32_t uid;
	int64_t row;
	int64_t date;
};

struct search {
	struct run *run;
	struct state_moves *pairs;
	struct move_trace *traces;
	size_t trace_count, trace_cap;
	struct mailbox *mailbox; /* whose new messages are looked at: */
	struct arrival *arrivals;
	size_t arrival_count, arrival_cap;
};

static int compare_uid(const void *x, const void *y)
{
	const struct arrival *one = x;
	const struct arrival *two = y;
	return (one->uid > two->uid) - (one->uid < two->uid);
}

static int add_trace(struct search *search, const struct row *row, struct err *err)
{
	if (!move_is_original(row) || !row->has_digest || row->date == 0) {
		return 0;
	}
	if (ARRAY_RESERVE(&search->traces, search->trace_count + 1, &search->trace_cap, err) < 0) {
		return -ERR_NOMEM;
	}
	struct move_trace *trace = &search->traces[search->trace_count++];
	*trace = (struct move_trace){.date = row->date, .row = row->id, .mailbox = row->mailbox};
	memcpy(trace->digest, row->digest, sizeof(trace->digest));
	return 0;
}

static int add_arrival(struct search *search, const struct row *row, struct err *err)
{
	if (!move_is_arrival(row) ||
	    !move_trace_has(search->traces, search->trace_count, row->mailbox, row->date)) {
		return 0;
	}
	if (ARRAY_RESERVE(&search->arrivals, search->arrival_count + 1, &search->arrival_cap, err) <
	    0) {
		return -ERR_NOMEM;
	}
	search->arrivals[search->arrival_count++] =
		(struct arrival){.uid = row->uid, .row = row->id, .date = row->date};
	return 0;
}

/* Each pending row of MAILBOX by ADD. */
static int gather(struct search *search, const struct mailbox *mailbox,
		  int (*add)(struct search *, const struct row *, struct err *), struct err *err)
{
	struct row_list rows;
	row_list_init(&rows);
	int code = state_rows_pending(search->run->session->state, mailbox->base.id, false, &rows,
				      err);
	for (size_t i = 0; code == 0 && i < rows.count; i++) {
		code = add(search, &rows.items[i], err);
	}
	row_list_finish(&rows);
	return code;
}

static int take_header(struct search *search, const struct remote_identity *told, struct err *err)
{
	const struct arrival wanted = {.uid = told->uid};
	const struct arrival *arrival = array_find(search->arrivals, search->arrival_count,
						   sizeof(wanted), &wanted, compare_uid);
	struct move_trace *trace =
		arrival == NULL
			? NULL
			: move_trace_find(search->traces, search->trace_count,
					  search->mailbox->base.id, arrival->date, &told->identity);
	if (trace == NULL) {
		return 0;
	}
	trace->is_taken = true;
	return move_pairs_add(search->pairs, trace->row, arrival->row, err);
}

static int ask_headers(struct search *search, struct err *err)
{
	struct remote *remote = search->run->session->remote;
	struct remote_identity told = {0};
	struct uidset uids;
	int code = 0;
	uidset_init(&uids);
	for (size_t i = 0; code == 0 && i < search->arrival_count; i++) {
		uint32_t uid = search->arrivals[i].uid;
		code = uidset_add(&uids, uid, uid, err);
	}
	if (code == 0) {
		code = remote_headers_begin(remote, &uids, err);
	}
	while (code == 0 && !told.is_done) {
		code = remote_headers_next(remote, &told, err);
		if (code == 0 && !told.is_done) {
			code = take_header(search, &told, err);
		}
	}
	uidset_finish(&uids);
	return code;
}

/* What cannot be told now is downloaded at its new place, and its old one removed. */
static int search_mailbox(struct search *search, struct mailbox *mailbox, struct err *err)
{
	search->mailbox = mailbox;
	search->arrival_count = 0;
	int code = gather(search, mailbox, add_arrival, err);
	if (code < 0 || search->arrival_count == 0) {
		return code;
	}
	qsort(search->arrivals, search->arrival_count, sizeof(*search->arrivals), compare_uid);
	code = remote_open(search->run->session->remote, mailbox->seen.wire, REMOTE_READ,
			   mailbox->base.uidvalidity, NULL, err);
	if (code == 0) {
		code = ask_headers(search, err);
	}
	return code < 0 && !run_is_fatal(err) ? 0 : code;
}

static int gather_traces(struct search *search, struct err *err)
{
	const struct mailboxes *mailboxes = &search->run->mailboxes;
	bool has_new = false;
	int code = 0;
	for (size_t i = 0; i < mailboxes->count; i++) {
		has_new = has_new || move_may_arrive(&mailboxes->items[i]);
	}
	for (size_t i = 0; code == 0 && has_new && i < mailboxes->count; i++) {
		const struct mailbox *mailbox = &mailboxes->items[i];
		if (mailbox_is_active(mailbox) && mailbox->in_base &&
		    (mailbox->seen.was_viewed || mailbox->base.pending > 0)) {
			code = gather(search, mailbox, add_trace, err);
		}
	}
	if (search->trace_count > 1) {
		qsort(search->traces, search->trace_count, sizeof(*search->traces),
		      move_trace_compare);
	}
	return code;
}

int find_moves_by_header(struct run *run, struct state_moves *pairs, struct err *err)
{
	struct search search = {.run = run, .pairs = pairs};
	int code = gather_traces(&search, err);
	for (size_t i = 0; code == 0 && search.trace_count > 0 && i < run->mailboxes.count; i++) {
		if (move_may_arrive(&run->mailboxes.items[i])) {
			code = search_mailbox(&search, &run->mailboxes.items[i], err);
		}
	}
	free(search.traces);
	free(search.arrivals);
	return code;
}
