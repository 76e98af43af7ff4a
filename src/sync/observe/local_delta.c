/*
 * The local delta of one folder: it is read, rules/local_rules.h says what changed, and that is
 * written down with the folder's stamp in one transaction. Rows come by a cursor and are compared
 * with the scan in one merge by unique part; what changed is noted first, for rows may not change
 * under a cursor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local_delta.h"
#include "observe.h"
#include "observe_private.h"
#include "guard/guard.h"

#include "mailsync/base/array.h"
#include "mailsync/base/clock.h"

#include "rules/brake.h"

static struct span unique_of(const struct maildir_entry *entry)
{
	return (struct span){entry->name, entry->unique_len};
}

static void look_at_size(const struct local_delta *delta, const struct maildir_entry *entry,
			 struct local_file *file)
{
	struct maildir_unique ours;
	struct maildir_file info;
	struct err ignored;
	file->is_ours = maildir_unique_parse(unique_of(entry), &ours);
	file->has_size =
		file->is_ours && maildir_folder_stat_file(delta->mailbox->dir, entry->name,
							  entry->in_new, &info, &ignored) == 0;
	file->size_bytes = file->has_size ? info.size_bytes : 0;
	file->inode = file->has_size ? info.inode : 0;
}

/* D3 to D12. A cursor's row lacks the mark that D9 asks for. */
static int judge(const struct local_delta *delta, const struct local_file *file,
		 const struct row *row, enum local_change *change, struct err *err)
{
	bool needs_mark = file != NULL && row != NULL && local_needs_size(&delta->facts, row);
	struct row whole;
	bool found = false;
	int code = 0;
	row_init(&whole);
	if (needs_mark) {
		code = state_row_by_id(delta->run->session->state, row->id, &whole, &found, err);
	}
	*change = local_change_of(&delta->facts, file, found ? &whole : row);
	row_finish(&whole);
	return code;
}

/* What is to be deleted, or cleared, on the server because of it (brake.h, B9 and B10). */
static void note_shape(struct local_delta *delta, const struct row *row, struct local_item *item)
{
	if (row == NULL || !row->is_agreed || row->local != MESSAGE_PRESENT ||
	    row->remote != MESSAGE_PRESENT) {
		return;
	}
	item->is_shared = true;
	delta->shape.present++;
	local_note_file(delta, row, item);
}

static bool has_mark(const struct local_delta *delta, const struct maildir_entry *entry,
		     const struct file_mark *mark)
{
	struct maildir_file file;
	struct err ignored;
	if (maildir_folder_stat_file(delta->mailbox->dir, entry->name, entry->in_new, &file,
				     &ignored) < 0) {
		return false;
	}
	const struct file_mark now = maildir_file_mark(&file);
	return file_mark_equal(&now, mark);
}

/* C9. *ENTRY, the first of several of ROW's names, becomes the one that speaks. */
static int choose_name(struct local_delta *delta, const struct row *row,
		       const struct maildir_entry **entry, struct err *err)
{
	size_t count = 0;
	const struct maildir_entry *others =
		maildir_scan_doubles(&delta->scan, unique_of(*entry), &count);
	const struct maildir_entry *known;
	struct row whole;
	bool found = false;
	if (count == 0 || row->local != MESSAGE_PRESENT) {
		return 0;
	}
	if ((known = observe_known_name(&delta->scan, &delta->facts, row)) != NULL) {
		*entry = known;
		return 0;
	}
	row_init(&whole); /* a cursor's lacks the mark */
	int code = state_row_by_id(delta->run->session->state, row->id, &whole, &found, err);
	found = code == 0 && found && !has_mark(delta, *entry, &whole.mark);
	for (size_t i = 0; found && i < count; i++) {
		if (has_mark(delta, &others[i], &whole.mark)) {
			*entry = &others[i];
			break;
		}
	}
	row_finish(&whole);
	return code;
}

/* What ENTRY, the file (NULL: none), means to ROW (NULL: base does not know it). */
static int see(struct local_delta *delta, const struct maildir_entry *entry, const struct row *row,
	       struct err *err)
{
	const struct local_facts *facts = &delta->facts;
	struct local_item item = {.row = row == NULL ? 0 : row->id, .entry = entry};
	struct local_file file = {.is_message = false};
	int code = entry != NULL && row != NULL && delta->scan.double_count > 0
			 ? choose_name(delta, row, &item.entry, err)
			 : 0;
	if (code < 0) {
		return code;
	}
	entry = item.entry;
	bool is_there = entry != NULL || strlist_find(&delta->scan.others, row->unique) >= 0;
	if (entry != NULL) {
		struct maildir_told told = maildir_scan_told(&delta->scan, entry);
		file = local_file_of(&told);
		if (row != NULL && local_needs_size(facts, row)) {
			look_at_size(delta, entry, &file);
		}
		item.flags = local_flags_of(facts, &file, row);
	}
	code = judge(delta, is_there ? &file : NULL, row, &item.change, err);
	note_shape(delta, row, &item);
	if (code < 0 || item.change == LOCAL_SAME) {
		return code;
	}
	if (ARRAY_RESERVE(&delta->items, delta->count + 1, &delta->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	delta->items[delta->count++] = item;
	return 0;
}

/* CURSOR is NULL for a mailbox that base does not know. */
static int delta_merge(struct local_delta *delta, struct state_cursor *cursor, struct err *err)
{
	const struct maildir_entry *entry = delta->scan.entries;
	const struct maildir_entry *end = entry + delta->scan.count;
	const struct row *row = NULL;
	int code = cursor == NULL ? 0 : state_cursor_next(cursor, &row, err);
	while (code == 0 && (row != NULL || entry < end)) {
		int order = row == NULL  ? -1
			  : entry == end ? 1
					 : span_compare(unique_of(entry), row->unique);
		code = see(delta, order <= 0 ? entry : NULL, order >= 0 ? row : NULL, err);
		entry += order <= 0;
		if (code == 0 && order >= 0) {
			code = state_cursor_next(cursor, &row, err);
		}
	}
	return code;
}

/* The transaction only keeps the rows under the cursor as they are: it writes nothing. */
static int delta_compute(struct local_delta *delta, struct err *err)
{
	struct state *state = delta->run->session->state;
	const struct mailbox *mailbox = delta->mailbox;
	struct state_cursor *cursor = NULL;
	int code;
	if ((code = state_begin(state, err)) < 0) {
		return code;
	}
	if (!mailbox->in_base || (code = state_cursor_open(state, mailbox->base.id, STATE_BY_UNIQUE,
							   &cursor, err)) == 0) {
		code = delta_merge(delta, cursor, err);
	}
	state_cursor_close(&cursor);
	code = code < 0 ? code : local_new_names(delta, err);
	state_rollback(state);
	return code;
}

/* What the rules say is no message, but the remains of one that is on the server. In a run that has
 * not claimed the Maildir, as a dry run never does, it stays. */
static int discard(struct local_delta *delta, const struct maildir_entry *entry, struct err *err)
{
	return delta->run->session->has_generation
		     ? maildir_folder_remove(delta->mailbox->dir, entry->name, entry->in_new, err)
		     : 0;
}

static int put_new(struct local_delta *delta, const struct maildir_entry *entry,
		   const struct local_flags *flags, const struct maildir_file *info,
		   struct err *err)
{
	const struct file_mark mark = maildir_file_mark(info);
	struct row row;
	row_init(&row);
	row.mailbox = delta->mailbox->base.id;
	row.local = MESSAGE_PRESENT;
	row.local_flags = flags->flags;
	row.size = told(info->size_bytes);
	row.date = told_time(info->mtime);
	row_set_file(&row, &mark, NULL);
	int code;
	if ((code = row_set_unique(&row, entry->name, entry->unique_len, err)) == 0 &&
	    (code = state_row_put(delta->run->session->state, &row, err)) == 0) {
		code = state_kept_back(delta->run->session->state, delta->mailbox->name, row.unique,
				       err);
	}
	row_finish(&row);
	return code;
}

/* A file that base does not know. Its name may tell that we delivered it and were cut before the
 * row was written. */
static int apply_new(struct local_delta *delta, const struct local_item *item, struct err *err)
{
	const struct maildir_entry *entry = item->entry;
	struct mailbox *mailbox = delta->mailbox;
	struct maildir_file info;
	struct maildir_unique ours;
	int code = maildir_folder_stat_file(mailbox->dir, entry->name, entry->in_new, &info, err);
	if (code < 0) {
		/* Renamed or gone since the scan: the next one will tell. */
		mailbox->base.has_stamp = false;
		return err->code == ERR_CHANGED ? 0 : code;
	}
	struct local_file file = {
		.is_message = true,
		.is_ours = maildir_unique_parse(unique_of(entry), &ours) && !ours.is_pop3,
		.has_size = true,
		.size_bytes = info.size_bytes,
	};
	if (local_change_of(&delta->facts, &file, NULL) == LOCAL_STUB) {
		return discard(delta, entry, err);
	}
	if (file.is_ours && mailbox->decided.pairing == PAIRING_NONE) {
		mailbox->decided.pairing = PAIRING_NAMED; /* D14 */
	}
	return put_new(delta, entry, &item->flags, &info, err);
}

static int apply_to_row(struct local_delta *delta, const struct local_item *item, struct err *err)
{
	struct state *state = delta->run->session->state;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(state, item->row, &row, &found, err);
	if (code < 0 || !found) {
		goto finish;
	}
	local_change_row(item->change, &item->flags, &row);
	if (code == 0 && row.local == MESSAGE_ABSENT) {
		code = row_set_unique(&row, "", 0, err);
	}
	if (code == 0) {
		code = state_row_put(state, &row, err);
	}
finish:
	row_finish(&row);
	return code;
}

/* C5. What waits stays as it was; its flags are as if they alone had changed. */
static int apply_new_name(struct local_delta *delta, const struct local_item *item, struct err *err)
{
	struct state *state = delta->run->session->state;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(state, item->row, &row, &found, err);
	if (code == 0 && found &&
	    (code = row_set_unique(&row, item->entry->name, item->entry->unique_len, err)) == 0 &&
	    (code = state_row_put(state, &row, err)) == 0) {
		code = state_see_local_flags(state, item->row, item->flags.flags,
					     item->flags.unlettered, err);
	}
	row_finish(&row);
	return code;
}

/* Another message under the name of a row that was gone (D5): new, and the row has no name. */
static int put_stranger(struct local_delta *delta, const struct local_item *item, struct row *row,
			struct err *err)
{
	struct maildir_told told = maildir_scan_told(&delta->scan, item->entry);
	struct local_file file = local_file_of(&told);
	struct local_item fresh = {
		.change = LOCAL_NEW,
		.entry = item->entry,
		.flags = local_flags_of(&delta->facts, &file, NULL),
	};
	int code;
	if ((code = row_set_unique(row, "", 0, err)) < 0 ||
	    (code = state_row_put(delta->run->session->state, row, err)) < 0) {
		return code;
	}
	return apply_new(delta, &fresh, err);
}

static int put_back(struct local_delta *delta, const struct local_item *item, const struct row *row,
		    struct err *err)
{
	int code =
		state_kept_back(delta->run->session->state, delta->mailbox->name, row->unique, err);
	return code < 0 ? code : apply_to_row(delta, item, err);
}

/* D5. What cannot be read now is looked at again. */
static int apply_back(struct local_delta *delta, const struct local_item *item, struct err *err)
{
	struct file_look look = {.verdict = CONTENT_UNKNOWN};
	struct err ignored;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(delta->run->session->state, item->row, &row, &found, err);
	if (code == 0 && found) {
		(void)observe_file(delta->mailbox->dir, &row, item->entry, &look, &ignored);
		delta->mailbox->base.has_stamp &= look.verdict != CONTENT_UNKNOWN;
		code = look.verdict == CONTENT_SAME  ? put_back(delta, item, &row, err)
		     : look.verdict == CONTENT_OTHER ? put_stranger(delta, item, &row, err)
						     : 0;
	}
	row_finish(&row);
	return code;
}

static int apply_item(struct local_delta *delta, const struct local_item *item, struct err *err)
{
	struct state *state = delta->run->session->state;
	int code = 0;
	switch (item->change) {
	case LOCAL_SAME:
	case LOCAL_STUB:
		break;
	case LOCAL_NEW:
		return apply_new(delta, item, err);
	case LOCAL_FLAGS:
		return state_see_local_flags(state, item->row, item->flags.flags,
					     item->flags.unlettered, err);
	case LOCAL_GONE:
		/* In an archive that is no deletion, and the server may not have it any more. */
		code = delta->run->policy.is_archive ? state_kept_note_row(state, item->row, err)
						     : 0;
		return code < 0 ? code : state_see_local_gone(state, item->row, err);
	case LOCAL_DAMAGED:
		code = discard(delta, item->entry, err);
		return code < 0 ? code : apply_to_row(delta, item, err);
	case LOCAL_BACK:
		return apply_back(delta, item, err);
	case LOCAL_RENAMED:
		return apply_new_name(delta, item, err);
	case LOCAL_LOST:
	case LOCAL_FLAGS_LOST:
		return apply_to_row(delta, item, err);
	}
	return 0;
}

/* At once, for what they are held for cannot be seen any more by a later run. */
static int hold_shapes(struct local_delta *delta, struct err *err)
{
	struct run *run = delta->run;
	unsigned percent =
		run->policy.releases_held ? 100 : (unsigned)run->account->max_delete_percent;
	for (size_t i = 0; i < delta->count; i++) {
		const struct local_item *item = &delta->items[i];
		delta->shape.gone += item->is_shared && item->change == LOCAL_GONE;
	}
	bool holds_gone = brake_holds_gone(&delta->shape, percent);
	bool holds_cleared = brake_holds_cleared(&delta->shape, percent);
	int code = 0;
	delta->mailbox->seen.lost_folder |= holds_gone;
	for (size_t i = 0; code == 0 && (holds_gone || holds_cleared) && i < delta->count; i++) {
		const struct local_item *item = &delta->items[i];
		enum row_held held = holds_gone && item->change == LOCAL_GONE ? HELD_REMOVAL
				   : holds_cleared && item->is_cleared        ? HELD_FLAGS
									      : HELD_NOT;
		code = held == HELD_NOT ? 0
					: state_row_hold(run->session->state, item->row, held,
							 clock_real_s(), err);
	}
	return code;
}

static int delta_apply(struct local_delta *delta, struct err *err)
{
	struct run *run = delta->run;
	struct mailbox *mailbox = delta->mailbox;
	int code = mailbox_store(run, mailbox, err);
	for (size_t i = 0; code == 0 && i < delta->count; i++) {
		code = apply_item(delta, &delta->items[i], err);
	}
	if (code < 0 || delta->count == 0 || (code = hold_shapes(delta, err)) < 0 ||
	    (code = state_mailbox_count(run->session->state, &mailbox->base, err)) < 0) {
		return code;
	}
	return mailbox->base.has_stamp
		     ? 0
		     : mailbox_store(run, mailbox, err); /* a file went meanwhile */
}

/* Which directory it was when it was last read whole, and is now. */
static void compare_folder(struct local_delta *delta)
{
	struct state_mailbox *base = &delta->mailbox->base;
	struct stamp_folder now = stamp_folder_of(&delta->scan.stamp);
	struct stamp_folder before = base->has_folder ? base->folder
				   : base->has_stamp  ? stamp_folder_of(&base->stamp)
						      : now;
	delta->shape.is_other_folder = !stamp_folder_equal(&before, &now);
	delta->shape.is_other_cur = before.inode == now.inode && before.cur_inode != now.cur_inode;
	delta->shape.has_parts =
		now.cur_inode != 0 && (stamp_has_new(&delta->scan.stamp) ||
				       (base->has_stamp && !stamp_has_new(&base->stamp)));
	if (delta->scan.is_still) {
		base->has_folder = true;
		base->folder = now;
	}
}

static int delta_commit(struct local_delta *delta, struct err *err)
{
	struct run *run = delta->run;
	struct state_mailbox *base = &delta->mailbox->base;
	int code;
	if ((delta->count > 0 && (code = run_claim(run, err)) < 0) ||
	    (code = state_begin(run->session->state, err)) < 0) {
		return code;
	}
	compare_folder(delta);
	base->has_stamp = delta->scan.is_still;
	base->stamp = delta->scan.stamp;
	base->names = (struct state_names){
		.are_known = true,
		.has_doubles = delta->scan.double_count > 0,
		.has_strays = delta->scan.stray_count > 0,
		.borne = delta->scan.borne,
	};
	base->trusts_letters = run->account->keywords == KEYWORDS_YES;
	base->held_policy = delta->count > 0 ? 0 : base->held_policy;
	return state_end(run->session->state, delta_apply(delta, err), err);
}

/* Names of letters that another program lost are put back before the look, since that changes the
 * folder's stamp. */
static int mend_letters(struct run *run, struct mailbox *mailbox, struct err *err)
{
	int code = 0;
	if (run->policy.may_write_local && maildir_folder_is_mendable(mailbox->dir) &&
	    (code = run_claim(run, err)) == 0) {
		maildir_folder_mend(mailbox->dir);
	}
	return code;
}

/* Once in a pass, though a folder may be read again. */
static void tell_strays(struct run *run, struct mailbox *mailbox, const struct maildir_scan *scan)
{
	struct err why;
	char others[48] = "";
	if (scan->stray_count == 0 || mailbox->seen.has_strays) {
		return;
	}
	if (scan->stray_count > 1) {
		snprintf(others, sizeof(others), ", as %zu more,", scan->stray_count - 1);
	}
	err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
		"file %s in its folder%s can be no message and is left out: its name begins with a "
		"comma or colon",
		scan->stray.items[0], others);
	run_report_error(run, mailbox, 0, &why);
	mailbox->seen.has_strays = true;
}

int observe_local_mailbox(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct local_delta delta = {.run = run, .mailbox = mailbox};
	int code;
	if ((code = mailbox_open_dir(run, mailbox, err)) < 0 ||
	    (code = mend_letters(run, mailbox, err)) < 0 ||
	    (code = observe_scan(run, mailbox, &delta.scan, err)) < 0 ||
	    (code = maildir_folder_adopt_letters(mailbox->dir, err)) < 0) {
		goto finish;
	}
	tell_strays(run, mailbox, &delta.scan);
	if (code > 0) {
		mailbox->base.held_policy = 0; /* keywords that had no letter here have one now */
	}
	delta.facts = letter_facts_of(run, mailbox);
	delta.facts.is_still = delta.scan.is_still;
	delta.facts.lost_power = run->session->lost_power;
	if ((code = delta_compute(&delta, err)) == 0) {
		code = delta_commit(&delta, err);
		mailbox->seen.has_local_changes |= delta.count > 0;
	}
finish:
	free(delta.items);
	maildir_scan_finish(&delta.scan);
	mailbox_release(mailbox);
	return code;
}
