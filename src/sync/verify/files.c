/* Each file of base: is it there, and are its bytes those that were delivered or sent? */
#include "verify_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe/observe.h"

int verify_open_folder(struct verify_mailbox *at, struct err *err)
{
	struct mailbox *mailbox = at->mailbox;
	struct run *run = at->verify->run;
	if (!(mailbox->seen.in & SIDE_LOCAL)) {
		return 0;
	}
	int code = mailbox_open_dir(run, mailbox, err);
	return code < 0
		     ? code
		     : maildir_folder_scan(mailbox->dir, &mailbox->base.keywords, &at->scan, err);
}

/* What a slice has shown, to be written down once its files were read. */
struct slice {
	struct row_list rows;
	struct maildir_proof proofs[VERIFY_SLICE_ROWS];
	bool are_proven[VERIFY_SLICE_ROWS];
};

static int ask_share(struct verify_mailbox *at, const struct row *row, bool *takes, struct err *err)
{
	*takes = false;
	return row->is_agreed ? share_takes(&at->share, row->id, takes, err) : 0;
}

/* A row without content is of an older version, or of a pair that was found by its header. */
static int judge_header(struct verify_mailbox *at, const struct row *row,
			const struct maildir_entry *entry, bool *is_same, struct err *err)
{
	struct maildir_reading reading;
	*is_same = true;
	if (!row->has_digest) {
		return 0;
	}
	int code = maildir_folder_read(at->mailbox->dir, entry->name, entry->in_new, &reading, err);
	*is_same = code == 0 && memcmp(reading.identity.digest, row->digest, ROW_DIGEST_SIZE) == 0;
	return code;
}

static int judge(struct verify_mailbox *at, const struct row *row,
		 const struct maildir_entry *entry, const struct maildir_proof *proof,
		 bool *is_same, struct err *err)
{
	bool has_size = row->mark.inode != 0;
	if (has_size && row->mark.size_bytes != proof->file.size_bytes) {
		*is_same = false;
		return 0;
	}
	if (!row->has_content) {
		return judge_header(at, row, entry, is_same, err);
	}
	*is_same = memcmp(row->content, proof->content, ROW_CONTENT_SIZE) == 0;
	return 0;
}

/* Renamed since the folder was read? Then it is read under its new name. */
static int read_anew(struct verify_mailbox *at, const struct row *row, struct maildir_entry *entry,
		     char name[MAILDIR_NAME_MAX + 1], struct maildir_proof *proof, struct err *err)
{
	int code = maildir_folder_find(at->mailbox->dir, span_of(row->unique), name, &entry->in_new,
				       err);
	entry->name = name;
	return code < 0 ? code
			: maildir_prover_read(at->verify->prover, at->mailbox->dir, entry->name,
					      entry->in_new, proof, err);
}

static int tell_differs(struct verify_mailbox *at, const struct row *row,
			const struct maildir_entry *entry, const struct maildir_proof *proof,
			struct err *err)
{
	char path[VERIFY_PATH_SIZE];
	uint64_t size = row->mark.inode != 0 ? row->mark.size_bytes : 0;
	verify_path(entry, path);
	if (size != 0 && size != proof->file.size_bytes) {
		return verify_find(at, VERIFY_DIFFERS_HERE, row, path, err,
				   "the file has %llu bytes, and had %llu when it was delivered or "
				   "sent",
				   (unsigned long long)proof->file.size_bytes,
				   (unsigned long long)size);
	}
	return verify_find(at, VERIFY_DIFFERS_HERE, row, path, err,
			   "the file's bytes are not those that were delivered or sent");
}

/* *IS_PROVEN: the file is what it should be, as PROOF says. */
static int prove(struct verify_mailbox *at, const struct row *row,
		 const struct maildir_entry *found, struct maildir_proof *proof, bool *is_proven,
		 struct err *err)
{
	struct verify_report *report = at->verify->report;
	struct maildir_entry entry = *found;
	char name[MAILDIR_NAME_MAX + 1];
	bool is_same = false;
	int code = maildir_prover_read(at->verify->prover, at->mailbox->dir, entry.name,
				       entry.in_new, proof, err);
	if (code == -ERR_CHANGED) {
		code = read_anew(at, row, &entry, name, proof, err);
	}
	if (code == 0) {
		code = judge(at, row, &entry, proof, &is_same, err);
	}
	report->messages += code != -ERR_CHANGED;
	if (code < 0) {
		return verify_outlives_file(at, row, &entry, code, err);
	}
	report->bytes += proof->file.size_bytes;
	*is_proven = is_same;
	if (is_same || (code = tell_differs(at, row, &entry, proof, err)) < 0 ||
	    (code = verify_note_damaged(at, row, err)) < 0) {
		return code;
	}
	return verify_wish(at, row, true, err);
}

/* Whether the next sync takes it for a deletion, and carries that out. SEEN: what it will see. */
static bool is_deletion(const struct verify_mailbox *at, const struct row *seen)
{
	const struct run_policy *policy = &at->verify->run->policy;
	bool is_held = (seen->held & HELD_REMOVAL) != 0 ||
		       (at->mailbox->decided.braked & SIDE_REMOTE) != 0;
	if (!(at->mailbox->seen.in & SIDE_LOCAL)) { /* with its folder (M23) */
		return (policy->mailboxes.remove & SIDE_REMOTE) != 0;
	}
	return (policy->messages.delete_ & SIDE_REMOTE) != 0 && !is_held;
}

int verify_tell_missing(struct verify_mailbox *at, const struct row *row, const char *what,
			struct err *err)
{
	struct verify *verify = at->verify;
	const char *name = at->mailbox->name;
	bool is_meant = false;
	int code = state_kept_is_meant(verify->proofs, name, row->unique, &is_meant, err);
	if (code < 0 || is_meant) {
		verify->report->accepted += is_meant;
		return code;
	}
	if (verify->options->accepts) {
		return strlist_add(&at->accepted, span_of(row->unique), err);
	}
	verify->report->messages++;
	code = verify_find(at, VERIFY_MISSING_HERE, row, NULL, err, "%s", what);
	return code < 0 ? code : verify_wish(at, row, false, err);
}

int verify_write_accepted(struct verify_mailbox *at, struct err *err)
{
	struct state *proofs = at->verify->proofs;
	const struct strlist *accepted = &at->accepted;
	int code = accepted->count > 0 ? state_begin(proofs, err) : 0;
	if (code < 0 || accepted->count == 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < accepted->count; i++) {
		code = state_kept_mean(proofs, at->mailbox->name, accepted->items[i], err);
	}
	code = state_end(proofs, code, err);
	at->verify->report->accepted += code == 0 ? accepted->count : 0;
	return code;
}

/* POP3: a file is the user's, who may put it into any folder; nothing comes of that. Deleting is no
 * way to tell a POP3 server anything. */
static int look_elsewhere(struct verify_mailbox *at, const struct row *row, struct err *err)
{
	bool is_there = false;
	int code = verify_is_elsewhere(at, row->unique, &is_there, err);
	if (code < 0 || is_there) {
		at->verify->report->pending += is_there;
		return code;
	}
	return verify_tell_missing(at, row, "the file is gone", err);
}

/* ROW's file is not where base has it. *FOUND: where it is, under a name that another program gave
 * it (C5); else NULL, and what that means is told. */
static int look_for(struct verify_mailbox *at, const struct row *row,
		    const struct maildir_entry **found, struct err *err)
{
	struct row seen;
	bool is_known = false;
	*found = NULL;
	if (at->verify->run->account->is_pop3) {
		return look_elsewhere(at, row, err);
	}
	row_init(&seen);
	int code = state_row_by_id(at->verify->run->session->state, row->id, &seen, &is_known, err);
	if (code == 0 && is_known && seen.local == MESSAGE_PRESENT) {
		*found = maildir_scan_find(&at->scan, span_of(seen.unique));
	}
	if (code < 0 || *found != NULL) {
		goto finish;
	}
	if (row_ids_has(&at->verify->moved, row->id) || is_deletion(at, &seen)) {
		at->verify->report->pending++;
		goto finish;
	}
	code = verify_tell_missing(at, row,
				   row->remote == MESSAGE_PRESENT
					   ? "the file is gone, and no sync would bring it back"
					   : VERIFY_GONE_EVERYWHERE,
				   err);
finish:
	row_finish(&seen);
	return code;
}

static int look_at_slice(struct verify_mailbox *at, struct slice *slice, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < slice->rows.count; i++) {
		const struct row *row = &slice->rows.items[i];
		bool takes = false;
		slice->are_proven[i] = false;
		if ((code = ask_share(at, row, &takes, err)) < 0 || !takes) {
			continue;
		}
		const struct maildir_entry *entry =
			maildir_scan_find(&at->scan, span_of(row->unique));
		if (entry == NULL) {
			code = look_for(at, row, &entry, err);
		}
		if (code == 0 && entry != NULL) {
			code = prove(at, row, entry, &slice->proofs[i], &slice->are_proven[i], err);
		}
		code = code < 0 ? code : run_check_stop(at->verify->run, err);
	}
	return code;
}

bool verify_waits_for_body(const struct verify *verify, const struct row *row)
{
	return verify->options->level == VERIFY_BYTES && !row->has_content &&
	       row->remote == MESSAGE_PRESENT;
}

int verify_learn(struct verify_mailbox *at, const struct row *row,
		 const struct maildir_proof *proof, struct err *err)
{
	const struct file_mark mark = maildir_file_mark(&proof->file);
	const struct state_proof shown = {
		.id = row->id,
		.is_pop3 = at->verify->run->account->is_pop3,
		.now = at->verify->now,
		.content = row->has_content ? NULL : proof->content,
		.mark = &mark,
	};
	return state_prove(at->verify->proofs, &shown, err);
}

static int write_down(struct verify_mailbox *at, const struct slice *slice, struct err *err)
{
	struct state *proofs = at->verify->proofs;
	int code = state_begin(proofs, err);
	for (size_t i = 0; code == 0 && i < slice->rows.count; i++) {
		const struct row *row = &slice->rows.items[i];
		const struct maildir_proof *proof = &slice->proofs[i];
		if (!slice->are_proven[i]) {
			continue;
		}
		code = state_kept_back(proofs, at->mailbox->name, row->unique, err);
		if (code < 0 || verify_waits_for_body(at->verify, row)) {
			continue;
		}
		at->verify->report->taken += !row->has_content;
		code = verify_learn(at, row, proof, err);
	}
	return state_end(proofs, code, err);
}

static int prove_slice(struct verify_mailbox *at, struct slice *slice, struct err *err)
{
	int code = look_at_slice(at, slice, err);
	return code < 0 ? code : write_down(at, slice, err);
}

static int prove_all(struct verify_mailbox *at, struct slice *slice, struct err *err)
{
	char after[MAILDIR_NAME_MAX + 1] = "";
	bool is_last = false;
	int code = 0;
	while (code == 0 && !is_last) {
		const struct row_list *rows = &slice->rows;
		code = state_rows_named(at->verify->proofs, at->mailbox->base.id, after,
					VERIFY_SLICE_ROWS, &slice->rows, err);
		is_last = code < 0 || rows->count < VERIFY_SLICE_ROWS;
		if (code == 0 && rows->count > 0) {
			snprintf(after, sizeof(after), "%s", rows->items[rows->count - 1].unique);
			code = prove_slice(at, slice, err);
		}
	}
	return code;
}

int verify_pop3_row(struct row_list *rows, int64_t mailbox, const struct pop3_row *pop3,
		    struct err *err)
{
	struct row *row = row_list_add(rows, err);
	if (row == NULL) {
		return -ERR_NOMEM;
	}
	bool is_there = pop3->gone_since == 0 && !pop3->is_deleted;
	row->id = pop3->id;
	row->mailbox = mailbox;
	row->is_agreed = true;
	row->local = MESSAGE_PRESENT;
	row->remote = is_there ? MESSAGE_PRESENT : MESSAGE_GONE;
	row->date = told_time(pop3->first_seen);
	row->has_digest = pop3->has_digest;
	memcpy(row->digest, pop3->digest, ROW_DIGEST_SIZE);
	row->has_content = pop3->has_content;
	memcpy(row->content, pop3->content, ROW_CONTENT_SIZE);
	return row_set_unique(row, pop3->unique, strlen(pop3->unique), err);
}

static int prove_maildrop(struct verify_mailbox *at, struct slice *slice, struct err *err)
{
	struct pop3_rows known = {0};
	int code = state_pop3_load(at->verify->proofs, &known, err);
	size_t next = 0;
	while (code == 0 && next < known.count) {
		row_list_finish(&slice->rows);
		for (; code == 0 && next < known.count && slice->rows.count < VERIFY_SLICE_ROWS;
		     next++) {
			if (known.items[next].unique[0] != '\0') {
				code = verify_pop3_row(&slice->rows, at->mailbox->base.id,
						       &known.items[next], err);
			}
		}
		code = code < 0 ? code : prove_slice(at, slice, err);
	}
	state_pop3_finish(&known);
	return code;
}

int verify_files(struct verify_mailbox *at, struct err *err)
{
	struct slice *slice = calloc(1, sizeof(*slice));
	if (slice == NULL) {
		return err_nomem(err);
	}
	int code = at->verify->run->account->is_pop3 ? prove_maildrop(at, slice, err)
						     : prove_all(at, slice, err);
	row_list_finish(&slice->rows);
	free(slice);
	return code;
}
