/* What the server said that it took, and never showed (D40). */
#include "rules/effect.h"

#include "observe_private.h"

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

void unkept_report(struct run *run, struct mailbox *mailbox, size_t count)
{
	struct err why;
	if (count == 0) {
		return;
	}
	err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
		"the server took %zu of our messages, as it said, and does not have them; the next "
		"run sends them again",
		count);
	mailbox->open.failures++;
	run_report_error(run, mailbox, 0, &why);
}
