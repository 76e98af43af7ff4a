/* What a run that died left: of intents, which of them concern whom; and in the folders. */
#include <stdlib.h>

#include "observe/observe.h"

#include "recover_private.h"

int intents_load(struct run *run, const struct mailbox *mailbox, bool of_removal,
		 struct intents *intents, struct err *err)
{
	size_t kept = 0;
	int code = state_intents_load(run->session->state, mailbox->base.id, intents, err);
	for (size_t i = 0; i < intents->count; i++) {
		if (intent_is_of_removal(&intents->items[i]) == of_removal) {
			intents->items[kept++] = intents->items[i];
		} else {
			free(intents->items[i].text);
		}
	}
	intents->count = kept;
	return code;
}

static int clear_folder(struct run *run, struct mailbox *mailbox, struct err *err)
{
	int code;
	if ((code = maildir_create_folder(run->session->maildir, mailbox->name, err)) < 0 ||
	    (code = mailbox_open_dir(run, mailbox, err)) < 0) {
		return code;
	}
	code = maildir_folder_sweep(mailbox->dir, err);
	mailbox_release(mailbox);
	return code;
}

int recover_leftovers(struct run *run, struct err *err)
{
	bool is_due = run->session->was_unclean && run->policy.may_write_local;
	for (size_t i = 0; is_due && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (!(mailbox->seen.in & SIDE_LOCAL) || mailbox->decided.remove != 0) {
			continue;
		}
		int code = run_check_stop(run, err);
		code = code < 0 ? code : clear_folder(run, mailbox, err);
		if (code < 0 && run_is_fatal_in_folder(err)) {
			return code;
		}
		if (code < 0) {
			observe_unreadable(run, mailbox, err);
		}
	}
	return 0;
}
