/* How many rows there are of a kind. */
#include "state_private.h"

/*
 * Counted in the index by unique part, which every settled row stands in, with the few pending ones
 * looked at: a count over 50,000 rows reads no row.
 */
static const char count_agreed[] =
	"SELECT (SELECT count(*) FROM row WHERE mailbox = ?1 AND uniq <> '')"
	" - (SELECT count(*) FROM row WHERE mailbox = ?1 AND pending = 1 AND uniq <> '')"
	" + (SELECT count(*) FROM row WHERE mailbox = ?1 AND pending = 1 AND agreed = 1)";
static const char count_agreed_all[] =
	"SELECT (SELECT count(*) FROM row WHERE uniq <> '')"
	" - (SELECT count(*) FROM row WHERE pending = 1 AND uniq <> '')"
	" + (SELECT count(*) FROM row WHERE pending = 1 AND agreed = 1)";
static const char count_remote[] =
	"SELECT (SELECT count(*) FROM row WHERE mailbox = ?1 AND uniq <> '')"
	" - (SELECT count(*) FROM row WHERE mailbox = ?1 AND pending = 1 AND uniq <> '')"
	" + (SELECT count(*) FROM row WHERE mailbox = ?1 AND pending = 1 AND remote = 1)";
static const char count_remote_all[] =
	"SELECT (SELECT count(*) FROM row WHERE uniq <> '')"
	" - (SELECT count(*) FROM row WHERE pending = 1 AND uniq <> '')"
	" + (SELECT count(*) FROM row WHERE pending = 1 AND remote = 1)";
static const char count_remote_only[] =
	"SELECT count(*) FROM row WHERE mailbox = ? AND pending = 1 AND remote = 1 AND agreed = 0";

int state_was_synced(struct state *state, bool *was_synced, struct err *err)
{
	uint64_t found = 0;
	int code = state_read_number(
		state, "SELECT EXISTS (SELECT 1 FROM mailbox WHERE synced_at > ?)", 0, &found, err);

	*was_synced = found != 0;
	return code;
}

int state_count_agreed(struct state *state, int64_t mailbox, uint64_t *count, struct err *err)
{
	return state_read_number(state, mailbox == 0 ? count_agreed_all : count_agreed, mailbox,
				 count, err);
}

int state_count_remote(struct state *state, int64_t mailbox, uint64_t *count, struct err *err)
{
	return state_read_number(state, mailbox == 0 ? count_remote_all : count_remote, mailbox,
				 count, err);
}

int state_count_remote_only(struct state *state, int64_t mailbox, uint64_t *count, struct err *err)
{
	return state_read_number(state, count_remote_only, mailbox, count, err);
}
