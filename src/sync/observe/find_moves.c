/* Which moves there are: the part of move.h that only looks. */
#include "moves.h"

#include <stdlib.h>

#include "observe.h"

void move_list_finish(struct move_list *moves)
{
	free(moves->items);
	*moves = (struct move_list){0};
}

bool move_has_row(const struct move_list *moves, int64_t row)
{
	for (size_t i = 0; i < moves->count; i++) {
		const struct move *move = &moves->items[i];
		if (!move->is_done && (move->gone_row == row || move->new_row == row)) {
			return true;
		}
	}
	return false;
}

bool move_is_open(const struct move_list *moves, const struct mailbox *mailbox)
{
	for (size_t i = 0; i < moves->count; i++) {
		const struct move *move = &moves->items[i];
		bool is_open = (move->was_tried || move->is_obstructed) && !move->is_done;
		if (is_open && (move->from == mailbox || move->to == mailbox)) {
			return true;
		}
	}
	return false;
}

static struct mailbox *mailbox_by_id(struct run *run, int64_t id)
{
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		if (run->mailboxes.items[i].in_base && run->mailboxes.items[i].base.id == id) {
			return &run->mailboxes.items[i];
		}
	}
	return NULL;
}

int move_list_add(struct move_list *moves, const struct move *move, struct err *err)
{
	if (moves->count == moves->cap) {
		size_t cap = moves->cap == 0 ? 16 : moves->cap * 2;
		struct move *items = realloc(moves->items, cap * sizeof(*items));
		if (items == NULL) {
			return err_nomem(err);
		}
		moves->items = items;
		moves->cap = cap;
	}
	moves->items[moves->count++] = *move;
	return 0;
}

static bool is_usable(const struct mailbox *mailbox)
{
	return mailbox_is_active(mailbox) && !mailbox->seen.is_read_only &&
	       mailbox->seen.wire != NULL;
}

static bool is_covered(const struct run *run, const struct move *move)
{
	enum side side = move->is_remote ? SIDE_LOCAL : SIDE_REMOTE;
	return (run->policy.messages.copy & side) && (run->policy.messages.delete_ & side);
}

bool move_is_allowed(const struct run *run, const struct move *move)
{
	return is_covered(run, move) && is_usable(move->from) && is_usable(move->to) &&
	       (move->to->seen.in_remote || run->options->dry_run);
}

int move_load_rows(struct run *run, const struct move *move, struct row *gone, struct row *fresh,
		   bool *found, struct err *err)
{
	bool has_gone = false;
	bool has_fresh = false;
	int code = state_row_by_id(run->session->state, move->gone_row, gone, &has_gone, err);
	if (code == 0) {
		code = state_row_by_id(run->session->state, move->new_row, fresh, &has_fresh, err);
	}
	*found = has_gone && has_fresh;
	return code;
}

static int find_local(struct run *run, struct move_list *moves, struct err *err)
{
	struct state_moves candidates = {0};
	int code = state_moves_load(run->session->state, &candidates, err);
	for (size_t i = 0; code == 0 && i < candidates.count; i++) {
		struct move move = {.gone_row = candidates.items[i].gone_row,
				    .new_row = candidates.items[i].new_row};
		struct row gone;
		struct row fresh;
		bool found = false;
		if (move_has_row(moves, move.gone_row) || move_has_row(moves, move.new_row)) {
			continue; /* the file has more than one copy: the others are new mail */
		}
		row_init(&gone);
		row_init(&fresh);
		code = move_load_rows(run, &move, &gone, &fresh, &found, err);
		move.from = mailbox_by_id(run, gone.mailbox);
		move.to = mailbox_by_id(run, fresh.mailbox);
		if (code == 0 && found && move.from != NULL && move.to != NULL &&
		    gone.remote == MESSAGE_PRESENT && fresh.reason != REASON_AMBIGUOUS) {
			move.is_held = !move_is_allowed(run, &move);
			move.is_obstructed = move.is_held && is_covered(run, &move);
			code = move_list_add(moves, &move, err);
		}
		row_finish(&gone);
		row_finish(&fresh);
	}
	state_moves_finish(&candidates);
	return code;
}

/* A new file that base has in FROM, where it may have come from. */
static int hold_if_from(struct run *run, struct mailbox *from, struct mailbox *to,
			const struct row *fresh, struct move_list *moves, struct err *err)
{
	struct move move = {.from = from, .to = to, .new_row = fresh->id, .is_held = true};
	struct row base;
	bool found = false;
	row_init(&base);
	int code = state_row_by_unique(run->session->state, from->base.id, fresh->unique, &base,
				       &found, err);
	if (code == 0 && found && base.is_agreed) {
		move.gone_row = base.id;
		to->done.failures++; /* the next run looks again */
		code = move_list_add(moves, &move, err);
	}
	row_finish(&base);
	return code;
}

/* As new mail it would lose its keywords: their letters are the other folder's. */
static int hold_from_unreadable(struct run *run, struct mailbox *from, struct move_list *moves,
				struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		struct row_list rows;
		if (mailbox == from || !mailbox_is_active(mailbox) || !mailbox->in_base) {
			continue;
		}
		row_list_init(&rows);
		code = state_rows_pending(run->session->state, mailbox->base.id, false, &rows, err);
		for (size_t k = 0; code == 0 && k < rows.count; k++) {
			const struct row *row = &rows.items[k];
			if (!row->is_agreed && row->uid == 0 && row->local == MESSAGE_PRESENT) {
				code = hold_if_from(run, from, mailbox, row, moves, err);
			}
		}
		row_list_finish(&rows);
	}
	return code;
}

/* The file of a message that is gone elsewhere on the server and new here under the same
 * EMAILID. */
static int find_by_emailid(struct run *run, struct mailbox *mailbox, const struct row *fresh,
			   struct move_list *moves, struct err *err)
{
	struct row_list others;
	row_list_init(&others);
	int code = state_rows_by_emailid(run->session->state, fresh->emailid, &others, err);
	for (size_t i = 0; code == 0 && i < others.count; i++) {
		const struct row *other = &others.items[i];
		struct move move = {.from = mailbox_by_id(run, other->mailbox),
				    .to = mailbox,
				    .gone_row = other->id,
				    .new_row = fresh->id,
				    .is_remote = true};
		if (!other->is_agreed || other->remote != MESSAGE_GONE ||
		    other->local != MESSAGE_PRESENT || move.from == NULL || move.from == mailbox ||
		    move_has_row(moves, other->id)) {
			continue;
		}
		/* One that may not be carried out is a download and a removal, each by its own
		 * rules. */
		if (move_is_allowed(run, &move)) {
			code = move_list_add(moves, &move, err);
			break;
		}
	}
	row_list_finish(&others);
	return code;
}

static int find_remote(struct run *run, struct move_list *moves, struct err *err)
{
	if (!remote_facts(run->session->remote)->has_message_ids) {
		return move_find_by_header(run, moves, err);
	}
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		struct row_list rows;
		if (!mailbox_is_active(mailbox) || !mailbox->done.has_new_rows ||
		    !mailbox->in_base || mailbox->decided.pairing == PAIRING_ALL) {
			continue;
		}
		row_list_init(&rows);
		code = state_rows_pending(run->session->state, mailbox->base.id, false, &rows, err);
		for (size_t k = 0; code == 0 && k < rows.count; k++) {
			const struct row *row = &rows.items[k];
			if (row->emailid != NULL && !row->is_agreed &&
			    row->remote == MESSAGE_PRESENT && row->unique[0] == '\0') {
				code = find_by_emailid(run, mailbox, row, moves, err);
			}
		}
		row_list_finish(&rows);
	}
	return code;
}

int move_find(struct run *run, struct move_list *moves, struct err *err)
{
	int code = find_local(run, moves, err);
	for (size_t i = 0; code == 0 && run->seen.has_unreadable && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->seen.is_unreadable && mailbox->in_base) {
			code = hold_from_unreadable(run, mailbox, moves, err);
		}
	}
	return code < 0 ? code : find_remote(run, moves, err);
}
