/*
 * Moves on a server that gives no EMAILID. MOVE and COPY keep INTERNALDATE (RFC 9051, 6.4.7), so a
 * message that is new in one mailbox and has the date of one that is gone from another is asked for
 * its header; where that is the same, too, it was moved. Without such dates nothing is asked.
 */
#include <stdlib.h>
#include <string.h>

#include "moves.h"
#include "observe.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define SET_TEXT_MAX 900

/* A message of base that is gone from the server. */
struct gone {
	struct mailbox *mailbox;
	int64_t row;
	int64_t date;
	uint8_t digest[ROW_DIGEST_SIZE];
	bool is_taken;
};

struct fresh {
	uint32_t uid;
	int64_t row;
	int64_t date;
};

struct search {
	struct run *run;
	struct move_list *moves;
	struct gone *gone;
	size_t gone_count, gone_cap;
	struct mailbox *mailbox; /* whose new messages are looked at: */
	struct fresh *fresh;
	size_t fresh_count, fresh_cap;
};

/* Room for one more item of SIZE bytes. */
static void *grown(void *items, size_t count, size_t *cap, size_t size, struct err *err)
{
	if (count < *cap) {
		return items;
	}
	size_t more = *cap == 0 ? 16 : *cap * 2;
	void *bigger = realloc(items, more * size);
	if (bigger == NULL) {
		err_nomem(err);
		return NULL;
	}
	*cap = more;
	return bigger;
}

static int add_gone(struct search *search, struct mailbox *mailbox, const struct row *row,
		    struct err *err)
{
	struct gone *items =
		grown(search->gone, search->gone_count, &search->gone_cap, sizeof(*items), err);
	if (items == NULL) {
		return -(int)err->code;
	}
	search->gone = items;
	struct gone *gone = &items[search->gone_count++];
	*gone = (struct gone){.mailbox = mailbox, .row = row->id, .date = row->date};
	memcpy(gone->digest, row->digest, sizeof(gone->digest));
	return 0;
}

static int compare_date(const void *x, const void *y)
{
	const struct gone *one = x;
	const struct gone *two = y;
	return (one->date > two->date) - (one->date < two->date);
}

static int compare_uid(const void *x, const void *y)
{
	const struct fresh *one = x;
	const struct fresh *two = y;
	return (one->uid > two->uid) - (one->uid < two->uid);
}

/* The first of the gone with that DATE, and COUNT of them. They are sorted. */
static struct gone *gone_of(const struct search *search, int64_t date, size_t *count)
{
	struct gone wanted = {.date = date};
	struct gone *end = search->gone + search->gone_count;
	struct gone *found =
		bsearch(&wanted, search->gone, search->gone_count, sizeof(wanted), compare_date);
	*count = 0;
	while (found != NULL && found > search->gone && found[-1].date == date) {
		found--;
	}
	for (struct gone *at = found; at != NULL && at < end && at->date == date; at++) {
		(*count)++;
	}
	return found;
}

static bool may_come_from(const struct search *search, const struct gone *gone)
{
	return !gone->is_taken && gone->mailbox != search->mailbox;
}

static int add_fresh(struct search *search, const struct row *row, struct err *err)
{
	bool is_like_one = false;
	size_t count = 0;
	const struct gone *gone = gone_of(search, row->date, &count);
	for (size_t i = 0; !is_like_one && i < count; i++) {
		is_like_one = may_come_from(search, &gone[i]);
	}
	if (!is_like_one) {
		return 0;
	}
	struct fresh *items =
		grown(search->fresh, search->fresh_count, &search->fresh_cap, sizeof(*items), err);
	if (items == NULL) {
		return -(int)err->code;
	}
	search->fresh = items;
	items[search->fresh_count++] =
		(struct fresh){.uid = row->uid, .row = row->id, .date = row->date};
	return 0;
}

static int gather_gone(struct search *search, struct mailbox *mailbox, struct err *err)
{
	struct row_list rows;
	row_list_init(&rows);
	int code = state_rows_pending(search->run->session->state, mailbox->base.id, false, &rows,
				      err);
	for (size_t i = 0; code == 0 && i < rows.count; i++) {
		const struct row *row = &rows.items[i];
		if (row->is_agreed && row->remote == MESSAGE_GONE &&
		    row->local == MESSAGE_PRESENT && row->has_digest && row->date != 0 &&
		    !move_has_row(search->moves, row->id)) {
			code = add_gone(search, mailbox, row, err);
		}
	}
	row_list_finish(&rows);
	return code;
}

static int gather_fresh(struct search *search, struct mailbox *mailbox, struct err *err)
{
	struct row_list rows;
	search->mailbox = mailbox;
	search->fresh_count = 0;
	row_list_init(&rows);
	int code = state_rows_pending(search->run->session->state, mailbox->base.id, false, &rows,
				      err);
	for (size_t i = 0; code == 0 && i < rows.count; i++) {
		const struct row *row = &rows.items[i];
		if (!row->is_agreed && row->remote == MESSAGE_PRESENT && row->uid != 0 &&
		    row->unique[0] == '\0') {
			code = add_fresh(search, row, err);
		}
	}
	row_list_finish(&rows);
	if (search->fresh_count > 1) {
		qsort(search->fresh, search->fresh_count, sizeof(*search->fresh), compare_uid);
	}
	return code;
}

static int take_header(struct search *search, const struct imap_identity *told, struct err *err)
{
	const struct fresh wanted = {.uid = told->uid};
	const struct fresh *fresh =
		bsearch(&wanted, search->fresh, search->fresh_count, sizeof(wanted), compare_uid);
	size_t count = 0;
	/* A header without Message-ID says too little. */
	if (fresh == NULL || !told->has_header || !told->identity.has_message_id ||
	    move_has_row(search->moves, fresh->row)) {
		return 0;
	}
	struct gone *gone = gone_of(search, fresh->date, &count);
	for (; count > 0; count--, gone++) {
		struct move move = {.from = gone->mailbox,
				    .to = search->mailbox,
				    .gone_row = gone->row,
				    .new_row = fresh->row,
				    .is_remote = true};
		if (may_come_from(search, gone) &&
		    memcmp(gone->digest, told->identity.digest, sizeof(gone->digest)) == 0) {
			gone->is_taken = true;
			/* One that may not be carried out is a download and a removal, each by
			 * its own rules. */
			return move_is_allowed(search->run, &move)
				     ? move_list_add(search->moves, &move, err)
				     : 0;
		}
	}
	return 0;
}

static int take_headers(struct search *search, size_t in_flight, struct err *err)
{
	int code = 0;
	while (code == 0 && in_flight > 0) {
		struct imap_identity told;
		code = imap_identity_next(remote_imap(search->run->session->remote), &told, err);
		if (code == 0 && told.is_done) {
			in_flight--;
		} else if (code == 0) {
			code = take_header(search, &told, err);
		}
	}
	return code;
}

static int ask_headers(struct search *search, size_t *in_flight, struct err *err)
{
	struct uidset uids;
	struct buf text;
	size_t from = 0;
	int code = 0;
	uidset_init(&uids);
	buf_init(&text, SET_TEXT_MAX + 64);
	for (size_t i = 0; code == 0 && i < search->fresh_count; i++) {
		code = uidset_add(&uids, search->fresh[i].uid, search->fresh[i].uid, err);
	}
	while (code == 0 && uidset_format_some(&uids, &from, SET_TEXT_MAX, &text)) {
		code = buf_status(&text, "a set of UIDs", err);
		if (code == 0) {
			code = imap_fetch_queue(remote_imap(search->run->session->remote),
						IMAP_HEADERS, buf_span(&text), 0, err);
			(*in_flight)++;
		}
		buf_clear(&text);
	}
	buf_finish(&text);
	uidset_finish(&uids);
	return code;
}

/* Opens the mailbox where it is not; *IS_OPEN false when its UIDs are not those of base. */
static int open_mailbox(struct search *search, bool *is_open, struct err *err)
{
	struct mailbox *mailbox = search->mailbox;
	uint32_t uidvalidity =
		remote_selected(search->run->session->remote, mailbox->seen.wire, false);
	int code = 0;
	if (uidvalidity == 0) {
		struct imap_view opened = {0};
		code = imap_select(remote_imap(search->run->session->remote), mailbox->seen.wire,
				   false, &opened, err);
		uidvalidity = opened.uidvalidity;
		imap_view_finish(&opened);
	}
	*is_open = code == 0 && uidvalidity == mailbox->base.uidvalidity;
	return code;
}

static int search_mailbox(struct search *search, struct mailbox *mailbox, struct err *err)
{
	bool is_open = false;
	size_t in_flight = 0;
	int code = gather_fresh(search, mailbox, err);
	if (code < 0 || search->fresh_count == 0) {
		return code;
	}
	code = open_mailbox(search, &is_open, err);
	if (code == 0 && is_open) {
		code = ask_headers(search, &in_flight, err);
	}
	if (code == 0 && is_open) {
		code = take_headers(search, in_flight, err);
	}
	/* What cannot be told now is downloaded at its new place, and its old one removed. */
	return code < 0 && !run_is_fatal(err) ? 0 : code;
}

static bool is_searched(const struct mailbox *mailbox)
{
	return mailbox_is_active(mailbox) && mailbox->in_base && mailbox->done.has_new_rows &&
	       mailbox->decided.pairing != PAIRING_ALL && mailbox->seen.wire != NULL;
}

int move_find_by_header(struct run *run, struct move_list *moves, struct err *err)
{
	struct search search = {.run = run, .moves = moves};
	bool has_new = false;
	int code = 0;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		has_new = has_new || is_searched(&run->mailboxes.items[i]);
	}
	for (size_t i = 0; code == 0 && has_new && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox_is_active(mailbox) && mailbox->in_base &&
		    (mailbox->seen.was_viewed || mailbox->base.pending > 0)) {
			code = gather_gone(&search, mailbox, err);
		}
	}
	if (search.gone_count > 1) {
		qsort(search.gone, search.gone_count, sizeof(*search.gone), compare_date);
	}
	for (size_t i = 0; code == 0 && search.gone_count > 0 && i < run->mailboxes.count; i++) {
		if (is_searched(&run->mailboxes.items[i])) {
			code = search_mailbox(&search, &run->mailboxes.items[i], err);
		}
	}
	free(search.gone);
	free(search.fresh);
	return code;
}
