/* Files that are to be here and that base has no more. */
#include "state_private.h"

#include <stdlib.h>

#include "mailsync/base/array.h"

/* A row that is settled is agreed, whatever its other columns say (state_row.c). */
#define KEPT_INSERT                                                                        \
	"INSERT INTO kept(mailbox, uniq, at, content)"                                     \
	" SELECT mailbox.name, uniq, CAST(strftime('%s', 'now') AS INT), content FROM row" \
	" JOIN mailbox ON mailbox.id = row.mailbox WHERE uniq <> ''"                       \
	" AND (row.pending = 0 OR agreed = 1)"
/* One that the user said of before stays so. */
#define KEPT_THERE \
	" ON CONFLICT(mailbox, uniq) DO UPDATE SET content = coalesce(content, excluded.content)"
static const char kept_row[] =
	KEPT_INSERT " AND row.id = ? AND row.pending = 1 AND local = 1 AND remote = 2" KEPT_THERE;
static const char kept_gone[] =
	KEPT_INSERT " AND row.mailbox = ? AND uid BETWEEN ? AND ? AND uid <> 0"
		    " AND row.pending = 1 AND local = 2 AND remote = 1" KEPT_THERE;
static const char kept_mailbox[] = KEPT_INSERT " AND row.mailbox = ?" KEPT_THERE;
static const char kept_lost[] =
	KEPT_INSERT " AND row.mailbox = ? AND row.pending = 1 AND remote = 2" KEPT_THERE;
static const char kept_mean[] = "INSERT INTO kept(mailbox, uniq, at, meant)"
				" VALUES(?, ?, CAST(strftime('%s', 'now') AS INT), 1)"
				" ON CONFLICT(mailbox, uniq) DO UPDATE SET meant = 1";
/* Base's own rows tell of one that was noted for the user's word alone. */
static const char kept_drop_back[] =
	"DELETE FROM kept WHERE mailbox = ? AND uniq = ? AND meant = 1 AND content IS NULL";
static const char kept_back[] =
	"UPDATE kept SET meant = 0 WHERE mailbox = ? AND uniq = ? AND meant = 1";
static const char kept_has_meant[] = "SELECT EXISTS(SELECT 1 FROM kept WHERE meant = 1)";
static const char kept_is_meant[] =
	"SELECT 1 FROM kept WHERE mailbox = ? AND uniq = ? AND meant = 1";
/* What base has again it proves by itself, under whichever name. */
static const char kept_select[] =
	"SELECT uniq, content FROM kept WHERE mailbox = ?1 AND meant = 0"
	" AND NOT EXISTS(SELECT 1 FROM row WHERE row.mailbox = ?2 AND row.uniq = kept.uniq"
	" AND row.uniq <> '' AND (row.pending = 0 OR row.agreed = 1))"
	" AND (content IS NULL OR content NOT IN (SELECT content FROM row WHERE mailbox = ?2"
	" AND uniq <> '' AND (pending = 0 OR (agreed = 1 AND local = 1)) AND content IS NOT NULL))"
	" ORDER BY uniq";
static const char kept_names[] = "SELECT DISTINCT mailbox FROM kept WHERE meant = 0";

int state_kept_note_row(struct state *state, int64_t row, struct err *err)
{
	return state_write_ints(state, kept_row, row, 0, err);
}

int state_kept_note_gone(struct state *state, int64_t mailbox, uint32_t first, uint32_t last,
			 struct err *err)
{
	struct query query;
	int status = query_begin_write(&query, state, kept_gone, err);

	if (status == 0) {
		query_int(&query, mailbox);
		query_int(&query, first);
		query_int(&query, last);
		status = query_end_write(&query, err);
	}
	return status;
}

int state_kept_note_mailbox(struct state *state, int64_t mailbox, bool only_lost, struct err *err)
{
	return state_write_ints(state, only_lost ? kept_lost : kept_mailbox, mailbox, 0, err);
}

/* SQL of one file. */
static int kept_run(struct state *state, const char *sql, const char *mailbox, const char *unique,
		    struct err *err)
{
	struct query query;
	int status = query_init(&query, state, sql, err);

	if (status == 0) {
		query_text(&query, mailbox);
		query_text(&query, unique);
		status = query_run(&query, err);
		query_finish(&query);
	}
	return status;
}

int state_kept_mean(struct state *state, const char *mailbox, const char *unique, struct err *err)
{
	bool own;
	int status = state_write_begin(state, &own, err);

	if (status != 0) {
		return status;
	}
	state->was_meant_asked = state->may_have_meant = true;
	status = kept_run(state, kept_mean, mailbox, unique, err);
	return state_write_end(state, own, status, err);
}

/* Asked once: this is for each message that comes or is proven, and nearly always there is none. */
static int kept_ask_meant(struct state *state, bool *may_be, struct err *err)
{
	struct query query;
	bool has_row = false;
	int status = 0;

	state_lock(state);
	if (!state->was_meant_asked &&
	    (status = query_init(&query, state, kept_has_meant, err)) == 0) {
		status = query_next(&query, &has_row, err);
		state->may_have_meant = has_row && query_get_int(&query, 0) != 0;
		state->was_meant_asked = status == 0;
		query_finish(&query);
	}
	*may_be = state->may_have_meant;
	state_unlock(state);
	return status;
}

int state_kept_back(struct state *state, const char *mailbox, const char *unique, struct err *err)
{
	bool may_be;
	bool own;
	int status = kept_ask_meant(state, &may_be, err);

	if (status != 0 || !may_be || (status = state_write_begin(state, &own, err)) != 0) {
		return status;
	}
	status = kept_run(state, kept_drop_back, mailbox, unique, err);
	if (status == 0) {
		status = kept_run(state, kept_back, mailbox, unique, err);
	}
	return state_write_end(state, own, status, err);
}

int state_kept_is_meant(struct state *state, const char *mailbox, const char *unique,
			bool *is_meant, struct err *err)
{
	struct query query;

	*is_meant = false;
	state_lock(state);
	int status = query_init(&query, state, kept_is_meant, err);
	if (status == 0) {
		query_text(&query, mailbox);
		query_text(&query, unique);
		status = query_next(&query, is_meant, err);
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}

static int kept_add(struct state_kept *kept, const struct query *query, struct err *err)
{
	int status = ARRAY_RESERVE(&kept->items, kept->count + 1, &kept->cap, err);

	if (status != 0) {
		return status;
	}
	struct state_kept_file *file = &kept->items[kept->count];
	*file = (struct state_kept_file){0};
	status = query_get_dup(query, 0, &file->unique, err);
	if (status == 0) {
		file->has_content = query_get_blob(query, 1, file->content, sizeof(file->content));
		kept->count++;
	}
	return status;
}

int state_kept_load(struct state *state, const char *name, int64_t mailbox, struct state_kept *kept,
		    struct err *err)
{
	struct query query;
	bool has_row = true;

	state_lock(state);
	int status = query_init(&query, state, kept_select, err);
	if (status == 0) {
		query_text(&query, name);
		query_int(&query, mailbox);
		while (status == 0 && (status = query_next(&query, &has_row, err)) == 0 &&
		       has_row) {
			status = kept_add(kept, &query, err);
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}

void state_kept_finish(struct state_kept *kept)
{
	for (size_t i = 0; i < kept->count; i++) {
		free(kept->items[i].unique);
	}
	free(kept->items);
	*kept = (struct state_kept){0};
}

int state_kept_names(struct state *state, struct strlist *names, struct err *err)
{
	struct query query;
	bool has_row = true;

	state_lock(state);
	int status = query_init(&query, state, kept_names, err);
	if (status == 0) {
		while (status == 0 && (status = query_next(&query, &has_row, err)) == 0 &&
		       has_row) {
			status = strlist_add(names, query_get_text(&query, 0), err);
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}
