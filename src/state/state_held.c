/* What the brake remembers: which rows it holds, and what was deleted lately. */
#include "state_private.h"

#define FORGET_AFTER_S 3600

static const char row_hold[] =
	"UPDATE row SET held = held | ?2, held_since = CASE held WHEN 0 THEN ?3 ELSE held_since END"
	" WHERE id = ?1";
static const char count_held[] = "SELECT count(*) FROM row WHERE mailbox = ? AND held <> 0";
static const char deleted_insert[] =
	"INSERT INTO deleted(mailbox, side, time, count) VALUES(?, ?, ?, ?)";
static const char deleted_forget[] = "DELETE FROM deleted WHERE time < ?";
static const char deleted_later[] = "UPDATE deleted SET time = ?1 WHERE time > ?1";
static const char deleted_has_later[] = "SELECT 1 FROM deleted WHERE time > ? LIMIT 1";
static const char deleted_select[] =
	"SELECT total(CASE side WHEN 1 THEN count END), total(CASE side WHEN 2 THEN count END)"
	" FROM deleted WHERE time >= ?1 AND ?2 IN (0, mailbox)";

int state_row_hold(struct state *state, int64_t row, enum row_held held, int64_t now,
		   struct err *err)
{
	struct query query;
	int status = query_begin_write(&query, state, row_hold, err);

	if (status == 0) {
		query_int(&query, row);
		query_int(&query, held);
		query_int(&query, now);
		status = query_end_write(&query, err);
	}
	return status;
}

int state_count_held(struct state *state, int64_t mailbox, uint64_t *count, struct err *err)
{
	return state_read_number(state, count_held, mailbox, count, err);
}

static int deleted_insert_one(struct state *state, const struct state_deleted *deleted,
			      struct err *err)
{
	struct query query;
	int status = query_init(&query, state, deleted_insert, err);

	if (status == 0) {
		query_int(&query, deleted->mailbox);
		query_int(&query, deleted->side);
		query_int(&query, deleted->now);
		query_u64(&query, deleted->count);
		status = query_run(&query, err);
		query_finish(&query);
	}
	return status;
}

int state_deleted_add(struct state *state, const struct state_deleted *deleted, struct err *err)
{
	bool own;
	int status = state_write_begin(state, &own, err);

	if (status != 0) {
		return status;
	}
	status = state_run_ints(state, deleted_forget, deleted->now - FORGET_AFTER_S, 0, err);
	if (status == 0) {
		status = deleted_insert_one(state, deleted, err);
	}
	return state_write_end(state, own, status, err);
}

/* Written only where there is something to be written: a run that changes nothing asks, too. */
static int bring_to_now(struct state *state, int64_t now, struct err *err)
{
	uint64_t has_later = 0;
	int status = state_read_number(state, deleted_has_later, now, &has_later, err);

	return status != 0 || has_later == 0 ? status
					     : state_write_ints(state, deleted_later, now, 0, err);
}

int state_deleted_recent(struct state *state, int64_t mailbox, int64_t since, int64_t now,
			 struct state_recent *recent, struct err *err)
{
	struct query query;
	bool has_row = false;
	int status = bring_to_now(state, now, err);

	if (status != 0) {
		return status;
	}
	state_lock(state);
	status = query_init(&query, state, deleted_select, err);
	if (status == 0) {
		query_int(&query, since);
		query_int(&query, mailbox);
		status = query_next(&query, &has_row, err);
		if (status == 0 && has_row) {
			recent->local = query_get_u64(&query, 0);
			recent->remote = query_get_u64(&query, 1);
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}
