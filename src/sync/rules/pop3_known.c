/* K6 to K13 of pop3_rules.h: what is known from elsewhere, and what a listing makes of the rows. */
#include <stdlib.h>
#include <string.h>

#include "pop3_rules.h"

bool pop3_is_first_run(bool must_pair, bool is_nobodys)
{
	return must_pair || is_nobodys;
}

bool pop3_is_unknown(const struct pop3_item *item)
{
	return item->row == POP3_NO_ROW && item->act == POP3_ACT_NONE && item->key[0] != '\0';
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

bool pop3_has_news(const struct pop3_view *view, const struct pop3_item *item)
{
	if (item->row == POP3_NO_ROW) {
		return false;
	}
	const struct pop3_row *row = &view->rows[item->row];
	return item->is_renamed || row->is_deleted || row->gone_since != 0 ||
	       (item->size_bytes != 0 && item->size_bytes != row->size_bytes) ||
	       (item->header != POP3_NO_ROW && !row->has_digest);
}

static void learn_header(const struct pair_candidate *header, struct pop3_row *row)
{
	if (header != NULL && !row->has_digest) {
		row->has_digest = true;
		memcpy(row->digest, header->digest, ROW_DIGEST_SIZE);
	}
}

void pop3_learn(const struct pop3_view *view, const struct pop3_item *item, struct pop3_row *row)
{
	row->gone_since = 0;
	row->is_deleted = false;
	row->occurrence = item->is_renamed ? item->occurrence : row->occurrence;
	row->size_bytes = item->size_bytes != 0 ? item->size_bytes : row->size_bytes;
	learn_header(pop3_header_of(view, item), row);
}

enum pop3_absence pop3_absence_of(const struct pop3_view *view, size_t row_index, int64_t now)
{
	const struct pop3_row *row = &view->rows[row_index];
	if (view->is_listed[row_index] || view->is_partial) {
		return POP3_ABSENCE_NO_NEWS; /* K11 */
	}
	if (row->reason == REASON_TOO_OLD ||
	    (row->gone_since != 0 && now - row->gone_since > POP3_GONE_KEPT_S)) {
		return POP3_ABSENCE_OVER; /* K12 */
	}
	return row->gone_since == 0 ? POP3_ABSENCE_BEGINS : POP3_ABSENCE_NO_NEWS; /* K13 */
}

bool pop3_is_remembered(const struct pop3_item *item)
{
	return item->act == POP3_ACT_OLD || item->act == POP3_ACT_KNOWN ||
	       item->act == POP3_ACT_ADOPT;
}

static int64_t delivered_at(const char *unique)
{
	uint64_t seconds;
	size_t len = strspn(unique, "0123456789");
	return span_to_u64((struct span){unique, len}, &seconds) && seconds <= INT64_MAX
		     ? (int64_t)seconds
		     : 0;
}

void pop3_remember_as(const struct pop3_view *view, const struct pop3_item *item,
		      const char *unique, int64_t now, struct pop3_row *row)
{
	const struct pair_candidate *header = pop3_header_of(view, item);
	*row = (struct pop3_row){
		.size_bytes = item->size_bytes,
		.first_seen = now,
		.reason = REASON_POLICY,
	};
	learn_header(header, row);
	if (item->act == POP3_ACT_ADOPT) {
		row->reason = REASON_NONE;
		row->first_seen = delivered_at(unique);
	} else if (item->act == POP3_ACT_OLD) {
		row->reason = REASON_TOO_OLD;
		row->first_seen = header != NULL ? header->header_date : now;
	}
}
