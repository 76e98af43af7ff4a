/* One news of a view becomes a change of its row (rules/remote_rules.h). */
#include <string.h>

#include "observe_private.h"
#include "remote_delta.h"
#include "rules/effect.h"

/* A file may wait for one that was not shown: then it waits, too, until pairing knows (W21). */
static enum row_reason reason_now(const struct delta *delta, const struct row *row)
{
	bool is_to_be_paired = delta->mailbox->decided.pairing != PAIRING_NONE;
	return row->reason == REASON_UNSEEN && is_to_be_paired ? REASON_UNIDENTIFIED : REASON_NONE;
}

/* Row of one that is new, or that was not there. */
static int put_present(struct delta *delta, const struct delta_item *item, struct err *err)
{
	struct state *state = delta->run->session->state;
	const struct remote_view_message *message = item->message;
	const char *emailid = remote_view_emailid(delta->view, message);
	struct row row;
	bool found = item->news == REMOTE_NEW;
	int code = 0;
	row_init(&row);
	if (item->news == REMOTE_BACK) {
		code = state_row_by_uid(state, delta->mailbox->base.id, item->uid, &row, &found,
					err);
	} else {
		row.mailbox = delta->mailbox->base.id;
		row.uid = item->uid;
		if (emailid != NULL) {
			code = row_set_emailid(&row, emailid, strlen(emailid), err);
		}
	}
	if (code == 0 && found) {
		if (row.unique[0] == '\0') {
			row.size = message->size.is_told ? message->size : row.size;
			if (message->date.is_told || row.reason == REASON_UNSEEN) {
				row.date = message->date;
			}
		}
		row.remote = MESSAGE_PRESENT;
		row.reason = reason_now(delta, &row);
		row.held = HELD_NOT; /* it is back */
		row.remote_flags = message->has_flags ? item->flags : row.remote_flags;
		code = state_row_put(state, &row, err);
	}
	row_finish(&row);
	return code;
}

int observe_gone_there(struct run *run, const struct mailbox *mailbox, uint32_t first,
		       uint32_t last, uint64_t *count, struct err *err)
{
	struct state *state = run->session->state;
	int64_t id = mailbox->base.id;
	int code = run->policy.is_archive ? state_kept_note_gone(state, id, first, last, err) : 0;
	return code < 0 ? code : state_see_remote_gone(state, id, first, last, count, err);
}

int delta_put_gone(struct delta *delta, uint32_t first, uint32_t last, struct err *err)
{
	uint64_t count = 0;
	int code = observe_gone_there(delta->run, delta->mailbox, first, last, &count, err);
	delta->changes += count;
	return code;
}

/* What we put there is seen, and the flags that were kept. */
static int put_first(struct delta *delta, const struct delta_item *item, struct err *err)
{
	struct state *state = delta->run->session->state;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_uid(state, delta->mailbox->base.id, item->uid, &row, &found, err);
	if (code == 0 && found) {
		effect_seen_first(&row, item->flags);
		delta->changes += !row_is_settled(&row);
		code = state_row_put(state, &row, err);
	}
	row_finish(&row);
	return code;
}

bool delta_is_absence(enum remote_news news)
{
	return news == REMOTE_GONE || news == REMOTE_UNKEPT;
}

/* What was sent comes in runs of UIDs, which are one statement: how many items from AT on. */
static size_t count_as_sent(const struct delta *delta, size_t at)
{
	const struct delta_item *items = delta->items;
	size_t count = 0;
	while (at + count < delta->count && items[at + count].news == REMOTE_FIRST &&
	       items[at + count].is_as_sent && items[at + count].uid == items[at].uid + count) {
		count++;
	}
	return count;
}

static int put_one(struct delta *delta, const struct delta_item *item, struct err *err)
{
	switch (item->news) {
	case REMOTE_SAME:
		break; /* see() notes none */
	case REMOTE_NEW:
	case REMOTE_BACK:
		delta->changes++;
		return put_present(delta, item, err);
	case REMOTE_FLAGS:
		delta->changes++;
		return state_see_remote_flags(delta->run->session->state, delta->mailbox->base.id,
					      item->uid, item->flags, err);
	case REMOTE_FIRST:
		return put_first(delta, item, err);
	case REMOTE_UNKEPT:
		delta->changes++;
		return unkept_put(delta->run, delta->mailbox, item->uid, err);
	case REMOTE_GONE:
		return delta_put_gone(delta, item->uid, item->uid, err);
	}
	return 0;
}

int delta_put(struct delta *delta, bool with_absences, struct err *err)
{
	const struct delta_item *items = delta->items;
	size_t run;
	int code = 0;
	for (size_t i = 0; code == 0 && i < delta->count; i += run) {
		run = count_as_sent(delta, i);
		if (run > 0) {
			code = state_see_as_sent(delta->run->session->state,
						 delta->mailbox->base.id, items[i].uid,
						 items[i + run - 1].uid, err);
			continue;
		}
		run = 1;
		if (with_absences || !delta_is_absence(items[i].news)) {
			code = put_one(delta, &items[i], err);
		}
	}
	return code;
}
