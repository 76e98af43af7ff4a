/* What `verify` has shown of rows, and since when. */
#include "state_private.h"

#include <stdlib.h>

#include "mailsync/base/array.h"

static const char row_prove[] = "INSERT OR REPLACE INTO proof VALUES(?1, ?2)";
/* A row that has a content keeps it: what is proven is that the file is still that. */
static const char row_learn[] =
	"UPDATE row SET content = ?2, mark_size = ?3, mark_mtime = ?4, mark_inode = ?5"
	" WHERE id = ?1 AND content IS NULL";
static const char pop3_prove[] = "UPDATE pop3 SET verified_at = ?2 WHERE id = ?1";
static const char pop3_learn[] = "UPDATE pop3 SET content = ?2 WHERE id = ?1 AND content IS NULL";
/* Of a row that is settled the sides are what its `pending` says (state_row.c). */
static const char proofs_select[] =
	"SELECT count(*), total(at IS NULL), min(at) FROM (SELECT proof.at AS at FROM row"
	" LEFT JOIN proof ON proof.row = row.id WHERE uniq <> '' AND (pending = 0 OR agreed = 1)"
	" UNION ALL SELECT nullif(verified_at, 0) FROM pop3 WHERE uniq <> '')";

static const char missed_select[] = "SELECT at FROM missed WHERE row = ?";
/* Days are those of the user. */
static const char missed_days[] =
	"SELECT mailbox.name, date(missed.at, 'unixepoch', 'localtime') AS day, count(*),"
	" total(row.size) FROM row JOIN mailbox ON mailbox.id = row.mailbox"
	" LEFT JOIN missed ON missed.row = row.id"
	" WHERE row.pending = 1 AND row.local = 1 AND row.remote <> 1"
	" GROUP BY mailbox.name, day ORDER BY mailbox.name, day";

/* The names of files that we delivered begin with when that was. */
static const char contents_there[] =
	"SELECT content, max(CAST(uniq AS INT)) FROM row"
	" WHERE mailbox = ? AND uniq <> '' AND (pending = 0 OR remote = 1) AND content IS NOT NULL"
	" GROUP BY content ORDER BY content";

static int learn(struct state *state, const struct state_proof *proof, struct err *err)
{
	struct query query;
	int status = query_init(&query, state, proof->is_pop3 ? pop3_learn : row_learn, err);

	if (status != 0) {
		return status;
	}
	query_int(&query, proof->id);
	query_blob(&query, proof->content, ROW_CONTENT_SIZE);
	if (!proof->is_pop3) {
		query_u64(&query, proof->mark->size_bytes);
		query_int(&query, proof->mark->mtime_ns);
		query_u64(&query, proof->mark->inode);
	}
	status = query_run(&query, err);
	query_finish(&query);
	return status;
}

int state_prove(struct state *state, const struct state_proof *proof, struct err *err)
{
	bool own;
	int status = state_write_begin(state, &own, err);

	if (status != 0) {
		return status;
	}
	status = state_run_ints(state, proof->is_pop3 ? pop3_prove : row_prove, proof->id,
				proof->now, err);
	if (status == 0 && proof->content != NULL) {
		status = learn(state, proof, err);
	}
	return state_write_end(state, own, status, err);
}

int state_proofs_count(struct state *state, struct state_proofs *proofs, struct err *err)
{
	struct query query;
	bool has_row = false;

	*proofs = (struct state_proofs){0};
	state_lock(state);
	int status = query_init(&query, state, proofs_select, err);
	if (status == 0) {
		status = query_next(&query, &has_row, err);
		if (status == 0 && has_row) {
			proofs->messages = query_get_u64(&query, 0);
			proofs->unproven = query_get_u64(&query, 1);
			proofs->oldest = query_get_int(&query, 2);
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}

int state_missed_at(struct state *state, int64_t row, struct told_time *at, struct err *err)
{
	struct query query;
	bool has_row = false;

	state_lock(state);
	int status = query_init(&query, state, missed_select, err);
	if (status == 0) {
		query_int(&query, row);
		status = query_next(&query, &has_row, err);
		if (status == 0) {
			*at = has_row ? told_time(query_get_int(&query, 0)) : (struct told_time){0};
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}

static int missed_add(struct state_missed *missed, const struct query *query, struct err *err)
{
	struct state_missed_day day = {
		.messages = query_get_u64(query, 2),
		.bytes = query_get_u64(query, 3),
	};
	int status = ARRAY_RESERVE(&missed->items, missed->count + 1, &missed->cap, err);

	if (status == 0) {
		status = query_get_dup(query, 0, &day.mailbox, err);
	}
	if (status == 0 && (status = query_get_dup(query, 1, &day.day, err)) != 0) {
		free(day.mailbox);
	}
	if (status == 0) {
		missed->items[missed->count++] = day;
	}
	return status;
}

int state_missed_load(struct state *state, struct state_missed *missed, struct err *err)
{
	struct query query;
	bool has_row = true;

	state_lock(state);
	int status = query_init(&query, state, missed_days, err);
	if (status == 0) {
		while (status == 0 && (status = query_next(&query, &has_row, err)) == 0 &&
		       has_row) {
			status = missed_add(missed, &query, err);
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}

void state_missed_finish(struct state_missed *missed)
{
	for (size_t i = 0; i < missed->count; i++) {
		free(missed->items[i].mailbox);
		free(missed->items[i].day);
	}
	free(missed->items);
	*missed = (struct state_missed){0};
}

int state_contents_load(struct state *state, int64_t mailbox, struct state_contents *contents,
			struct err *err)
{
	struct query query;
	bool has_row = true;

	state_lock(state);
	int status = query_init(&query, state, contents_there, err);
	if (status == 0) {
		query_int(&query, mailbox);
		while (status == 0 && (status = query_next(&query, &has_row, err)) == 0 &&
		       has_row) {
			status = ARRAY_RESERVE(&contents->items, contents->count + 1,
					       &contents->cap, err);
			if (status == 0) {
				struct state_content *content = &contents->items[contents->count++];
				(void)query_get_blob(&query, 0, content->content, ROW_CONTENT_SIZE);
				content->since = query_get_int(&query, 1);
			}
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}

void state_contents_finish(struct state_contents *contents)
{
	free(contents->items);
	*contents = (struct state_contents){0};
}
