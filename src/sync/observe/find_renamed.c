/*
 * Files that were filed elsewhere under another name, as programs do that write a message anew.
 * The size proposes, the digest of the content decides; only new files
 * are read, and of these only those that have the size of one that is gone.
 */
#include "observe.h"
#include "observe_private.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

static int pairs_add(struct state_moves *pairs, int64_t gone_row, int64_t new_row, struct err *err)
{
	if (ARRAY_RESERVE(&pairs->items, pairs->count + 1, &pairs->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	pairs->items[pairs->count++] = (struct state_move){gone_row, new_row};
	return 0;
}

/* Those that are gone, by size and mailbox; and by content. */
struct gone_traces {
	struct state_traces all; /* by size */
	struct state_trace **by_content;
};

static int compare_size(const void *x, const void *y)
{
	const struct state_trace *one = x;
	const struct state_trace *two = y;
	if (one->size != two->size) {
		return one->size < two->size ? -1 : 1;
	}
	if (one->mailbox != two->mailbox) {
		return one->mailbox < two->mailbox ? -1 : 1;
	}
	return (one->row > two->row) - (one->row < two->row);
}

static int compare_content(const void *x, const void *y)
{
	const struct state_trace *one = *(struct state_trace *const *)x;
	const struct state_trace *two = *(struct state_trace *const *)y;
	int order = memcmp(one->content, two->content, ROW_CONTENT_SIZE);
	if (order != 0) {
		return order;
	}
	return (one->row > two->row) - (one->row < two->row);
}

static int order_gone(struct gone_traces *gone, struct err *err)
{
	struct state_traces *all = &gone->all;
	qsort(all->items, all->count, sizeof(*all->items), compare_size);
	gone->by_content = calloc(all->count + 1, sizeof(struct state_trace *));
	if (gone->by_content == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < all->count; i++) {
		gone->by_content[i] = &all->items[i];
	}
	qsort(gone->by_content, all->count, sizeof(struct state_trace *), compare_content);
	return 0;
}

/* Whether one of another mailbox has the size of FRESH: of its size, the first or the last is. */
static bool has_size(const struct gone_traces *gone, const struct state_trace *fresh)
{
	const struct state_traces *all = &gone->all;
	struct state_trace wanted = {.size = fresh->size, .mailbox = INT64_MIN, .row = INT64_MIN};
	size_t first =
		array_lower_bound(all->items, all->count, sizeof(wanted), &wanted, compare_size);
	wanted = (struct state_trace){.size = fresh->size, .mailbox = INT64_MAX, .row = INT64_MAX};
	size_t behind =
		array_lower_bound(all->items, all->count, sizeof(wanted), &wanted, compare_size);
	return first < behind && (all->items[first].mailbox != fresh->mailbox ||
				  all->items[behind - 1].mailbox != fresh->mailbox);
}

/* The first, of another mailbox, whose file held what FRESH holds; NULL: none. */
static struct state_trace *find_content(const struct gone_traces *gone,
					const struct state_trace *fresh)
{
	struct state_trace wanted = *fresh;
	const struct state_trace *const key = &wanted;
	wanted.row = INT64_MIN;
	size_t at = array_lower_bound(gone->by_content, gone->all.count, sizeof(key), &key,
				      compare_content);
	for (; at < gone->all.count; at++) {
		struct state_trace *trace = gone->by_content[at];
		if (memcmp(trace->content, fresh->content, ROW_CONTENT_SIZE) != 0) {
			break;
		}
		if (!trace->is_taken && trace->mailbox != fresh->mailbox) {
			return trace;
		}
	}
	return NULL;
}

static int compare_gone(const void *x, const void *y)
{
	const struct state_move *one = x;
	const struct state_move *two = y;
	return (one->gone_row > two->gone_row) - (one->gone_row < two->gone_row);
}

static int compare_new(const void *x, const void *y)
{
	const struct state_move *one = x;
	const struct state_move *two = y;
	return (one->new_row > two->new_row) - (one->new_row < two->new_row);
}

/* Drops the rows that are in a pair by name already, by one of its two. */
static void drop_named(struct state_traces *traces, struct state_moves *named,
		       int (*compare)(const void *, const void *))
{
	size_t kept = 0;
	if (named->count == 0) {
		return;
	}
	qsort(named->items, named->count, sizeof(*named->items), compare);
	for (size_t i = 0; i < traces->count; i++) {
		const struct state_move wanted = {traces->items[i].row, traces->items[i].row};
		if (array_find(named->items, named->count, sizeof(wanted), &wanted, compare) ==
		    NULL) {
			traces->items[kept++] = traces->items[i];
		}
	}
	traces->count = kept;
}

static int find_one(struct run *run, struct folder_look *folder, const struct gone_traces *gone,
		    struct state_trace *fresh, struct state_moves *pairs, struct err *err)
{
	struct mailbox *mailbox = run_mailbox_by_id(run, fresh->mailbox);
	bool is_told = false;
	if (mailbox == NULL || !mailbox_is_active(mailbox) || mailbox->seen.is_unreadable ||
	    !has_size(gone, fresh)) {
		return 0;
	}
	int code = observe_content(run, folder, mailbox, fresh, &is_told, err);
	struct state_trace *trace = code == 0 && is_told ? find_content(gone, fresh) : NULL;
	if (trace == NULL) {
		return code;
	}
	trace->is_taken = true;
	return pairs_add(pairs, trace->row, fresh->row, err);
}

int find_renamed(struct run *run, struct state_moves *pairs, struct err *err)
{
	struct state *state = run->session->state;
	struct folder_look folder = {0};
	struct gone_traces gone = {0};
	struct state_traces fresh = {0};
	struct state_moves named = {0};
	int code;
	if ((code = state_traces_load(state, true, &gone.all, err)) < 0 || gone.all.count == 0 ||
	    (code = state_traces_load(state, false, &fresh, err)) < 0 || fresh.count == 0 ||
	    (code = state_moves_load(state, 0, &named, err)) < 0) {
		goto finish;
	}
	drop_named(&gone.all, &named, compare_gone);
	drop_named(&fresh, &named, compare_new);
	code = order_gone(&gone, err);
	for (size_t i = 0; code == 0 && i < fresh.count; i++) {
		code = find_one(run, &folder, &gone, &fresh.items[i], pairs, err);
	}
finish:
	folder_look_finish(&folder);
	state_moves_finish(&named);
	state_traces_finish(&fresh);
	free(gone.by_content);
	state_traces_finish(&gone.all);
	return code;
}
