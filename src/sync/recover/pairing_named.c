/* Pairing in parts: of a large mailbox without base, files whose names propose a UID (W13) first, a
 * slice at a time, each written down before the next. So what is held does not follow the mailbox,
 * where its files bear names of ours. */
#include <stdlib.h>

#include "mailsync/base/array.h"

#include "recover_private.h"

/* Rows read at a time. Smaller mailboxes are matched at once, with a round trip less. */
#define SLICE_ROWS 4000

static int compare_uid(const void *x, const void *y)
{
	uint32_t one = ((const struct pair_candidate *)x)->uid;
	uint32_t two = ((const struct pair_candidate *)y)->uid;
	return (one > two) - (one < two);
}

/* The lone message that LOCAL's name proposes; HAS_IDENTITY says for now whether it is there. */
static int add_proposed(struct pairing *slice, struct pair_candidate *local, struct err *err)
{
	struct pair_candidate remote;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_uid(slice->run->session->state, slice->mailbox->base.id, local->uid,
				    &row, &found, err);
	local->has_identity = code == 0 && found && pair_is_lone_message(&row);
	if (local->has_identity) {
		pair_begin_remote(&row, &remote);
		remote.index = row.id;
		code = candidates_add(&slice->remotes, &remote, err);
	}
	row_finish(&row);
	return code;
}

/* Of several files that propose one UID the first; the rest, and who proposes none, goes. */
static int keep_proposing(struct pairing *slice, struct err *err)
{
	struct candidates *locals = &slice->locals;
	uint32_t before = 0;
	int code = 0;
	array_sort(locals->items, locals->count, sizeof(*locals->items), compare_uid);
	for (size_t i = 0; code == 0 && i < locals->count; i++) {
		struct pair_candidate *local = &locals->items[i];
		local->has_identity = false;
		if (local->uid != before) {
			before = local->uid;
			code = add_proposed(slice, local, err);
		}
	}
	return code < 0 ? code : candidates_part(locals, NULL, err);
}

/* What cannot be read, or identifies nothing, is left to the matching of all. */
static int identify_files(struct pairing *slice, const struct maildir_scan *scan, struct err *err)
{
	struct candidates *locals = &slice->locals;
	for (size_t i = 0; i < locals->count; i++) {
		struct pair_candidate *local = &locals->items[i];
		const struct maildir_entry *entry = &scan->entries[local->place];
		struct header_identity identity;
		local->has_identity = false;
		if (maildir_folder_identify(slice->mailbox->dir, entry->name, entry->in_new,
					    &identity, err) == 0) {
			pair_identify(local, &identity);
			local->has_identity = !pair_is_nameless(local);
		} else if (run_is_fatal_in_folder(err)) {
			return -(int)err->code;
		}
	}
	return candidates_part(locals, NULL, err);
}

static int identify_messages(struct pairing *slice, struct err *err)
{
	struct candidates *remotes = &slice->remotes;
	int code = candidates_identify(slice->remote, slice->mailbox, remotes, err);
	for (size_t i = 0; i < remotes->count; i++) {
		struct pair_candidate *remote = &remotes->items[i];
		remote->has_identity &= !remote->is_blank && !pair_is_nameless(remote);
	}
	return code < 0 ? code : candidates_part(remotes, NULL, err);
}

/* *PAIRED of those that came into question. */
static int match(struct pairing *slice, const struct maildir_scan *scan, size_t *paired,
		 struct err *err)
{
	struct candidates *locals = &slice->locals;
	struct candidates *remotes = &slice->remotes;
	int code;
	if ((code = keep_proposing(slice, err)) < 0 || remotes->count == 0 ||
	    (code = identify_files(slice, scan, err)) < 0 ||
	    (code = identify_messages(slice, err)) < 0) {
		return code;
	}
	*paired = pair_match_proposed(locals->items, locals->count, remotes->items, remotes->count);
	return pairing_put_found(slice, true, err);
}

/* *IS_WORTH: most that came into question were paired. */
static int match_slice(const struct gathering *gathering, const struct row_list *rows,
		       size_t *total, bool *is_worth, struct err *err)
{
	const struct pairing *whole = gathering->pairing;
	struct pairing slice = {
		.run = whole->run,
		.remote = whole->remote,
		.mailbox = whole->mailbox,
		.intents = whole->intents,
		.remotes = {.run = whole->run, .mailbox = whole->mailbox},
	};
	struct gathering of_slice = *gathering;
	size_t proposed = 0, paired = 0;
	int code = 0;
	of_slice.pairing = &slice;
	for (size_t i = 0; code == 0 && i < rows->count; i++) {
		if (pair_is_lone_file(&rows->items[i])) {
			code = gathering_add_local(&of_slice, &rows->items[i], err);
		}
	}
	proposed = slice.locals.count;
	code = code < 0 || proposed == 0 ? code : match(&slice, &gathering->scan, &paired, err);
	*is_worth = 2 * paired >= proposed;
	*total += paired;
	free(slice.locals.items);
	free(slice.remotes.items);
	return code;
}

int pairing_match_named(const struct gathering *gathering, struct err *err)
{
	const struct pairing *pairing = gathering->pairing;
	const struct state_mailbox *base = &pairing->mailbox->base;
	struct state_slice slice = {.most = SLICE_ROWS};
	bool is_worth = !pairing->has_base && base->pending > 2 * SLICE_ROWS;
	size_t paired = 0;
	int code = 0;
	while (code == 0 && is_worth && !slice.is_last) {
		struct row_list rows;
		row_list_init(&rows);
		if ((code = run_check_stop(pairing->run, err)) == 0 &&
		    (code = state_rows_pending(pairing->run->session->state, base->id, &slice,
					       &rows, err)) == 0) {
			code = match_slice(gathering, &rows, &paired, &is_worth, err);
		}
		row_list_finish(&rows);
	}
	return code < 0 || paired == 0 ? code : pairing_put_parts(gathering->pairing, err);
}
