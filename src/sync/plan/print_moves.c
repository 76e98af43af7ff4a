#include <stdio.h>

#include "mailsync/model/mbname.h"

#include "plan.h"
#include "rules/effect.h"

/* UID and file are those in the mailbox that the move goes to, where they are known already. */
static void print_move(struct run *run, const struct move *move, const struct move_rows *rows,
		       const struct moved_file *file)
{
	bool is_there = move->side == SIDE_REMOTE;
	char name[MAILDIR_NAME_MAX + 8];
	struct buf why;
	buf_init(&why, 2 * MBNAME_MAX);
	buf_printf(&why, "moved %s from %s", is_there ? "locally" : "on the server",
		   move->from->name);
	if (is_there) {
		buf_printf(&why, ", there UID %u", (unsigned)rows->gone.uid);
	}
	snprintf(name, sizeof(name), "%s/%s", file->in_new ? "new" : "cur", file->name);
	struct plan_entry entry = {
		.mailbox = move->to->name,
		.op = REPORT_MOVE,
		.uid = is_there ? 0 : rows->fresh.uid,
		.file = file->name[0] == '\0' ? NULL : name,
		.why = why.data,
	};
	run_report_plan(run, &entry);
	buf_finish(&why);
}

/* The file of a move on the server, as far as it can be seen. Keywords that cannot be read are
 * taken to be as they were. */
static void look_at_file(struct run *run, const struct move *move, const struct move_rows *rows,
			 struct moved_file *file)
{
	struct mailbox *to = move->to;
	uint64_t known = effect_translate(rows->gone.local_flags, &move->from->base.keywords,
					  &to->base.keywords);
	uint64_t mask = 0;
	struct err ignored;
	if (find_moved_file(run, move->from, to, rows, file, &ignored) < 0 ||
	    !run->account->keywords) {
		file->letters = (rows->fresh.local_flags & FLAGS_SYSTEM) | (known & ~FLAGS_SYSTEM);
	} else if (maildir_folder_keyword_mask(to->dir, &to->base.keywords, &mask, &ignored) == 0) {
		file->letters &= FLAGS_SYSTEM | mask;
	}
}

/* The rows as the move would leave them. */
static int move_on_paper(struct run *run, struct move *move, struct move_rows *rows,
			 const struct moved_file *file, struct err *err)
{
	struct state *state = run->session->state;
	struct keywords *from = &move->from->base.keywords;
	struct keywords *to = &move->to->base.keywords;
	if (move->side == SIDE_REMOTE) {
		effect_move_begun(&rows->gone, &rows->fresh, file->letters);
		effect_moved_there(&rows->gone, &rows->fresh, 0, from, to);
	} else {
		effect_moved_here(&rows->gone, &rows->fresh,
				  effect_translate(rows->gone.local_flags, from, to), from, to);
	}
	move->from->base.held_policy = 0;
	move->to->base.held_policy = 0;
	move->state = MOVE_DONE;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	if ((code = state_row_drop(state, rows->gone.id, err)) == 0) {
		code = state_row_put(state, &rows->fresh, err);
	}
	return state_end(state, code, err);
}

static int print_one(struct run *run, struct move *move, struct err *err)
{
	struct move_rows rows;
	struct moved_file file = {0};
	int code = move_rows_load(run, &move->pair, &rows, err);
	if (code == 0 && rows.are_there) {
		if (move->side == SIDE_REMOTE) {
			look_at_file(run, move, &rows, &file);
		}
		print_move(run, move, &rows, &file);
		code = move_on_paper(run, move, &rows, &file, err);
	}
	mailbox_release(move->from);
	mailbox_release(move->to);
	move_rows_finish(&rows);
	return code;
}

int plan_print_moves(struct run *run, struct err *err)
{
	struct move_list *moves = &run->plan->moves;
	int code = 0;
	for (size_t i = 0; code == 0 && i < moves->count; i++) {
		if (moves->items[i].state == MOVE_PLANNED) {
			code = print_one(run, &moves->items[i], err);
		}
	}
	return code;
}
