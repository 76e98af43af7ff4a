/*
 * The handle: locking, transactions, and what SQLite's failures mean.
 *
 * Invariants:
 * 1. The mutex is held from state_begin() to its commit or rollback, by one thread.
 * 2. No change is made outside a transaction.
 */
#include "state_private.h"

#include <assert.h>

#include "mailsync/base/step.h"

void state_lock(struct state *state)
{
	int code = pthread_mutex_lock(&state->mutex);

	assert(code == 0);
	(void)code;
}

void state_unlock(struct state *state)
{
	int code = pthread_mutex_unlock(&state->mutex);

	assert(code == 0);
	(void)code;
}

static bool is_damage(int code)
{
	return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

/* Behind such a failure SQLite may find the database CORRUPT: what was not rolled back, because
 * the journal could not be read, is half of it. That journal makes it whole once it can be. */
static bool is_failure(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_NOMEM:
		return true;
	default:
		return false;
	}
}

/* SQLite says CORRUPT of a read that failed with EIO, too. The bytes that were not read may be in
 * order: the database must not be set aside for that. */
static int errnum_of_read(struct state *state)
{
	int errnum = 0;

	if (state->db != NULL) {
		(void)sqlite3_file_control(state->db, NULL, SQLITE_FCNTL_LAST_ERRNO, &errnum);
	}
	return errnum;
}

int state_fail(struct state *state, int code, const char *what, struct err *err)
{
	const char *words = state->db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(state->db);
	int read_errnum = is_damage(code) ? errnum_of_read(state) : 0;

	state->last_code = code;
	if (read_errnum != 0) {
		state->has_failed = true;
		return err_set_errno(err, ERR_LOCAL, SCOPE_ACCOUNT, read_errnum,
				     "%s: cannot %s: a part cannot be read", state->path, what);
	}
	state->has_failed |= is_failure(code);
	if (is_damage(code) && state->has_failed) {
		return err_set(err, ERR_LOCAL, SCOPE_ACCOUNT,
			       "%s: cannot %s: a part could not be read or written", state->path,
			       what);
	}
	state->is_damaged |= is_damage(code);
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return err_nomem(err);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "%s: cannot %s, another program uses it (%s)", state->path, what,
			       words);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(
			err, ERR_LOCAL, SCOPE_ACCOUNT,
			"%s: the state database is damaged (%s); `mailsync sync` sets it aside and "
			"pairs messages anew, none is deleted or doubled",
			state->path, words);
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_NOLFS: {
		int errnum = state->db == NULL ? 0 : sqlite3_system_errno(state->db);
		if (errnum != 0) {
			return err_set_errno(err, ERR_LOCAL, SCOPE_ACCOUNT, errnum,
					     "%s: cannot %s: %s", state->path, what, words);
		}
		return err_set(err, ERR_LOCAL, SCOPE_ACCOUNT, "%s: cannot %s: %s", state->path,
			       what, words);
	}
	default:
		return err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT, "%s: cannot %s: %s (code %d)",
			       state->path, what, words, code);
	}
}

int state_exec(struct state *state, const char *sql, struct err *err)
{
	int code = sqlite3_exec(state->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : state_fail(state, code, "use the database", err);
}

bool state_was_damaged(const struct state *state)
{
	return state->was_damaged;
}

bool state_was_reset(const struct state *state)
{
	return state->was_reset;
}

bool state_is_damaged(const struct state *state)
{
	return state->is_damaged;
}

static int run_plainly(struct state *state, const char *sql, struct err *err)
{
	struct query query;
	int status = query_init(&query, state, sql, err);

	if (status == 0) {
		status = query_run(&query, err);
		query_finish(&query);
	}
	return status;
}

static const char begin_read[] = "BEGIN";
static const char begin_write[] = "BEGIN IMMEDIATE";
static const char commit[] = "COMMIT";

/* The transaction of who holds, to be begun or ended. The mutex is held. */
static void set_reading(struct state *state, bool is_reading)
{
	struct err ignored;

	if (is_reading == state->is_reading) {
		return;
	}
	if (sqlite3_get_autocommit(state->db) == is_reading) {
		(void)run_plainly(state, is_reading ? begin_read : commit, &ignored);
	}
	state->is_reading = is_reading && !sqlite3_get_autocommit(state->db);
}

void state_hold(struct state *state)
{
	state_lock(state);
	state->is_held = true;
	set_reading(state, !state->in_transaction);
	state_unlock(state);
}

void state_let_go(struct state *state)
{
	state_lock(state);
	state->is_held = false;
	set_reading(state, false);
	state_unlock(state);
}

int state_begin(struct state *state, struct err *err)
{
	state_lock(state);
	assert(!state->in_transaction);
	set_reading(state, false);
	int status = run_plainly(state, state->mode == STATE_READ ? begin_read : begin_write, err);
	if (status != 0) {
		set_reading(state, state->is_held);
		state_unlock(state);
		return status;
	}
	state->in_transaction = true;
	state->row_update = 0;
	return 0;
}

/* Gives back what state_begin() took. */
static void end_transaction(struct state *state)
{
	state->in_transaction = false;
	set_reading(state, state->is_held);
	state_unlock(state);
}

static int state_commit_now(struct state *state, struct err *err)
{
	int errnum = STEP("commit");

	if (errnum != 0) {
		return err_set_errno(err, ERR_LOCAL, SCOPE_ACCOUNT, errnum, "%s: cannot commit",
				     state->path);
	}
	return run_plainly(state, commit, err);
}

int state_commit(struct state *state, struct err *err)
{
	assert(state->in_transaction);
	int status = state_commit_now(state, err);
	if (status != 0) {
		state_rollback(state);
		return status;
	}
	state->has_written = state->mode == STATE_WRITE;
	end_transaction(state);
	return 0;
}

void state_rollback(struct state *state)
{
	state_lock(state);
	if (state->in_transaction) {
		/* SQLite has rolled back by itself after some failures; then this one tells an
		 * error that means nothing. */
		if (!sqlite3_get_autocommit(state->db)) {
			int code = sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
			state->has_failed |= is_failure(code);
		}
		end_transaction(state);
	}
	state_unlock(state);
}

int state_end(struct state *state, int code, struct err *err)
{
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

int state_write_begin(struct state *state, bool *own, struct err *err)
{
	state_lock(state);
	if (!state->in_transaction) {
		int status = state_begin(state, err);
		if (status != 0) {
			state_unlock(state);
			return status;
		}
		*own = true;
		return 0;
	}
	if (sqlite3_get_autocommit(state->db)) {
		/* Going on would make half of the caller's transaction durable. */
		state_unlock(state);
		return err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT,
			       "%s: the transaction has failed before", state->path);
	}
	*own = false;
	return 0;
}

int state_write_end(struct state *state, bool own, int status, struct err *err)
{
	if (own && status == 0) {
		status = state_commit(state, err);
	} else if (own) {
		state_rollback(state);
	}
	state_unlock(state);
	return status;
}
