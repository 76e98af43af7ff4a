/*
 * A COPY is found by what it copied: a message of the trash, from the UID bound on, whose header is
 * the original's, byte for byte in what counts (header.h); where that header identifies nothing,
 * whose whole content is. One copy proves one COPY. In doubt it was not carried out: twice in the
 * trash is better than nowhere.
 */
#include "trash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe/observe.h"
#include "content.h"
#include "guard/claim.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define SET_TEXT_MAX 900

/* Messages of one mailbox, by their headers. */
struct headers {
	struct pair_candidate *items;
	size_t count;
	size_t cap;
};

/* One intent and the message that it is about. */
struct original {
	const struct intent *intent;
	uint32_t uid;
	struct pair_candidate header;
	bool is_known; /* its header was told */
	bool is_void;  /* it is gone, or is to stay */
	bool is_done;  /* its group was looked for */
	bool is_found;
};

struct settling {
	struct run *run;
	struct remote *remote;
	struct mailbox *mailbox;
	struct intents intents;
	struct original *originals;
	size_t count;
	bool has_nameless;
	bool is_unsure; /* something could not be told */
};

static int headers_add(struct headers *headers, const struct imap_identity *told, struct err *err)
{
	if (headers->count == headers->cap) {
		size_t cap = headers->cap == 0 ? 64 : headers->cap * 2;
		struct pair_candidate *items = realloc(headers->items, cap * sizeof(*items));
		if (items == NULL) {
			return err_nomem(err);
		}
		headers->items = items;
		headers->cap = cap;
	}
	struct pair_candidate *header = &headers->items[headers->count++];
	*header = (struct pair_candidate){
		.uid = told->uid,
		.message_id = told->identity.has_message_id,
		.header_date = told->identity.has_date ? told->identity.date : INT64_MIN,
	};
	memcpy(header->digest, told->identity.digest, ROW_DIGEST_SIZE);
	return 0;
}

/* Of the selected mailbox; *IS_WHOLE false when the server would not tell all of them. */
static int headers_fetch(struct settling *settling, struct span uids, struct headers *headers,
			 bool *is_whole, struct err *err)
{
	struct imap_identity told = {0};
	int code = imap_fetch_queue(remote_imap(settling->remote), IMAP_HEADERS, uids, 0, err);
	while (code == 0 && !told.is_done) {
		code = imap_identity_next(remote_imap(settling->remote), &told, err);
		if (code == 0 && told.is_done) {
			*is_whole &= told.status == 0;
		} else if (code == 0 && (told.uid == 0 || !told.has_header)) {
			*is_whole = false;
		} else if (code == 0) {
			code = headers_add(headers, &told, err);
		}
	}
	return code;
}

/* Where a header says nothing, all of the message counts. */
static int headers_read_nameless(struct settling *settling, struct headers *headers,
				 struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < headers->count; i++) {
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
	return one < two ? -1 : one > two;
}

static int compare_header(const void *x, const void *y)
{
	const struct pair_candidate *one = x;
	const struct pair_candidate *two = y;
	int order = memcmp(one->digest, two->digest, ROW_DIGEST_SIZE);
	return order != 0 ? order : compare_uid(one, two);
}

/* Those copied for certain first: their copies are not others'. */
static int compare_original(const void *x, const void *y)
{
	const struct original *one = x;
	const struct original *two = y;
	int order = memcmp(one->header.digest, two->header.digest, ROW_DIGEST_SIZE);
	if (order == 0 && one->intent->uid_bound != two->intent->uid_bound) {
		order = one->intent->uid_bound < two->intent->uid_bound ? -1 : 1;
	}
	return order != 0 ? order : (int)two->intent->kind - (int)one->intent->kind;
}

/* Whether its removal is still wanted, and its message there. */
static int original_look(struct settling *settling, struct original *original, struct err *err)
{
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(settling->run->session->state, original->intent->row, &row,
				   &found, err);
	bool is_back = row.local == MESSAGE_PRESENT && settling->run->policy.messages.expunge == 0;
	original->uid = row.uid;
	original->is_void = !found || row.remote != MESSAGE_PRESENT || is_back;
	row_finish(&row);
	return code;
}

static int gather(struct settling *settling, bool *is_due, struct err *err)
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
		struct original *original = &settling->originals[settling->count];
		if (intent_is_of_trash(&intents->items[i])) {
			settling->count++;
			original->intent = &intents->items[i];
			code = original_look(settling, original, err);
			*is_due |= !original->is_void && original->intent->kind == INTENT_TRASH;
		}
	}
	return code;
}

static int open_mailbox(struct settling *settling, const char *wire, uint32_t *uidvalidity,
			struct err *err)
{
	struct imap_view opened = {0};
	int code = 0;
	*uidvalidity = remote_selected(settling->remote, wire, false);
	if (*uidvalidity == 0) {
		code = imap_select(remote_imap(settling->remote), wire, false, &opened, err);
		*uidvalidity = opened.uidvalidity;
		imap_view_finish(&opened);
	}
	return code;
}

static int fetch_originals(struct settling *settling, struct headers *headers, struct err *err)
{
	struct uidset uids;
	struct buf text;
	size_t from = 0;
	bool ignored = true;
	int code = 0;
	uidset_init(&uids);
	buf_init(&text, SET_TEXT_MAX + 64);
	for (size_t i = 0; code == 0 && i < settling->count; i++) {
		const struct original *original = &settling->originals[i];
		code = original->is_void ? 0 : uidset_add(&uids, original->uid, original->uid, err);
	}
	while (code == 0 && uidset_format_some(&uids, &from, SET_TEXT_MAX, &text)) {
		code = headers_fetch(settling, buf_span(&text), headers, &ignored, err);
		buf_clear(&text);
	}
	buf_finish(&text);
	uidset_finish(&uids);
	return code < 0 ? code : headers_read_nameless(settling, headers, err);
}

static int identify_originals(struct settling *settling, struct err *err)
{
	struct headers headers = {0};
	uint32_t uidvalidity = 0;
	int code = open_mailbox(settling, settling->mailbox->seen.wire, &uidvalidity, err);
	if (code == 0 && uidvalidity == settling->mailbox->base.uidvalidity) {
		code = fetch_originals(settling, &headers, err);
	}
	if (code == 0 && headers.count > 0) {
		qsort(headers.items, headers.count, sizeof(*headers.items), compare_uid);
	}
	for (size_t i = 0; code == 0 && headers.count > 0 && i < settling->count; i++) {
		struct original *original = &settling->originals[i];
		struct pair_candidate wanted = {.uid = original->uid};
		const struct pair_candidate *header =
			bsearch(&wanted, headers.items, headers.count, sizeof(wanted), compare_uid);
		if (original->is_void || header == NULL) {
			continue;
		}
		original->header = *header;
		original->is_known = !pair_is_nameless(header) || header->has_content;
		settling->has_nameless |= pair_is_nameless(header);
	}
	free(headers.items);
	return code;
}

static bool is_one_trash(const struct intent *one, const struct intent *two)
{
	return one->uidvalidity == two->uidvalidity && strcmp(one->text, two->text) == 0;
}

static bool is_open(const struct original *original)
{
	return original->is_known && !original->is_void && !original->is_done;
}

/* What came into the trash since, when it is the one that it was. */
static int fetch_copies(struct settling *settling, const struct intent *first,
			struct headers *headers, bool *is_whole, struct err *err)
{
	char uids[24];
	uint32_t uidvalidity = 0;
	uint32_t bound = first->uid_bound;
	int code = open_mailbox(settling, first->text, &uidvalidity, err);
	if (code == -ERR_REFUSED) {
		return 0; /* there is none of that name any more */
	}
	if (code < 0 || uidvalidity != first->uidvalidity) {
		return code;
	}
	for (size_t i = 0; i < settling->count; i++) {
		const struct intent *intent = settling->originals[i].intent;
		if (is_one_trash(intent, first) && intent->uid_bound < bound) {
			bound = intent->uid_bound;
		}
	}
	int len = snprintf(uids, sizeof(uids), "%" PRIu32 ":*", bound);
	code = headers_fetch(settling, (struct span){uids, (size_t)len}, headers, is_whole, err);
	if (code == 0 && settling->has_nameless) {
		code = headers_read_nameless(settling, headers, err);
	}
	return code;
}

/* One to one; both in the order of their digests, then of UIDs. */
static void match(struct settling *settling, const struct intent *first, struct headers *headers)
{
	size_t copy = 0;
	qsort(settling->originals, settling->count, sizeof(*settling->originals), compare_original);
	if (headers->count > 0) {
		qsort(headers->items, headers->count, sizeof(*headers->items), compare_header);
	}
	for (size_t i = 0; i < settling->count; i++) {
		struct original *original = &settling->originals[i];
		if (!is_open(original) || !is_one_trash(original->intent, first)) {
			continue;
		}
		original->is_done = true;
		while (copy < headers->count) {
			const struct pair_candidate *header = &headers->items[copy];
			int order =
				memcmp(header->digest, original->header.digest, ROW_DIGEST_SIZE);
			if (order > 0) {
				break;
			}
			copy++;
			if (order == 0 && header->uid >= original->intent->uid_bound) {
				original->is_found = true;
				break;
			}
		}
	}
}

/* Each trash in turn: commonly there is but one. */
static int look_for_copies(struct settling *settling, struct err *err)
{
	int code = 0;
	for (;;) {
		struct headers headers = {0};
		const struct intent *first = NULL;
		bool is_whole = true;
		for (size_t i = 0; first == NULL && i < settling->count; i++) {
			const struct original *original = &settling->originals[i];
			bool is_due = is_open(original) && original->intent->kind == INTENT_TRASH;
			first = is_due ? original->intent : NULL;
		}
		if (code < 0 || first == NULL) {
			return code;
		}
		code = fetch_copies(settling, first, &headers, &is_whole, err);
		if (code == 0 && !is_whole) {
			code = err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
				       "the server does not tell what is in the trash");
		}
		if (code == 0) {
			match(settling, first, &headers);
		}
		free(headers.items);
	}
}

static int commit(struct settling *settling, struct err *err)
{
	struct state *state = settling->run->session->state;
	int code = run_claim(settling->run, err);
	if (code == 0) {
		code = state_begin(state, err);
	}
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < settling->count; i++) {
		const struct original *original = &settling->originals[i];
		bool is_settled = original->is_done && original->intent->kind == INTENT_TRASH;
		settling->is_unsure |= !original->is_void && !original->is_done &&
				       original->intent->kind == INTENT_TRASH;
		if (original->is_void || is_settled) {
			code = state_intent_drop(state, original->intent->id, err);
		}
		if (code == 0 && is_settled && original->is_found) {
			struct intent done = *original->intent;
			done.kind = INTENT_TRASHED;
			code = state_intent_add(state, &done, err);
		}
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

static bool has_work(const struct settling *settling, bool is_due)
{
	for (size_t i = 0; !is_due && i < settling->count; i++) {
		is_due = settling->originals[i].is_void;
	}
	return is_due;
}

int trash_settle_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox,
			 struct err *err)
{
	struct settling settling = {.run = run, .remote = remote, .mailbox = mailbox};
	bool is_due = false;
	int code = gather(&settling, &is_due, err);
	if (code == 0 && is_due) {
		code = identify_originals(&settling, err);
	}
	if (code == 0 && is_due) {
		code = look_for_copies(&settling, err);
	}
	if (code == 0 && has_work(&settling, is_due)) {
		code = commit(&settling, err);
	}
	if (code == 0 && settling.is_unsure) {
		code = err_set(
			err, ERR_TEMPORARY, SCOPE_MAILBOX,
			"the server does not show messages that may be in the trash already; "
			"they wait");
	}
	free(settling.originals);
	state_intents_finish(&settling.intents);
	return code;
}

int trash_settle(struct run *run, struct err *err)
{
	struct intents intents = {0};
	int code = state_intents_load(run->session->state, 0, &intents, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		bool has_some = false;
		for (size_t k = 0; !has_some && k < intents.count; k++) {
			has_some = intent_is_of_trash(&intents.items[k]) && mailbox->in_base &&
				   intents.items[k].mailbox == mailbox->base.id;
		}
		if (!has_some || !mailbox_is_active(mailbox) || mailbox->seen.wire == NULL) {
			continue;
		}
		code = run_check_stop(run, err);
		if (code == 0) {
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
