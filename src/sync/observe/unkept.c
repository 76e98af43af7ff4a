/* What the server said that it took, and never showed (D40). It may have told a wrong UID: before
 * the file is sent again the message is looked for among what is new, by an intent as of an upload
 * whose UID was not told. */
#include "rules/effect.h"

#include "observe_private.h"

static int look_for(struct run *run, struct mailbox *mailbox, const struct row *row,
		    struct err *err)
{
	struct intent intent = {
		.kind = INTENT_APPEND,
		.row = row->id,
		.mailbox = mailbox->base.id,
		.uidvalidity = mailbox->base.numbers.uidvalidity,
		.uid_bound = mailbox->base.numbers.uidnext,
	};
	mailbox->open.has_intents = true;
	return state_intent_add(run->session->state, &intent, err);
}

int unkept_put(struct run *run, struct mailbox *mailbox, uint32_t uid, struct err *err)
{
	struct state *state = run->session->state;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_uid(state, mailbox->base.id, uid, &row, &found, err);
	if (code == 0 && found) {
		effect_unkept(&row);
		code = state_row_put(state, &row, err);
		code = code < 0 ? code : look_for(run, mailbox, &row, err);
	}
	row_finish(&row);
	return code;
}

/* They are noted first: rows may not change under a cursor. */
static int find_all(struct run *run, const struct mailbox *mailbox, const struct uidset *uids,
		    uint32_t from, struct uidset *unkept, struct err *err)
{
	struct state_cursor *cursor = NULL;
	const struct row *row = NULL;
	int code = state_cursor_open(run->session->state, mailbox->base.id, STATE_BY_UID, &cursor,
				     err);
	while (code == 0 && (code = state_cursor_next(cursor, &row, err)) == 0 && row != NULL) {
		if (row->uid >= from && remote_is_unkept(row) && !uidset_contains(uids, row->uid)) {
			code = uidset_add(unkept, row->uid, row->uid, err);
		}
	}
	state_cursor_close(&cursor);
	return code;
}

int unkept_put_all(struct run *run, struct mailbox *mailbox, const struct uidset *uids,
		   uint32_t from, size_t *count, struct err *err)
{
	struct uidset unkept;
	struct uidset_cursor cursor = {0};
	uint32_t uid = 0;
	uidset_init(&unkept);
	int code = find_all(run, mailbox, uids, from, &unkept, err);
	while (code == 0 && uidset_next(&unkept, &cursor, &uid)) {
		code = unkept_put(run, mailbox, uid, err);
	}
	*count = (size_t)uidset_size(&unkept);
	uidset_finish(&unkept);
	return code;
}
