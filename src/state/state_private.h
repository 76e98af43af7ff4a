/*
 * Inside the state database: the handle, queries, and how public functions enter and leave.
 *
 * Every public function that reads goes state_lock(), queries, state_unlock(); every one that
 * writes state_write_begin(), queries, state_write_end(), which make it one transaction of its
 * own unless the caller has one open. What writes by a single statement has query_begin_write() and
 * the like.
 *
 * Source: the C interface of SQLite 3.
 */
#ifndef STATE_PRIVATE_H
#define STATE_PRIVATE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"
#include "mailsync/model/row.h"
#include "mailsync/state/state.h"

#define STATE_QUERIES_MAX 120 /* more than there are in src/state */

struct state_prepared {
	const char *sql; /* compared by address */
	sqlite3_stmt *statement;
};

struct state {
	sqlite3 *db;
	char *path;
	enum state_mode mode;
	int last_code; /* of the last failure, SQLite's */
	bool was_reset;
	bool was_damaged; /* and so it was moved aside */
	bool is_damaged;
	bool has_failed;       /* to read, to write or for want of memory */
	bool is_older;         /* only read, and of a schema that has to be brought up to date */
	bool has_written;      /* so there is a journal file to put away */
	pthread_mutex_t mutex; /* recursive: held by state_begin() until the end */
	bool in_transaction;   /* guarded by mutex, as are: */
	bool was_meant_asked;  /* whether something is noted as the user's word (state_kept.c), */
	bool may_have_meant;   /* and whether something was */
	bool is_held;          /* state_hold(), */
	bool is_reading;       /* and its transaction is open */
	size_t row_update;     /* which statement changed its last row (state_row.c) */
	int prepared_count;
	struct state_prepared prepared[STATE_QUERIES_MAX];
};

void state_lock(struct state *state);
void state_unlock(struct state *state);
/* Locks, and begins a transaction unless the caller has one: *OWN tells. */
int state_write_begin(struct state *state, bool *own, struct err *err);
/* Commits on STATUS 0, else rolls back, if OWN; unlocks. Returns STATUS or the commit's failure. */
int state_write_end(struct state *state, bool own, int status, struct err *err);

/* What SQLite's last failure CODE means, while doing WHAT. */
int state_fail(struct state *state, int code, const char *what, struct err *err);
/* One or more statements without results. */
int state_exec(struct state *state, const char *sql, struct err *err);

/* Brings an open database to the current schema. *IS_NEW: there was none in it. */
int state_schema_apply(struct state *state, bool *is_new, struct err *err);

/*
 * A query: query_init() with a static SQL text (prepared once), then query_int(), query_text()
 * ... bind its parameters from the first on, query_next() until no row is left, or query_run().
 * query_finish() always.
 */
struct query {
	struct state *state;
	sqlite3_stmt *statement;
	bool is_private; /* finalized at the end, not kept */
	bool own;        /* query_begin_write() opened the transaction */
	int bound;
	int failed; /* SQLite's code of a failed bind; query_next() tells */
};
int query_init(struct query *query, struct state *state, const char *sql, struct err *err);
/* As query_init() for one that may run several times at once (cursors): prepared for this use. */
int query_init_private(struct query *query, struct state *state, const char *sql, struct err *err);
void query_finish(struct query *query);
void query_int(struct query *query, int64_t value);
void query_u64(struct query *query, uint64_t value);
/* What is untold is NULL. */
void query_told(struct query *query, struct told value);
void query_told_time(struct query *query, struct told_time value);
/* NULL binds NULL. The text must live until query_finish(). */
void query_text(struct query *query, const char *text);
/* Likewise. */
void query_blob(struct query *query, const void *data, size_t len);
void query_null(struct query *query);
int query_next(struct query *query, bool *has_row, struct err *err);
/* Runs to the end, ignoring results. */
int query_run(struct query *query, struct err *err);
/*
 * A write of one statement: query_begin_write() is state_write_begin() and query_init(), of which
 * nothing stays where it fails; query_end_write() is query_run(), query_finish() and
 * state_write_end().
 */
int query_begin_write(struct query *query, struct state *state, const char *sql, struct err *err);
int query_end_write(struct query *query, struct err *err);

int64_t query_get_int(const struct query *query, int column);
uint64_t query_get_u64(const struct query *query, int column);
bool query_get_bool(const struct query *query, int column);
uint32_t query_get_u32(const struct query *query, int column);
struct told query_get_told(const struct query *query, int column);
struct told_time query_get_told_time(const struct query *query, int column);
/* Borrowed until the next step; data is NULL for NULL. */
struct span query_get_text(const struct query *query, int column);
/* False, and zeroes, where there are not just SIZE bytes. */
bool query_get_blob(const struct query *query, int column, void *data, size_t size);
/* A heap copy; *TEXT NULL for NULL. The old one is not freed. */
int query_get_dup(const struct query *query, int column, char **text, struct err *err);

/* The first number of SQL's answer about KEY, where it has a parameter; 0 where there is none. */
int state_read_number(struct state *state, const char *sql, int64_t key, uint64_t *number,
		      struct err *err);
/* One statement with up to two integer parameters. */
int state_run_ints(struct state *state, const char *sql, int64_t first, int64_t second,
		   struct err *err);
/* The same, and state_exec(), as writes by themselves. */
int state_write_ints(struct state *state, const char *sql, int64_t first, int64_t second,
		     struct err *err);
int state_write_exec(struct state *state, const char *sql, struct err *err);

#endif
