/* Which files and which messages may be pairs, and who the files are. */
#include <string.h>

#include "mailsync/base/clock.h"

#include "recover_private.h"

/* One by one: intents are no more than the uploads that a run which was cut had under way. */
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
static uint32_t own_uid(const struct gathering *gathering, const struct row *row)
{
	struct told uidvalidity = gathering->pairing->mailbox->base.numbers.uidvalidity;
	struct maildir_unique ours;
	bool is_of_here = maildir_unique_parse(span_of(row->unique), &ours) && !ours.is_pop3 &&
			  strcmp(ours.key, gathering->key) == 0 &&
			  told_is(uidvalidity, ours.uidvalidity);
	return is_of_here ? ours.uid : 0;
}

/* A cursor's row lacks what deltas do not need: the header that was noted. */
static int add_sent(struct pairing *pairing, struct pair_file *file, struct err *err)
{
	struct pair_candidate candidate;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(pairing->run->session->state, file->row->id, &row, &found, err);
	file->row = &row;
	if (code == 0 && found && pair_begin_sent(file, &candidate)) {
		candidate.index = row.id;
		candidate.place = PAIR_NO_FILE;
		code = candidates_add(&pairing->locals, &candidate, err);
	}
	row_finish(&row);
	return code;
}

int pairing_is_of_gone(struct state *state, const struct state_move *move, bool *is_so,
		       struct err *err)
{
	struct row gone;
	bool found = false;
	row_init(&gone);
	int code = state_row_by_id(state, move->gone_row, &gone, &found, err);
	*is_so = code == 0 && found && gone.remote == MESSAGE_GONE;
	row_finish(&gone);
	return code;
}

static int look_for_move(const struct gathering *gathering, struct pair_file *file, struct err *err)
{
	struct state *state = gathering->pairing->run->session->state;
	int code = 0;
	for (size_t i = 0; code == 0 && !file->was_moved && i < gathering->moves.count; i++) {
		const struct state_move *move = &gathering->moves.items[i];
		if (move->new_row == file->row->id) {
			code = pairing_is_of_gone(state, move, &file->was_moved, err);
		}
	}
	return code;
}

int gathering_add_local(const struct gathering *gathering, const struct row *row, struct err *err)
{
	struct pairing *pairing = gathering->pairing;
	const struct maildir_scan *scan = &gathering->scan;
	const struct maildir_entry *entry = maildir_scan_find(scan, span_of(row->unique));
	const struct intent *intent = intent_of(pairing, row->id);
	struct pair_candidate candidate;
	struct pair_file file = {
		.row = row,
		.has_base = pairing->has_base,
		.was_sent = intent != NULL,
		.bound = intent == NULL ? 0 : intent_bound(intent),
	};
	if (entry == NULL) {
		return file.was_sent ? add_sent(pairing, &file, err) : 0;
	}
	file.own_uid = own_uid(gathering, row);
	/* In names of mbsync's and of offlineimap's. */
	if (gathering->has_uidvalidity || strstr(entry->name, ",FMD5=") != NULL) {
		file.others_uid = maildir_mbsync_uid(entry->name);
	}
	int code = look_for_move(gathering, &file, err);
	if (code < 0 || !pair_begin_local(&file, &candidate)) {
		return code;
	}
	candidate.index = row->id;
	candidate.place = (size_t)(entry - scan->entries);
	return candidates_add(&pairing->locals, &candidate, err);
}

/* W21 */
static int add_unseen(struct pairing *pairing, const struct row *row, struct err *err)
{
	struct pair_candidate candidate = {.uid = row->uid, .index = row->id, .has_waited = true};
	int code = candidates_add(&pairing->unseen, &candidate, err);
	return code < 0 || !pair_is_unseen_lately(row, clock_real_s())
		     ? code
		     : candidates_add(&pairing->lately, &candidate, err);
}

/* W15 */
static bool is_wanted_by(const struct pairing *pairing, const struct candidates *files,
			 const struct pair_candidate *remote)
{
	return files->count > 0 &&
	       pair_is_wanted(remote, pairing->has_base, files->items, files->count);
}

static int add_message(struct gathering *gathering, const struct row *row, struct err *err)
{
	struct pairing *pairing = gathering->pairing;
	struct pair_candidate remote;
	if (!pair_is_lone_message(row)) {
		return 0;
	}
	pair_begin_remote(row, &remote);
	remote.index = row->id;
	if (is_wanted_by(pairing, &pairing->locals, &remote) ||
	    is_wanted_by(pairing, &pairing->unread, &remote)) {
		return candidates_add(&pairing->remotes, &remote, err);
	}
	return remote.has_waited ? candidates_add(&pairing->unwanted, &remote, err) : 0;
}

static int add_file(struct gathering *gathering, const struct row *row, struct err *err)
{
	if (pair_is_lone_file(row)) {
		return gathering_add_local(gathering, row, err);
	}
	gathering->has_messages |= pair_is_lone_message(row);
	return pair_is_unseen(row) ? add_unseen(gathering->pairing, row, err) : 0;
}

/* Messages are taken in once the files are known: where there is none, or few, memory is not to
 * hold all that is new on the server; nor, beside them, the names of the files. */
static int add_rows(struct gathering *gathering,
		    int (*add)(struct gathering *, const struct row *, struct err *),
		    struct err *err)
{
	struct pairing *pairing = gathering->pairing;
	struct state_cursor *cursor = NULL;
	const struct row *row = NULL;
	int code = state_cursor_open(pairing->run->session->state, pairing->mailbox->base.id,
				     STATE_PENDING, &cursor, err);
	while (code == 0 && (code = state_cursor_next(cursor, &row, err)) == 0 && row != NULL) {
		code = add(gathering, row, err);
	}
	state_cursor_close(&cursor);
	return code;
}

bool pairing_is_unread(const struct pairing *pairing, int64_t row)
{
	for (size_t i = 0; i < pairing->unread.count; i++) {
		if (pairing->unread.items[i].index == row) {
			return true;
		}
	}
	return false;
}

/* ERR: why CANDIDATE's file was not read. One that is not there any more is no candidate. */
static int note_unread(struct pairing *pairing, struct pair_candidate *candidate, struct err *err)
{
	candidate->has_identity = false;
	if (run_is_fatal_in_folder(err)) {
		return -(int)err->code;
	}
	if (err->code == ERR_CHANGED) {
		return 0;
	}
	run_report_error(pairing->run, pairing->mailbox, 0, err);
	return candidates_add(&pairing->unread, candidate, err);
}

int pairing_identify_file(struct pairing *pairing, const struct maildir_entry *entry,
			  struct pair_candidate *candidate, struct err *err)
{
	struct maildir_folder *dir = pairing->mailbox->dir;
	struct maildir_reader *reader = NULL;
	struct header_identity identity;
	if (maildir_folder_identify(dir, entry->name, entry->in_new, &identity, err) < 0) {
		return note_unread(pairing, candidate, err);
	}
	pair_identify(candidate, &identity);
	if (!pair_is_nameless(candidate)) {
		return 0;
	}
	int code = maildir_reader_open(dir, entry->name, entry->in_new, &reader, err);
	if (code < 0) {
		return note_unread(pairing, candidate, err);
	}
	candidate->size = told(identity_own_size(&identity, maildir_reader_wire_size(reader)));
	memcpy(candidate->content, maildir_reader_content(reader), ROW_CONTENT_SIZE);
	code = candidate_read_file(reader, candidate, err);
	maildir_reader_close(&reader);
	return code;
}

/* Where nothing on the server comes into question no file need be opened; those that waited for it
 * stay, since they wait no more. */
static int identify_locals(struct gathering *gathering, struct err *err)
{
	struct pairing *pairing = gathering->pairing;
	struct candidates *locals = &pairing->locals;
	bool is_asked = gathering->has_messages || pairing->unseen.count > 0 ||
			(pairing->mailbox->seen.is_window && !pairing->has_base);
	int code = 0;
	for (size_t i = 0; code == 0 && i < locals->count; i++) {
		struct pair_candidate *local = &locals->items[i];
		if (!is_asked) {
			local->has_identity |= local->has_waited;
		} else if (local->place != PAIR_NO_FILE) {
			code = pairing_identify_file(
				pairing, &gathering->scan.entries[local->place], local, err);
		}
	}
	return code < 0 ? code : candidates_part(locals, NULL, err);
}

int gathering_begin(struct gathering *gathering, struct pairing *pairing, struct err *err)
{
	struct mailbox *mailbox = pairing->mailbox;
	const char *account = pairing->run->account->name;
	int code;
	*gathering = (struct gathering){.pairing = pairing};
	if ((code = maildir_folder_key(account, mailbox->name, gathering->key, err)) < 0 ||
	    (code = mailbox_open_dir(pairing->run, mailbox, err)) < 0 ||
	    (code = state_moves_load(pairing->run->session->state, 0, &gathering->moves, err)) <
		    0 ||
	    (code = maildir_folder_scan(mailbox->dir, &mailbox->base.keywords, &gathering->scan,
					err)) < 0) {
		return code;
	}
	gathering->has_uidvalidity =
		!pairing->has_base && told_is(mailbox->base.numbers.uidvalidity,
					      maildir_folder_mbsync_uidvalidity(mailbox->dir));
	return 0;
}

void gathering_finish(struct gathering *gathering)
{
	maildir_scan_finish(&gathering->scan);
	state_moves_finish(&gathering->moves);
}

int gathering_add_files(struct gathering *gathering, struct err *err)
{
	int code = add_rows(gathering, add_file, err);
	return code < 0 ? code : identify_locals(gathering, err);
}

int gathering_add_messages(struct gathering *gathering, struct err *err)
{
	return add_rows(gathering, add_message, err);
}
