/* Intents: acts under way that must not be repeated blindly (I3). */
#include "state_private.h"

#include <stdlib.h>

#include "mailsync/base/array.h"

static const char intent_insert[] =
	"INSERT INTO intent(kind, row, mailbox, uidvalidity, uid_bound, text)"
	" VALUES(?, ?, ?, ?, ?, ?)";
static const char intent_delete[] = "DELETE FROM intent WHERE id = ?";
static const char intent_select[] =
	"SELECT id, kind, row, mailbox, uidvalidity, uid_bound, text FROM intent"
	" WHERE ?1 = 0 OR mailbox = ?1 ORDER BY id";

int state_intent_add(struct state *state, struct intent *intent, struct err *err)
{
	struct query query;
	bool own;
	int status = state_write_begin(state, &own, err);

	if (status != 0) {
		return status;
	}
	status = query_init(&query, state, intent_insert, err);
	if (status == 0) {
		query_int(&query, intent->kind);
		query_int(&query, intent->row);
		query_int(&query, intent->mailbox);
		query_told(&query, intent->uidvalidity);
		query_told(&query, intent->uid_bound);
		query_text(&query, intent->text);
		status = query_run(&query, err);
		query_finish(&query);
	}
	int64_t id = sqlite3_last_insert_rowid(state->db);
	status = state_write_end(state, own, status, err);
	if (status == 0) {
		intent->id = id;
	}
	return status;
}

int state_intent_drop(struct state *state, int64_t id, struct err *err)
{
	return state_write_ints(state, intent_delete, id, 0, err);
}

static int intents_add(struct intents *intents, size_t *cap, const struct query *query,
		       struct err *err)
{
	int status = ARRAY_RESERVE(&intents->items, intents->count + 1, cap, err);
	if (status != 0) {
		return status;
	}
	struct intent *intent = &intents->items[intents->count];
	intent->id = query_get_int(query, 0);
	intent->kind = (enum intent_kind)query_get_int(query, 1);
	intent->row = query_get_int(query, 2);
	intent->mailbox = query_get_int(query, 3);
	intent->uidvalidity = query_get_told(query, 4);
	intent->uid_bound = query_get_told(query, 5);
	status = query_get_dup(query, 6, &intent->text, err);
	if (status == 0) {
		intents->count++;
	}
	return status;
}

int state_intents_load(struct state *state, int64_t mailbox, struct intents *intents,
		       struct err *err)
{
	struct intents loaded = {0};
	struct query query;
	size_t cap = 0;
	bool has_row = true;

	state_lock(state);
	int status = query_init(&query, state, intent_select, err);
	if (status == 0) {
		query_int(&query, mailbox);
		while (status == 0) {
			status = query_next(&query, &has_row, err);
			if (status != 0 || !has_row) {
				break;
			}
			status = intents_add(&loaded, &cap, &query, err);
		}
		query_finish(&query);
	}
	state_unlock(state);
	if (status == 0) {
		*intents = loaded;
	} else {
		state_intents_finish(&loaded);
	}
	return status;
}

void state_intents_finish(struct intents *intents)
{
	for (size_t i = 0; i < intents->count; i++) {
		free(intents->items[i].text);
	}
	free(intents->items);
	*intents = (struct intents){0};
}

bool intent_is_of_removal(const struct intent *intent)
{
	return intent->kind == INTENT_TRASH || intent->kind == INTENT_TRASHED ||
	       intent->kind == INTENT_MOVED;
}

uint32_t intent_bound(const struct intent *intent)
{
	return (uint32_t)told_or(intent->uid_bound, 0);
}
