#include "pair.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/digest.h"

#include "observe.h"
#include "pair_match.h"

#define SET_TEXT_MAX       900
#define COMMANDS_IN_FLIGHT 4

/* Where in the rows a UID is. */
struct uid_index {
	uint32_t uid;
	size_t row;
};

struct pairing {
	struct run *run;
	struct imap *imap;
	struct box *box;
	struct row_list rows;
	struct intents intents;
	struct pair_candidate *locals;
	size_t local_count;
	struct pair_candidate *remotes;
	size_t remote_count;
	struct uid_index *by_uid; /* the remote candidates' rows, ascending by UID */
	bool everything;          /* no base: every unknown file takes part */
	bool headers_missing;     /* some could not be had: intents stay open */
};

static bool is_local_only(const struct row *row)
{
	return !row->is_agreed && row->local == SIDE_PRESENT && row->uid == 0;
}

static bool is_remote_only(const struct row *row)
{
	return !row->is_agreed && row->remote == SIDE_PRESENT && row->unique[0] == '\0';
}

static const struct intent *intent_of(const struct pairing *pairing, int64_t row)
{
	for (size_t i = 0; i < pairing->intents.count; i++) {
		if (pairing->intents.items[i].row == row) {
			return &pairing->intents.items[i];
		}
	}
	return NULL;
}

/* The UID that a file's name proposes, when it is one that we gave in this mailbox. */
static uint32_t proposed_uid(const struct pairing *pairing, const struct row *row, const char *key)
{
	struct maildir_unique ours;
	if (!maildir_unique_parse(span_of(row->unique), &ours) || ours.is_pop3 ||
	    strcmp(ours.key, key) != 0 || ours.uidvalidity != pairing->box->base.uidvalidity) {
		return 0;
	}
	return ours.uid;
}

/* The same of mbsync's names (HAS_UIDVALIDITY: its file agrees) and of offlineimap's. */
static uint32_t proposed_by_others(const struct maildir_scan *scan, const struct row *row,
				   bool has_uidvalidity)
{
	const struct maildir_entry *entry = maildir_scan_find(scan, span_of(row->unique));
	if (entry == NULL || (!has_uidvalidity && strstr(entry->name, ",FMD5=") == NULL)) {
		return 0;
	}
	return maildir_mbsync_uid(entry->name);
}

static uint64_t id_hash(const struct header_identity *identity)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	struct err ignored;
	uint64_t hash = 0;
	if (!identity->has_message_id ||
	    digest_of(DIGEST_SHA256, span_of(identity->message_id), digest, &ignored) < 0) {
		return 0;
	}
	for (int i = 0; i < 8; i++) {
		hash = hash << 8 | digest[i];
	}
	return hash == 0 ? 1 : hash;
}

static void candidate_identify(struct pair_candidate *candidate,
			       const struct header_identity *identity)
{
	memcpy(candidate->digest, identity->digest, ROW_DIGEST_SIZE);
	candidate->message_id = id_hash(identity);
	candidate->header_date = identity->has_date ? identity->date : INT64_MIN;
}

/* A size without what other programs put into their copy of the header. */
static uint64_t own_size(uint64_t size, const struct header_identity *identity)
{
	return size > identity->left_out_bytes ? size - identity->left_out_bytes : 0;
}

/* The size on the wire, needed only where a header says nothing. */
static uint64_t wire_size(struct pairing *pairing, const char *file, bool in_new)
{
	struct maildir_reader *reader = NULL;
	struct err ignored;
	uint64_t size = 0;
	if (maildir_reader_open(pairing->box->dir, file, in_new, &reader, &ignored) == 0) {
		size = maildir_reader_wire_size(reader);
		maildir_reader_close(&reader);
	}
	return size;
}

/* One local candidate; *KNOWN false when its file is not there any more. */
static int identify_local(struct pairing *pairing, struct row *row, const struct maildir_scan *scan,
			  struct pair_candidate *candidate, bool *known, struct err *err)
{
	struct header_identity identity;
	const struct maildir_entry *entry = maildir_scan_find(scan, span_of(row->unique));
	*known = false;
	if (entry == NULL) {
		return 0;
	}
	int code =
		maildir_box_identify(pairing->box->dir, entry->name, entry->in_new, &identity, err);
	if (code < 0) {
		return run_is_fatal(err) && err->scope >= SCOPE_ACCOUNT ? code : 0;
	}
	candidate_identify(candidate, &identity);
	candidate->date = row->date;
	if (candidate->message_id == 0 && candidate->header_date == INT64_MIN) {
		candidate->size =
			own_size(wire_size(pairing, entry->name, entry->in_new), &identity);
	}
	row->has_digest = true;
	memcpy(row->digest, identity.digest, ROW_DIGEST_SIZE);
	*known = true;
	return 0;
}

static int gather_locals(struct pairing *pairing, struct err *err)
{
	char key[MAILDIR_KEY_SIZE];
	struct maildir_scan scan;
	struct box *box = pairing->box;
	int code = maildir_box_key(pairing->run->account->name, box->name, key, err);
	if (code == 0) {
		code = box_open_dir(pairing->run, box, err);
	}
	if (code == 0) {
		code = maildir_box_scan(box->dir, &box->base.keywords, &scan, err);
	}
	if (code < 0) {
		return code;
	}
	bool has_uidvalidity = pairing->everything &&
			       maildir_box_mbsync_uidvalidity(box->dir) == box->base.uidvalidity;
	for (size_t i = 0; code == 0 && i < pairing->rows.count; i++) {
		struct row *row = &pairing->rows.items[i];
		if (!is_local_only(row)) {
			continue;
		}
		const struct intent *intent = intent_of(pairing, row->id);
		struct pair_candidate candidate = {.index = i};
		bool known = false;
		/* One that we sent has a new UID, even where its name tells of a former stay
		 * here. */
		candidate.uid = intent == NULL ? proposed_uid(pairing, row, key) : 0;
		if (candidate.uid == 0 && intent == NULL && pairing->everything) {
			candidate.uid = proposed_by_others(&scan, row, has_uidvalidity);
		}
		candidate.bound = intent == NULL ? 0 : intent->uid_bound;
		if (!pairing->everything && candidate.uid == 0 && intent == NULL) {
			continue;
		}
		code = identify_local(pairing, row, &scan, &candidate, &known, err);
		if (known) {
			pairing->locals[pairing->local_count++] = candidate;
		}
	}
	maildir_scan_finish(&scan);
	return code;
}

/* Whether a remote row can be the partner of any local candidate at all. */
static bool is_wanted(const struct pairing *pairing, const struct row *row)
{
	for (size_t i = 0; !pairing->everything && i < pairing->local_count; i++) {
		const struct pair_candidate *local = &pairing->locals[i];
		if (local->uid == row->uid || (local->uid == 0 && row->uid >= local->bound)) {
			return true;
		}
	}
	return pairing->everything;
}

static struct row *remote_row(struct pairing *pairing, uint32_t uid)
{
	size_t low = 0;
	size_t high = pairing->remote_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct uid_index *at = &pairing->by_uid[middle];
		if (at->uid == uid) {
			return &pairing->rows.items[at->row];
		}
		if (at->uid < uid) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

static int compare_uid_index(const void *x, const void *y)
{
	const struct uid_index *one = x;
	const struct uid_index *two = y;
	return one->uid < two->uid ? -1 : one->uid > two->uid;
}

static void take_header(struct pairing *pairing, const struct imap_identity *told, size_t *known)
{
	struct row *row = told->uid == 0 ? NULL : remote_row(pairing, told->uid);
	if (row == NULL || !told->has_header || row->has_digest) {
		return;
	}
	struct pair_candidate *candidate = &pairing->remotes[(*known)++];
	*candidate = (struct pair_candidate){.uid = row->uid,
					     .date = row->date,
					     .size = own_size(row->size_bytes, &told->identity),
					     .index = (size_t)(row - pairing->rows.items)};
	candidate_identify(candidate, &told->identity);
	row->has_digest = true;
	memcpy(row->digest, told->identity.digest, ROW_DIGEST_SIZE);
}

static int receive_headers(struct pairing *pairing, size_t in_flight, size_t *known,
			   struct err *err)
{
	while (in_flight > 0) {
		struct imap_identity told;
		int code = imap_identity_next(pairing->imap, &told, err);
		if (code < 0) {
			return code;
		}
		if (told.is_done) {
			in_flight--;
		} else {
			take_header(pairing, &told, known);
		}
	}
	return 0;
}

/* Asks for the headers of all remote candidates, some commands at a time. */
static int fetch_headers(struct pairing *pairing, size_t *known, struct err *err)
{
	struct uidset uids;
	struct buf text;
	size_t from = 0;
	bool more = true;
	int code = 0;
	uidset_init(&uids);
	buf_init(&text, SET_TEXT_MAX + 64);
	for (size_t i = 0; code == 0 && i < pairing->remote_count; i++) {
		uint32_t uid = pairing->by_uid[i].uid;
		code = uidset_add(&uids, uid, uid, err);
	}
	while (code == 0 && more) {
		size_t in_flight = 0;
		while (code == 0 && in_flight < COMMANDS_IN_FLIGHT &&
		       (more = uidset_format_some(&uids, &from, SET_TEXT_MAX, &text))) {
			code = imap_fetch_queue(pairing->imap, IMAP_HEADERS, buf_span(&text), 0,
						err);
			in_flight += code == 0;
			buf_clear(&text);
		}
		if (code == 0) {
			code = receive_headers(pairing, in_flight, known, err);
		}
	}
	buf_finish(&text);
	uidset_finish(&uids);
	return code;
}

static int gather_remotes(struct pairing *pairing, struct err *err)
{
	size_t known = 0;
	int code = 0;
	for (size_t i = 0; i < pairing->rows.count; i++) {
		if (is_remote_only(&pairing->rows.items[i]) &&
		    is_wanted(pairing, &pairing->rows.items[i])) {
			pairing->by_uid[pairing->remote_count++] =
				(struct uid_index){pairing->rows.items[i].uid, i};
		}
	}
	if (pairing->remote_count == 0) {
		return 0;
	}
	qsort(pairing->by_uid, pairing->remote_count, sizeof(*pairing->by_uid), compare_uid_index);
	struct imap_view opened = {0};
	if (imap_selected(pairing->imap, pairing->box->wire, false) !=
	    pairing->box->base.uidvalidity) {
		code = imap_select(pairing->imap, pairing->box->wire, false, &opened, err);
		imap_view_finish(&opened);
	}
	if (code == 0) {
		code = fetch_headers(pairing, &known, err);
	}
	pairing->headers_missing = known < pairing->remote_count;
	pairing->remote_count = known;
	return code;
}

/* Two rows become one: the file's, which gets the message's UID. */
static int join_rows(struct pairing *pairing, const struct pair_candidate *local, struct err *err)
{
	struct state *state = pairing->run->state;
	struct row *row = &pairing->rows.items[local->index];
	struct row *remote = &pairing->rows.items[local->partner];
	int code = state_row_drop(state, remote->id, err);
	if (code < 0) {
		return code;
	}
	row->uid = remote->uid;
	row->remote = SIDE_PRESENT;
	row->remote_flags = remote->remote_flags;
	row->is_agreed = true;
	/* Base has what both have: what only one has counts as added there, so the union wins. */
	row->flags = row->local_flags & row->remote_flags;
	row->reason = REASON_NONE;
	free(row->emailid);
	row->emailid = remote->emailid;
	remote->emailid = NULL;
	return state_row_put(state, row, err);
}

static int note_ambiguous(struct pairing *pairing, const struct pair_candidate *local,
			  struct err *err)
{
	struct row *row = &pairing->rows.items[local->index];
	struct err why;
	err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
		"the file %s and another one look like the same message on the server; it is "
		"not sent",
		row->unique);
	run_report_error(pairing->run, pairing->box, 0, &why);
	row->reason = REASON_AMBIGUOUS;
	return state_row_put(pairing->run->state, row, err);
}

static int drop_intents(struct pairing *pairing, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < pairing->intents.count; i++) {
		code = state_intent_drop(pairing->run->state, pairing->intents.items[i].id, err);
	}
	pairing->box->has_intents = false;
	return code;
}

static int commit_pairs(struct pairing *pairing, struct err *err)
{
	struct state *state = pairing->run->state;
	int code = run_claim(pairing->run, err);
	if (code == 0) {
		code = state_begin(state, err);
	}
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < pairing->local_count; i++) {
		const struct pair_candidate *local = &pairing->locals[i];
		if (local->is_taken) {
			code = join_rows(pairing, local, err);
		} else if (local->is_ambiguous) {
			code = note_ambiguous(pairing, local, err);
		}
	}
	if (code == 0 && !pairing->headers_missing) {
		code = drop_intents(pairing, err);
	}
	pairing->box->base.held_policy = 0;
	if (code == 0) {
		code = observe_store_box(pairing->run, pairing->box, err);
	}
	if (code == 0) {
		code = state_mailbox_count(state, &pairing->box->base, err);
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

static int pairing_run(struct pairing *pairing, struct err *err)
{
	struct box *box = pairing->box;
	int code =
		state_rows_pending(pairing->run->state, box->base.id, false, &pairing->rows, err);
	if (code == 0) {
		code = state_intents_load(pairing->run->state, box->base.id, &pairing->intents,
					  err);
	}
	size_t room = pairing->rows.count + 1;
	pairing->locals = calloc(room, sizeof(*pairing->locals));
	pairing->remotes = calloc(room, sizeof(*pairing->remotes));
	pairing->by_uid = calloc(room, sizeof(*pairing->by_uid));
	if (pairing->locals == NULL || pairing->remotes == NULL || pairing->by_uid == NULL) {
		return err_nomem(err);
	}
	size_t locals = 0;
	size_t remotes = 0;
	for (size_t i = 0; i < pairing->rows.count; i++) {
		locals += is_local_only(&pairing->rows.items[i]);
		remotes += is_remote_only(&pairing->rows.items[i]);
	}
	if (code == 0 && locals > 0 && remotes > 0) {
		code = gather_locals(pairing, err);
		if (code == 0 && pairing->local_count > 0) {
			code = gather_remotes(pairing, err);
		}
		pair_match(pairing->locals, pairing->local_count, pairing->remotes,
			   pairing->remote_count);
	}
	if (code == 0 && (pairing->local_count > 0 || pairing->intents.count > 0)) {
		code = commit_pairs(pairing, err);
	}
	return code;
}

int pair_box(struct run *run, struct imap *imap, struct box *box, struct err *err)
{
	struct pairing pairing = {.run = run, .imap = imap, .box = box};
	pairing.everything = box->pair_everything;
	row_list_init(&pairing.rows);
	int code = pairing_run(&pairing, err);
	box->needs_pairing = false;
	box->pair_everything = false;
	state_intents_finish(&pairing.intents);
	row_list_finish(&pairing.rows);
	free(pairing.locals);
	free(pairing.remotes);
	free(pairing.by_uid);
	box_release(box);
	return code;
}

int pair_is_due(struct run *run, const struct box *box, bool *is_due, struct err *err)
{
	struct row_list rows;
	row_list_init(&rows);
	int code = state_rows_pending(run->state, box->base.id, false, &rows, err);
	*is_due = false;
	for (size_t i = 0; code == 0 && !*is_due && i < rows.count; i++) {
		struct maildir_unique ours;
		*is_due = is_local_only(&rows.items[i]) &&
			  maildir_unique_parse(span_of(rows.items[i].unique), &ours) &&
			  !ours.is_pop3;
	}
	row_list_finish(&rows);
	return code;
}

int pair_boxes(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->boxes.count; i++) {
		struct box *box = &run->boxes.items[i];
		if (!box_is_active(box) || !box->in_base || !box->in_local || !box->viewed ||
		    (!box->needs_pairing && !box->has_intents)) {
			continue;
		}
		code = run_check_stop(run, err);
		if (code == 0) {
			code = pair_box(run, run->imap, box, err);
		}
		if (code < 0 && !run_is_fatal(err)) {
			run_report_error(run, box, 0, err);
			box->is_excluded = true; /* unpaired, it would be copied both ways */
			code = 0;
		}
	}
	return code;
}
