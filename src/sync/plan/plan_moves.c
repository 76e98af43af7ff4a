/* Which messages are to be moved from one mailbox to another, on which side. */
#include <string.h>

#include "mailsync/base/array.h"

#include "guard/guard.h"
#include "observe/observe.h"
#include "plan.h"

#include "rules/effect.h"

struct move_row {
	int64_t row;
	size_t move; /* in the list */
};

static int compare_rows(const void *x, const void *y)
{
	int64_t one = ((const struct move_row *)x)->row;
	int64_t two = ((const struct move_row *)y)->row;
	return (one > two) - (one < two);
}

static void add_row(struct move_list *moves, int64_t row)
{
	const struct move_row added = {.row = row, .move = moves->count};
	size_t at = array_lower_bound(moves->rows, moves->row_count, sizeof(added), &added,
				      compare_rows);
	memmove(moves->rows + at + 1, moves->rows + at, (moves->row_count - at) * sizeof(added));
	moves->rows[at] = added;
	moves->row_count++;
}

static int move_list_add(struct move_list *moves, const struct move *move, struct err *err)
{
	if (ARRAY_RESERVE(&moves->items, moves->count + 1, &moves->cap, err) < 0 ||
	    ARRAY_RESERVE(&moves->rows, moves->row_count + 2, &moves->row_cap, err) < 0) {
		return -ERR_NOMEM;
	}
	add_row(moves, move->pair.gone_row);
	add_row(moves, move->pair.new_row);
	moves->items[moves->count++] = *move;
	return 0;
}

bool move_has_row(const struct move_list *moves, int64_t row)
{
	const struct move_row wanted = {.row = row};
	const struct move_row *found =
		array_find(moves->rows, moves->row_count, sizeof(wanted), &wanted, compare_rows);
	return found != NULL && moves->items[found->move].state != MOVE_DONE;
}

bool move_is_open(const struct move_list *moves, const struct mailbox *mailbox)
{
	for (size_t i = 0; i < moves->count; i++) {
		const struct move *move = &moves->items[i];
		bool is_open = move->state == MOVE_TRIED || move->state == MOVE_HELD_OBSTACLE ||
			       move->state == MOVE_HELD_UNREADABLE;
		if (is_open && (move->from == mailbox || move->to == mailbox)) {
			return true;
		}
	}
	return false;
}

static struct move_mailbox facts_of(const struct mailbox *mailbox)
{
	return (struct move_mailbox){
		.is_active = mailbox_is_active(mailbox),
		.is_read_only = mailbox->seen.is_read_only,
		.is_there = mailbox->wire != NULL,
	};
}

/* What a pair is looked at with. */
struct planning {
	struct run *run;
	enum move_seen seen;
	struct folder_look folder;
	struct intents intents; /* all of the account's */
};

static bool has_intent(const struct intents *intents, int64_t row)
{
	for (size_t i = 0; i < intents->count; i++) {
		if (intents->items[i].row == row) {
			return true;
		}
	}
	return false;
}

/* MOVE's state. The new file is looked at only where that decides. */
static int judge(struct planning *planning, struct move *move, const struct move_rows *rows,
		 struct move_facts *facts, struct err *err)
{
	int code = 0;
	move->state = move_rule(facts);
	if (move_wants_content(facts->seen, move->state) &&
	    (code = observe_moved(planning->run, &planning->folder, move->to, rows, &facts->content,
				  err)) == 0) {
		move->state = move_rule(facts);
	}
	return code;
}

static bool is_aside(struct run *run, const struct mailbox *mailbox, int64_t row)
{
	return suspects_are_any(run) &&
	       suspects_place(run, SUSPECT_MESSAGE, mailbox->name, row) != SUSPECT_GOES;
}

static int plan_pair(struct planning *planning, const struct state_move *pair, struct err *err)
{
	struct run *run = planning->run;
	enum move_seen seen = planning->seen;
	struct move_list *moves = &run->plan->moves;
	struct move move = {.pair = *pair, .side = move_side(seen)};
	struct move_rows rows;
	int code = move_rows_load(run, pair, &rows, err);
	if (code < 0 || !rows.are_there) {
		goto finish;
	}
	move.uid = rows.gone.uid;
	move.is_retry = move.side == SIDE_REMOTE && rows.gone.reason == REASON_FAILED;
	move.from = run_mailbox_by_id(run, rows.gone.mailbox);
	move.to = run_mailbox_by_id(run, rows.fresh.mailbox);
	if (move.from == NULL || move.to == NULL) {
		goto finish; /* of a mailbox that is no more */
	}
	struct move_facts facts = {
		.seen = seen,
		.gone = &rows.gone,
		.fresh = &rows.fresh,
		.from = facts_of(move.from),
		.to = facts_of(move.to),
		.copy = run->policy.messages.copy,
		.delete_ = run->policy.messages.delete_,
		.is_taken =
			move_has_row(moves, pair->gone_row) || move_has_row(moves, pair->new_row),
		.has_intent = has_intent(&planning->intents, pair->new_row),
	};
	facts.is_aside =
		is_aside(run, move.from, pair->gone_row) || is_aside(run, move.to, pair->new_row);
	facts.to.is_there &= (move.to->seen.in & SIDE_REMOTE) || move.to->decided.is_to_be_made;
	if ((code = judge(planning, &move, &rows, &facts, err)) == 0 && move.state != MOVE_NONE) {
		code = move_list_add(moves, &move, err);
	}
finish:
	move_rows_finish(&rows);
	return code;
}

static int put_crossed(struct run *run, struct move_rows *rows, const struct mailbox *from,
		       struct mailbox *at, struct err *err)
{
	struct state *state = run->session->state;
	int code = run_begin(run, err);
	if (code < 0) {
		return code;
	}
	effect_crossed(&rows->gone, &rows->fresh, &from->base.keywords, &at->base.keywords);
	if ((code = state_row_drop(state, rows->gone.id, err)) == 0 &&
	    (code = state_row_put(state, &rows->fresh, err)) == 0) {
		code = state_mailbox_put(state, &at->base, err); /* keywords may be new */
	}
	return state_end(state, code, err);
}

/* *IS_DUE: this run may move the file, which is the message that base knows; its row says so. */
static int cross(struct run *run, const struct crossed *crossed, bool *is_due, struct err *err)
{
	struct planning planning = {.run = run};
	enum content_verdict content = CONTENT_UNKNOWN;
	struct move_rows rows;
	int code = move_rows_load(run, &crossed->here, &rows, err);
	struct mailbox *from = run_mailbox_by_id(run, rows.gone.mailbox);
	struct mailbox *at = run_mailbox_by_id(run, rows.fresh.mailbox);
	bool may_be = code == 0 && rows.are_there && from != NULL && at != NULL &&
		      mailbox_is_active(at) &&
		      (run->policy.messages.copy & run->policy.messages.delete_ & SIDE_LOCAL) != 0;
	if (may_be) {
		code = observe_moved(run, &planning.folder, at, &rows, &content, err);
	}
	*is_due = may_be && code == 0 && content == CONTENT_SAME;
	if (*is_due) {
		code = put_crossed(run, &rows, from, at, err);
	}
	folder_look_finish(&planning.folder);
	move_rows_finish(&rows);
	return code;
}

/* V15 */
static int plan_crossed(struct run *run, struct err *err)
{
	struct planning planning = {.run = run, .seen = MOVE_SEEN_THERE};
	struct crossed_list crossed = {0};
	int code = find_crossed(run, &crossed, err);
	for (size_t i = 0; code == 0 && i < crossed.count; i++) {
		const struct crossed *each = &crossed.items[i];
		const struct state_move pair = {each->here.new_row, each->new_row};
		bool is_due = false;
		code = cross(run, each, &is_due, err);
		code = code < 0 || !is_due ? code : plan_pair(&planning, &pair, err);
	}
	crossed_list_finish(&crossed);
	return code;
}

int plan_moves(struct run *run, struct err *err)
{
	static const enum move_seen kinds[] = {MOVE_SEEN_HERE, MOVE_SEEN_RENAMED,
					       MOVE_SEEN_UNREADABLE, MOVE_SEEN_THERE};
	int code = plan_crossed(run, err);
	for (size_t i = 0; code == 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct planning planning = {.run = run, .seen = kinds[i]};
		struct state_moves pairs = {0};
		code = find_moves(run, kinds[i], &pairs, err);
		if (code == 0 && pairs.count > 0) {
			code = state_intents_load(run->session->state, 0, &planning.intents, err);
		}
		for (size_t k = 0; code == 0 && k < pairs.count; k++) {
			code = plan_pair(&planning, &pairs.items[k], err);
		}
		folder_look_finish(&planning.folder);
		state_intents_finish(&planning.intents);
		state_moves_finish(&pairs);
	}
	return code;
}
