/*
 * What was observed on a side, written without loading the row.
 *
 * Invariants (as in state_row.c): `pending` stays right, and no void row stays.
 *
 * `reason` is reset, for what was held may be due now; but AMBIGUOUS and UNIDENTIFIED stay until
 * pairing settles them: without them the message would be copied a second time.
 *
 * The brake's mark `held` stays, or what the user has not allowed would be judged anew. It ends
 * with what was held: a message that is back, a row that is settled (unless it carries \Deleted:
 * that is what is held then), cleared flags of a message that goes.
 */
#include "state_private.h"

#define SEEN_REASON "reason = CASE WHEN reason IN (8, 9) THEN reason ELSE 0 END"
/* Of a message that goes. */
#define SEEN_HELD "held = held & 1"

static const char seen_remote_flags[] =
	"UPDATE row SET remote_flags = ?3, remote = 1,"
	" " SEEN_REASON ","
	" held = CASE WHEN remote <> 1 OR (agreed = 1 AND local = 1 AND local_flags = flags"
	" AND flags = ?3 AND flags & 32 = 0) THEN 0 ELSE held END,"
	" pending = NOT (agreed = 1 AND local = 1 AND local_flags = flags AND flags = ?3)"
	" WHERE mailbox = ?1 AND uid = ?2 AND uid <> 0 AND (remote_flags <> ?3 OR remote <> 1)";
/* Those that the Maildir does not have either are dropped (if agreed: gone on both sides); but
 * where the file stands in another mailbox now, pairing has to know (W24 of rules/match.h). */
static const char seen_remote_void[] =
	"DELETE FROM row WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND uid <> 0"
	" AND remote = 1 AND local <> 1 AND NOT (agreed = 1 AND local = 2 AND uniq <> ''"
	" AND EXISTS (SELECT 1 FROM row AS fresh WHERE fresh.uniq = row.uniq AND fresh.uid = 0"
	" AND fresh.agreed = 0 AND fresh.local = 1 AND fresh.mailbox <> row.mailbox))";
/* A pair that was never agreed is a message of the Maildir alone again. */
static const char seen_remote_gone[] =
	"UPDATE row SET remote = CASE agreed WHEN 1 THEN 2 ELSE 0 END, pending = 1,"
	" uid = CASE agreed WHEN 1 THEN uid ELSE 0 END, " SEEN_REASON ", " SEEN_HELD
	" WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND uid <> 0 AND remote = 1";
/* 11: REASON_UNPROVEN. */
static const char seen_as_sent[] =
	"UPDATE row SET reason = 0 WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND uid <> 0"
	" AND remote = 1 AND reason = 11 AND pending = 0";
static const char seen_local_flags[] =
	"UPDATE row SET local_flags = ?2, unlettered = ?3, local = 1,"
	" reason = CASE WHEN reason IN (8, 9, 11) THEN reason ELSE 0 END,"
	" held = CASE WHEN local <> 1 OR (agreed = 1 AND remote = 1 AND remote_flags = flags"
	" AND flags = ?2 AND flags & 32 = 0) THEN 0 ELSE held END,"
	" pending = NOT (agreed = 1 AND remote = 1 AND remote_flags = flags AND flags = ?2)"
	" WHERE id = ?1 AND (local_flags <> ?2 OR unlettered <> ?3 OR local <> 1)";
static const char seen_local_void[] = "DELETE FROM row WHERE id = ? AND local = 1 AND remote <> 1";
static const char seen_local_gone[] =
	"UPDATE row SET local = CASE agreed WHEN 1 THEN 2 ELSE 0 END, pending = 1,"
	" uniq = CASE agreed WHEN 1 THEN uniq ELSE '' END, " SEEN_REASON ", " SEEN_HELD
	" WHERE id = ? AND local = 1";

int state_see_remote_flags(struct state *state, int64_t mailbox, uint32_t uid, uint64_t flags,
			   struct err *err)
{
	struct query query;
	int status = query_begin_write(&query, state, seen_remote_flags, err);

	if (status == 0) {
		query_int(&query, mailbox);
		query_int(&query, uid);
		query_u64(&query, flags);
		status = query_end_write(&query, err);
	}
	return status;
}

/* Runs SQL on the UIDs and adds to *COUNT how many rows it changed. */
static int seen_range(struct query *query, const char *sql, const int64_t range[3], uint64_t *count,
		      struct err *err)
{
	struct state *state = query->state;
	int status = query_init(query, state, sql, err);

	if (status != 0) {
		return status;
	}
	for (int i = 0; i < 3; i++) {
		query_int(query, range[i]);
	}
	status = query_run(query, err);
	query_finish(query);
	*count += (uint64_t)sqlite3_changes(state->db);
	return status;
}

int state_see_remote_gone(struct state *state, int64_t mailbox, uint32_t first, uint32_t last,
			  uint64_t *count, struct err *err)
{
	const int64_t range[3] = {mailbox, first, last};
	struct query query = {.state = state};
	uint64_t changed = 0;
	bool own;
	int status = state_write_begin(state, &own, err);

	if (status != 0) {
		return status;
	}
	status = seen_range(&query, seen_remote_void, range, &changed, err);
	if (status == 0) {
		status = seen_range(&query, seen_remote_gone, range, &changed, err);
	}
	status = state_write_end(state, own, status, err);
	if (status == 0) {
		*count = changed;
	}
	return status;
}

int state_see_as_sent(struct state *state, int64_t mailbox, uint32_t first, uint32_t last,
		      struct err *err)
{
	const int64_t range[3] = {mailbox, first, last};
	struct query query = {.state = state};
	uint64_t ignored = 0;
	bool own;
	int status = state_write_begin(state, &own, err);

	if (status != 0) {
		return status;
	}
	status = seen_range(&query, seen_as_sent, range, &ignored, err);
	return state_write_end(state, own, status, err);
}

int state_see_local_flags(struct state *state, int64_t row, uint64_t flags, uint64_t unlettered,
			  struct err *err)
{
	struct query query;
	int status = query_begin_write(&query, state, seen_local_flags, err);

	if (status == 0) {
		query_int(&query, row);
		query_u64(&query, flags);
		query_u64(&query, unlettered);
		status = query_end_write(&query, err);
	}
	return status;
}

int state_see_local_gone(struct state *state, int64_t row, struct err *err)
{
	bool own;
	int status = state_write_begin(state, &own, err);

	if (status != 0) {
		return status;
	}
	status = state_run_ints(state, seen_local_void, row, 0, err);
	if (status == 0) {
		status = state_run_ints(state, seen_local_gone, row, 0, err);
	}
	return state_write_end(state, own, status, err);
}
