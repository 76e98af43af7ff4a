/*
 * Messages that were moved on both sides, to different mailboxes (V15): gone from both where base
 * had them, with a new file of that unique part here and a new message there that has their date
 * and header. Where there are none of the first kind, nothing is asked.
 */
#include "observe.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "rules/move_rules.h"

/* One that is gone on both sides. */
struct origin {
	struct row gone;
	int64_t file_row;
	int64_t file_mailbox;
	bool is_taken;
};

struct search {
	struct run *run;
	struct origin *origins;
	size_t count;
	struct crossed_list *found;
};

static int add_origin(struct search *search, const struct state_move *here, struct err *err)
{
	struct origin *origin = &search->origins[search->count];
	struct move_rows rows;
	int code = move_rows_load(search->run, here, &rows, err);
	if (code == 0 && rows.are_there && move_is_origin(&rows.gone)) {
		*origin = (struct origin){.gone = rows.gone,
					  .file_row = here->new_row,
					  .file_mailbox = rows.fresh.mailbox};
		row_init(&rows.gone);
		search->count++;
	}
	move_rows_finish(&rows);
	return code;
}

/* Those which ROW may be, by its header where that is told, and is in another mailbox than the file
 * (W24). NULL: none. */
static struct origin *origin_of(struct search *search, const struct row *row,
				const struct header_identity *identity)
{
	for (size_t i = 0; i < search->count; i++) {
		struct origin *origin = &search->origins[i];
		if (!origin->is_taken && row->mailbox != origin->file_mailbox &&
		    move_is_crossed(&origin->gone, row, identity)) {
			return origin;
		}
	}
	return NULL;
}

static int take_header(struct search *search, const struct row_list *rows,
		       const struct remote_identity *told, struct err *err)
{
	struct crossed_list *found = search->found;
	const struct row *row = NULL;
	for (size_t i = 0; i < rows->count && row == NULL; i++) {
		row = rows->items[i].uid == told->uid ? &rows->items[i] : NULL;
	}
	struct origin *origin = row == NULL ? NULL : origin_of(search, row, &told->identity);
	if (origin == NULL) {
		return 0;
	}
	if (ARRAY_RESERVE(&found->items, found->count + 1, &found->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	origin->is_taken = true;
	found->items[found->count++] = (struct crossed){
		.here = {origin->gone.id, origin->file_row},
		.new_row = row->id,
	};
	return 0;
}

static int ask_headers(struct search *search, const struct mailbox *mailbox,
		       const struct uidset *uids, const struct row_list *rows, struct err *err)
{
	struct remote *remote = search->run->session->remote;
	struct remote_identity told = {0};
	int code = remote_open(remote, mailbox->wire, REMOTE_READ,
			       mailbox->base.numbers.uidvalidity, NULL, err);
	code = code < 0 ? code : remote_headers_begin(remote, uids, err);
	while (code == 0 && (code = remote_headers_next(remote, &told, err)) == 0 &&
	       !told.is_done) {
		code = take_header(search, rows, &told, err);
	}
	return code;
}

static int look_among(struct search *search, const struct mailbox *mailbox,
		      const struct row_list *rows, struct err *err)
{
	struct uidset uids;
	int code = 0;
	uidset_init(&uids);
	for (size_t i = 0; code == 0 && i < rows->count; i++) {
		const struct row *row = &rows->items[i];
		if (move_is_arrival(row) && origin_of(search, row, NULL) != NULL) {
			code = uidset_add(&uids, row->uid, row->uid, err);
		}
	}
	if (code == 0 && uids.count > 0) {
		code = ask_headers(search, mailbox, &uids, rows, err);
	}
	uidset_finish(&uids);
	return code;
}

static int look_in(struct search *search, const struct mailbox *mailbox, struct err *err)
{
	struct state *state = search->run->session->state;
	struct state_slice slice = {.is_last = false};
	struct row_list rows;
	int code = 0;
	row_list_init(&rows);
	while (code == 0 && !slice.is_last) {
		code = state_rows_pending(state, mailbox->base.id, &slice, &rows, err);
		if (code == 0) {
			code = look_among(search, mailbox, &rows, err);
		}
	}
	row_list_finish(&rows);
	return code < 0 && !run_is_fatal(err) ? 0 : code;
}

static int gather_origins(struct search *search, struct err *err)
{
	struct state_moves here = {0};
	int code = state_moves_load(search->run->session->state, 0, &here, err);
	if (code == 0 && here.count > 0) {
		search->origins = calloc(here.count, sizeof(*search->origins));
		code = search->origins == NULL ? err_nomem(err) : 0;
	}
	for (size_t i = 0; code == 0 && i < here.count; i++) {
		code = add_origin(search, &here.items[i], err);
	}
	state_moves_finish(&here);
	return code;
}

int find_crossed(struct run *run, struct crossed_list *found, struct err *err)
{
	struct search search = {.run = run, .found = found};
	int code = gather_origins(&search, err);
	for (size_t i = 0; code == 0 && search.count > 0 && i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox_may_have_arrivals(mailbox)) {
			code = look_in(&search, mailbox, err);
		}
	}
	for (size_t i = 0; i < search.count; i++) {
		row_finish(&search.origins[i].gone);
	}
	free(search.origins);
	return code;
}

void crossed_list_finish(struct crossed_list *list)
{
	free(list->items);
	*list = (struct crossed_list){0};
}
