/* K6 to K13 and K17 of pop3_rules.h: what is known from elsewhere, and what a listing makes of
 * the rows. */
#include <stdlib.h>
#include <string.h>

#include "pop3_rules.h"

bool pop3_is_first_run(bool pair_all, enum whose whose)
{
	return pair_all || whose == WHOSE_NOBODYS;
}

bool pop3_is_unknown(const struct pop3_item *item)
{
	return item->row == POP3_NO_ROW && item->act == POP3_ACT_NONE && item->key[0] != '\0' &&
	       !item->waits;
}

bool pop3_is_orphans(const struct pair_candidate *file)
{
	return file->message_id != 0;
}

/* The items that want a partner; each with its place. A header that names nothing has to serve as
 * if it were all of the message, as POP3 tells no more without a download. */
static size_t gather(const struct pop3_view *view, struct pair_candidate *candidates)
{
	size_t count = 0;
	for (size_t i = 0; i < view->count; i++) {
		const struct pair_candidate *header = pop3_header_of(view, &view->items[i]);
		if (header != NULL && pop3_is_unknown(&view->items[i])) {
			candidates[count] = *header;
			candidates[count].index = i;
			candidates[count++].has_content = true;
		}
	}
	return count;
}

int pop3_pair(struct pop3_view *view, struct pair_candidate *locals, size_t local_count,
	      struct err *err)
{
	struct pair_candidate *remotes = calloc(view->count + 1, sizeof(*remotes));
	if (remotes == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < local_count; i++) {
		locals[i].has_content = true;
	}
	pair_match(locals, local_count, remotes, gather(view, remotes));
	for (size_t i = 0; i < local_count; i++) {
		if (locals[i].is_taken) {
			view->items[locals[i].partner].act = POP3_ACT_KNOWN;
		}
	}
	free(remotes);
	return 0;
}

/* K10 */
static enum pop3_news learn_listed(const struct pop3_view *view, const struct pop3_item *item)
{
	const struct pair_candidate *header = pop3_header_of(view, item);
	struct pop3_row *row = &view->rows[item->row];
	struct pop3_row before = *row;
	row->gone_since = 0;
	row->is_deleted = false;
	row->occurrence = item->is_renamed ? item->occurrence : row->occurrence;
	row->size = item->size.is_told ? item->size : row->size;
	if (header != NULL && !row->has_digest) {
		row->has_digest = true;
		memcpy(row->digest, header->digest, ROW_DIGEST_SIZE);
	}
	bool is_news = item->is_renamed || before.is_deleted || before.gone_since != 0 ||
		       before.size.is_told != row->size.is_told ||
		       before.size.number != row->size.number ||
		       before.has_digest != row->has_digest;
	return is_news ? POP3_NEWS : POP3_NO_NEWS;
}

static enum pop3_news learn_missing(bool is_partial, struct pop3_row *row, int64_t now)
{
	if (is_partial) {
		return POP3_NO_NEWS; /* K11 */
	}
	if (row->reason == REASON_TOO_OLD ||
	    (row->gone_since != 0 && now - row->gone_since > POP3_GONE_KEPT_S)) {
		return POP3_NEWS_OVER; /* K12 */
	}
	if (row->gone_since != 0) {
		return POP3_NO_NEWS;
	}
	row->gone_since = now; /* K13 */
	return POP3_NEWS;
}

bool pop3_learn(struct pop3_view *view, int64_t now)
{
	bool has_news = false, is_partial = view->is_partial;
	for (size_t i = 0; i < view->count; i++) {
		const struct pop3_item *item = &view->items[i];
		is_partial |= item->key[0] == '\0';
		if (item->row != POP3_NO_ROW && !item->waits) {
			view->news[item->row] = learn_listed(view, item);
		}
		has_news |= pop3_is_remembered(item);
	}
	for (size_t r = 0; r < view->row_count; r++) {
		if (!view->is_listed[r]) {
			view->news[r] = learn_missing(is_partial, &view->rows[r], now);
		}
		has_news |= view->news[r] != POP3_NO_NEWS;
	}
	return has_news;
}

bool pop3_is_remembered(const struct pop3_item *item)
{
	return item->act == POP3_ACT_OLD || item->act == POP3_ACT_KNOWN ||
	       item->act == POP3_ACT_ADOPT;
}

void pop3_remember_as(const struct pop3_view *view, const struct pop3_item *item, int64_t now)
{
	const struct pair_candidate *header = pop3_header_of(view, item);
	struct pop3_row *row = &view->rows[item->row];
	(void)learn_listed(view, item);
	row->first_seen = now;
	row->reason = REASON_POLICY;
	if (item->act == POP3_ACT_ADOPT) {
		row->reason = REASON_NONE;
		/* A name of ours begins with the second of its delivery. */
		row->first_seen = strtoll(item->unique, NULL, 10);
	} else if (item->act == POP3_ACT_OLD) {
		row->reason = REASON_TOO_OLD;
		row->first_seen = header != NULL ? header->header_date : now;
	}
}
