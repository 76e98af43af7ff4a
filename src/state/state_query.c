/* Prepared statements: binding, stepping and reading columns. */
#include "state_private.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

static int query_prepare(struct state *state, const char *sql, sqlite3_stmt **statement,
			 struct err *err)
{
	int code =
		sqlite3_prepare_v3(state->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);

	return code == SQLITE_OK ? 0 : state_fail(state, code, "prepare a statement", err);
}

int query_init(struct query *query, struct state *state, const char *sql, struct err *err)
{
	*query = (struct query){.state = state};
	for (int i = 0; i < state->prepared_count; i++) {
		if (state->prepared[i].sql == sql) {
			query->statement = state->prepared[i].statement;
			assert(!sqlite3_stmt_busy(query->statement));
			return 0;
		}
	}
	assert(state->prepared_count < STATE_QUERIES_MAX);
	int status = query_prepare(state, sql, &query->statement, err);
	if (status == 0) {
		state->prepared[state->prepared_count++] =
			(struct state_prepared){sql, query->statement};
	}
	return status;
}

int query_init_private(struct query *query, struct state *state, const char *sql, struct err *err)
{
	*query = (struct query){.state = state, .is_private = true};
	return query_prepare(state, sql, &query->statement, err);
}

void query_finish(struct query *query)
{
	if (query->statement == NULL) {
		return;
	}
	if (query->is_private) {
		sqlite3_finalize(query->statement);
	} else {
		/* The bound texts are the caller's and end now. */
		sqlite3_reset(query->statement);
		sqlite3_clear_bindings(query->statement);
	}
	query->statement = NULL;
}

static void query_bound(struct query *query, int code)
{
	if (code != SQLITE_OK && query->failed == SQLITE_OK) {
		query->failed = code;
	}
}

void query_int(struct query *query, int64_t value)
{
	query_bound(query, sqlite3_bind_int64(query->statement, ++query->bound, value));
}

void query_u64(struct query *query, uint64_t value)
{
	int64_t pattern;

	memcpy(&pattern, &value, sizeof(pattern));
	query_int(query, pattern);
}

void query_told(struct query *query, struct told value)
{
	if (value.is_told) {
		query_u64(query, value.number);
	} else {
		query_null(query);
	}
}

void query_told_time(struct query *query, struct told_time value)
{
	if (value.is_told) {
		query_int(query, value.seconds);
	} else {
		query_null(query);
	}
}

void query_text(struct query *query, const char *text)
{
	query_bound(query,
		    sqlite3_bind_text(query->statement, ++query->bound, text, -1, SQLITE_STATIC));
}

void query_blob(struct query *query, const void *data, size_t len)
{
	assert(len <= INT_MAX);
	query_bound(query, sqlite3_bind_blob(query->statement, ++query->bound, data, (int)len,
					     SQLITE_STATIC));
}

void query_null(struct query *query)
{
	query_bound(query, sqlite3_bind_null(query->statement, ++query->bound));
}

int query_next(struct query *query, bool *has_row, struct err *err)
{
	if (query->failed != SQLITE_OK) {
		return state_fail(query->state, query->failed, "bind a value", err);
	}
	int code = sqlite3_step(query->statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE) {
		return state_fail(query->state, code, "use the database", err);
	}
	*has_row = code == SQLITE_ROW;
	return 0;
}

int query_run(struct query *query, struct err *err)
{
	bool has_row = true;
	int status = 0;

	while (status == 0 && has_row) {
		status = query_next(query, &has_row, err);
	}
	return status;
}

int64_t query_get_int(const struct query *query, int column)
{
	return sqlite3_column_int64(query->statement, column);
}

uint64_t query_get_u64(const struct query *query, int column)
{
	return (uint64_t)query_get_int(query, column);
}

bool query_get_bool(const struct query *query, int column)
{
	return query_get_int(query, column) != 0;
}

uint32_t query_get_u32(const struct query *query, int column)
{
	return (uint32_t)query_get_int(query, column);
}

/* What number COLUMN holds, and whether it is one: NULL reads as 0. Cursors ask for each of 50,000
 * rows: of most, SQLite is asked once. */
static bool query_has_int(const struct query *query, int column, int64_t *value)
{
	*value = query_get_int(query, column);
	return *value != 0 || sqlite3_column_type(query->statement, column) != SQLITE_NULL;
}

struct told query_get_told(const struct query *query, int column)
{
	int64_t value;
	return query_has_int(query, column, &value) ? told((uint64_t)value) : UNTOLD;
}

struct told_time query_get_told_time(const struct query *query, int column)
{
	int64_t value;
	return query_has_int(query, column, &value) ? told_time(value) : (struct told_time){0};
}

struct span query_get_text(const struct query *query, int column)
{
	/* In this order: the text call makes the bytes that the other one counts. */
	const char *text = (const char *)sqlite3_column_text(query->statement, column);
	int len = sqlite3_column_bytes(query->statement, column);

	return (struct span){text, text == NULL ? 0 : (size_t)len};
}

bool query_get_blob(const struct query *query, int column, void *data, size_t size)
{
	const void *value = sqlite3_column_blob(query->statement, column);
	bool is_whole =
		value != NULL && (size_t)sqlite3_column_bytes(query->statement, column) == size;

	memset(data, 0, size);
	if (is_whole) {
		memcpy(data, value, size);
	}
	return is_whole;
}

int query_get_dup(const struct query *query, int column, char **text, struct err *err)
{
	struct span value = query_get_text(query, column);

	if (value.data == NULL) {
		*text = NULL;
		return 0;
	}
	char *copy = span_dup(value);
	if (copy == NULL) {
		return err_nomem(err);
	}
	*text = copy;
	return 0;
}

int state_read_number(struct state *state, const char *sql, int64_t key, uint64_t *number,
		      struct err *err)
{
	struct query query;
	bool has_row = false;

	state_lock(state);
	int status = query_init(&query, state, sql, err);
	if (status == 0) {
		if (sqlite3_bind_parameter_count(query.statement) > 0) {
			query_int(&query, key);
		}
		status = query_next(&query, &has_row, err);
		if (status == 0) {
			*number = has_row ? query_get_u64(&query, 0) : 0;
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}

int state_run_ints(struct state *state, const char *sql, int64_t first, int64_t second,
		   struct err *err)
{
	struct query query;
	int status = query_init(&query, state, sql, err);

	if (status != 0) {
		return status;
	}
	int wanted = sqlite3_bind_parameter_count(query.statement);
	if (wanted >= 1) {
		query_int(&query, first);
	}
	if (wanted >= 2) {
		query_int(&query, second);
	}
	status = query_run(&query, err);
	query_finish(&query);
	return status;
}

int query_begin_write(struct query *query, struct state *state, const char *sql, struct err *err)
{
	bool own;
	int status = state_write_begin(state, &own, err);

	if (status != 0) {
		return status;
	}
	status = query_init(query, state, sql, err);
	if (status != 0) {
		return state_write_end(state, own, status, err);
	}
	query->own = own;
	return 0;
}

int query_end_write(struct query *query, struct err *err)
{
	int status = query_run(query, err);

	query_finish(query);
	return state_write_end(query->state, query->own, status, err);
}

int state_write_ints(struct state *state, const char *sql, int64_t first, int64_t second,
		     struct err *err)
{
	bool own;
	int status = state_write_begin(state, &own, err);

	return status != 0 ? status
			   : state_write_end(state, own,
					     state_run_ints(state, sql, first, second, err), err);
}

int state_write_exec(struct state *state, const char *sql, struct err *err)
{
	bool own;
	int status = state_write_begin(state, &own, err);

	return status != 0 ? status : state_write_end(state, own, state_exec(state, sql, err), err);
}
