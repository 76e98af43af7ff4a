/* What waits, and why. */
#include "state_private.h"

#include <stdlib.h>

#include "mailsync/base/array.h"

_Static_assert(REASON_POLICY == 1, "the number stands in the query");

/* But for files of which the user said that it is well that they are gone (state_kept.c), unless
 * they wait for more than a policy. */
static const char waiting_select[] =
	"SELECT mailbox.name, reason, row.held, agreed = 1 AND local = 1 AND remote = 2,"
	" agreed = 1 AND local = 2 AND remote = 1, count(*)"
	" FROM row JOIN mailbox ON mailbox.id = row.mailbox"
	" WHERE row.pending = 1 AND NOT (agreed = 1 AND local = 2 AND remote = 1 AND row.held = 0"
	" AND reason = 1 AND EXISTS (SELECT 1 FROM kept WHERE kept.mailbox = mailbox.name"
	" AND kept.uniq = row.uniq AND meant = 1))"
	" GROUP BY 1, 2, 3, 4, 5"
	" UNION ALL SELECT 'INBOX', reason, 0, 0, 0, count(*) FROM pop3"
	" WHERE reason <> 0 AND gone = 0 GROUP BY reason ORDER BY 1, 2, 3, 4, 5";

static int waiting_add(struct state_waiting *waiting, const struct query *query, struct err *err)
{
	struct state_waiting_entry entry = {
		.reason = (enum row_reason)query_get_int(query, 1),
		.held = (enum row_held)query_get_int(query, 2),
		.is_kept_here = query_get_int(query, 3) != 0,
		.is_lost_here = query_get_int(query, 4) != 0,
		.messages = query_get_u64(query, 5),
	};
	int status = ARRAY_RESERVE(&waiting->items, waiting->count + 1, &waiting->cap, err);

	if (status == 0) {
		status = query_get_dup(query, 0, &entry.mailbox, err);
	}
	if (status == 0) {
		waiting->items[waiting->count++] = entry;
	}
	return status;
}

int state_waiting_load(struct state *state, struct state_waiting *waiting, struct err *err)
{
	struct query query;
	bool has_row = true;

	state_lock(state);
	int status = query_init(&query, state, waiting_select, err);
	if (status == 0) {
		while (status == 0 && (status = query_next(&query, &has_row, err)) == 0 &&
		       has_row) {
			status = waiting_add(waiting, &query, err);
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}

void state_waiting_finish(struct state_waiting *waiting)
{
	for (size_t i = 0; i < waiting->count; i++) {
		free(waiting->items[i].mailbox);
	}
	free(waiting->items);
	*waiting = (struct state_waiting){0};
}
