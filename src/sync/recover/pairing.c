#include "pairing.h"

#include <stdlib.h>
#include <string.h>

#include "observe/observe.h"
#include "content.h"
#include "rules/match.h"
#include "trash.h"
#include "guard/claim.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define SET_TEXT_MAX       900
#define COMMANDS_IN_FLIGHT 4

#define NO_ENTRY SIZE_MAX

/* What a candidate's `index` refers to. */
struct pair_ref {
	int64_t row;
	size_t entry; /* local: in the scan; NO_ENTRY: the file is gone */
};

/* One side's candidates and what they are. */
struct pair_side {
	struct pair_candidate *items;
	struct pair_ref *refs;
	size_t count;
	size_t cap;
};

/*
 * Mailboxes of any size are paired, so no row is held: candidates are small, and the rows of what
 * pairs are loaded one by one.
 */
struct pairing {
	struct run *run;
	struct remote *remote;
	struct mailbox *mailbox;
	struct intents intents;
	struct pair_side locals;
	struct pair_side remotes;
	bool everything;      /* no base: every unknown file takes part */
	bool headers_missing; /* some could not be had: intents stay open */
	bool is_late;         /* the intents are those of a run that died */
};

static bool is_local_only(const struct row *row)
{
	return !row->is_agreed && row->local == MESSAGE_PRESENT && row->uid == 0;
}

static bool is_remote_only(const struct row *row)
{
	return !row->is_agreed && row->remote == MESSAGE_PRESENT && row->unique[0] == '\0';
}

static int side_add(struct pair_side *side, const struct pair_candidate *candidate,
		    const struct pair_ref *ref, struct err *err)
{
	if (side->count == side->cap) {
		size_t cap = side->cap == 0 ? 64 : side->cap + side->cap / 2;
		struct pair_candidate *items = realloc(side->items, cap * sizeof(*items));
		if (items == NULL) {
			return err_nomem(err);
		}
		side->items = items;
		struct pair_ref *refs = realloc(side->refs, cap * sizeof(*refs));
		if (refs == NULL) {
			return err_nomem(err);
		}
		side->refs = refs;
		side->cap = cap;
	}
	side->items[side->count] = *candidate;
	side->items[side->count].index = side->count;
	side->refs[side->count++] = *ref;
	return 0;
}

static void side_finish(struct pair_side *side)
{
	free(side->items);
	free(side->refs);
	*side = (struct pair_side){0};
}

/* Those whose header is known, to the front; their number. */
static size_t side_identified(struct pair_side *side)
{
	size_t kept = 0;
	for (size_t i = 0; i < side->count; i++) {
		if (side->items[i].has_identity) {
			side->items[kept++] = side->items[i];
		}
	}
	return kept;
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
	    strcmp(ours.key, key) != 0 || ours.uidvalidity != pairing->mailbox->base.uidvalidity) {
		return 0;
	}
	return ours.uid;
}

/* The same of mbsync's names (HAS_UIDVALIDITY: its file agrees) and of offlineimap's. */
static uint32_t proposed_by_others(const struct maildir_entry *entry, bool has_uidvalidity)
{
	if ((!has_uidvalidity && strstr(entry->name, ",FMD5=") == NULL)) {
		return 0;
	}
	return maildir_mbsync_uid(entry->name);
}

/* A size without what other programs put into their copy of the header. */
static uint64_t own_size(uint64_t size, const struct header_identity *identity)
{
	return size > identity->left_out_bytes ? size - identity->left_out_bytes : 0;
}

/* All of such a file counts. */
static int read_nameless(struct pairing *pairing, const struct maildir_entry *entry,
			 const struct header_identity *identity, struct pair_candidate *candidate,
			 struct err *err)
{
	struct maildir_reader *reader = NULL;
	struct err ignored;
	int code = 0;
	if (maildir_reader_open(pairing->mailbox->dir, entry->name, entry->in_new, &reader,
				&ignored) == 0) {
		candidate->size = own_size(maildir_reader_wire_size(reader), identity);
		code = pair_content_local(reader, candidate, err);
		maildir_reader_close(&reader);
	}
	return code;
}

/* A candidate's file is read; one that is not there any more stays without identity. */
static int identify_local(struct pairing *pairing, const struct maildir_entry *entry,
			  struct pair_candidate *candidate, struct err *err)
{
	struct header_identity identity;
	int code = maildir_folder_identify(pairing->mailbox->dir, entry->name, entry->in_new,
					   &identity, err);
	if (code < 0) {
		return run_is_fatal(err) && err->scope >= SCOPE_ACCOUNT ? code : 0;
	}
	pair_identify(candidate, &identity);
	return pair_is_nameless(candidate)
		     ? read_nameless(pairing, entry, &identity, candidate, err)
		     : 0;
}

/* What tells one folder's candidates. */
struct local_hints {
	const struct maildir_scan *scan;
	char key[MAILDIR_KEY_SIZE];
	bool has_uidvalidity; /* mbsync's file agrees with the server */
};

/* One that we sent and whose file a MUA took away since: known by the header that was noted. Once
 * it has its UID, what became of the file is carried out as of any other. */
static int add_sent(struct pairing *pairing, const struct intent *intent, struct err *err)
{
	struct pair_candidate candidate = {
		.bound = intent->uid_bound, .has_identity = true, .header_date = 0};
	struct pair_ref ref = {intent->row, NO_ENTRY};
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(pairing->run->session->state, intent->row, &row, &found, err);
	if (code == 0 && found && row.has_digest) {
		memcpy(candidate.digest, row.digest, ROW_DIGEST_SIZE);
		code = side_add(&pairing->locals, &candidate, &ref, err);
	}
	row_finish(&row);
	return code;
}

static int add_local(struct pairing *pairing, const struct local_hints *hints,
		     const struct row *row, struct err *err)
{
	const struct maildir_entry *entry = maildir_scan_find(hints->scan, span_of(row->unique));
	const struct intent *intent = intent_of(pairing, row->id);
	struct pair_candidate candidate = {.date = row->date};
	if (entry == NULL) {
		return intent == NULL ? 0 : add_sent(pairing, intent, err);
	}
	/* One that we sent has a new UID, even where its name tells of a former stay here. */
	candidate.uid = intent == NULL ? proposed_uid(pairing, row, hints->key) : 0;
	if (candidate.uid == 0 && intent == NULL && pairing->everything) {
		candidate.uid = proposed_by_others(entry, hints->has_uidvalidity);
	}
	candidate.bound = intent == NULL ? 0 : intent->uid_bound;
	candidate.was_sent = intent != NULL && row->reason == REASON_AMBIGUOUS;
	if (!pairing->everything && candidate.uid == 0 && intent == NULL) {
		return 0;
	}
	struct pair_ref ref = {row->id, (size_t)(entry - hints->scan->entries)};
	return side_add(&pairing->locals, &candidate, &ref, err);
}

static int add_remote(struct pairing *pairing, const struct row *row, struct err *err)
{
	struct pair_candidate candidate = {
		.uid = row->uid, .date = row->date, .size = row->size_bytes};
	struct pair_ref ref = {.row = row->id};
	return side_add(&pairing->remotes, &candidate, &ref, err);
}

/* All pending rows that may be one half of a pair. */
static int gather_rows(struct pairing *pairing, const struct local_hints *hints, struct err *err)
{
	struct state_cursor *cursor = NULL;
	const struct row *row = NULL;
	int code = state_cursor_open(pairing->run->session->state, pairing->mailbox->base.id,
				     STATE_PENDING, &cursor, err);
	if (code == 0) {
		code = state_cursor_next(cursor, &row, err);
	}
	while (code == 0 && row != NULL) {
		if (is_local_only(row)) {
			code = add_local(pairing, hints, row, err);
		} else if (is_remote_only(row)) {
			code = add_remote(pairing, row, err);
		}
		if (code == 0) {
			code = state_cursor_next(cursor, &row, err);
		}
	}
	state_cursor_close(&cursor);
	return code;
}

static int gather(struct pairing *pairing, struct err *err)
{
	struct local_hints hints;
	struct maildir_scan scan;
	struct mailbox *mailbox = pairing->mailbox;
	int code = maildir_folder_key(pairing->run->account->name, mailbox->name, hints.key, err);
	if (code == 0) {
		code = mailbox_open_dir(pairing->run, mailbox, err);
	}
	if (code == 0) {
		code = maildir_folder_scan(mailbox->dir, &mailbox->base.keywords, &scan, err);
	}
	if (code < 0) {
		return code;
	}
	hints.scan = &scan;
	hints.has_uidvalidity =
		pairing->everything &&
		maildir_folder_mbsync_uidvalidity(mailbox->dir) == mailbox->base.uidvalidity;
	code = gather_rows(pairing, &hints, err);
	for (size_t i = 0; code == 0 && pairing->remotes.count > 0 && i < pairing->locals.count;
	     i++) {
		size_t entry = pairing->locals.refs[i].entry;
		code = entry == NO_ENTRY ? 0
					 : identify_local(pairing, &scan.entries[entry],
							  &pairing->locals.items[i], err);
	}
	maildir_scan_finish(&scan);
	pairing->locals.count = side_identified(&pairing->locals);
	return code;
}

/* Whether a remote one can be the partner of any local candidate at all. */
static bool is_wanted(const struct pairing *pairing, uint32_t uid)
{
	for (size_t i = 0; !pairing->everything && i < pairing->locals.count; i++) {
		const struct pair_candidate *local = &pairing->locals.items[i];
		if (local->uid == uid || (local->uid == 0 && uid >= local->bound)) {
			return true;
		}
	}
	return pairing->everything;
}

static int compare_uid(const void *x, const void *y)
{
	const struct pair_candidate *one = x;
	const struct pair_candidate *two = y;
	return one->uid < two->uid ? -1 : one->uid > two->uid;
}

static void take_header(struct pairing *pairing, const struct imap_identity *told, size_t *known)
{
	struct pair_side *remotes = &pairing->remotes;
	struct pair_candidate wanted = {.uid = told->uid};
	struct pair_candidate *candidate = told->uid == 0
						 ? NULL
						 : bsearch(&wanted, remotes->items, remotes->count,
							   sizeof(*remotes->items), compare_uid);
	if (candidate == NULL || !told->has_header || candidate->has_identity) {
		return;
	}
	candidate->size = own_size(candidate->size, &told->identity);
	pair_identify(candidate, &told->identity);
	(*known)++;
}

static int receive_headers(struct pairing *pairing, size_t in_flight, size_t *known,
			   struct err *err)
{
	while (in_flight > 0) {
		struct imap_identity told;
		int code = imap_identity_next(remote_imap(pairing->remote), &told, err);
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
	for (size_t i = 0; code == 0 && i < pairing->remotes.count; i++) {
		uint32_t uid = pairing->remotes.items[i].uid;
		code = uidset_add(&uids, uid, uid, err);
	}
	while (code == 0 && more) {
		size_t in_flight = 0;
		while (code == 0 && in_flight < COMMANDS_IN_FLIGHT &&
		       (more = uidset_format_some(&uids, &from, SET_TEXT_MAX, &text))) {
			code = imap_fetch_queue(remote_imap(pairing->remote), IMAP_HEADERS,
						buf_span(&text), 0, err);
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

/* Nameless messages of a size that a nameless file has: they are fetched whole. */
static int read_nameless_remotes(struct pairing *pairing, struct err *err)
{
	int code = 0;
	for (size_t r = 0; code == 0 && r < pairing->remotes.count; r++) {
		struct pair_candidate *remote = &pairing->remotes.items[r];
		bool is_due = false;
		for (size_t l = 0; pair_is_nameless(remote) && !is_due && l < pairing->locals.count;
		     l++) {
			const struct pair_candidate *local = &pairing->locals.items[l];
			is_due = local->has_content && local->size == remote->size;
		}
		if (is_due) {
			code = pair_content_remote(pairing->remote, remote, err);
		}
	}
	return code;
}

/* A noted header that identifies nothing is not enough: there is no file to compare. */
static void leave_nameless(struct pairing *pairing)
{
	const struct pair_side *remotes = &pairing->remotes;
	for (size_t l = 0; l < pairing->locals.count; l++) {
		struct pair_candidate *local = &pairing->locals.items[l];
		bool is_sent = pairing->locals.refs[local->index].entry == NO_ENTRY;
		for (size_t r = 0; is_sent && r < remotes->count; r++) {
			const struct pair_candidate *remote = &remotes->items[r];
			if (pair_is_nameless(remote) &&
			    memcmp(remote->digest, local->digest, ROW_DIGEST_SIZE) == 0) {
				local->has_identity = false;
			}
		}
	}
	pairing->locals.count = side_identified(&pairing->locals);
}

/* The headers of the remote candidates that can have a partner. */
static int identify_remotes(struct pairing *pairing, struct err *err)
{
	struct pair_side *remotes = &pairing->remotes;
	size_t known = 0;
	size_t kept = 0;
	int code = 0;
	for (size_t i = 0; i < remotes->count; i++) {
		if (is_wanted(pairing, remotes->items[i].uid)) {
			remotes->items[kept++] = remotes->items[i];
		}
	}
	remotes->count = kept;
	if (kept == 0) {
		return 0;
	}
	qsort(remotes->items, remotes->count, sizeof(*remotes->items), compare_uid);
	struct imap_view opened = {0};
	if (remote_selected(pairing->remote, pairing->mailbox->seen.wire, false) !=
	    pairing->mailbox->base.uidvalidity) {
		code = imap_select(remote_imap(pairing->remote), pairing->mailbox->seen.wire, false,
				   &opened, err);
		imap_view_finish(&opened);
	}
	if (code == 0) {
		code = fetch_headers(pairing, &known, err);
	}
	pairing->headers_missing = known < remotes->count;
	remotes->count = side_identified(remotes);
	leave_nameless(pairing);
	return code < 0 ? code : read_nameless_remotes(pairing, err);
}

/* The file's row takes the message's in. */
static void merge_rows(struct row *row, struct row *remote, const struct pair_candidate *local)
{
	row->uid = remote->uid;
	row->remote = MESSAGE_PRESENT;
	row->remote_flags = remote->remote_flags;
	row->is_agreed = true;
	/* Base has what both have: what only one has counts as added there, so the union wins. */
	row->flags = row->local_flags & row->remote_flags;
	row->reason = REASON_NONE;
	row->has_digest = !local->has_content; /* rows hold the header's */
	memcpy(row->digest, local->digest, ROW_DIGEST_SIZE);
	free(row->emailid);
	row->emailid = remote->emailid;
	remote->emailid = NULL;
}

static int join_rows(struct pairing *pairing, const struct pair_candidate *local, struct err *err)
{
	struct state *state = pairing->run->session->state;
	struct row row;
	struct row remote;
	bool has_row = false;
	bool has_remote = false;
	row_init(&row);
	row_init(&remote);
	int code =
		state_row_by_id(state, pairing->locals.refs[local->index].row, &row, &has_row, err);
	if (code == 0) {
		code = state_row_by_id(state, pairing->remotes.refs[local->partner].row, &remote,
				       &has_remote, err);
	}
	if (code == 0 && has_row && has_remote) {
		code = state_row_drop(state, remote.id, err);
		if (code == 0) {
			merge_rows(&row, &remote, local);
			code = state_row_put(state, &row, err);
		}
	}
	row_finish(&row);
	row_finish(&remote);
	return code;
}

static int note_ambiguous(struct pairing *pairing, const struct pair_candidate *local,
			  struct err *err)
{
	struct row row;
	struct err why;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(pairing->run->session->state,
				   pairing->locals.refs[local->index].row, &row, &found, err);
	if (code == 0 && found) {
		err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
			"the file %s and another one look like the same message on the server; it "
			"is not sent",
			row.unique);
		run_report_error(pairing->run, pairing->mailbox, 0, &why);
		row.reason = REASON_AMBIGUOUS;
		code = state_row_put(pairing->run->session->state, &row, err);
	}
	row_finish(&row);
	return code;
}

static bool was_ambiguous(const struct pairing *pairing, int64_t row)
{
	for (size_t i = 0; i < pairing->locals.count; i++) {
		const struct pair_candidate *local = &pairing->locals.items[i];
		if (local->is_ambiguous && pairing->locals.refs[local->index].row == row) {
			return true;
		}
	}
	return false;
}

static bool is_open_from(const struct pairing *pairing, uint32_t bound)
{
	for (size_t i = 0; i < pairing->remotes.count; i++) {
		const struct pair_candidate *remote = &pairing->remotes.items[i];
		if (!remote->is_taken && remote->uid >= bound) {
			return true;
		}
	}
	return false;
}

/*
 * What was sent and taken, and is not found: nothing that is there looks like it. Right after it
 * was sent the server has made something else of it; after a run that died somebody has more
 * likely removed it, and it is new mail again.
 */
static int settle_unfound(struct pairing *pairing, const struct intent *intent, struct err *err)
{
	struct row row;
	struct err why;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(pairing->run->session->state, intent->row, &row, &found, err);
	bool is_unfound = code == 0 && found && !row.is_agreed && row.reason == REASON_AMBIGUOUS &&
			  !was_ambiguous(pairing, row.id);
	if (is_unfound && !pairing->is_late && is_open_from(pairing, intent->uid_bound)) {
		err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
			"the server took the file %s and made of it what does not look like it; it "
			"is not sent again",
			row.unique);
		run_report_error(pairing->run, pairing->mailbox, 0, &why);
	} else if (is_unfound) {
		row.reason = REASON_NONE; /* not kept, or removed since */
		code = state_row_put(pairing->run->session->state, &row, err);
	}
	row_finish(&row);
	return code;
}

static int drop_intents(struct pairing *pairing, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < pairing->intents.count; i++) {
		code = state_intent_drop(pairing->run->session->state, pairing->intents.items[i].id,
					 err);
	}
	pairing->mailbox->seen.has_intents = false;
	return code;
}

static int commit_pairs(struct pairing *pairing, struct err *err)
{
	struct state *state = pairing->run->session->state;
	int code = run_claim(pairing->run, err);
	if (code == 0) {
		code = state_begin(state, err);
	}
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < pairing->locals.count; i++) {
		const struct pair_candidate *local = &pairing->locals.items[i];
		if (local->is_taken) {
			code = join_rows(pairing, local, err);
		} else if (local->is_ambiguous) {
			code = note_ambiguous(pairing, local, err);
		}
	}
	for (size_t i = 0; code == 0 && !pairing->headers_missing && i < pairing->intents.count;
	     i++) {
		code = settle_unfound(pairing, &pairing->intents.items[i], err);
	}
	if (code == 0 && !pairing->headers_missing) {
		code = drop_intents(pairing, err);
	}
	pairing->mailbox->base.held_policy = 0;
	if (code == 0) {
		code = mailbox_store(pairing->run, pairing->mailbox, err);
	}
	if (code == 0) {
		code = state_mailbox_count(state, &pairing->mailbox->base, err);
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

/* Those of the trash are settled elsewhere. */
static int load_intents(struct pairing *pairing, struct err *err)
{
	struct intents *intents = &pairing->intents;
	size_t kept = 0;
	int code = state_intents_load(pairing->run->session->state, pairing->mailbox->base.id,
				      intents, err);
	for (size_t i = 0; i < intents->count; i++) {
		if (intent_is_of_trash(&intents->items[i])) {
			free(intents->items[i].text);
		} else {
			intents->items[kept++] = intents->items[i];
		}
	}
	intents->count = kept;
	return code;
}

static int pairing_run(struct pairing *pairing, struct err *err)
{
	int code = load_intents(pairing, err);
	if (code == 0) {
		code = gather(pairing, err);
	}
	if (code == 0 && pairing->locals.count > 0) {
		code = identify_remotes(pairing, err);
	} else {
		pairing->remotes.count = 0;
	}
	if (code == 0) {
		pair_match(pairing->locals.items, pairing->locals.count, pairing->remotes.items,
			   pairing->remotes.count);
	}
	if (code == 0 && (pairing->locals.count > 0 || pairing->intents.count > 0)) {
		code = commit_pairs(pairing, err);
	}
	return code;
}

static int pair_one(struct run *run, struct remote *remote, struct mailbox *mailbox, bool is_late,
		    struct err *err)
{
	struct pairing pairing = {
		.run = run, .remote = remote, .mailbox = mailbox, .is_late = is_late};
	pairing.everything = mailbox->decided.pairing == PAIRING_ALL;
	int code = pairing_run(&pairing, err);
	mailbox->done.was_paired = mailbox->decided.pairing == PAIRING_ALL;
	mailbox->decided.pairing = PAIRING_NONE;
	state_intents_finish(&pairing.intents);
	side_finish(&pairing.locals);
	side_finish(&pairing.remotes);
	mailbox_release(mailbox);
	return code;
}

int pair_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox, struct err *err)
{
	return pair_one(run, remote, mailbox, false, err);
}

int pair_mailboxes(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (!mailbox_is_active(mailbox) || !mailbox->in_base || !mailbox->seen.in_local ||
		    !mailbox->seen.was_viewed ||
		    (mailbox->decided.pairing == PAIRING_NONE && !mailbox->seen.has_intents)) {
			continue;
		}
		code = run_check_stop(run, err);
		if (code == 0) {
			code = pair_one(run, run->session->remote, mailbox,
					run->session->was_unclean, err);
		}
		if (code < 0 && !run_is_fatal(err)) {
			run_report_error(run, mailbox, 0, err);
			mailbox_exclude(
				mailbox,
				EXCLUDED_FAILED); /* unpaired, it would be copied both ways */
			code = 0;
		}
	}
	return code;
}
