/* `list` and `check`: what the server says when it is asked once. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/store/credential.h"

#include "guard/guard.h"
#include "pop3/pop3_run.h"
#include "run/run.h"

#include "health.h"

#define CONNECTIONS_MAX 10

struct visit {
	const struct account *account;
	const struct sync_options *options;
	struct remote *remote;
	size_t connections;
	struct remote_mailboxes found;
	struct state_uses uses;
	char **troubles; /* one for each of those; NULL: none. Or NULL */
};

static int visit_connect(struct visit *visit, struct err *err)
{
	remote_close(&visit->remote);
	visit->connections++;
	return account_connect(visit->account, visit->options, visit->connections, &visit->remote,
			       err);
}

static int visit_list(struct visit *visit, struct err *err)
{
	return remote_list(visit->remote, visit->account->subscribed_only, &visit->found, err);
}

/* Logs in and has the mailboxes listed: without numbers where the connection ends on those. */
static int visit_begin(struct visit *visit, const struct account *account,
		       const struct sync_options *options, struct err *err)
{
	*visit = (struct visit){.account = account, .options = options};
	int code = visit_connect(visit, err);
	code = code < 0 ? code : visit_list(visit, err);
	bool has_counts = visit->remote != NULL && remote_facts(visit->remote)->lists_counts;
	if (code < 0 && has_counts && suspects_is_loss(err)) {
		remote_mailboxes_finish(&visit->found);
		if ((code = visit_connect(visit, err)) == 0) {
			remote_list_plainly(visit->remote, true);
			code = visit_list(visit, err);
		}
	}
	return code;
}

/* Ends one that came to CODE, which is returned. */
static int visit_end(struct visit *visit, int code)
{
	struct err ignored;
	if (code == 0) {
		remote_logout(visit->remote, &ignored);
	}
	for (size_t i = 0; visit->troubles != NULL && i < visit->found.count; i++) {
		free(visit->troubles[i]);
	}
	free(visit->troubles);
	state_uses_finish(&visit->uses);
	remote_mailboxes_finish(&visit->found);
	remote_close(&visit->remote);
	return code;
}

static int tell(const struct visit *visit, const struct account *account, struct strlist *lines,
		struct err *err)
{
	const struct remote_facts *facts = remote_facts(visit->remote);
	const struct remote_mailboxes *found = &visit->found;
	const char *user = account->server.user;
	char separator = found->wire.separator;
	struct buf line;
	buf_init(&line, 512);
	buf_printf(&line, "logged in as %s by %s, %s", user == NULL ? "(nobody)" : user,
		   facts->login_name, facts->is_tls ? "over TLS" : "without TLS");
	int code = strlist_add(lines, buf_span(&line), err);
	buf_clear(&line);
	buf_printf(&line, "%zu mailbox%s, separator \"%c\", prefix \"%s\"", found->count,
		   found->count == 1 ? "" : "es", separator == 0 ? ' ' : separator,
		   found->wire.prefix);
	code = code < 0 ? code : strlist_add(lines, buf_span(&line), err);
	buf_finish(&line);
	return code < 0 ? code : remote_explain(visit->remote, lines, err);
}

int sync_check(const struct account *account, const struct sync_options *options,
	       struct strlist *lines, struct err *err)
{
	struct visit visit;
	int code;
	if (account->is_pop3) {
		code = pop3_inspect(account, options, NULL, lines, err);
	} else {
		code = visit_begin(&visit, account, options, err);
		code = code < 0 ? code : tell(&visit, account, lines, err);
		code = code < 0 ? code : health_check(account, options, visit.remote, lines, err);
		code = visit_end(&visit, code);
	}
	if (code == 0 && account->is_pop3) {
		code = health_check(account, options, NULL, lines, err);
	}
	if (code < 0) {
		struct err ignored;
		/* What is known of a token may be why. */
		(void)credential_explain(account->server.credential, lines, &ignored);
		return code;
	}
	login_forget(account, options); /* Q1 */
	return credential_explain(account->server.credential, lines, err);
}

void listing_finish(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		free(listing->items[i].name);
		free(listing->items[i].special_use);
		free(listing->items[i].trouble);
	}
	free(listing->items);
	*listing = (struct listing){0};
}

static int listing_fill(const struct visit *visit, const struct remote_mailbox *mailbox,
			struct listing_entry *entry, struct err *err)
{
	const struct account *account = visit->account;
	const struct remote_mailboxes *found = &visit->found;
	struct buf name;
	struct err ignored;
	buf_init(&name, MBNAME_MAX);
	bool can_select = (mailbox->attributes & REMOTE_NOSELECT) == 0;
	bool is_mapped =
		mbname_from_wire(&found->wire, span_of(mailbox->wire), &name, &ignored) == 0;
	bool wanted = !account->subscribed_only || (mailbox->attributes & REMOTE_SUBSCRIBED) != 0 ||
		      (is_mapped && strcmp(name.data, "INBOX") == 0);
	entry->is_selected =
		is_mapped && can_select && wanted && uses_select(&visit->uses, account, name.data);
	entry->name = is_mapped ? buf_steal(&name) : span_dup(span_of(mailbox->wire));
	entry->special_use = remote_special_uses(mailbox->attributes);
	entry->has_messages = can_select && mailbox->counts.numbers.messages.is_told;
	entry->messages = mailbox->counts.numbers.messages.number;
	buf_finish(&name);
	return entry->name == NULL || entry->special_use == NULL ? err_nomem(err) : 0;
}

static int compare_entries(const void *x, const void *y)
{
	return strcmp(((const struct listing_entry *)x)->name,
		      ((const struct listing_entry *)y)->name);
}

/* One after the other, past those on which the connection ends. */
static int ask_singly(struct visit *visit, struct err *err)
{
	struct remote_mailboxes *found = &visit->found;
	int code = visit_connect(visit, err);
	visit->troubles = calloc(found->count + 1, sizeof(*visit->troubles));
	if (visit->troubles == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; code == 0 && i < found->count; i++) {
		bool is_asked = (found->items[i].attributes & REMOTE_NOSELECT) == 0 &&
				!found->items[i].counts.numbers.messages.is_told;
		found->items[i].is_asked = is_asked;
		code = is_asked ? remote_count(visit->remote, found, err) : 0;
		found->items[i].is_asked = false;
		if (code < 0 && suspects_is_loss(err) && visit->connections < CONNECTIONS_MAX) {
			visit->troubles[i] = span_dup(span_of(err->text));
			code = visit_connect(visit, err);
		}
	}
	return code;
}

static int ask_counts(struct visit *visit, struct err *err)
{
	struct remote_mailboxes *found = &visit->found;
	for (size_t i = 0; i < found->count; i++) {
		found->items[i].is_asked = (found->items[i].attributes & REMOTE_NOSELECT) == 0;
	}
	int code = remote_count(visit->remote, found, err);
	for (size_t i = 0; i < found->count; i++) {
		found->items[i].is_asked = false;
	}
	return code < 0 && suspects_is_loss(err) ? ask_singly(visit, err) : code;
}

/* As a sync does. */
static int learn_uses(struct visit *visit, struct err *err)
{
	int code = visit->found.has_uses
			 ? 0
			 : whose_uses_if_any(visit->account, visit->options, &visit->uses, err);
	return code < 0 ? code : uses_learn(&visit->uses, &visit->found, err);
}

static int fill(struct visit *visit, struct listing *listing, struct err *err)
{
	const struct remote_mailboxes *found = &visit->found;
	int code = 0;
	if (found->naming == REMOTE_NAMING_UNTOLD) {
		return err_set(
			err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			"the server offers NAMESPACE and does not tell it, so which mailboxes "
			"its names mean is not known; run again");
	}
	if (!remote_facts(visit->remote)->lists_counts) {
		code = ask_counts(visit, err);
	}
	code = code < 0 ? code : learn_uses(visit, err);
	listing->items = calloc(found->count + 1, sizeof(*listing->items));
	if (code == 0 && listing->items == NULL) {
		code = err_nomem(err);
	}
	while (code == 0 && listing->count < found->count) {
		size_t i = listing->count++;
		struct listing_entry *entry = &listing->items[i];
		code = listing_fill(visit, &found->items[i], entry, err);
		if (visit->troubles != NULL) {
			entry->trouble = visit->troubles[i];
			visit->troubles[i] = NULL;
		}
	}
	if (code < 0) {
		listing_finish(listing);
		return code;
	}
	qsort(listing->items, listing->count, sizeof(*listing->items), compare_entries);
	return 0;
}

int sync_list(const struct account *account, const struct sync_options *options,
	      struct listing *listing, struct err *err)
{
	struct listing result = {0};
	struct visit visit;
	if (account->is_pop3) {
		return pop3_inspect(account, options, listing, NULL, err);
	}
	int code = visit_begin(&visit, account, options, err);
	code = visit_end(&visit, code < 0 ? code : fill(&visit, &result, err));
	if (code == 0) {
		*listing = result;
	}
	return code;
}
