/*
 * Which folders are read: those that changed since they were last read, again and again while
 * something moves between them (D1, D2 of rules/local_rules.h). Where it does not end nothing that
 * is gone is believed in this run.
 */
#include "observe.h"
#include "observe_private.h"

#define READ_AGAIN_MAX 3

static int read_if_changed(struct run *run, struct mailbox *mailbox, bool again, bool *is_still,
			   struct err *err)
{
	const struct state_mailbox *base = &mailbox->base;
	const struct stamp *read = mailbox->in_base && base->has_stamp ? &base->stamp : NULL;
	struct stamp now;
	int code;
	if ((code = run_check_stop(run, err)) < 0 ||
	    (code = maildir_stat(run->session->maildir, mailbox->name, &now, err)) < 0 ||
	    (again ? local_stands_as_read(read, &now)
		   : local_is_unchanged(read, &now, run->session->was_unclean) &&
			     !base->names.has_strays)) {
		return code;
	}
	*is_still = false;
	code = alone_begin(run, mailbox, err);
	return code < 0 ? code : observe_local_mailbox(run, mailbox, err);
}

/* Where another one's folder bears its name (M57) and waits for that, its rows are not of the files
 * there. */
static bool is_readable(const struct mailbox *mailbox, bool again)
{
	bool is_others = (mailbox->seen.replaced & SIDE_LOCAL) != 0;
	return (mailbox->seen.in & SIDE_LOCAL) && !mailbox->seen.is_unreadable &&
	       mailbox->decided.remove == 0 &&
	       !((again || is_others) && mailbox->decided.exclusion != EXCLUDED_NOT);
}

/* Reads the folders that changed: since the last run, or, AGAIN, since this one read them.
 * *IS_STILL: there was none. */
static int read_folders(struct run *run, bool again, bool *is_still, struct err *err)
{
	*is_still = true;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (!is_readable(mailbox, again) ||
		    read_if_changed(run, mailbox, again, is_still, err) == 0) {
			continue;
		}
		if (run_is_fatal_in_folder(err)) {
			return -(int)err->code;
		}
		observe_unreadable(run, mailbox, err);
	}
	return 0;
}

/* D2: reads again what moves, and notes whether it went on, or more folders came. */
static int await_standstill(struct run *run, struct err *err)
{
	bool is_still = false;
	bool has_more = false;
	int code = 0;
	for (int i = 0; code == 0 && !is_still && i < READ_AGAIN_MAX; i++) {
		code = read_folders(run, true, &is_still, err);
	}
	code = code < 0 ? code : mailboxes_have_more_folders(run, &has_more, err);
	run->seen.is_moving = !is_still || has_more;
	for (size_t i = 0; run->seen.is_moving && i < run->mailboxes.count; i++) {
		run->mailboxes.items[i].open.failures++; /* the next run looks again */
	}
	return code;
}

int observe_local(struct run *run, struct err *err)
{
	bool is_still = false;
	bool has_changes = false; /* something may have been deleted locally */
	int code = read_folders(run, false, &is_still, err);
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		has_changes |= (mailbox->seen.in & SIDE_LOCAL) &&
			       (mailbox->seen.has_local_changes || mailbox->base.pending > 0);
	}
	return code < 0 || !has_changes ? code : await_standstill(run, err);
}
