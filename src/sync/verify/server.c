/*
 * Both sides against base, message by message: the whole of the server's listing, and the rows of
 * the scratch copy, in which everything stands that the next sync will see. What differs from those
 * no sync will see.
 */
#include "verify_private.h"

#include <string.h>

#include "observe/observe.h"

#include "mailsync/model/flags.h"

#define DATE_GRAIN_S 1 /* a file system may keep no more than every other second */

/* The server's listing, as it meets the rows in the order of UIDs. */
struct comparison {
	struct verify_mailbox *at;
	struct row_list rows;
	size_t next;     /* of these */
	uint32_t after;  /* the last UID that was loaded */
	bool is_last;    /* there are no more to load */
	uint32_t first;  /* the lowest that is listed; 0: none is */
	uint32_t met;    /* the highest UID that was compared */
	uint64_t count;  /* messages listed */
	uint64_t unseen; /* in the share, and not shown by the server */
	struct uidset absent;
	struct local_facts letters;
};

/* The row that is next, or NULL. */
static int row_now(struct comparison *comparison, struct row **row, struct err *err)
{
	const struct verify_mailbox *at = comparison->at;
	int code = 0;
	if (comparison->next == comparison->rows.count && !comparison->is_last) {
		code = state_rows_numbered(at->verify->run->session->state, at->mailbox->base.id,
					   comparison->after, VERIFY_SLICE_ROWS, &comparison->rows,
					   err);
		comparison->next = 0;
		comparison->is_last = code < 0 || comparison->rows.count < VERIFY_SLICE_ROWS;
		if (code == 0 && comparison->rows.count > 0) {
			comparison->after = comparison->rows.items[comparison->rows.count - 1].uid;
		}
	}
	*row = code == 0 && comparison->next < comparison->rows.count
		     ? &comparison->rows.items[comparison->next]
		     : NULL;
	return code;
}

static enum verify_problem flags_problem(uint64_t differing)
{
	return (differing & FLAGS_SYSTEM) != 0 ? VERIFY_FLAGS : VERIFY_KEYWORDS;
}

static int tell_flags(struct comparison *comparison, const struct row *row, uint64_t differing,
		      const char *words, struct err *err)
{
	return verify_find(comparison->at, flags_problem(differing), row, NULL, err, "%s", words);
}

/* Changes that no sync of this policy carries over. */
static int check_uncovered(struct comparison *comparison, const struct row *row, struct err *err)
{
	const struct verify_mailbox *at = comparison->at;
	enum side covers = at->verify->run->policy.messages.flags;
	uint64_t here = (row->local_flags ^ row->flags) & message_remote_flags(&at->facts);
	uint64_t there = (row->remote_flags ^ row->flags) & message_local_flags(&at->facts);
	bool has_keywords = at->verify->run->account->keywords == KEYWORDS_YES;
	here &= has_keywords ? UINT64_MAX : FLAGS_SYSTEM;
	if (here != 0 && (covers & SIDE_REMOTE) == 0) {
		return tell_flags(comparison, row, here,
				  "changed here, and `flags` does not carry that to the server",
				  err);
	}
	if (there != 0 && (covers & SIDE_LOCAL) == 0) {
		return tell_flags(comparison, row, there,
				  "changed on the server, and `flags` does not carry that here",
				  err);
	}
	return 0;
}

/* What the file's name says, of which a folder that looks unchanged has told nothing. */
static int check_letters(struct comparison *comparison, const struct row *row,
			 const struct maildir_entry *entry, struct err *err)
{
	const struct maildir_told told = maildir_scan_told(&comparison->at->scan, entry);
	const struct local_file file = local_file_of(&told);
	uint64_t flags = local_flags_of(&comparison->letters, &file, row).flags;
	uint64_t differing = flags ^ row->local_flags;
	char path[VERIFY_PATH_SIZE];
	if (differing == 0) {
		return check_uncovered(comparison, row, err);
	}
	verify_path(entry, path);
	return verify_find(comparison->at, flags_problem(differing), row, path, err,
			   "the file's name does not say what base knows of it");
}

static bool is_other_date(int64_t one, int64_t other)
{
	return one - other > DATE_GRAIN_S || other - one > DATE_GRAIN_S;
}

static bool was_delivered(const struct row *row)
{
	struct maildir_unique ours;
	return maildir_unique_parse(span_of(row->unique), &ours) && ours.uid == row->uid;
}

/* Files that other programs brought here may have had another time from the beginning. */
static bool had_its_date(const struct row *row)
{
	return row->mark.inode != 0 &&
	       !is_other_date(row->mark.mtime_ns / 1000000000, row->date.seconds);
}

/* THERE: the server's. */
static int check_date(struct comparison *comparison, const struct row *row,
		      const struct maildir_entry *entry, struct told_time there, struct err *err)
{
	struct verify_mailbox *at = comparison->at;
	struct maildir_file file;
	struct err ignored;
	char path[VERIFY_PATH_SIZE];
	bool is_kept = there.is_told && row->date.is_told &&
		       !is_other_date(there.seconds, row->date.seconds);
	if (!row->date.is_told) {
		return 0;
	}
	if (there.is_told && !is_kept && was_delivered(row)) {
		return verify_find(at, VERIFY_DATE, row, NULL, err,
				   "the server gives it another date than it did before");
	}
	if (at->verify->lacks_times || entry == NULL || verify_is_damaged(at, row->id) ||
	    maildir_folder_stat_file(at->mailbox->dir, entry->name, entry->in_new, &file,
				     &ignored) < 0 ||
	    !is_other_date(file.mtime, row->date.seconds) ||
	    (there.is_told && !is_other_date(file.mtime, there.seconds)) ||
	    (!had_its_date(row) && !was_delivered(row))) {
		return 0;
	}
	verify_path(entry, path);
	return verify_find(at, VERIFY_DATE, row, path, err,
			   "the file's time is not the message's date any more");
}

/* MESSAGE is the server's, or NULL. */
static int check_row(struct comparison *comparison, const struct row *row,
		     const struct remote_view_message *message, struct err *err)
{
	struct verify_mailbox *at = comparison->at;
	const struct delta_facts facts = {
		.keeps_keywords = at->verify->run->account->keywords == KEYWORDS_NO,
	};
	const struct told_time there = message != NULL ? message->date : (struct told_time){0};
	const struct maildir_entry *entry = NULL;
	uint64_t differing = 0;
	int code = 0;
	if (row->local == MESSAGE_PRESENT && row->unique[0] != '\0') {
		entry = maildir_scan_find(&at->scan, span_of(row->unique));
	}
	if (message != NULL && message->has_flags) {
		differing = remote_flags_of(&facts, message, row) ^ row->remote_flags;
	}
	if (differing != 0) {
		code = tell_flags(comparison, row, differing,
				  "the server's flags are not what base knows of them, and it "
				  "tells no sync so",
				  err);
	} else if (entry != NULL) {
		const struct maildir_entry *known =
			observe_known_name(&at->scan, &comparison->letters, row);
		code = check_letters(comparison, row, known != NULL ? known : entry, err);
	}
	return code < 0 ? code : check_date(comparison, row, entry, there, err);
}

/* What base knows to be gone there: where the server is to have all that is here. */
static bool is_lost_there(const struct verify_mailbox *at, const struct row *row)
{
	const struct plan_policy *policy = &at->verify->run->policy.messages;
	bool is_deleted_here = (policy->delete_ & SIDE_LOCAL) != 0;
	return row->local == MESSAGE_PRESENT &&
	       (is_deleted_here ? (row->held & HELD_REMOVAL) != 0
				: (policy->copy & SIDE_REMOTE) != 0);
}

static int see_row(struct comparison *comparison, const struct row *row,
		   const struct remote_view_message *message, struct err *err)
{
	struct verify_mailbox *at = comparison->at;
	bool is_there = row->remote == MESSAGE_PRESENT;
	if (!row->is_agreed || row->reason == REASON_UNPROVEN || !share_has(&at->share, row->id)) {
		return 0;
	}
	if (row->reason == REASON_UNSEEN) {
		comparison->unseen++;
		return 0;
	}
	if (is_there && message == NULL) {
		return uidset_add(&comparison->absent, row->uid, row->uid, err);
	}
	if (is_there) {
		return check_row(comparison, row, message, err);
	}
	return message == NULL && is_lost_there(at, row)
		     ? verify_find(at, VERIFY_MISSING_THERE, row, NULL, err,
				   "the server lost it, and no sync would bring it back there; "
				   "`mailsync restore` does")
		     : 0;
}

/* It is behind base's UIDNEXT where it came since the look ahead. */
static int see_stranger(struct comparison *comparison, const struct remote_view_message *message,
			struct err *err)
{
	struct verify_mailbox *at = comparison->at;
	struct row row;
	if (message->uid >= told_or(at->mailbox->base.numbers.uidnext, 0)) {
		at->verify->report->pending++;
		return 0;
	}
	row_init(&row);
	row.uid = message->uid;
	return verify_find(at, VERIFY_UNKNOWN_THERE, &row, NULL, err,
			   "base does not know it, and the server tells no sync of it");
}

/* Told late, or once more. */
static int see_late(struct comparison *comparison, const struct remote_view_message *message,
		    struct err *err)
{
	const struct verify_mailbox *at = comparison->at;
	bool was_absent = uidset_contains(&comparison->absent, message->uid);
	struct row row;
	bool found = false;
	if (!was_absent) {
		comparison->count--;
		return 0;
	}
	row_init(&row);
	int code = uidset_remove(&comparison->absent, message->uid, message->uid, err);
	if (code == 0) {
		code = state_row_by_uid(at->verify->run->session->state, at->mailbox->base.id,
					message->uid, &row, &found, err);
	}
	code = code == 0 && found ? see_row(comparison, &row, message, err) : code;
	row_finish(&row);
	return code;
}

/* The rows below UID, of which no message is listed. */
static int see_rows_below(struct comparison *comparison, uint64_t uid, struct err *err)
{
	struct row *row = NULL;
	int code;
	while ((code = row_now(comparison, &row, err)) == 0 && row != NULL && row->uid < uid) {
		if ((code = see_row(comparison, row, NULL, err)) < 0) {
			break;
		}
		comparison->next++;
	}
	return code;
}

static int see_message(struct comparison *comparison, const struct remote_view_message *message,
		       struct err *err)
{
	struct row *row = NULL;
	int code;
	comparison->count++;
	comparison->first = comparison->first == 0 || message->uid < comparison->first
				  ? message->uid
				  : comparison->first;
	if (message->uid <= comparison->met) {
		return see_late(comparison, message, err);
	}
	comparison->met = message->uid;
	if ((code = see_rows_below(comparison, message->uid, err)) < 0 ||
	    (code = row_now(comparison, &row, err)) < 0) {
		return code;
	}
	if (row == NULL || row->uid != message->uid) {
		return see_stranger(comparison, message, err);
	}
	comparison->next++;
	return see_row(comparison, row, message, err);
}

static int see_view(struct comparison *comparison, const struct remote_view *view, struct err *err)
{
	struct verify_mailbox *at = comparison->at;
	int code = 0;
	for (size_t i = 0; code == 0 && i < view->count; i++) {
		const struct remote_view_message *message = &view->messages[i];
		code = uidset_add(&at->listed, message->uid, message->uid, err);
		code = code < 0 ? code : see_message(comparison, message, err);
	}
	return code;
}

/* What a listing lacks is missing only where UID SEARCH says so, too, and its count fits (I9). */
static int confirm_absent(struct comparison *comparison, struct err *err)
{
	struct verify_mailbox *at = comparison->at;
	struct remote *remote = at->verify->run->session->remote;
	const struct mailbox *mailbox = at->mailbox;
	struct uidset_cursor cursor = {0};
	struct uidset uids;
	struct told exists = UNTOLD;
	uint32_t uid = 0;
	int code;
	uidset_init(&uids);
	if ((code = remote_open(remote, mailbox->wire, REMOTE_READ | REMOTE_ANEW,
				mailbox->base.numbers.uidvalidity, NULL, err)) < 0 ||
	    (code = remote_uids(remote, REMOTE_UIDS_ALL, &uids, &exists, err)) < 0) {
		goto finish;
	}
	bool is_window =
		view_is_window(remote_facts(remote)->message_limit, comparison->count, exists);
	if (!told_is(exists, uidset_size(&uids)) && !is_window) {
		code = err_set(
			err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the server lists other than it counts, so that what it lacks is not "
			"proven to be gone");
		goto finish;
	}
	while (code == 0 && uidset_next(&comparison->absent, &cursor, &uid)) {
		struct row row;
		bool found = false;
		bool is_out_of_view = is_window && uid < comparison->first;
		if (is_out_of_view || uidset_contains(&uids, uid)) {
			comparison->unseen++;
			continue; /* the latter: not shown, as the sync will note */
		}
		row_init(&row);
		code = state_row_by_uid(at->verify->run->session->state, mailbox->base.id, uid,
					&row, &found, err);
		if (code == 0 && found) {
			code = verify_find(
				at, VERIFY_MISSING_THERE, &row, NULL, err,
				"the server does not have it any more, and tells no sync "
				"so");
		}
		row_finish(&row);
	}
finish:
	uidset_finish(&uids);
	return code;
}

static int take_views(struct comparison *comparison, struct err *err)
{
	struct verify_mailbox *at = comparison->at;
	struct mailbox *mailbox = at->mailbox;
	struct remote *remote = at->verify->run->session->remote;
	const struct remote_view_request request = {
		.wire = mailbox->wire,
		.keywords = &mailbox->base.keywords,
		.intern = at->verify->run->account->keywords != KEYWORDS_NO,
	};
	bool is_part = true;
	int code = remote_view_queue(remote, &request, err);
	while (code == 0 && is_part) {
		struct remote_view view = {0};
		if ((code = remote_view_next(remote, &view, err)) == 0) {
			is_part = view.is_part;
			if (view.status < 0) {
				*err = view.err;
				code = view.status;
			} else if (!told_equal(view.numbers.uidvalidity,
					       mailbox->base.numbers.uidvalidity)) {
				code = err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
					       "the server renumbered this mailbox just now");
			} else {
				code = see_view(comparison, &view, err);
			}
			if (code == 0 && !is_part && view.unread > 0) {
				code = err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
					       "some of what the server lists could not be read");
			}
		}
		remote_view_finish(&view);
		code = code < 0 ? code : run_check_stop(at->verify->run, err);
	}
	return code;
}

/* *UNSEEN: messages that could not be compared. */
static int compare(struct verify_mailbox *at, uint64_t *unseen, struct err *err)
{
	struct comparison comparison = {.at = at};
	int code;
	row_list_init(&comparison.rows);
	uidset_init(&comparison.absent);
	if (at->mailbox->dir != NULL) {
		comparison.letters = letter_facts_of(at->verify->run, at->mailbox);
	}
	if ((code = take_views(&comparison, err)) == 0 &&
	    (code = see_rows_below(&comparison, UINT64_MAX, err)) == 0 &&
	    uidset_size(&comparison.absent) > 0) {
		code = confirm_absent(&comparison, err);
	}
	row_list_finish(&comparison.rows);
	uidset_finish(&comparison.absent);
	*unseen = comparison.unseen;
	return code;
}

/* Files that base does not know, in a folder that looks as it was read. */
static int find_strangers(struct verify_mailbox *at, struct err *err)
{
	struct state *state = at->verify->run->session->state;
	int code = state_begin(state, err); /* one lock for all */
	for (size_t i = 0; code == 0 && i < at->scan.count; i++) {
		const struct maildir_entry *entry = &at->scan.entries[i];
		char unique[MAILDIR_NAME_MAX + 1];
		char path[VERIFY_PATH_SIZE];
		bool is_known = false;
		memcpy(unique, entry->name, entry->unique_len);
		unique[entry->unique_len] = '\0';
		code = state_has_unique(state, at->mailbox->base.id, unique, &is_known, err);
		if (code == 0 && !is_known) {
			verify_path(entry, path);
			code = verify_find(at, VERIFY_UNKNOWN_HERE, NULL, path, err,
					   "base does not know it, and no sync would see it");
		}
	}
	state_rollback(state);
	return code;
}

/* Whether a sync would look at the mailbox now, since its numbers are others than a moment ago. */
static int has_changed(struct verify_mailbox *at, bool *has_changed, struct err *err)
{
	const struct numbers *known = &at->mailbox->base.numbers;
	struct remote_counts counts = {0};
	const struct numbers *told = &counts.numbers;
	int code =
		remote_count_one(at->verify->run->session->remote, at->mailbox->wire, &counts, err);
	*has_changed = !told_equal(known->uidnext, told->uidnext) ||
		       !told_equal(known->messages, told->messages) ||
		       !told_equal(known->modseq, told->modseq);
	remote_counts_finish(&counts);
	return code;
}

/* Somebody may be at work on either side: what was found is believed once it was seen twice. */
static int look_again(struct verify_mailbox *at, struct err *err)
{
	struct run *run = at->verify->run;
	bool is_due = false;
	int code;
	maildir_scan_finish(&at->scan);
	uidset_finish(&at->listed);
	mailbox_release(at->mailbox);
	if ((code = observe_local(run, err)) < 0 || (code = has_changed(at, &is_due, err)) < 0) {
		return code;
	}
	if (is_due) {
		code = observe_remote_mailbox(run, run->session->remote, at->mailbox, LOOK_IN_JOB,
					      err);
	}
	if (code < 0) {
		return code;
	}
	return verify_open_folder(at, err);
}

int verify_server(struct verify_mailbox *at, struct err *err)
{
	struct verify_report *report = at->verify->report;
	const struct verify_mark before = verify_mark(report);
	uint64_t unseen = 0;
	int code = 0;
	for (int i = 0; i < 2; i++) {
		if ((code = compare(at, &unseen, err)) < 0 ||
		    (code = find_strangers(at, err)) < 0 || report->problems == before.problems ||
		    i == 1) {
			break;
		}
		verify_take_back(report, &before);
		if ((code = look_again(at, err)) < 0) {
			break;
		}
	}
	verify_left_out(at, code < 0 ? 0 : unseen, "the server does not show them");
	return code;
}
