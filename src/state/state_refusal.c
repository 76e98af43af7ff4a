/* What the server did not take. */
#include "state_private.h"

#include <stdio.h>

#include "mailsync/base/array.h"

#define REFUSAL_HEARD 2

/* One whose message was found on the server after all is none any more. */
static const char refusals_select[] =
	"SELECT refused.row, row.mailbox, refused.kind, refused.told, refused.since, refused.last,"
	" refused.runs, refused.flags, refused.size, refused.words, refused.run"
	" FROM refused CROSS JOIN row ON row.id = refused.row"
	" WHERE row.uid = 0 AND row.agreed = 0 AND ?1 IN (0, row.mailbox) ORDER BY refused.row";
static const char refusal_put[] =
	"INSERT INTO refused(row, kind, told, since, last, runs, flags, size, words, run)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
	" ON CONFLICT(row) DO UPDATE SET kind = ?2, told = ?3, since = ?4, last = ?5, runs = ?6,"
	" flags = ?7, size = ?8, words = ?9, run = ?10";
static const char refusal_drop[] = "DELETE FROM refused WHERE row = ?";
/* TOLD: 0 not, 1 in a report that may not have been seen by anybody, 2 it was. */
static const char refusal_say[] = "UPDATE refused SET told = 1 WHERE row = ?";
static const char refusals_said[] = "SELECT count(*) FROM refused WHERE told = 1";
static const char refusals_unsay[] = "UPDATE refused SET told = 0 WHERE told = 1";
static const char refusals_hear[] = "UPDATE refused SET told = 2 WHERE told = 1";

static int refusals_add(struct refusals *refusals, const struct query *query, struct err *err)
{
	int status = ARRAY_RESERVE(&refusals->items, refusals->count + 1, &refusals->cap, err);

	if (status != 0) {
		return status;
	}
	struct refusal *refusal = &refusals->items[refusals->count++];
	struct span words = query_get_text(query, 9);
	*refusal = (struct refusal){
		.row = query_get_int(query, 0),
		.mailbox = query_get_int(query, 1),
		.kind = (enum refusal_kind)query_get_int(query, 2),
		.is_told = query_get_int(query, 3) == REFUSAL_HEARD,
		.since = query_get_int(query, 4),
		.last = query_get_int(query, 5),
		.runs = query_get_u32(query, 6),
		.flags = query_get_u64(query, 7),
		.size_bytes = query_get_u64(query, 8),
		.run = query_get_int(query, 10),
	};
	snprintf(refusal->words, sizeof(refusal->words), "%.*s", (int)words.len, words.data);
	return 0;
}

int state_refusals_load(struct state *state, int64_t mailbox, struct refusals *refusals,
			struct err *err)
{
	struct refusals loaded = {0};
	struct query query;
	bool has_row = true;

	state_lock(state);
	int status = query_init(&query, state, refusals_select, err);
	if (status == 0) {
		query_int(&query, mailbox);
		while ((status = query_next(&query, &has_row, err)) == 0 && has_row &&
		       (status = refusals_add(&loaded, &query, err)) == 0) {
		}
		query_finish(&query);
	}
	state_unlock(state);
	if (status != 0) {
		refusals_finish(&loaded);
		return status;
	}
	*refusals = loaded;
	return 0;
}

int state_refusal_put(struct state *state, const struct refusal *refusal, struct err *err)
{
	struct query query;
	int status = query_begin_write(&query, state, refusal_put, err);

	if (status == 0) {
		query_int(&query, refusal->row);
		query_int(&query, refusal->kind);
		query_int(&query, refusal->is_told ? REFUSAL_HEARD : 0);
		query_int(&query, refusal->since);
		query_int(&query, refusal->last);
		query_int(&query, refusal->runs);
		query_u64(&query, refusal->flags);
		query_u64(&query, refusal->size_bytes);
		query_text(&query, refusal->words);
		query_int(&query, refusal->run);
		status = query_end_write(&query, err);
	}
	return status;
}

int state_refusal_drop(struct state *state, int64_t row, struct err *err)
{
	return state_write_ints(state, refusal_drop, row, 0, err);
}

int state_refusal_say(struct state *state, int64_t row, struct err *err)
{
	return state_write_ints(state, refusal_say, row, 0, err);
}

int state_refusals_unsay(struct state *state, struct err *err)
{
	uint64_t said = 0;
	int status = state_read_number(state, refusals_said, 0, &said, err);

	/* A run that changes nothing asks, too. */
	return status != 0 || said == 0 ? status
					: state_write_ints(state, refusals_unsay, 0, 0, err);
}

int state_refusals_hear(struct state *state, struct err *err)
{
	return state_write_ints(state, refusals_hear, 0, 0, err);
}
