#include "observe.h"
#include "observe_private.h"

#include <stdlib.h>

#include "mailsync/base/array.h"

#include "rules/effect.h"
#include "rules/move_rules.h"

int move_pairs_add(struct state_moves *pairs, int64_t gone_row, int64_t new_row, struct err *err)
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

int find_moves_here(struct run *run, struct state_moves *pairs, struct err *err)
{
	return state_moves_load(run->session->state, pairs, err);
}

/* The new files of MAILBOX that base has in FROM. */
static int find_from(struct run *run, const struct mailbox *from, const struct mailbox *mailbox,
		     struct state_moves *pairs, struct err *err)
{
	struct state *state = run->session->state;
	struct row_list rows;
	row_list_init(&rows);
	int code = state_rows_pending(state, mailbox->base.id, false, &rows, err);
	for (size_t i = 0; code == 0 && i < rows.count; i++) {
		const struct row *row = &rows.items[i];
		struct row base;
		bool found = false;
		if (row->is_agreed || row->uid != 0 || row->local != MESSAGE_PRESENT) {
			continue;
		}
		row_init(&base);
		code = state_row_by_unique(state, from->base.id, row->unique, &base, &found, err);
		if (code == 0 && found) {
			code = move_pairs_add(pairs, base.id, row->id, err);
		}
		row_finish(&base);
	}
	row_list_finish(&rows);
	return code;
}

int find_moves_from_unreadable(struct run *run, struct state_moves *pairs, struct err *err)
{
	int code = 0;
	for (size_t i = 0; run->seen.has_unreadable && i < run->mailboxes.count; i++) {
		const struct mailbox *from = &run->mailboxes.items[i];
		if (!from->seen.is_unreadable || !from->in_base) {
			continue;
		}
		for (size_t k = 0; code == 0 && k < run->mailboxes.count; k++) {
			const struct mailbox *mailbox = &run->mailboxes.items[k];
			if (mailbox != from && mailbox_is_active(mailbox) && mailbox->in_base) {
				code = find_from(run, from, mailbox, pairs, err);
			}
		}
	}
	return code;
}

/* The first message that is gone elsewhere under FRESH's EMAILID, and not found to be another's. */
static int find_by_emailid(struct run *run, const struct row *fresh, struct state_moves *pairs,
			   struct err *err)
{
	struct row_list others;
	bool is_found = false;
	row_list_init(&others);
	int code = state_rows_by_emailid(run->session->state, fresh->emailid, &others, err);
	for (size_t i = 0; code == 0 && !is_found && i < others.count; i++) {
		const struct row *other = &others.items[i];
		const struct mailbox *from = run_mailbox_by_id(run, other->mailbox);
		is_found = move_is_original(other) && other->mailbox != fresh->mailbox &&
			   from != NULL && mailbox_is_active(from) && !has_gone(pairs, other->id);
		if (is_found) {
			code = move_pairs_add(pairs, other->id, fresh->id, err);
		}
	}
	row_list_finish(&others);
	return code;
}

bool move_may_arrive(const struct mailbox *mailbox)
{
	return mailbox_is_active(mailbox) && mailbox->in_base && mailbox->done.has_new_rows &&
	       mailbox->decided.pairing != PAIRING_ALL && mailbox->seen.wire != NULL;
}

int find_moves_there(struct run *run, struct state_moves *pairs, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		struct row_list rows;
		if (!move_may_arrive(mailbox)) {
			continue;
		}
		row_list_init(&rows);
		code = state_rows_pending(run->session->state, mailbox->base.id, false, &rows, err);
		for (size_t k = 0; code == 0 && k < rows.count; k++) {
			if (rows.items[k].emailid != NULL && move_is_arrival(&rows.items[k])) {
				code = find_by_emailid(run, &rows.items[k], pairs, err);
			}
		}
		row_list_finish(&rows);
	}
	return code;
}

int move_rows_load(struct run *run, const struct state_move *pair, struct move_rows *rows,
		   struct err *err)
{
	struct state *state = run->session->state;
	bool has_gone = false;
	bool has_fresh = false;
	row_init(&rows->gone);
	row_init(&rows->fresh);
	int code = state_row_by_id(state, pair->gone_row, &rows->gone, &has_gone, err);
	if (code == 0) {
		code = state_row_by_id(state, pair->new_row, &rows->fresh, &has_fresh, err);
	}
	rows->are_there = has_gone && has_fresh;
	return code;
}

void move_rows_finish(struct move_rows *rows)
{
	row_finish(&rows->gone);
	row_finish(&rows->fresh);
}

int find_moved_file(struct run *run, struct mailbox *from, struct mailbox *to,
		    const struct move_rows *rows, struct moved_file *file, struct err *err)
{
	struct keywords *old = &from->base.keywords;
	struct keywords *new = &to->base.keywords;
	uint64_t by_old = 0;
	uint64_t by_new = 0;
	int code = 0;
	if ((code = mailbox_open_dir(run, to, err)) < 0 ||
	    (code = maildir_folder_find(to->dir, span_of(rows->fresh.unique), file->name,
					&file->in_new, err)) < 0 ||
	    (code = mailbox_open_dir(run, from, err)) < 0 ||
	    (code = maildir_folder_read_letters(to->dir, file->name, new, &by_new, err)) < 0 ||
	    (code = maildir_folder_read_letters(from->dir, file->name, old, &by_old, err)) < 0) {
		return code;
	}
	file->letters = effect_moved_letters(&rows->gone, by_old, by_new, old, new);
	return 0;
}
