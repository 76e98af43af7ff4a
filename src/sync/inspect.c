/* The commands that look and change nothing: list, check, status; and the comparison of Maildir
 * roots. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/state/state.h"
#include "mailsync/store/remote.h"
#include "mailsync/sync/sync.h"

#include "pop3/pop3_run.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define PATH_LIMIT 4096

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

static int connect_to(const struct account *account, const struct sync_options *options,
		      struct remote **remote, struct err *err)
{
	char label[160];
	snprintf(label, sizeof(label), "%s#1", account->name);
	struct remote_params params = {.server = &account->server,
				       .log = options->log,
				       .label = label,
				       .stop = options->stop};
	return remote_open_imap(remote, &params, err);
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
	int code = connect_to(account, options, &remote, err);
	if (code == 0) {
		code = remote_list(remote, account->subscribed_only, &found, err);
	}
	if (code == 0) {
		code = ask_counts(remote, &found, err);
	}
	if (code == 0) {
		result.items = calloc(found.count + 1, sizeof(*result.items));
		code = result.items == NULL ? err_nomem(err) : 0;
	}
	for (size_t i = 0; code == 0 && i < found.count; i++) {
		result.count = i + 1;
		code = listing_fill(account, &found, &found.items[i], &result.items[i], err);
	}
	if (code == 0) {
		qsort(result.items, result.count, sizeof(*result.items), compare_entry);
		remote_logout(remote, &ignored);
		*listing = result;
	} else {
		listing_finish(&result);
	}
	remote_mailboxes_finish(&found);
	remote_close(&remote);
	return code;
}

static const struct {
	unsigned cap;
	const char *name;
	const char *use;
	const char *fallback;
} explained[] = {
	{IMAP_CAP_LIST_STATUS, "LIST-STATUS", "all mailboxes are asked after in one command",
	 "each mailbox is asked after by STATUS"},
	{IMAP_CAP_QRESYNC, "QRESYNC", "changes and removals since the last run are told",
	 "removals are found by listing UIDs"},
	{IMAP_CAP_CONDSTORE, "CONDSTORE", "changed flags since the last run are told",
	 "every mailbox is opened and its flags are listed, every run"},
	{IMAP_CAP_UIDPLUS, "UIDPLUS",
	 "uploads tell their UID, and only our own deletions are expunged",
	 "uploads are looked for, and deletions wait where others' are marked"},
	{IMAP_CAP_MOVE, "MOVE", "moves are one command", "moves are copies and deletions"},
	{IMAP_CAP_LITERAL_PLUS, "LITERAL+", "uploads need no go-ahead",
	 "each upload waits for the server's go-ahead"},
	{IMAP_CAP_MULTIAPPEND, "MULTIAPPEND", "many uploads are one command",
	 "each upload is a command"},
	{IMAP_CAP_OBJECTID, "OBJECTID", "moves made elsewhere are recognised",
	 "messages moved elsewhere are downloaded again"},
	{IMAP_CAP_COMPRESS, "COMPRESS=DEFLATE", "can be switched on by `compress`",
	 "nothing is compressed"},
};

static int add_line(struct strlist *lines, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int add_line(struct strlist *lines, struct err *err, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return strlist_add(lines, span_of(text), err);
}

static int explain(const struct account *account, struct remote *remote,
		   const struct remote_mailboxes *found, struct strlist *lines, struct err *err)
{
	int code = add_line(lines, err, "logged in as %s by %s, %s",
			    account->server.user == NULL ? "(nobody)" : account->server.user,
			    imap_login_name(remote_imap(remote)),
			    imap_is_tls(remote_imap(remote)) ? "over TLS" : "without TLS");
	if (code == 0) {
		code = add_line(lines, err, "%zu mailbox%s, separator \"%c\", prefix \"%s\"",
				found->count, found->count == 1 ? "" : "es",
				found->wire.separator == 0 ? ' ' : found->wire.separator,
				found->wire.prefix);
	}
	for (size_t i = 0; code == 0 && i < sizeof(explained) / sizeof(explained[0]); i++) {
		bool has = (imap_caps(remote_imap(remote)) & explained[i].cap) != 0;
		bool gmail = explained[i].cap == IMAP_CAP_OBJECTID &&
			     (imap_caps(remote_imap(remote)) & IMAP_CAP_GMAIL) != 0;
		code = add_line(lines, err, "%-3s %-17s %s", has || gmail ? "yes" : "no",
				gmail ? "X-GM-EXT-1" : explained[i].name,
				has || gmail ? explained[i].use : explained[i].fallback);
	}
	return code;
}

int sync_check(const struct account *account, const struct sync_options *options,
	       struct strlist *lines, struct err *err)
{
	if (account->is_pop3) {
		return pop3_run_check(account, options, lines, err);
	}
	struct remote *remote = NULL;
	struct remote_mailboxes found = {0};
	struct err ignored;
	int code = connect_to(account, options, &remote, err);
	if (code == 0) {
		code = remote_list(remote, account->subscribed_only, &found, err);
	}
	if (code == 0) {
		code = explain(account, remote, &found, lines, err);
	}
	if (code == 0) {
		remote_logout(remote, &ignored);
	}
	remote_mailboxes_finish(&found);
	remote_close(&remote);
	return code;
}

void status_finish(struct status *status)
{
	for (size_t i = 0; i < status->count; i++) {
		free(status->items[i].name);
		free(status->items[i].trouble);
	}
	free(status->items);
	*status = (struct status){0};
}

static int status_fill(struct state *state, const struct state_mailbox *mailbox,
		       struct status_entry *entry, struct err *err)
{
	entry->name = span_dup(span_of(mailbox->name));
	entry->trouble = mailbox->trouble == NULL ? NULL : span_dup(span_of(mailbox->trouble));
	entry->synced_at = mailbox->synced_at;
	entry->pending = mailbox->pending;
	entry->skipped = mailbox->skipped;
	if (entry->name == NULL) {
		return err_nomem(err);
	}
	return state_count_agreed(state, mailbox->id, &entry->messages, err);
}

int sync_status(const struct account *account, const struct sync_options *options,
		struct status *status, struct err *err)
{
	char path[PATH_LIMIT];
	struct state *state = NULL;
	struct state_mailboxes known = {0};
	struct status result = {0};
	snprintf(path, sizeof(path), "%s/%s.db", options->state_dir, account->name);
	int code = state_open(&state, path, STATE_READ, err);
	if (code == 0) {
		code = state_mailboxes_load(state, &known, err);
	}
	if (code == 0) {
		result.items = calloc(known.count + 1, sizeof(*result.items));
		code = result.items == NULL ? err_nomem(err) : 0;
	}
	for (size_t i = 0; code == 0 && i < known.count; i++) {
		result.count = i + 1;
		code = status_fill(state, &known.items[i], &result.items[i], err);
		if (account->is_pop3) {
			/* No rows are agreed on: what the server still had at the end counts. */
			result.items[i].messages = known.items[i].messages;
		}
	}
	if (code == 0) {
		*status = result;
	} else {
		status_finish(&result);
	}
	state_mailboxes_finish(&known);
	state_close(&state);
	return code;
}

/* The real path of a root, or of its nearest ancestor that exists with the rest as written. */
static int real_root(const struct account *account, struct buf *out, struct err *err)
{
	struct maildir *maildir = NULL;
	struct maildir_params params = account->maildir;
	int code = maildir_open(&maildir, &params, false, err);
	if (code < 0) {
		return code;
	}
	char *real = maildir_real_root(maildir);
	buf_append_cstr(out, real != NULL ? real : account->maildir.root);
	free(real);
	maildir_close(&maildir);
	while (out->len > 1 && out->data[out->len - 1] == '/') {
		buf_truncate(out, out->len - 1);
	}
	return buf_status(out, "a Maildir root", err);
}

static bool is_at_or_below(const char *path, const char *root)
{
	size_t len = strlen(root);
	return strncmp(path, root, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static int compare_roots(const struct account *earlier, const struct account *later,
			 const char *earlier_root, const char *later_root, struct err *err)
{
	if (!is_at_or_below(earlier_root, later_root) &&
	    !is_at_or_below(later_root, earlier_root)) {
		return 0;
	}
	return err_set(
		err, ERR_CONFIG, SCOPE_ACCOUNT,
		"the Maildir root %s is equal to, inside or around that of account \"%s\" (%s); "
		"give each account a root of its own",
		later->maildir.root, earlier->name, earlier->maildir.root);
}

int sync_check_roots(const struct account *accounts, size_t count, size_t *culprit, struct err *err)
{
	struct buf *roots = calloc(count + 1, sizeof(*roots));
	int code = roots == NULL ? err_nomem(err) : 0;
	for (size_t i = 0; roots != NULL && i < count; i++) {
		buf_init(&roots[i], PATH_LIMIT);
	}
	for (size_t i = 0; code == 0 && i < count; i++) {
		*culprit = i;
		code = real_root(&accounts[i], &roots[i], err);
		for (size_t k = 0; code == 0 && k < i; k++) {
			code = compare_roots(&accounts[k], &accounts[i], roots[k].data,
					     roots[i].data, err);
		}
	}
	for (size_t i = 0; roots != NULL && i < count; i++) {
		buf_finish(&roots[i]);
	}
	free(roots);
	return code;
}
