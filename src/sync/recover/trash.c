#include "trash.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "content.h"
#include "guard/guard.h"
#include "rules/removal_rules.h"

/* Messages of one mailbox, by their headers. */
struct headers {
	struct pair_candidate *items;
	size_t count, cap;
};

/* The intents of a mailbox and the messages that they are about (T9 to T11). */
struct settling {
	struct run *run;
	struct remote *remote;
	struct mailbox *mailbox;
	struct intents intents;
	struct trash_original *originals;
	size_t count;
	bool is_due;       /* an outcome has to be found out */
	bool has_void;     /* an intent has to be dropped */
	bool has_nameless; /* the header of an original identifies nothing */
	bool is_unsure;    /* something could not be told */
};

static const struct intent *intent_of(const struct settling *settling,
				      const struct trash_original *original)
{
	return &settling->intents.items[original->index];
}

static int headers_add(struct headers *headers, const struct remote_identity *told, struct err *err)
{
	if (ARRAY_RESERVE(&headers->items, headers->count + 1, &headers->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	struct pair_candidate *header = &headers->items[headers->count++];
	*header = (struct pair_candidate){.uid = told->uid};
	pair_identify(header, &told->identity);
	return 0;
}

/* Of the open mailbox. WITH_CONTENT: where a header says nothing, all of the message counts.
 * *IS_WHOLE: the server told all of them. */
static int headers_fetch(struct settling *settling, const struct uidset *uids, bool with_content,
			 struct headers *headers, bool *is_whole, struct err *err)
{
	struct remote_identity told = {0};
	int code = remote_headers_begin(settling->remote, uids, err);
	while (code == 0 && !told.is_done) {
		code = remote_headers_next(settling->remote, &told, err);
		if (code == 0 && !told.is_done) {
			code = headers_add(headers, &told, err);
		}
	}
	*is_whole = told.is_whole;
	for (size_t i = 0; code == 0 && with_content && i < headers->count; i++) {
		if (pair_is_nameless(&headers->items[i])) {
			code = pair_content_remote(settling->remote, &headers->items[i], err);
		}
	}
	return code;
}

static int compare_uid(const void *x, const void *y)
{
	uint32_t one = ((const struct pair_candidate *)x)->uid;
	uint32_t two = ((const struct pair_candidate *)y)->uid;
	return (one > two) - (one < two);
}

static bool is_one_trash(const struct intent *one, const struct intent *two)
{
	return one->uidvalidity == two->uidvalidity && strcmp(one->text, two->text) == 0;
}

/* One intent of the trash, which is known by the first intent of a message that went there. */
static int gather_one(struct settling *settling, size_t index, struct err *err)
{
	const struct intent *intent = &settling->intents.items[index];
	struct trash_original *original = &settling->originals[settling->count];
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(settling->run->session->state, intent->row, &row, &found, err);
	*original = (struct trash_original){
		.index = index,
		.trash = index,
		.uid = row.uid,
		.bound = intent->uid_bound,
		.is_certain = intent->kind == INTENT_TRASHED,
		.is_void = removal_is_void(found ? &row : NULL,
					   settling->run->policy.messages.expunge != SIDE_NONE),
	};
	for (size_t i = settling->count; i-- > 0;) {
		if (is_one_trash(intent_of(settling, &settling->originals[i]), intent)) {
			original->trash = settling->originals[i].trash;
			break;
		}
	}
	settling->is_due |= !original->is_void && !original->is_certain;
	settling->has_void |= original->is_void;
	settling->count++;
	row_finish(&row);
	return code;
}

static int gather(struct settling *settling, struct err *err)
{
	struct intents *intents = &settling->intents;
	int code = state_intents_load(settling->run->session->state, settling->mailbox->base.id,
				      intents, err);
	if (code < 0) {
		return code;
	}
	settling->originals = calloc(intents->count + 1, sizeof(*settling->originals));
	if (settling->originals == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; code == 0 && i < intents->count; i++) {
		if (intent_is_of_trash(&intents->items[i])) {
			code = gather_one(settling, i, err);
		}
	}
	return code;
}

/* The mailbox of that name, if it is the one that it was. */
static int open_mailbox(struct settling *settling, const char *wire, uint32_t uidvalidity,
			bool *is_open, struct err *err)
{
	struct remote_opened opened = {0};
	int code = remote_open(settling->remote, wire, REMOTE_READ, 0, &opened, err);
	*is_open = code == 0 && opened.uidvalidity == uidvalidity;
	remote_opened_finish(&opened);
	return code;
}

static void take_headers(struct settling *settling, struct headers *headers)
{
	if (headers->count > 1) {
		qsort(headers->items, headers->count, sizeof(*headers->items), compare_uid);
	}
	for (size_t i = 0; i < settling->count; i++) {
		struct trash_original *original = &settling->originals[i];
		const struct pair_candidate wanted = {.uid = original->uid};
		const struct pair_candidate *header = array_find(
			headers->items, headers->count, sizeof(wanted), &wanted, compare_uid);
		if (header != NULL && !original->is_void) {
			original->header = *header;
			original->is_known = !pair_is_nameless(header) || header->has_content;
			settling->has_nameless |= pair_is_nameless(header);
		}
	}
}

static int identify_originals(struct settling *settling, struct err *err)
{
	struct headers headers = {0};
	struct uidset uids;
	bool is_open = false;
	bool is_whole = false;
	int code = open_mailbox(settling, settling->mailbox->seen.wire,
				settling->mailbox->base.uidvalidity, &is_open, err);
	uidset_init(&uids);
	for (size_t i = 0; code == 0 && i < settling->count; i++) {
		const struct trash_original *original = &settling->originals[i];
		code = original->is_void ? 0 : uidset_add(&uids, original->uid, original->uid, err);
	}
	if (code == 0 && is_open &&
	    (code = headers_fetch(settling, &uids, true, &headers, &is_whole, err)) == 0) {
		take_headers(settling, &headers);
	}
	uidset_finish(&uids);
	free(headers.items);
	return code;
}

/* What came into that trash since the first of the intents. */
static int fetch_copies(struct settling *settling, size_t trash, struct headers *copies,
			struct err *err)
{
	const struct intent *intent = &settling->intents.items[trash];
	uint32_t bound = UINT32_MAX;
	struct uidset uids;
	bool is_open = false;
	bool is_whole = true;
	int code = open_mailbox(settling, intent->text, intent->uidvalidity, &is_open, err);
	if (code == -ERR_REFUSED) {
		return 0; /* there is none of that name any more */
	}
	for (size_t i = 0; i < settling->count; i++) {
		const struct trash_original *original = &settling->originals[i];
		if (original->trash == trash && original->bound < bound) {
			bound = original->bound;
		}
	}
	uidset_init(&uids);
	if (code == 0 && is_open &&
	    (code = uidset_add(&uids, bound == 0 ? 1 : bound, UINT32_MAX, err)) == 0) {
		code = headers_fetch(settling, &uids, settling->has_nameless, copies, &is_whole,
				     err);
	}
	uidset_finish(&uids);
	return code < 0 || is_whole ? code
				    : err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
					      "the server does not tell what is in the trash");
}

/* The trash of one whose outcome is still to be found out. */
static bool next_trash(const struct settling *settling, size_t *trash)
{
	for (size_t i = 0; i < settling->count; i++) {
		const struct trash_original *original = &settling->originals[i];
		if (!original->is_certain && removal_is_open(original)) {
			*trash = original->trash;
			return true;
		}
	}
	return false;
}

/* Each trash in turn: commonly there is but one. */
static int look_for_copies(struct settling *settling, struct err *err)
{
	size_t trash = 0;
	int code = 0;
	while (code == 0 && next_trash(settling, &trash)) {
		struct headers copies = {0};
		code = fetch_copies(settling, trash, &copies, err);
		if (code == 0) {
			removal_match(settling->originals, settling->count, trash, copies.items,
				      copies.count);
		}
		free(copies.items);
	}
	return code;
}

/* The intent of one message is dropped when it is settled; where it was copied, another says so. */
static int commit_one(struct settling *settling, const struct trash_original *original,
		      struct err *err)
{
	struct state *state = settling->run->session->state;
	struct intent intent = *intent_of(settling, original);
	bool is_settled = original->is_looked_at && !original->is_certain;
	settling->is_unsure |=
		!original->is_void && !original->is_looked_at && !original->is_certain;
	if (!original->is_void && !is_settled) {
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
	int code = 0;
	if ((code = run_claim(settling->run, err)) < 0 || (code = state_begin(state, err)) < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < settling->count; i++) {
		code = commit_one(settling, &settling->originals[i], err);
	}
	return state_end(state, code, err);
}

int trash_settle_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox,
			 struct err *err)
{
	struct settling settling = {.run = run, .remote = remote, .mailbox = mailbox};
	int code = gather(&settling, err);
	if (code < 0 || (!settling.is_due && !settling.has_void)) {
		goto finish;
	}
	if (settling.is_due && ((code = identify_originals(&settling, err)) < 0 ||
				(code = look_for_copies(&settling, err)) < 0)) {
		goto finish;
	}
	code = commit(&settling, err);
	if (code == 0 && settling.is_unsure) {
		code = err_set(
			err, ERR_TEMPORARY, SCOPE_MAILBOX,
			"the server does not show messages that may be in the trash already; "
			"they wait");
	}
finish:
	free(settling.originals);
	state_intents_finish(&settling.intents);
	return code;
}

static bool has_intents(const struct intents *intents, const struct mailbox *mailbox)
{
	for (size_t i = 0; mailbox->in_base && i < intents->count; i++) {
		if (intent_is_of_trash(&intents->items[i]) &&
		    intents->items[i].mailbox == mailbox->base.id) {
			return true;
		}
	}
	return false;
}

int trash_settle(struct run *run, struct err *err)
{
	struct intents intents = {0};
	int code = state_intents_load(run->session->state, 0, &intents, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (!mailbox_is_active(mailbox) || mailbox->seen.wire == NULL ||
		    !has_intents(&intents, mailbox)) {
			continue;
		}
		if ((code = run_check_stop(run, err)) == 0) {
			code = trash_settle_mailbox(run, run->session->remote, mailbox, err);
		}
		if (code < 0 && !run_is_fatal(err)) {
			run_report_error(run, mailbox, 0, err);
			mailbox->done.failures++;
			code = 0;
		}
	}
	state_intents_finish(&intents);
	return code;
}
