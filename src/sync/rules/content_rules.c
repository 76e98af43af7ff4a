/* Is a file still the message that base knows (content_rules.h)? */
#include "content_rules.h"

#include <string.h>

bool content_is_in_doubt(const struct row *row, const struct file_mark *mark)
{
	return !file_mark_equal(&row->mark, mark);
}

/* C3. */
static bool is_like(const struct row *row, const struct content_facts *facts)
{
	bool knows_size = row->size.is_told;
	if (!row->has_digest && !knows_size) {
		return false;
	}
	return (!row->has_digest || memcmp(row->digest, facts->digest, ROW_DIGEST_SIZE) == 0) &&
	       (!knows_size || told_is(row->size, facts->mark.size_bytes));
}

enum content_verdict content_verdict(const struct row *row, const struct content_facts *facts)
{
	if (!content_is_in_doubt(row, &facts->mark)) {
		return CONTENT_SAME;
	}
	if (!facts->was_read) {
		return CONTENT_UNKNOWN;
	}
	bool is_same = row->has_content
			     ? memcmp(row->content, facts->content, ROW_CONTENT_SIZE) == 0
			     : is_like(row, facts);
	return is_same ? CONTENT_SAME : CONTENT_OTHER;
}
