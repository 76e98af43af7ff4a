/* Rows of one message: gone from one mailbox and new in another, by the unique part. */
#include "state_private.h"

#include <stdlib.h>

#include "mailsync/base/array.h"

/* By the indexes of the exceptions: the planner would read every row. */
static const char moves_select[] =
	"SELECT gone.id, fresh.id FROM row AS gone INDEXED BY row_gone CROSS JOIN row AS fresh"
	" WHERE gone.local = 2 AND gone.agreed = 1 AND gone.uniq <> ''"
	" AND fresh.uniq = gone.uniq AND fresh.agreed = 0 AND fresh.local = 1 AND fresh.uid = 0"
	" AND fresh.mailbox <> gone.mailbox ORDER BY gone.id, fresh.id";
static const char moves_select_from[] =
	"SELECT old.id, fresh.id FROM row AS fresh INDEXED BY row_fresh CROSS JOIN row AS old"
	" WHERE fresh.agreed = 0 AND fresh.local = 1 AND fresh.uid = 0 AND fresh.mailbox <> ?1"
	" AND old.mailbox = ?1 AND old.uniq = fresh.uniq AND old.uniq <> '' ORDER BY fresh.id";

#define GONE_WHERE                                                                    \
	" FROM row INDEXED BY row_gone WHERE local = 2 AND agreed = 1 AND remote = 1" \
	" AND content IS NOT NULL"
#define FRESH_WHERE " FROM row INDEXED BY row_fresh WHERE agreed = 0 AND local = 1 AND uid = 0"
static const char gone_select[] =
	"SELECT id, mailbox, mark_size, content" GONE_WHERE
	" AND mark_size IN (SELECT size" FRESH_WHERE ") ORDER BY mailbox, id";
static const char fresh_select[] =
	"SELECT id, mailbox, size, NULL" FRESH_WHERE " AND size IN (SELECT mark_size" GONE_WHERE
	") ORDER BY mailbox, id";

static int traces_add(struct state_traces *traces, const struct query *query, struct err *err)
{
	int status = ARRAY_RESERVE(&traces->items, traces->count + 1, &traces->cap, err);
	if (status != 0) {
		return status;
	}
	struct state_trace *trace = &traces->items[traces->count++];
	*trace = (struct state_trace){
		.row = query_get_int(query, 0),
		.mailbox = query_get_int(query, 1),
		.size = query_get_u64(query, 2),
	};
	(void)query_get_blob(query, 3, trace->content, sizeof(trace->content));
	return 0;
}

int state_traces_load(struct state *state, bool of_gone, struct state_traces *traces,
		      struct err *err)
{
	struct query query;
	bool has_row = true;

	state_lock(state);
	int status = query_init(&query, state, of_gone ? gone_select : fresh_select, err);
	if (status == 0) {
		while ((status = query_next(&query, &has_row, err)) == 0 && has_row &&
		       (status = traces_add(traces, &query, err)) == 0) {
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}

void state_traces_finish(struct state_traces *traces)
{
	free(traces->items);
	*traces = (struct state_traces){0};
}

static int moves_add(struct state_moves *moves, const struct query *query, struct err *err)
{
	int status = ARRAY_RESERVE(&moves->items, moves->count + 1, &moves->cap, err);
	if (status != 0) {
		return status;
	}
	moves->items[moves->count++] = (struct state_move){.gone_row = query_get_int(query, 0),
							   .new_row = query_get_int(query, 1)};
	return 0;
}

int state_moves_load(struct state *state, int64_t from, struct state_moves *moves, struct err *err)
{
	struct query query;
	bool has_row = true;

	state_lock(state);
	int status = query_init(&query, state, from == 0 ? moves_select : moves_select_from, err);
	if (status == 0) {
		if (from != 0) {
			query_int(&query, from);
		}
		while (status == 0) {
			status = query_next(&query, &has_row, err);
			if (status != 0 || !has_row) {
				break;
			}
			status = moves_add(moves, &query, err);
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}

void state_moves_finish(struct state_moves *moves)
{
	free(moves->items);
	*moves = (struct state_moves){0};
}
