/*
 * Folders that only this run changed need not be read again by the next one. It takes a look at all
 * that is done to a folder from before it was looked at (store/maildir_alone.h), which pays only
 * where reading it takes long.
 */
#include "run.h"

#include "mailsync/store/maildir_alone.h"

#define MESSAGES_MIN 10000 /* these are read in some 25 ms, and listening costs as much */

static bool is_large(const struct mailbox *mailbox)
{
	return told_or(mailbox->base.numbers.messages, 0) >= MESSAGES_MIN ||
	       told_or(mailbox->seen.numbers.messages, 0) >= MESSAGES_MIN;
}

int alone_begin(struct run *run, struct mailbox *mailbox, struct err *err)
{
	if (!is_large(mailbox) || run->options->dry_run) {
		return 0;
	}
	mailbox->seen.is_listened_to = true;
	return maildir_alone_begin(run->session->maildir, mailbox->name, err);
}

int alone_begin_as_known(struct run *run, struct mailbox *mailbox, struct err *err)
{
	const struct state_mailbox *base = &mailbox->base;
	bool *is_listened_to = &mailbox->seen.is_listened_to;
	struct err ignored;
	struct stamp now;
	if (*is_listened_to || !mailbox->in_base || !base->has_stamp) {
		return 0;
	}
	int code = alone_begin(run, mailbox, err);
	*is_listened_to = *is_listened_to && code == 0 &&
			  maildir_stat(run->session->maildir, mailbox->name, &now, &ignored) == 0 &&
			  local_is_unchanged(&base->stamp, &now, false);
	return code;
}

static int conclude(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct state_mailbox *base = &mailbox->base;
	bool is_known = mailbox->seen.is_listened_to && mailbox->in_base && base->has_stamp &&
			mailbox_is_active(mailbox) && mailbox->open.failures == 0 &&
			mailbox->done.counts.errors == 0 && !mailbox->seen.is_unreadable;
	if (!is_known || !maildir_alone_end(run->session->maildir, mailbox->name, &base->stamp)) {
		return 0;
	}
	return mailbox_store(run, mailbox, err);
}

int alone_conclude(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && !run->seen.is_moving && i < run->mailboxes.count; i++) {
		code = conclude(run, &run->mailboxes.items[i], err);
	}
	return code;
}
