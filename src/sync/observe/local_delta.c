/*
 * The local delta. A folder whose stamp equals the stored, proven one is not read. Absence counts
 * only when the scan was complete and the folder stood still meanwhile; rows are compared with the
 * scan in one merge by unique part. A file that went from one folder to another while they were
 * read one after the other may be in neither scan: what is gone is deleted elsewhere only once all
 * folders stand as they were read.
 *
 * After a power cut (run->lost_power, only with durability = none) rows may tell of what never
 * reached the disk. Then a file that is missing, or one of ours of another size, was not
 * downloaded; and flags that a file lacks it did not lose.
 */
#include <stdlib.h>
#include <string.h>

#include "mailboxes.h"
#include "observe.h"
#include "guard/claim.h"

#define READ_AGAIN_MAX 3

enum local_change_kind {
	LOCAL_NEW,
	LOCAL_FLAGS,
	LOCAL_GONE,
	LOCAL_BACK,
	LOCAL_LOST,       /* not downloaded after all */
	LOCAL_DAMAGED,    /* the same, and what is there goes */
	LOCAL_FLAGS_LOST, /* flags are what the file says, and none was taken away */
};

struct local_change {
	enum local_change_kind kind;
	int64_t row;
	size_t entry;
};

struct local_delta {
	struct local_change *items;
	size_t count;
	size_t cap;
	bool keeps_keywords; /* letters are not read: keywords stay what they were */
	struct maildir_folder *dir;
	bool lost_power;
};

static int delta_add(struct local_delta *delta, enum local_change_kind kind, int64_t row,
		     size_t entry, struct err *err)
{
	if (delta->count == delta->cap) {
		size_t cap = delta->cap == 0 ? 64 : delta->cap * 2;
		struct local_change *items = realloc(delta->items, cap * sizeof(*items));
		if (items == NULL) {
			return err_nomem(err);
		}
		delta->items = items;
		delta->cap = cap;
	}
	delta->items[delta->count++] = (struct local_change){kind, row, entry};
	return 0;
}

/* memcmp, then length: the order of both scan and cursor. */
static int compare_unique(const struct maildir_entry *entry, const char *unique)
{
	size_t len = strlen(unique);
	size_t common = len < entry->unique_len ? len : entry->unique_len;
	int order = memcmp(entry->name, unique, common);
	if (order != 0) {
		return order;
	}
	return entry->unique_len < len ? -1 : entry->unique_len > len;
}

static int delta_row_absent(struct local_delta *delta, const struct maildir_scan *scan,
			    const struct row *row, struct err *err)
{
	if (!scan->is_still || row->local != MESSAGE_PRESENT ||
	    strlist_find(&scan->others, row->unique) >= 0) {
		return 0;
	}
	return delta_add(delta, delta->lost_power && row->is_agreed ? LOCAL_LOST : LOCAL_GONE,
			 row->id, 0, err);
}

/* A file of our own that does not have the size with which it was downloaded. */
static bool is_damaged(const struct local_delta *delta, const struct maildir_entry *entry,
		       const struct row *row)
{
	struct maildir_unique ours;
	struct maildir_file file;
	struct err ignored;
	return row->is_agreed && maildir_unique_parse(span_of(row->unique), &ours) &&
	       maildir_folder_stat_file(delta->dir, entry->name, entry->in_new, &file, &ignored) ==
		       0 &&
	       file.size_bytes != row->size_bytes;
}

static int delta_row_present(struct local_delta *delta, struct maildir_scan *scan,
			     const struct row *row, size_t entry, struct err *err)
{
	if (delta->keeps_keywords) {
		scan->entries[entry].flags |= row->local_flags & ~FLAGS_SYSTEM;
	}
	if (row->local != MESSAGE_PRESENT) {
		return delta_add(delta, LOCAL_BACK, row->id, entry, err);
	}
	if (delta->lost_power && is_damaged(delta, &scan->entries[entry], row)) {
		return delta_add(delta, LOCAL_DAMAGED, row->id, entry, err);
	}
	if (row->local_flags != scan->entries[entry].flags) {
		return delta_add(delta, delta->lost_power ? LOCAL_FLAGS_LOST : LOCAL_FLAGS, row->id,
				 entry, err);
	}
	return 0;
}

/* The merge. Inside a transaction, as the cursor demands. */
static int delta_merge(struct local_delta *delta, struct maildir_scan *scan,
		       struct state_cursor *cursor, struct err *err)
{
	const struct row *row = NULL;
	size_t entry = 0;
	int code = cursor == NULL ? 0 : state_cursor_next(cursor, &row, err);
	while (code == 0 && (row != NULL || entry < scan->count)) {
		int order = row == NULL ? -1
			  : entry == scan->count
				  ? 1
				  : compare_unique(&scan->entries[entry], row->unique);
		if (order < 0) {
			code = delta_add(delta, LOCAL_NEW, 0, entry++, err);
			continue;
		}
		code = order > 0 ? delta_row_absent(delta, scan, row, err)
				 : delta_row_present(delta, scan, row, entry++, err);
		if (code == 0) {
			code = state_cursor_next(cursor, &row, err);
		}
	}
	return code;
}

static int delta_compute(struct run *run, struct mailbox *mailbox, struct maildir_scan *scan,
			 struct local_delta *delta, struct err *err)
{
	struct state_cursor *cursor = NULL;
	int code = state_begin(run->session->state, err);
	if (code < 0) {
		return code;
	}
	if (mailbox->in_base) {
		code = state_cursor_open(run->session->state, mailbox->base.id, STATE_BY_UNIQUE,
					 &cursor, err);
	}
	if (code == 0) {
		code = delta_merge(delta, scan, cursor, err);
	}
	state_cursor_close(&cursor);
	state_rollback(run->session->state);
	return code;
}

/* A file that base does not know. Its name may tell that we delivered it and were cut before the
 * row was written. */
static int apply_new(struct run *run, struct mailbox *mailbox, const struct maildir_entry *entry,
		     struct err *err)
{
	struct maildir_file file;
	struct maildir_unique ours;
	struct row row;
	int code = maildir_folder_stat_file(mailbox->dir, entry->name, entry->in_new, &file, err);
	if (code < 0) {
		/* Renamed or gone since the scan: the next one will tell. */
		mailbox->base.has_stamp = false;
		return err->code == ERR_CHANGED ? 0 : code;
	}
	bool is_ours = maildir_unique_parse((struct span){entry->name, entry->unique_len}, &ours) &&
		       !ours.is_pop3;
	if (run->session->lost_power && is_ours && file.size_bytes == 0) {
		/* A download that only got its name. */
		return maildir_folder_remove(mailbox->dir, entry->name, entry->in_new, err);
	}
	row_init(&row);
	row.mailbox = mailbox->base.id;
	row.local = MESSAGE_PRESENT;
	row.local_flags = entry->flags;
	row.size_bytes = file.size_bytes;
	row.date = file.mtime;
	code = row_set_unique(&row, entry->name, entry->unique_len, err);
	if (code == 0) {
		code = state_row_put(run->session->state, &row, err);
	}
	row_finish(&row);
	if (is_ours && mailbox->decided.pairing == PAIRING_NONE) {
		mailbox->decided.pairing = PAIRING_NAMED;
	}
	return code;
}

static int apply_back(struct run *run, const struct local_change *change,
		      const struct maildir_entry *entry, struct err *err)
{
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(run->session->state, change->row, &row, &found, err);
	if (code == 0 && found) {
		row.local = MESSAGE_PRESENT;
		row.local_flags = entry->flags;
		row.reason = REASON_NONE;
		code = state_row_put(run->session->state, &row, err);
	}
	row_finish(&row);
	return code;
}

static int apply_lost(struct run *run, int64_t id, struct err *err)
{
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(run->session->state, id, &row, &found, err);
	if (code == 0 && found && row.remote != MESSAGE_PRESENT) {
		code = state_row_drop(run->session->state, id, err);
	} else if (code == 0 && found) {
		row.is_agreed = false;
		row.local = MESSAGE_ABSENT;
		row.local_flags = 0;
		row.flags = 0;
		row.reason = REASON_NONE;
		code = row_set_unique(&row, "", 0, err);
		if (code == 0) {
			code = state_row_put(run->session->state, &row, err);
		}
	}
	row_finish(&row);
	return code;
}

static int apply_damaged(struct run *run, struct mailbox *mailbox, int64_t id,
			 const struct maildir_entry *entry, struct err *err)
{
	int code = maildir_folder_remove(mailbox->dir, entry->name, entry->in_new, err);
	return code == 0 ? apply_lost(run, id, err) : code;
}

static int apply_flags_lost(struct run *run, int64_t id, uint64_t flags, struct err *err)
{
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(run->session->state, id, &row, &found, err);
	if (code == 0 && found) {
		row.local_flags = flags;
		row.flags &= flags;
		row.reason = REASON_NONE;
		code = state_row_put(run->session->state, &row, err);
	}
	row_finish(&row);
	return code;
}

static int delta_apply(struct run *run, struct mailbox *mailbox, const struct maildir_scan *scan,
		       const struct local_delta *delta, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < delta->count; i++) {
		const struct local_change *change = &delta->items[i];
		switch (change->kind) {
		case LOCAL_NEW:
			code = apply_new(run, mailbox, &scan->entries[change->entry], err);
			break;
		case LOCAL_FLAGS:
			code = state_see_local_flags(run->session->state, change->row,
						     scan->entries[change->entry].flags, err);
			break;
		case LOCAL_GONE:
			code = state_see_local_gone(run->session->state, change->row, err);
			break;
		case LOCAL_BACK:
			code = apply_back(run, change, &scan->entries[change->entry], err);
			break;
		case LOCAL_LOST:
			code = apply_lost(run, change->row, err);
			break;
		case LOCAL_DAMAGED:
			code = apply_damaged(run, mailbox, change->row,
					     &scan->entries[change->entry], err);
			break;
		case LOCAL_FLAGS_LOST:
			code = apply_flags_lost(run, change->row,
						scan->entries[change->entry].flags, err);
			break;
		}
	}
	return code;
}

static int delta_commit(struct run *run, struct mailbox *mailbox, const struct maildir_scan *scan,
			const struct local_delta *delta, struct err *err)
{
	int code = delta->count > 0 ? run_claim(run, err) : 0;
	if (code == 0) {
		code = state_begin(run->session->state, err);
	}
	if (code < 0) {
		return code;
	}
	mailbox->base.has_stamp = scan->is_still;
	mailbox->base.stamp = scan->stamp;
	if (delta->count > 0) {
		mailbox->base.held_policy = 0;
	}
	code = mailbox_store(run, mailbox, err);
	if (code == 0) {
		code = delta_apply(run, mailbox, scan, delta, err);
	}
	if (code == 0 && delta->count > 0) {
		code = state_mailbox_count(run->session->state, &mailbox->base, err);
	}
	if (code == 0 && !mailbox->base.has_stamp) {
		code = mailbox_store(run, mailbox, err);
	}
	if (code < 0) {
		state_rollback(run->session->state);
		return code;
	}
	return state_commit(run->session->state, err);
}

int observe_local_mailbox(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct maildir_scan scan;
	struct local_delta delta = {.keeps_keywords = !run->account->keywords,
				    .lost_power = run->session->lost_power};
	bool is_leftover =
		run->session->was_unclean && run->policy.may_write_local && !run->options->dry_run;
	/* The run that died may have been about to make this folder. */
	int code =
		is_leftover ? maildir_create_folder(run->session->maildir, mailbox->name, err) : 0;
	if (code == 0) {
		code = mailbox_open_dir(run, mailbox, err);
	}
	if (code < 0) {
		return code;
	}
	if (is_leftover) {
		/* Its drafts, and its lock on the keyword table. */
		code = maildir_folder_sweep(mailbox->dir, err);
	}
	if (code == 0) {
		code = maildir_folder_scan(mailbox->dir, &mailbox->base.keywords, &scan, err);
	}
	if (code == 0) {
		delta.dir = mailbox->dir;
		code = delta_compute(run, mailbox, &scan, &delta, err);
		if (code == 0) {
			code = delta_commit(run, mailbox, &scan, &delta, err);
		}
		maildir_scan_finish(&scan);
	}
	mailbox->seen.has_local_changes |= delta.count > 0;
	free(delta.items);
	mailbox_release(mailbox);
	return code;
}

static bool is_unchanged(const struct run *run, const struct mailbox *mailbox,
			 const struct stamp *stamp)
{
	return mailbox->in_base && mailbox->base.has_stamp && !run->session->was_unclean &&
	       stamp_equal(&mailbox->base.stamp, stamp) && stamp_is_proven(&mailbox->base.stamp);
}

/* As it was read, in this run or by one before it. */
static bool stands_as_read(const struct mailbox *mailbox, const struct stamp *stamp)
{
	return mailbox->base.has_stamp && stamp_equal(&mailbox->base.stamp, stamp);
}

/* Reads the folders that changed: since the last run, or, AGAIN, since this one read them.
 * *IS_STILL: there was none. */
static int read_folders(struct run *run, bool again, bool *is_still, struct err *err)
{
	*is_still = true;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		struct stamp stamp;
		if (!mailbox->seen.in_local || mailbox->decided.remove != 0 ||
		    (again && mailbox->decided.exclusion != EXCLUDED_NOT)) {
			continue;
		}
		int code = run_check_stop(run, err);
		if (code == 0) {
			code = maildir_stat(run->session->maildir, mailbox->name, &stamp, err);
		}
		if (code == 0 && !(again ? stands_as_read(mailbox, &stamp)
					 : is_unchanged(run, mailbox, &stamp))) {
			*is_still = false;
			code = observe_local_mailbox(run, mailbox, err);
		}
		if (code < 0 && run_is_fatal(err) && err->scope >= SCOPE_ACCOUNT) {
			return code;
		}
		if (code < 0) {
			/* One unreadable folder: nothing of it is believed in this run. */
			run_report_error(run, mailbox, 0, err);
			mailbox_exclude(mailbox, EXCLUDED_FAILED);
			mailbox->seen.is_unreadable = true;
			run->seen.has_unreadable = true;
		}
	}
	return 0;
}

/* Something may have been deleted locally. */
static bool has_changes(const struct run *run)
{
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->seen.in_local &&
		    (mailbox->seen.has_local_changes || mailbox->base.pending > 0)) {
			return true;
		}
	}
	return false;
}

int observe_local(struct run *run, struct err *err)
{
	bool is_still = false;
	bool has_more = false;
	int code = read_folders(run, false, &is_still, err);
	if (code < 0 || !has_changes(run)) {
		return code;
	}
	is_still = false;
	for (int i = 0; code == 0 && !is_still && i < READ_AGAIN_MAX; i++) {
		code = read_folders(run, true, &is_still, err);
	}
	if (code == 0) {
		code = mailboxes_have_more_folders(run, &has_more, err);
	}
	run->seen.is_moving = !is_still || has_more;
	for (size_t i = 0; run->seen.is_moving && i < run->mailboxes.count; i++) {
		run->mailboxes.items[i].done.failures++; /* the next run looks again */
	}
	return code;
}
