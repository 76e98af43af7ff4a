/* Special uses of mailboxes, as the server said last. */
#include "state_private.h"

#include <stdlib.h>

#include "mailsync/base/array.h"

static const char uses_select[] =
	"SELECT name, uses, EXISTS(SELECT 1 FROM mailbox WHERE mailbox.name = special_use.name)"
	" OR EXISTS(SELECT 1 FROM kept WHERE kept.mailbox = special_use.name)"
	" FROM special_use ORDER BY name";
static const char use_upsert[] = "INSERT INTO special_use(name, uses) VALUES(?1, ?2)"
				 " ON CONFLICT(name) DO UPDATE SET uses = ?2";
static const char uses_delete[] = "DELETE FROM special_use";
static const char use_delete[] = "DELETE FROM special_use WHERE name = ?";

void state_uses_finish(struct state_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++) {
		free(uses->items[i].name);
	}
	free(uses->items);
	*uses = (struct state_uses){0};
}

static int use_read(const struct query *query, struct state_uses *uses, struct err *err)
{
	if (ARRAY_RESERVE(&uses->items, uses->count + 1, &uses->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	struct state_use *use = &uses->items[uses->count];
	*use = (struct state_use){
		.uses = query_get_u32(query, 1),
		.noted = query_get_u32(query, 1),
		.is_needed = query_get_bool(query, 2),
	};
	int code = query_get_dup(query, 0, &use->name, err);
	uses->count += code == 0;
	return code;
}

int state_uses_load(struct state *state, struct state_uses *uses, struct err *err)
{
	struct query query;
	bool has_row = true;

	state_lock(state);
	int code = query_init(&query, state, uses_select, err);
	if (code == 0) {
		while (code == 0 && (code = query_next(&query, &has_row, err)) == 0 && has_row) {
			code = use_read(&query, uses, err);
		}
		query_finish(&query);
	}
	state_unlock(state);
	return code;
}

int state_use_put(struct state *state, const char *name, uint32_t uses, struct err *err)
{
	struct query query;
	int code = query_begin_write(&query, state, uses == 0 ? use_delete : use_upsert, err);

	if (code == 0) {
		query_text(&query, name);
		if (uses != 0) {
			query_int(&query, uses);
		}
		code = query_end_write(&query, err);
	}
	return code;
}

int state_uses_forget(struct state *state, struct err *err)
{
	return state_write_exec(state, uses_delete, err);
}
