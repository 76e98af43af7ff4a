/* Mailboxes of a run: found by name, opened, written down. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

void mailbox_finish(struct mailbox *mailbox)
{
	mailbox_release(mailbox);
	free(mailbox->name);
	free(mailbox->seen.wire);
	free(mailbox->seen.mailboxid);
	state_mailbox_finish(&mailbox->base);
}

void mailboxes_finish(struct run *run)
{
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		mailbox_finish(&run->mailboxes.items[i]);
	}
	free(run->mailboxes.items);
	run->mailboxes = (struct mailboxes){0};
}

struct mailbox *run_mailbox(struct run *run, const char *name)
{
	size_t low = 0;
	size_t high = run->mailboxes.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(run->mailboxes.items[middle].name, name);
		if (order == 0) {
			return &run->mailboxes.items[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

bool mailbox_is_active(const struct mailbox *mailbox)
{
	return mailbox->decided.exclusion == EXCLUDED_NOT && mailbox->decided.remove == 0;
}

void mailbox_exclude(struct mailbox *mailbox, enum exclusion reason)
{
	if (mailbox->decided.exclusion == EXCLUDED_NOT) {
		mailbox->decided.exclusion = reason;
	}
}

int mailbox_open_dir(struct run *run, struct mailbox *mailbox, struct err *err)
{
	return mailbox->dir != NULL ? 0
				    : maildir_folder_open(run->session->maildir, mailbox->name,
							  &mailbox->dir, err);
}

void mailbox_release(struct mailbox *mailbox)
{
	maildir_folder_close(&mailbox->dir);
}

int mailbox_store(struct run *run, struct mailbox *mailbox, struct err *err)
{
	if (!mailbox->in_base) {
		mailbox->base.name = mailbox->base.name == NULL ? span_dup(span_of(mailbox->name))
								: mailbox->base.name;
		if (mailbox->base.name == NULL) {
			return err_nomem(err);
		}
	}
	/* Where this run leaves it alone, its coming or going on a side is still to be settled. */
	if (mailbox->decided.exclusion == EXCLUDED_NOT || !mailbox->in_base) {
		mailbox->base.had_local = mailbox->seen.in_local;
		mailbox->base.had_remote = mailbox->seen.in_remote;
	}
	int code = state_mailbox_put(run->session->state, &mailbox->base, err);
	mailbox->in_base = mailbox->in_base || code == 0;
	return code;
}
