/* What a POP3 account has downloaded, by UIDL. */
#include "state_private.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

static const char pop3_select[] =
	"SELECT id, uidl, occurrence, size, uniq, first_seen, deleted, reason, gone, digest,"
	" content, doubts FROM pop3 ORDER BY id";
static const char pop3_upsert[] =
	"INSERT INTO pop3(id, uidl, occurrence, size, uniq, first_seen, deleted, reason, gone,"
	" digest, content, doubts)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
	" ON CONFLICT(id) DO UPDATE SET uidl = ?2, occurrence = ?3, size = ?4, uniq = ?5,"
	" first_seen = ?6, deleted = ?7, reason = ?8, gone = ?9, digest = ?10, content = ?11,"
	" doubts = ?12";
static const char pop3_earlier[] = "SELECT uniq FROM pop3_earlier WHERE row = ? AND content = ?";
static const char pop3_delete[] = "DELETE FROM pop3 WHERE id = ?";

static int pop3_read(const struct query *query, struct pop3_row *row, struct err *err)
{
	char *uidl;
	char *unique;
	int status = query_get_dup(query, 1, &uidl, err);

	if (status != 0) {
		return status;
	}
	status = query_get_dup(query, 4, &unique, err);
	if (status != 0) {
		free(uidl);
		return status;
	}
	row->id = query_get_int(query, 0);
	row->uidl = uidl;
	row->occurrence = query_get_u32(query, 2);
	row->size = query_get_told(query, 3);
	row->unique = unique;
	row->first_seen = query_get_int(query, 5);
	row->is_deleted = query_get_bool(query, 6);
	row->reason = (enum row_reason)query_get_int(query, 7);
	row->gone_since = query_get_int(query, 8);
	row->has_digest = query_get_blob(query, 9, row->digest, sizeof(row->digest));
	row->has_content = query_get_blob(query, 10, row->content, sizeof(row->content));
	row->doubts = query_get_u32(query, 11);
	return 0;
}

static int pop3_add(struct pop3_rows *rows, const struct query *query, struct err *err)
{
	int status = ARRAY_RESERVE(&rows->items, rows->count + 1, &rows->cap, err);
	if (status == 0) {
		status = pop3_read(query, &rows->items[rows->count], err);
	}
	if (status == 0) {
		rows->count++;
	}
	return status;
}

int state_pop3_load(struct state *state, struct pop3_rows *rows, struct err *err)
{
	struct pop3_rows loaded = {0};
	struct query query;
	bool has_row = true;

	state_lock(state);
	int status = query_init(&query, state, pop3_select, err);
	if (status == 0) {
		while (status == 0) {
			status = query_next(&query, &has_row, err);
			if (status != 0 || !has_row) {
				break;
			}
			status = pop3_add(&loaded, &query, err);
		}
		query_finish(&query);
	}
	state_unlock(state);
	if (status == 0) {
		*rows = loaded;
	} else {
		state_pop3_finish(&loaded);
	}
	return status;
}

void state_pop3_finish(struct pop3_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free(rows->items[i].uidl);
		free(rows->items[i].unique);
	}
	free(rows->items);
	*rows = (struct pop3_rows){0};
}

int state_pop3_put(struct state *state, struct pop3_row *row, struct err *err)
{
	struct query query;
	bool own;
	int status = state_write_begin(state, &own, err);

	if (status != 0) {
		return status;
	}
	status = query_init(&query, state, pop3_upsert, err);
	if (status == 0) {
		if (row->id == 0) {
			query_null(&query);
		} else {
			query_int(&query, row->id);
		}
		query_text(&query, row->uidl);
		query_int(&query, row->occurrence);
		query_told(&query, row->size);
		query_text(&query, row->unique == NULL ? "" : row->unique);
		query_int(&query, row->first_seen);
		query_int(&query, row->is_deleted);
		query_int(&query, row->reason);
		query_int(&query, row->gone_since);
		query_blob(&query, row->has_digest ? row->digest : NULL, sizeof(row->digest));
		query_blob(&query, row->has_content ? row->content : NULL, sizeof(row->content));
		query_int(&query, row->doubts);
		status = query_run(&query, err);
		query_finish(&query);
	}
	int64_t id = sqlite3_last_insert_rowid(state->db);
	status = state_write_end(state, own, status, err);
	if (status == 0 && row->id == 0) {
		row->id = id;
	}
	return status;
}

int state_pop3_earlier(struct state *state, const struct pop3_row *row, const uint8_t *content,
		       char **unique, struct err *err)
{
	struct query query;
	bool has_row;

	*unique = NULL;
	state_lock(state);
	int status = query_init(&query, state, pop3_earlier, err);
	if (status == 0) {
		query_int(&query, row->id);
		query_blob(&query, content, ROW_CONTENT_SIZE);
		status = query_next(&query, &has_row, err);
		if (status == 0 && has_row) {
			status = query_get_dup(&query, 0, unique, err);
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}

int state_pop3_drop(struct state *state, int64_t id, struct err *err)
{
	return state_write_ints(state, pop3_delete, id, 0, err);
}
