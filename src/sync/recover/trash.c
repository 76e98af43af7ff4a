/* Which messages that may have been copied to the trash were (T9 to T11). */
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"
#include "rules/effect.h"
#include "rules/trash_rules.h"

#include "recover_private.h"

struct settling {
	struct run *run;
	struct remote *remote;
	struct mailbox *mailbox;
	struct intents intents;
	struct trash_original *originals; /* each of the intent at its index */
	struct candidates headers;        /* of the originals that are not void, likewise */
	bool is_due;                      /* an outcome has to be found out */
	bool has_void;                    /* an intent has to be dropped */
	bool is_unsure;                   /* something could not be told */
};

/* The number of a trash: the first of the intents that speaks of it. Commonly that is the first of
 * all; only with many trashes do this and look_into() take the square of the intents, and there are
 * no more of these than removals that were begun and are not finished. */
static bool is_same_trash(const struct intent *one, const struct intent *two)
{
	return one->uidvalidity.is_told == two->uidvalidity.is_told &&
	       one->uidvalidity.number == two->uidvalidity.number &&
	       strcmp(one->text, two->text) == 0;
}

static size_t trash_of(const struct intents *intents, const struct intent *intent)
{
	size_t trash = 0;
	while (!is_same_trash(&intents->items[trash], intent)) {
		trash++;
	}
	return trash;
}

static int gather_one(struct settling *settling, size_t index, struct err *err)
{
	const struct run *run = settling->run;
	const struct intent *intent = &settling->intents.items[index];
	struct trash_original *original = &settling->originals[index];
	bool expunges = run->policy.messages.expunge != SIDE_NONE;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(run->session->state, intent->row, &row, &found, err);
	*original = (struct trash_original){
		.index = index,
		.trash = trash_of(&settling->intents, intent),
		.uid = row.uid,
		.bound = intent_bound(intent),
		.is_certain = intent->kind != INTENT_TRASH,
		.is_void = trash_is_void(found ? &row : NULL, expunges),
	};
	row_finish(&row);
	settling->is_due |= !original->is_void && !original->is_certain;
	settling->has_void |= original->is_void;
	const struct pair_candidate header = {.uid = original->uid, .index = (int64_t)index};
	return code < 0 || original->is_void ? code
					     : candidates_add(&settling->headers, &header, err);
}

static int gather(struct settling *settling, struct err *err)
{
	const struct intents *intents = &settling->intents;
	int code = intents_load(settling->run, settling->mailbox, true, &settling->intents, err);
	if (code < 0 || intents->count == 0) {
		return code;
	}
	settling->originals = calloc(intents->count, sizeof(*settling->originals));
	if (settling->originals == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; code == 0 && i < intents->count; i++) {
		code = gather_one(settling, i, err);
	}
	return code;
}

static int identify_originals(struct settling *settling, struct err *err)
{
	struct candidates *headers = &settling->headers;
	int code;
	if ((code = candidates_identify(settling->remote, settling->mailbox, headers, err)) < 0 ||
	    (code = candidates_verify(settling->remote, headers, err)) < 0 ||
	    (code = candidates_read(settling->remote, headers, NULL, err)) < 0) {
		return code;
	}
	for (size_t i = 0; i < headers->count; i++) {
		const struct pair_candidate *header = &headers->items[i];
		struct trash_original *original = &settling->originals[header->index];
		original->header = *header;
		original->is_known =
			header->has_identity && (!pair_is_nameless(header) || header->has_content);
	}
	return 0;
}

static bool are_identified(const struct candidates *candidates)
{
	size_t count = 0;
	for (size_t i = 0; i < candidates->count; i++) {
		count += candidates->items[i].has_identity;
	}
	return count == candidates->count;
}

/* What is in the trash from BOUND on; nothing where it is not the one that it was. */
static int fetch_copies(struct settling *settling, const struct intent *intent, uint32_t bound,
			struct candidates *copies, struct err *err)
{
	struct remote *remote = settling->remote;
	struct remote_opened opened = {0};
	struct uidset uids;
	bool is_whole = true;
	int code =
		remote_open(remote, intent->text, REMOTE_READ, intent->uidvalidity, &opened, err);
	bool is_gone = code == -ERR_REFUSED || opened.is_renumbered;
	remote_opened_finish(&opened);
	if (code < 0) {
		return is_gone ? 0 : code;
	}
	uidset_init(&uids);
	if ((code = uidset_add(&uids, bound == 0 ? 1 : bound, UINT32_MAX, err)) == 0 &&
	    (code = candidates_fetch(remote, &uids, copies, &is_whole, err)) == 0 &&
	    (code = candidates_verify(remote, copies, err)) == 0) {
		is_whole &= are_identified(copies);
		code = candidates_read(remote, copies, &settling->headers, err);
	}
	uidset_finish(&uids);
	return code < 0 || is_whole ? code
				    : err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
					      "the server does not tell what is in the trash");
}

/* Looks into one trash for all that went there, where an outcome is still to be found out. */
static int look_into(struct settling *settling, size_t trash, struct err *err)
{
	const size_t count = settling->intents.count;
	struct candidates copies = {0};
	uint32_t bound = UINT32_MAX;
	bool is_open = false;
	for (size_t i = 0; i < count; i++) {
		const struct trash_original *original = &settling->originals[i];
		if (original->trash == trash) {
			bound = original->bound < bound ? original->bound : bound;
			is_open |= !original->is_certain && trash_is_open(original);
		}
	}
	if (!is_open) {
		return 0;
	}
	int code = fetch_copies(settling, &settling->intents.items[trash], bound, &copies, err);
	if (code == 0) {
		trash_match(settling->originals, count, trash, copies.items, copies.count);
	}
	free(copies.items);
	return code;
}

/* The intent of one message is dropped when it is settled; where it was copied, another says so. */
static int commit_one(struct settling *settling, const struct trash_original *original,
		      struct err *err)
{
	struct state *state = settling->run->session->state;
	struct intent intent = settling->intents.items[original->index];
	bool is_settled = original->is_looked_at && !original->is_certain;
	if (!original->is_void && !is_settled) {
		settling->is_unsure |= !original->is_certain;
		return 0;
	}
	int code = state_intent_drop(state, intent.id, err);
	if (code == 0 && is_settled && original->is_found) {
		intent.kind = INTENT_TRASHED;
		code = state_intent_add(state, &intent, err);
	}
	return code;
}

static int commit(struct settling *settling, struct err *err)
{
	struct state *state = settling->run->session->state;
	int code = run_begin(settling->run, err);
	for (size_t i = 0; code == 0 && i < settling->intents.count; i++) {
		code = commit_one(settling, &settling->originals[i], err);
	}
	code = state_end(state, code, err);
	return code < 0 || !settling->is_unsure
		     ? code
		     : err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
			       "the server does not show messages that may be in the trash "
			       "already; they wait");
}

int move_note_original(struct run *run, int64_t original, const struct mailbox *to, uint32_t uid,
		       struct err *err)
{
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(run->session->state, original, &row, &found, err);
	if (code == 0 && found && row.remote == MESSAGE_PRESENT && row.local == MESSAGE_GONE) {
		struct intent intent = {
			.kind = INTENT_MOVED,
			.row = original,
			.mailbox = row.mailbox,
			.uidvalidity = to->base.numbers.uidvalidity,
			.uid_bound = told_unless_0(uid),
			.text = to->wire,
		};
		if (row.reason == REASON_FAILED) {
			effect_held(&row, REASON_NONE); /* it waited for the copy */
		}
		code = state_intent_add(run->session->state, &intent, err);
		/* A file that comes back under its name is the message of where it was by now. */
		if (code == 0 && (code = row_set_unique(&row, "", 0, err)) == 0) {
			code = state_row_put(run->session->state, &row, err);
		}
	}
	row_finish(&row);
	return code;
}

int trash_settle_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox,
			 struct err *err)
{
	struct settling settling = {.run = run, .remote = remote, .mailbox = mailbox};
	int code = gather(&settling, err);
	if (code == 0 && settling.is_due) {
		code = identify_originals(&settling, err);
	}
	/* Commonly there is but one trash. */
	for (size_t i = 0; code == 0 && settling.is_due && i < settling.intents.count; i++) {
		code = look_into(&settling, i, err);
	}
	if (code == 0 && (settling.is_due || settling.has_void)) {
		code = commit(&settling, err);
	}
	free(settling.originals);
	free(settling.headers.items);
	state_intents_finish(&settling.intents);
	return code;
}

int trash_settle(struct run *run, struct err *err)
{
	struct intents intents = {0};
	int code = state_intents_load(run->session->state, 0, &intents, err);
	bool has_any = intents.count > 0;
	state_intents_finish(&intents);
	for (size_t i = 0; code == 0 && has_any && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (!mailbox_is_active(mailbox) || mailbox->wire == NULL || !mailbox->in_base) {
			continue;
		}
		if ((code = run_check_stop(run, err)) == 0) {
			code = trash_settle_mailbox(run, run->session->remote, mailbox, err);
		}
		code = run_outlives(run, mailbox, code, &mailbox->open.failures, err);
	}
	return code;
}
