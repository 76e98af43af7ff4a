/*
 * Files of one folder that share a unique part (C6 to C9 of rules/content_rules.h): one message if
 * they are equal, of whose names one speaks; else one of them gets a unique part of its own, so
 * that each is a message.
 */
#include "observe.h"
#include "observe_private.h"

#include <string.h>

#include "guard/guard.h"

#define SETTLE_TRIES 3 /* several may share one part, and each look settles them pair by pair */

/* Two of them: the one that the scan takes for the message, and another. */
struct second_name {
	const struct maildir_entry *first;
	const struct maildir_entry *second;
	struct maildir_reading readings[2];
};

static int look_at_both(struct maildir_folder *dir, struct second_name *pair, bool *is_same,
			struct err *err)
{
	struct maildir_file first;
	struct maildir_file second;
	int code;
	if ((code = maildir_folder_stat_file(dir, pair->first->name, pair->first->in_new, &first,
					     err)) < 0 ||
	    (code = maildir_folder_stat_file(dir, pair->second->name, pair->second->in_new, &second,
					     err)) < 0) {
		return code;
	}
	*is_same = first.inode == second.inode; /* a hard link */
	if (*is_same ||
	    (code = maildir_folder_read(dir, pair->first->name, pair->first->in_new,
					&pair->readings[0], err)) < 0 ||
	    (code = maildir_folder_read(dir, pair->second->name, pair->second->in_new,
					&pair->readings[1], err)) < 0) {
		return code;
	}
	*is_same = memcmp(pair->readings[0].content, pair->readings[1].content,
			  CONTENT_DIGEST_SIZE) == 0;
	return 0;
}

/* C7: the one that base does not know; where it knows neither, the second. */
static int is_second_known(struct run *run, const struct mailbox *mailbox,
			   const struct second_name *pair, bool *is_known, struct err *err)
{
	struct file_look look = {.verdict = CONTENT_OTHER};
	char unique[MAILDIR_NAME_MAX + 1];
	struct row row;
	bool found = false;
	memcpy(unique, pair->first->name, pair->first->unique_len);
	unique[pair->first->unique_len] = '\0';
	row_init(&row);
	int code = state_row_by_unique(run->session->state, mailbox->base.id, unique, &row, &found,
				       err);
	if (code == 0 && found &&
	    (code = observe_file(mailbox->dir, &row, pair->first, &look, err)) == 0 &&
	    look.verdict == CONTENT_OTHER) {
		code = observe_file(mailbox->dir, &row, pair->second, &look, err);
		*is_known = look.verdict == CONTENT_SAME;
	}
	row_finish(&row);
	return code;
}

/* C7, C8 */
static int tell_apart(struct run *run, struct mailbox *mailbox, const struct second_name *pair,
		      bool *has_renamed, struct err *err)
{
	char name[MAILDIR_NAME_MAX + 1];
	bool is_known = false;
	int code = mailbox->in_base ? is_second_known(run, mailbox, pair, &is_known, err) : 0;
	const struct maildir_entry *entry = is_known ? pair->first : pair->second;
	const struct maildir_reading *reading = &pair->readings[is_known ? 0 : 1];
	if (code < 0) {
		return code;
	}
	if (run->options->dry_run) {
		return 0;
	}
	if (!run->policy.may_write_local) {
		return err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
			       "the files %s and %s are two messages of one name; only one can be "
			       "synced until the other is renamed",
			       pair->first->name, pair->second->name);
	}
	if ((code = run_claim(run, err)) < 0 ||
	    (code = maildir_folder_set_unique(mailbox->dir, entry->name, entry->in_new,
					      reading->content, name, err)) < 0) {
		return code;
	}
	*has_renamed = true;
	log_line(run->log, LOG_INFO,
		 "%s/%s: the files %s and %s are two messages of one name; the file %s is called "
		 "%s now",
		 run->account->name, mailbox->name, pair->first->name, pair->second->name,
		 entry->name, name);
	return 0;
}

static int settle(struct run *run, struct mailbox *mailbox, const struct maildir_scan *scan,
		  bool *has_renamed, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < scan->double_count; i++) {
		const struct maildir_entry *second = &scan->doubles[i];
		struct second_name pair = {.second = second};
		bool is_same = false;
		pair.first =
			maildir_scan_find(scan, (struct span){second->name, second->unique_len});
		code = look_at_both(mailbox->dir, &pair, &is_same, err);
		if (code == 0 && !is_same) {
			code = tell_apart(run, mailbox, &pair, has_renamed, err);
		}
		if (code == -ERR_CHANGED) {
			code = 0; /* somebody is at work there: the next look tells */
		} else if (code < 0 && !run_is_fatal_in_folder(err)) {
			run_report_error(run, mailbox, 0, err);
			mailbox->open.failures++;
			code = 0;
		}
	}
	return code;
}

static bool is_known_name(const struct maildir_scan *scan, const struct local_facts *facts,
			  const struct row *row, const struct maildir_entry *entry)
{
	struct maildir_told told = maildir_scan_told(scan, entry);
	struct local_file file = local_file_of(&told);
	return local_is_as_known(facts, &file, row);
}

const struct maildir_entry *observe_known_name(const struct maildir_scan *scan,
					       const struct local_facts *facts,
					       const struct row *row)
{
	const struct maildir_entry *first = maildir_scan_find(scan, span_of(row->unique));
	size_t count = 0;
	const struct maildir_entry *others =
		maildir_scan_doubles(scan, span_of(row->unique), &count);
	if (first != NULL && is_known_name(scan, facts, row, first)) {
		return first;
	}
	for (size_t i = 0; i < count; i++) {
		if (is_known_name(scan, facts, row, &others[i])) {
			return &others[i];
		}
	}
	return NULL;
}

int observe_scan(struct run *run, struct mailbox *mailbox, struct maildir_scan *scan,
		 struct err *err)
{
	bool again = true;
	int code = 0;
	for (int i = 0; code == 0 && again && i < SETTLE_TRIES; i++) {
		struct maildir_scan found = {0};
		again = false;
		if ((code = maildir_folder_scan(mailbox->dir, &mailbox->base.keywords, &found,
						err)) == 0 &&
		    (code = settle(run, mailbox, &found, &again, err)) == 0 && again) {
			code = maildir_folder_sync_names(mailbox->dir, err);
		}
		maildir_scan_finish(scan);
		*scan = found;
	}
	return code;
}
