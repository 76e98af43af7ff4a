/* Messages on the server and files that another tool stored, brought together by their headers. */
#include <stdlib.h>
#include <string.h>

#include "pop3_rules.h"

struct candidate {
	const struct pop3_header *header;
	uint64_t size_bytes;
	size_t index;
	bool by_id; /* which comparison: by Message-ID and Date, else by digest */
};

static int compare_identity(const struct candidate *a, const struct candidate *b)
{
	if (!a->by_id) {
		return memcmp(a->header->digest, b->header->digest, ROW_DIGEST_SIZE);
	}
	int order = memcmp(a->header->id, b->header->id, ROW_DIGEST_SIZE);
	if (order != 0) {
		return order;
	}
	if (a->header->has_date != b->header->has_date) {
		return a->header->has_date ? 1 : -1;
	}
	return a->header->date < b->header->date ? -1 : a->header->date > b->header->date;
}

/* Among equals by size, so that ties are broken by it. */
static int compare_candidates(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;
	int order = compare_identity(a, b);

	if (order != 0) {
		return order;
	}
	return a->size_bytes < b->size_bytes ? -1 : a->size_bytes > b->size_bytes;
}

static size_t gather_items(const struct pop3_view *view, bool by_id, struct candidate *out)
{
	size_t count = 0;

	for (size_t i = 0; i < view->count; i++) {
		const struct pop3_item *item = &view->items[i];
		if (item->row != POP3_NO_ROW || item->header == POP3_NO_ROW ||
		    item->act != POP3_ACT_NONE) {
			continue;
		}
		const struct pop3_header *header = &view->headers[item->header];
		if (!by_id || header->has_id) {
			out[count++] = (struct candidate){header, item->size_bytes, i, by_id};
		}
	}
	qsort(out, count, sizeof(*out), compare_candidates);
	return count;
}

static size_t gather_locals(const struct pop3_header *locals, size_t local_count,
			    const bool *is_taken, bool by_id, struct candidate *out)
{
	size_t count = 0;

	for (size_t i = 0; i < local_count; i++) {
		if (!is_taken[i] && (!by_id || locals[i].has_id)) {
			out[count++] =
				(struct candidate){&locals[i], locals[i].size_bytes, i, by_id};
		}
	}
	qsort(out, count, sizeof(*out), compare_candidates);
	return count;
}

int pop3_pair(struct pop3_view *view, const struct pop3_header *locals, size_t local_count,
	      struct err *err)
{
	struct candidate *items = calloc(view->count + 1, sizeof(*items));
	struct candidate *files = calloc(local_count + 1, sizeof(*files));
	bool *is_taken = calloc(local_count + 1, sizeof(*is_taken));
	int code = items && files && is_taken ? 0 : err_nomem(err);

	for (int pass = 0; !code && pass < 2; pass++) {
		bool by_id = pass == 1;
		size_t item_count = gather_items(view, by_id, items);
		size_t file_count = gather_locals(locals, local_count, is_taken, by_id, files);
		for (size_t i = 0, f = 0; i < item_count && f < file_count;) {
			int order = compare_identity(&items[i], &files[f]);
			if (order == 0) {
				view->items[items[i].index].act = POP3_ACT_KNOWN;
				is_taken[files[f].index] = true;
			}
			i += order <= 0;
			f += order >= 0;
		}
	}
	free(items);
	free(files);
	free(is_taken);
	return code;
}
