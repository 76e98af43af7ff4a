/* Suspects (model/suspect.h): what the connection ended on in earlier runs. */
#include "state_private.h"

#include <stdlib.h>

#include "mailsync/base/array.h"

/* But for messages that base has no more. */
static const char suspect_select[] =
	"SELECT kind, mailbox, row, uid, act, runs, first_at, last_at, losses, ended, ended_at"
	" FROM suspect"
	" WHERE CASE kind WHEN 2 THEN EXISTS (SELECT 1 FROM row WHERE row.id = suspect.row)"
	" ELSE 1 END"
	" ORDER BY kind, mailbox, row";
/* The numbers of rows are never given again. */
static const char suspect_sweep[] =
	"DELETE FROM suspect WHERE kind = 2 AND row NOT IN (SELECT id FROM row)";
static const char suspect_upsert[] =
	"INSERT INTO suspect(kind, mailbox, row, uid, act, runs, first_at, last_at, losses, ended,"
	" ended_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
	" ON CONFLICT(kind, mailbox, row) DO UPDATE SET uid = ?4, act = ?5, runs = ?6,"
	" first_at = ?7, last_at = ?8, losses = ?9, ended = ?10, ended_at = ?11";
static const char suspect_delete[] =
	"DELETE FROM suspect WHERE kind = ? AND mailbox = ? AND row = ?";

void state_suspect_finish(struct state_suspect *suspect)
{
	free(suspect->mailbox);
	*suspect = (struct state_suspect){0};
}

void state_suspects_finish(struct state_suspects *suspects)
{
	for (size_t i = 0; i < suspects->count; i++) {
		state_suspect_finish(&suspects->items[i]);
	}
	free(suspects->items);
	*suspects = (struct state_suspects){0};
}

static int suspect_read(const struct query *query, struct state_suspects *suspects, struct err *err)
{
	if (ARRAY_RESERVE(&suspects->items, suspects->count + 1, &suspects->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	struct state_suspect *suspect = &suspects->items[suspects->count];
	*suspect = (struct state_suspect){
		.kind = (enum suspect_kind)query_get_int(query, 0),
		.row = query_get_int(query, 2),
		.uid = query_get_u32(query, 3),
		.act = (enum suspect_act)query_get_int(query, 4),
		.mark = {.runs = query_get_u32(query, 5),
			 .first_at = query_get_int(query, 6),
			 .last_at = query_get_int(query, 7),
			 .losses = query_get_u32(query, 8),
			 .end = (enum err_end)query_get_int(query, 9),
			 .end_at = (uint64_t)query_get_int(query, 10)},
	};
	int code = query_get_dup(query, 1, &suspect->mailbox, err);
	suspects->count += code == 0;
	return code;
}

static int suspects_read(struct query *query, struct state_suspects *suspects, struct err *err)
{
	bool has_row = true;
	int code = query_next(query, &has_row, err);
	while (code == 0 && has_row) {
		if ((code = suspect_read(query, suspects, err)) == 0) {
			code = query_next(query, &has_row, err);
		}
	}
	return code;
}

int state_suspects_load(struct state *state, struct state_suspects *suspects, struct err *err)
{
	struct state_suspects loaded = {0};
	struct query query;
	state_lock(state);
	int code = query_init(&query, state, suspect_select, err);
	if (code == 0) {
		code = suspects_read(&query, &loaded, err);
		query_finish(&query);
	}
	state_unlock(state);
	if (code < 0) {
		state_suspects_finish(&loaded);
		return code;
	}
	*suspects = loaded;
	return 0;
}

static void bind_key(struct query *query, const struct state_suspect *suspect)
{
	query_int(query, suspect->kind);
	query_text(query, suspect->mailbox);
	query_int(query, suspect->row);
}

int state_suspect_put(struct state *state, const struct state_suspect *suspect, struct err *err)
{
	struct query query;
	int code = query_begin_write(&query, state, suspect_upsert, err);
	if (code == 0) {
		bind_key(&query, suspect);
		query_int(&query, suspect->uid);
		query_int(&query, suspect->act);
		query_int(&query, suspect->mark.runs);
		query_int(&query, suspect->mark.first_at);
		query_int(&query, suspect->mark.last_at);
		query_int(&query, suspect->mark.losses);
		query_int(&query, suspect->mark.end);
		query_int(&query, (int64_t)suspect->mark.end_at);
		code = query_end_write(&query, err);
	}
	return code;
}

int state_suspect_drop(struct state *state, const struct state_suspect *suspect, struct err *err)
{
	struct query query;
	int code = query_begin_write(&query, state, suspect_delete, err);
	if (code == 0) {
		bind_key(&query, suspect);
		code = query_end_write(&query, err);
	}
	return code;
}

int state_suspects_sweep(struct state *state, struct err *err)
{
	return state_write_exec(state, suspect_sweep, err);
}
