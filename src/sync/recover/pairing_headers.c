/* Who the messages are that may have a partner, as the server tells. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "content.h"
#include "pairing_private.h"

static int compare_candidates(const void *x, const void *y)
{
	const struct pair_candidate *one = x;
	const struct pair_candidate *two = y;
	return one->uid < two->uid ? -1 : one->uid > two->uid;
}

static int compare_uid(const void *key, const void *item)
{
	uint32_t uid = *(const uint32_t *)key;
	const struct pair_candidate *candidate = item;
	return uid < candidate->uid ? -1 : uid > candidate->uid;
}

/* W15; by UID, as their headers are asked for. */
static void keep_wanted(struct pairing *pairing)
{
	const struct pair_side *locals = &pairing->locals;
	struct pair_side *remotes = &pairing->remotes;
	size_t kept = 0;
	for (size_t i = 0; i < remotes->count; i++) {
		if (pair_is_wanted(remotes->items[i].uid, pairing->has_base, locals->items,
				   locals->count)) {
			remotes->items[kept++] = remotes->items[i];
		}
	}
	remotes->count = kept;
	if (kept > 0) {
		qsort(remotes->items, kept, sizeof(*remotes->items), compare_candidates);
	}
}

static int take_headers(struct pairing *pairing, struct err *err)
{
	struct pair_side *remotes = &pairing->remotes;
	struct remote_identity told = {.is_done = false};
	size_t known = 0;
	int code;
	while ((code = remote_headers_next(pairing->remote, &told, err)) == 0 && !told.is_done) {
		struct pair_candidate *candidate =
			array_find(remotes->items, remotes->count, sizeof(*remotes->items),
				   &told.uid, compare_uid);
		if (candidate != NULL) {
			pair_identify(candidate, &told.identity);
			known++;
		}
	}
	pairing->headers_missing = known < remotes->count;
	return code;
}

static int fetch_headers(struct pairing *pairing, struct err *err)
{
	const struct pair_side *remotes = &pairing->remotes;
	struct uidset uids;
	int code = 0;
	uidset_init(&uids);
	for (size_t i = 0; code == 0 && i < remotes->count; i++) {
		code = uidset_add(&uids, remotes->items[i].uid, remotes->items[i].uid, err);
	}
	if (code == 0) {
		code = remote_headers_begin(pairing->remote, &uids, err);
	}
	uidset_finish(&uids);
	return code < 0 ? code : take_headers(pairing, err);
}

/* W14 */
static void leave_nameless(struct pairing *pairing)
{
	struct pair_side *locals = &pairing->locals;
	const struct pair_side *remotes = &pairing->remotes;
	for (size_t i = 0; i < locals->count; i++) {
		struct pair_candidate *local = &locals->items[i];
		if (pair_ref(locals, local)->entry == PAIR_NO_ENTRY &&
		    pair_is_nameless_there(local, remotes->items, remotes->count)) {
			local->has_identity = false;
		}
	}
	pair_keep_identified(locals);
}

/* W16 */
static int read_nameless(struct pairing *pairing, struct err *err)
{
	const struct pair_side *locals = &pairing->locals;
	struct pair_side *remotes = &pairing->remotes;
	int code = 0;
	for (size_t i = 0; code == 0 && i < remotes->count; i++) {
		struct pair_candidate *remote = &remotes->items[i];
		if (pair_wants_content(remote, locals->items, locals->count)) {
			code = pair_content_remote(pairing->remote, remote, err);
		}
	}
	return code;
}

int pairing_identify_remotes(struct pairing *pairing, struct err *err)
{
	const struct mailbox *mailbox = pairing->mailbox;
	int code;
	keep_wanted(pairing);
	if (pairing->remotes.count == 0) {
		return 0;
	}
	if ((code = remote_open(pairing->remote, mailbox->seen.wire, REMOTE_READ,
				mailbox->base.uidvalidity, NULL, err)) < 0 ||
	    (code = fetch_headers(pairing, err)) < 0) {
		return code;
	}
	pair_keep_identified(&pairing->remotes);
	leave_nameless(pairing);
	return read_nameless(pairing, err);
}
