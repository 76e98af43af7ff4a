/* Which files and which messages may be pairs, and who the files are. */
#include <string.h>

#include "mailsync/base/array.h"

#include "content.h"
#include "pairing_private.h"

/* What tells one folder's candidates. */
struct local_hints {
	struct maildir_scan scan;
	char key[MAILDIR_KEY_SIZE];
	bool has_uidvalidity; /* mbsync's file agrees with the server */
};

static int side_add(struct pair_side *side, const struct pair_candidate *candidate,
		    const struct pair_ref *ref, struct err *err)
{
	if (ARRAY_RESERVE(&side->items, side->count + 1, &side->cap, err) < 0 ||
	    ARRAY_RESERVE(&side->refs, side->ref_count + 1, &side->ref_cap, err) < 0) {
		return -ERR_NOMEM;
	}
	side->items[side->count] = *candidate;
	side->items[side->count++].index = side->ref_count;
	side->refs[side->ref_count++] = *ref;
	return 0;
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

/* The UID that is in a file's name, when it is one that we gave in this mailbox. */
static uint32_t own_uid(const struct pairing *pairing, const struct row *row, const char *key)
{
	struct maildir_unique ours;
	if (!maildir_unique_parse(span_of(row->unique), &ours) || ours.is_pop3 ||
	    strcmp(ours.key, key) != 0 || ours.uidvalidity != pairing->mailbox->base.uidvalidity) {
		return 0;
	}
	return ours.uid;
}

/* The same of mbsync's names and of offlineimap's. */
static uint32_t others_uid(const struct maildir_entry *entry, bool has_uidvalidity)
{
	bool is_of_here = has_uidvalidity || strstr(entry->name, ",FMD5=") != NULL;
	return is_of_here ? maildir_mbsync_uid(entry->name) : 0;
}

/* A cursor's row lacks what deltas do not need: the header that was noted. */
static int add_sent(struct pairing *pairing, struct pair_file *file, struct err *err)
{
	struct pair_candidate candidate;
	struct pair_ref ref = {file->row->id, PAIR_NO_ENTRY};
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(pairing->run->session->state, ref.row, &row, &found, err);
	file->row = &row;
	if (code == 0 && found && pair_begin_sent(file, &candidate)) {
		code = side_add(&pairing->locals, &candidate, &ref, err);
	}
	row_finish(&row);
	return code;
}

static int add_local(struct pairing *pairing, const struct local_hints *hints,
		     const struct row *row, struct err *err)
{
	const struct maildir_scan *scan = &hints->scan;
	const struct maildir_entry *entry = maildir_scan_find(scan, span_of(row->unique));
	const struct intent *intent = intent_of(pairing, row->id);
	struct pair_candidate candidate;
	struct pair_file file = {
		.row = row,
		.has_base = pairing->has_base,
		.was_sent = intent != NULL,
		.bound = intent == NULL ? 0 : intent->uid_bound,
	};
	if (entry == NULL) {
		return file.was_sent ? add_sent(pairing, &file, err) : 0;
	}
	file.own_uid = own_uid(pairing, row, hints->key);
	file.others_uid = others_uid(entry, hints->has_uidvalidity);
	if (!pair_begin_local(&file, &candidate)) {
		return 0;
	}
	struct pair_ref ref = {row->id, (size_t)(entry - scan->entries)};
	return side_add(&pairing->locals, &candidate, &ref, err);
}

static int add_row(struct pairing *pairing, const struct local_hints *hints, const struct row *row,
		   struct err *err)
{
	struct pair_candidate candidate;
	struct pair_ref ref = {.row = row->id};
	if (pair_is_lone_file(row)) {
		return add_local(pairing, hints, row, err);
	}
	if (!pair_is_lone_message(row)) {
		return 0;
	}
	pair_begin_remote(row, &candidate);
	return side_add(&pairing->remotes, &candidate, &ref, err);
}

static int add_rows(struct pairing *pairing, const struct local_hints *hints, struct err *err)
{
	struct state_cursor *cursor = NULL;
	const struct row *row = NULL;
	int code = state_cursor_open(pairing->run->session->state, pairing->mailbox->base.id,
				     STATE_PENDING, &cursor, err);
	while (code == 0 && (code = state_cursor_next(cursor, &row, err)) == 0 && row != NULL) {
		code = add_row(pairing, hints, row, err);
	}
	state_cursor_close(&cursor);
	return code;
}

/* All of such a file counts. */
static int read_nameless(struct pairing *pairing, const struct maildir_entry *entry,
			 const struct header_identity *identity, struct pair_candidate *candidate,
			 struct err *err)
{
	struct maildir_reader *reader = NULL;
	struct err ignored;
	if (maildir_reader_open(pairing->mailbox->dir, entry->name, entry->in_new, &reader,
				&ignored) < 0) {
		return 0;
	}
	candidate->size = pair_own_size(maildir_reader_wire_size(reader), identity);
	int code = pair_content_local(reader, candidate, err);
	maildir_reader_close(&reader);
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

/* Where nothing on the server comes into question no file need be opened. */
static int identify_locals(struct pairing *pairing, const struct maildir_scan *scan,
			   struct err *err)
{
	struct pair_side *locals = &pairing->locals;
	int code = 0;
	for (size_t i = 0; code == 0 && pairing->remotes.count > 0 && i < locals->count; i++) {
		struct pair_candidate *local = &locals->items[i];
		size_t entry = pair_ref(locals, local)->entry;
		if (entry != PAIR_NO_ENTRY) {
			code = identify_local(pairing, &scan->entries[entry], local, err);
		}
	}
	pair_keep_identified(locals);
	return code;
}

int pairing_gather(struct pairing *pairing, struct err *err)
{
	struct local_hints hints;
	struct mailbox *mailbox = pairing->mailbox;
	int code;
	if ((code = maildir_folder_key(pairing->run->account->name, mailbox->name, hints.key,
				       err)) < 0 ||
	    (code = mailbox_open_dir(pairing->run, mailbox, err)) < 0 ||
	    (code = maildir_folder_scan(mailbox->dir, &mailbox->base.keywords, &hints.scan, err)) <
		    0) {
		return code;
	}
	hints.has_uidvalidity =
		!pairing->has_base &&
		maildir_folder_mbsync_uidvalidity(mailbox->dir) == mailbox->base.uidvalidity;
	code = add_rows(pairing, &hints, err);
	if (code == 0) {
		code = identify_locals(pairing, &hints.scan, err);
	}
	maildir_scan_finish(&hints.scan);
	return code;
}
