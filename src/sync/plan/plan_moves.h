/*
 * The moves of the one plan (plan.h), by the rules of rules/move_rules.h over what
 * observe/observe.h found. act/move_messages.h carries them out.
 *
 * A row that is part of a move is not planned by itself until the move is done.
 */
#ifndef SYNC_PLAN_PLAN_MOVES_H
#define SYNC_PLAN_PLAN_MOVES_H

#include "observe/observe.h"
#include "rules/move_rules.h"

struct move {
	struct state_move pair;
	struct mailbox *from; /* where its row is gone, and */
	struct mailbox *to;   /* where it is new */
	enum side side;       /* where it is to be carried out */
	enum move_state state;
};

struct move_list {
	struct move *items;
	size_t count, cap;
	struct move_row *rows; /* of all moves, sorted */
	size_t row_count, row_cap;
};
void move_list_finish(struct move_list *moves);

/* Fills run->plan->moves. */
int plan_moves(struct run *run, struct err *err);

/* True when a row is part of a move and so not to be planned by itself. */
bool move_has_row(const struct move_list *moves, int64_t row);
/* One of its rows is left to a move that was tried and is not done, or that something else than
 * policy holds: the mailbox is not settled. */
bool move_is_open(const struct move_list *moves, const struct mailbox *mailbox);

/* Dry run: tells the moves that are planned and carries them out on paper, that is on the rows of
 * the scratch copy, so that the messages' plan is the one that follows them. */
int plan_print_moves(struct run *run, struct err *err);

#endif
