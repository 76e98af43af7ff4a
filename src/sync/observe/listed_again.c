/*
 * A second listing, before what the first one lacks is taken for gone (M58): a server that leaves
 * out a line, once, may leave out the very one with the new name of a mailbox that was renamed.
 */
#include "observe_private.h"

#include <string.h>

/* Whether the first listing had it, under the name that it has on the server. */
static bool was_listed(const struct mailbox *mailbox)
{
	return mailbox->wire != NULL && !mailbox->seen.is_unlisted;
}

/* Whether FOUND, which is called NAME, takes part, or may, by what AGAIN tells. */
static bool may_take_part(const struct run *run, const struct remote_mailboxes *again,
			  const struct remote_mailbox *found, const char *name)
{
	const struct account *account = run->account;
	bool has_use = (found->attributes & REMOTE_USES) != 0;
	return mailbox_is_selected(run, name) ||
	       (has_use && remote_is_chosen(account->patterns, account->pattern_count, name,
					    found->attributes)) ||
	       (!again->has_uses && !run->seen.lacks_uses && run_may_select(run, name));
}

/* FOUND, of AGAIN, is one that takes part and that the first listing had, too, or takes no part. */
static bool take_again(struct run *run, const struct remote_mailboxes *again,
		       const struct remote_mailbox *found)
{
	struct err ignored;
	struct buf name;
	bool is_same = true;
	buf_init(&name, MBNAME_MAX);
	if ((found->attributes & REMOTE_NOSELECT) == 0 &&
	    mbname_from_wire(&run->session->wire, span_of(found->wire), &name, &ignored) == 0 &&
	    may_take_part(run, again, found, name.data)) {
		struct mailbox *mailbox = run_mailbox(run, name.data);
		is_same = mailbox != NULL &&
			  (was_listed(mailbox) || strcmp(mailbox->name, "INBOX") == 0);
		if (mailbox != NULL) {
			mailbox->seen.is_listed_again = true;
		}
	}
	buf_finish(&name);
	return is_same;
}

static bool is_same_listing(struct run *run, const struct remote_mailboxes *again)
{
	bool is_same = again->is_read;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		run->mailboxes.items[i].seen.is_listed_again = false;
	}
	for (size_t i = 0; i < again->count; i++) {
		is_same &= take_again(run, again, &again->items[i]);
	}
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		is_same &= !was_listed(mailbox) || mailbox->seen.is_listed_again;
	}
	return is_same;
}

int observe_listed_again(struct run *run, bool *is_same, struct err *err)
{
	struct remote_mailboxes again = {0};
	int code = remote_list(run->session->remote, run->account->subscribed_only, &again, err);
	*is_same = code == 0 && is_same_listing(run, &again);
	remote_mailboxes_finish(&again);
	return code == -ERR_REFUSED ? 0 : code;
}
