/* `list`: the server's mailboxes. */
#include <stdlib.h>
#include <string.h>

#include "pop3/pop3_run.h"
#include "run/run.h"

static const struct {
	unsigned attribute;
	const char *name;
} special_uses[] = {
	{REMOTE_ALL, "\\All"},       {REMOTE_ARCHIVE, "\\Archive"},
	{REMOTE_DRAFTS, "\\Drafts"}, {REMOTE_FLAGGED, "\\Flagged"},
	{REMOTE_JUNK, "\\Junk"},     {REMOTE_SENT, "\\Sent"},
	{REMOTE_TRASH, "\\Trash"},   {REMOTE_IMPORTANT, "\\Important"},
};

static char *special_use_text(unsigned attributes)
{
	struct buf text;
	buf_init(&text, 256);
	for (size_t i = 0; i < sizeof(special_uses) / sizeof(special_uses[0]); i++) {
		if (attributes & special_uses[i].attribute) {
			buf_printf(&text, "%s%s", text.len > 0 ? " " : "", special_uses[i].name);
		}
	}
	char *result = text.len > 0 ? buf_steal(&text) : span_dup(SPAN_LIT(""));
	buf_finish(&text);
	return result;
}

void listing_finish(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		free(listing->items[i].name);
		free(listing->items[i].special_use);
	}
	free(listing->items);
	*listing = (struct listing){0};
}

static int listing_fill(const struct account *account, const struct remote_mailboxes *found,
			const struct remote_mailbox *mailbox, struct listing_entry *entry,
			struct err *err)
{
	struct buf name;
	struct err ignored;
	buf_init(&name, MBNAME_MAX);
	bool can_select = (mailbox->attributes & REMOTE_NOSELECT) == 0;
	bool is_mapped =
		mbname_from_wire(&found->wire, span_of(mailbox->wire), &name, &ignored) == 0;
	bool wanted = !account->subscribed_only || (mailbox->attributes & REMOTE_SUBSCRIBED) != 0 ||
		      (is_mapped && strcmp(name.data, "INBOX") == 0);
	entry->is_selected = is_mapped && can_select && wanted &&
			     mbname_selected(account->patterns, account->pattern_count, name.data);
	entry->name = is_mapped ? buf_steal(&name) : span_dup(span_of(mailbox->wire));
	entry->special_use = special_use_text(mailbox->attributes);
	entry->has_messages = can_select && (mailbox->counts.told & REMOTE_TOLD_MESSAGES) != 0;
	entry->messages = mailbox->counts.messages;
	buf_finish(&name);
	return entry->name == NULL || entry->special_use == NULL ? err_nomem(err) : 0;
}

static int compare_entry(const void *x, const void *y)
{
	return strcmp(((const struct listing_entry *)x)->name,
		      ((const struct listing_entry *)y)->name);
}

static int ask_counts(struct remote *remote, struct remote_mailboxes *found, struct err *err)
{
	if (remote_facts(remote)->lists_counts) {
		return 0;
	}
	bool *wanted = calloc(found->count + 1, sizeof(*wanted));
	if (wanted == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < found->count; i++) {
		wanted[i] = (found->items[i].attributes & REMOTE_NOSELECT) == 0;
	}
	int code = remote_count(remote, found, wanted, err);
	free(wanted);
	return code;
}

static int fill(const struct account *account, struct remote *remote,
		struct remote_mailboxes *found, struct listing *listing, struct err *err)
{
	int code;
	if ((code = remote_list(remote, account->subscribed_only, found, err)) < 0 ||
	    (code = ask_counts(remote, found, err)) < 0) {
		return code;
	}
	listing->items = calloc(found->count + 1, sizeof(*listing->items));
	if (listing->items == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; code == 0 && i < found->count; i++) {
		listing->count = i + 1;
		code = listing_fill(account, found, &found->items[i], &listing->items[i], err);
	}
	qsort(listing->items, code == 0 ? listing->count : 0, sizeof(*listing->items),
	      compare_entry);
	return code;
}

int sync_list(const struct account *account, const struct sync_options *options,
	      struct listing *listing, struct err *err)
{
	if (account->is_pop3) {
		return pop3_run_list(account, options, listing, err);
	}
	struct remote *remote = NULL;
	struct remote_mailboxes found = {0};
	struct listing result = {0};
	struct err ignored;
	int code;
	if ((code = account_connect(account, options, 1, &remote, err)) < 0 ||
	    (code = fill(account, remote, &found, &result, err)) < 0) {
		listing_finish(&result);
		goto finish;
	}
	remote_logout(remote, &ignored);
	*listing = result;
finish:
	remote_mailboxes_finish(&found);
	remote_close(&remote);
	return code;
}
