#include "pop3_rules.h"

static enum pop3_act decide_new(const struct pop3_item *item, const struct pop3_header *header,
				const struct pop3_policy *policy)
{
	if (!policy->may_download || item->is_failed) {
		return POP3_ACT_NONE; /* A4 */
	}
	if (policy->max_size_bytes > 0 && item->size_bytes > policy->max_size_bytes) {
		return POP3_ACT_SKIP; /* A5 */
	}
	if (header && header->has_date && header->date < policy->oldest) {
		return POP3_ACT_OLD; /* A6 */
	}
	return POP3_ACT_DOWNLOAD; /* A7 */
}

/* A row that is remembered as too old holds the message's Date as `first_seen`. */
static enum pop3_act decide_known(const struct pop3_item *item, const struct pop3_row *row,
				  const struct pop3_policy *policy)
{
	if (row->reason != REASON_TOO_OLD || row->first_seen < policy->oldest) {
		return POP3_ACT_NONE; /* A1 A2 A3 */
	}
	return decide_new(item, NULL, policy);
}

void pop3_decide(struct pop3_view *view, const struct pop3_policy *policy)
{
	for (size_t i = 0; i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		if (item->act != POP3_ACT_NONE || item->key[0] == '\0') {
			continue;
		}
		if (item->row != POP3_NO_ROW) {
			item->act = decide_known(item, &view->rows[item->row], policy);
		} else {
			const struct pop3_header *header =
				item->header == POP3_NO_ROW ? NULL : &view->headers[item->header];
			item->act = decide_new(item, header, policy);
		}
	}
}

bool pop3_is_due(const struct pop3_row *row, const struct pop3_policy *policy)
{
	if (!policy->may_delete || row->reason != REASON_NONE || row->unique[0] == '\0') {
		return false;
	}
	switch (policy->leave) {
	case LEAVE_YES:
		return false;
	case LEAVE_NO:
		return true;
	case LEAVE_AGE:
		return policy->now - row->first_seen >= policy->leave_age_s;
	}
	return false;
}
