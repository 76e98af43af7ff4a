/* The seam to the server: the session, its mailboxes, and which one is open. What each operation
 * does is the store's; here is what all stores have in common. */
#include "mailsync/store/remote.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mailsync/base/special_use.h"
#include "remote_private.h"

void remote_init(struct remote *remote, const struct remote_ops *ops, struct progress *progress)
{
	*remote = (struct remote){.ops = ops, .progress = progress};
	remote->fetches.end = &remote->fetches.head;
	remote->changes.end = &remote->changes.head;
}

void remote_finish(struct remote *remote)
{
	remote_groups_finish(&remote->fetches);
	remote_groups_finish(&remote->changes);
	remote_headers_finish(&remote->headers);
	free(remote->about);
}

void remote_list_plainly(struct remote *remote, bool is_plain)
{
	remote->lists_plainly = is_plain;
}

/* Where there is no memory for it nobody is to blame. */
static void note_about(struct remote *remote, const char *wire)
{
	if (remote->about == NULL || strcmp(remote->about, wire) != 0) {
		free(remote->about);
		remote->about = span_dup(span_of(wire));
	}
}

const char *remote_about(const struct remote *remote)
{
	return remote->about;
}

int remote_logout(struct remote *remote, struct err *err)
{
	return remote->ops->logout(remote, err);
}

int remote_rest(struct remote *remote, struct err *err)
{
	bool is_idle = remote->fetches.count == 0 && remote->changes.count == 0 &&
		       remote->fetches_in_flight == 0 && remote->opens_in_flight == 0 &&
		       remote->headers.in_flight == 0;
	if (!is_idle || remote->ops->rest == NULL) {
		return err_set(err, ERR_REFUSED, SCOPE_ACCOUNT, "the connection is not at rest");
	}
	free(remote->about);
	remote->about = NULL;
	remote->lists_plainly = false;
	return remote->ops->rest(remote, err);
}

int remote_wake(struct remote *remote, struct err *err)
{
	return remote->ops->wake(remote, err);
}

void remote_close(struct remote **remote)
{
	if (*remote != NULL) {
		(*remote)->ops->destroy(*remote);
		*remote = NULL;
	}
}

const struct remote_facts *remote_facts(struct remote *remote)
{
	return remote->ops->facts(remote);
}

int remote_explain(struct remote *remote, struct strlist *lines, struct err *err)
{
	return remote->ops->explain(remote, lines, err);
}

int remote_quota(struct remote *remote, const char *wire, struct remote_quota *quota,
		 struct err *err)
{
	*quota = (struct remote_quota){0};
	return remote->ops->quota == NULL ? 0 : remote->ops->quota(remote, wire, quota, err);
}

void remote_totals(const struct remote *remote, struct remote_totals *totals)
{
	remote->ops->totals(remote, totals);
}

bool remote_busy_is_due(const struct remote *remote)
{
	return remote->ops->busy_is_due(remote);
}

bool remote_busy_take(struct remote *remote, int64_t *wanted_ms)
{
	return remote->ops->busy_take(remote, wanted_ms);
}

void remote_counts_finish(struct remote_counts *counts)
{
	free(counts->mailboxid);
	*counts = (struct remote_counts){0};
}

static const struct {
	unsigned attribute;
	const char *name;
} special_uses[] = {
#define ROW(id, name) {REMOTE_##id, name},
	SPECIAL_USES(ROW)
#undef ROW
};

char *remote_special_uses(unsigned attributes)
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

/* The use that PATTERN is for; 0: it is one for names. */
static unsigned use_of(const char *pattern)
{
	for (size_t i = 0; i < sizeof(special_uses) / sizeof(special_uses[0]); i++) {
		if (span_equal_nocase(span_of(pattern), special_uses[i].name)) {
			return special_uses[i].attribute;
		}
	}
	return 0;
}

bool remote_is_chosen(const char *const *patterns, size_t count, const char *name,
		      unsigned attributes)
{
	bool is_selected = count == 0 || patterns[0][0] == '!';
	for (size_t i = 0; i < count; i++) {
		bool excludes = patterns[i][0] == '!';
		const char *pattern = patterns[i] + (excludes ? 1 : 0);
		unsigned use = use_of(pattern);
		if (use != 0 ? (attributes & use) != 0 : mbname_matches(pattern, name)) {
			is_selected = !excludes;
		}
	}
	return is_selected;
}

bool remote_may_be_chosen(const char *const *patterns, size_t count, const char *name)
{
	bool may_be = remote_is_chosen(patterns, count, name, 0);
	for (size_t i = 0; i < sizeof(special_uses) / sizeof(special_uses[0]); i++) {
		may_be |= remote_is_chosen(patterns, count, name, special_uses[i].attribute);
	}
	return may_be;
}

bool remote_chooses_by_use(const char *const *patterns, size_t count)
{
	bool has_use = false;
	for (size_t i = 0; i < count; i++) {
		has_use |= use_of(patterns[i] + (patterns[i][0] == '!' ? 1 : 0)) != 0;
	}
	return has_use;
}

static bool is_below_inbox(const struct mbname_wire *wire, const char *name)
{
	return strncasecmp(name, "INBOX", 5) == 0 && name[5] != '\0' && name[5] == wire->separator;
}

bool remote_is_all_below_inbox(const struct remote_mailboxes *mailboxes)
{
	size_t below = 0;
	for (size_t i = 0; i < mailboxes->count; i++) {
		const char *name = mailboxes->items[i].wire;
		if (is_below_inbox(&mailboxes->wire, name)) {
			below++;
		} else if (strcasecmp(name, "INBOX") != 0) {
			return false;
		}
	}
	return below > 0;
}

void remote_mailboxes_finish(struct remote_mailboxes *mailboxes)
{
	for (size_t i = 0; i < mailboxes->count; i++) {
		free(mailboxes->items[i].wire);
		remote_counts_finish(&mailboxes->items[i].counts);
	}
	free(mailboxes->items);
	*mailboxes = (struct remote_mailboxes){0};
}

int remote_list(struct remote *remote, bool subscribed, struct remote_mailboxes *mailboxes,
		struct err *err)
{
	return remote->ops->list(remote, subscribed, mailboxes, err);
}

int remote_count(struct remote *remote, struct remote_mailboxes *mailboxes, struct err *err)
{
	return remote->ops->count(remote, mailboxes, err);
}

static int names_count(struct remote *remote, struct remote_mailboxes *asked,
		       const char *const *wires, struct err *err)
{
	for (size_t i = 0; i < asked->count; i++) {
		asked->items[i].is_asked = true;
		asked->items[i].wire = span_dup(span_of(wires[i]));
		if (asked->items[i].wire == NULL) {
			return err_nomem(err);
		}
	}
	return remote->ops->count(remote, asked, err);
}

int remote_count_names(struct remote *remote, const char *const *wires, size_t count,
		       struct remote_counts *counts, struct err *err)
{
	struct remote_mailboxes asked = {.items = calloc(count + 1, sizeof(*asked.items))};
	int code = asked.items == NULL ? err_nomem(err) : 0;
	if (code == 0) {
		asked.count = count;
		code = names_count(remote, &asked, wires, err);
	}
	for (size_t i = 0; code == 0 && i < count; i++) {
		counts[i] = asked.items[i].counts;
		asked.items[i].counts = (struct remote_counts){0};
	}
	remote_mailboxes_finish(&asked);
	return code;
}

int remote_count_one(struct remote *remote, const char *wire, struct remote_counts *counts,
		     struct err *err)
{
	note_about(remote, wire);
	return remote_count_names(remote, &wire, 1, counts, err);
}

int remote_view_queue(struct remote *remote, const struct remote_view_request *request,
		      struct err *err)
{
	return remote->ops->view_queue(remote, request, err);
}

int remote_view_next(struct remote *remote, struct remote_view *view, struct err *err)
{
	return remote->ops->view_next(remote, view, err);
}

void remote_view_finish(struct remote_view *view)
{
	free(view->mailboxid);
	free(view->messages);
	free(view->text);
	uidset_finish(&view->gone);
	*view = (struct remote_view){0};
}

const char *remote_view_emailid(const struct remote_view *view,
				const struct remote_view_message *message)
{
	return message->emailid == 0 ? NULL : view->text + message->emailid - 1;
}

static int check_opened(struct remote_opened *opened, bool is_writable, struct told uidvalidity,
			struct err *err)
{
	if (is_writable && opened->is_read_only) {
		return err_set(err, ERR_REFUSED, SCOPE_MAILBOX,
			       "the server opens this mailbox for reading only");
	}
	opened->is_renumbered =
		uidvalidity.is_told && !told_equal(opened->numbers.uidvalidity, uidvalidity);
	if (opened->is_renumbered) {
		return err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
			       "the server renumbered this mailbox during the run; the next run "
			       "pairs it");
	}
	return 0;
}

int remote_open(struct remote *remote, const char *wire, unsigned access, struct told uidvalidity,
		struct remote_opened *opened, struct err *err)
{
	struct remote_opened own = {0};
	bool is_writable = (access & REMOTE_WRITE) != 0;
	int code = 0;
	note_about(remote, wire);
	if ((access & REMOTE_ANEW) == 0) {
		own.numbers.uidvalidity = remote->ops->selected(remote, wire, is_writable);
	}
	if (!own.numbers.uidvalidity.is_told) {
		code = remote->ops->select(remote, wire, is_writable, &own, err);
	}
	if (code == 0) {
		code = check_opened(&own, is_writable, uidvalidity, err);
	}
	if (opened != NULL) {
		*opened = own;
	} else {
		remote_opened_finish(&own);
	}
	return code;
}

void remote_opened_finish(struct remote_opened *opened)
{
	free(opened->mailboxid);
	*opened = (struct remote_opened){0};
}

struct told remote_selected(const struct remote *remote, const char *wire, bool is_writable)
{
	return remote->ops->selected(remote, wire, is_writable);
}

int remote_uids(struct remote *remote, enum remote_which which, struct uidset *uids,
		struct told *exists, struct err *err)
{
	return remote->ops->uids(remote, which, uids, exists, err);
}
