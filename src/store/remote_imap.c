/* IMAP behind the seam (remote.h): its session in the seam's terms. */
#include <stdlib.h>
#include <string.h>

#include "imap_private.h"
#include "remote_imap.h"

/* What LIST tells is handed on as it is. */
_Static_assert(REMOTE_NOSELECT == IMAP_LIST_NOSELECT && REMOTE_SUBSCRIBED == IMAP_LIST_SUBSCRIBED &&
		       REMOTE_NOINFERIORS == IMAP_LIST_NOINFERIORS &&
		       REMOTE_HASCHILDREN == IMAP_LIST_HASCHILDREN && REMOTE_ALL == IMAP_LIST_ALL &&
		       REMOTE_ARCHIVE == IMAP_LIST_ARCHIVE && REMOTE_DRAFTS == IMAP_LIST_DRAFTS &&
		       REMOTE_FLAGGED == IMAP_LIST_FLAGGED && REMOTE_JUNK == IMAP_LIST_JUNK &&
		       REMOTE_SENT == IMAP_LIST_SENT && REMOTE_TRASH == IMAP_LIST_TRASH &&
		       REMOTE_IMPORTANT == IMAP_LIST_IMPORTANT,
	       "attributes have one value");

static int ops_logout(struct remote *remote, struct err *err)
{
	return imap_logout(remote_imap(remote), err);
}

static void ops_destroy(struct remote *remote)
{
	struct remote_imap *own = (struct remote_imap *)remote;
	remote_finish(remote);
	imap_close(&own->imap);
	free(own);
}

static const struct remote_facts *ops_facts(struct remote *remote)
{
	struct remote_imap *own = (struct remote_imap *)remote;
	unsigned caps = imap_caps(own->imap);
	own->facts = (struct remote_facts){
		.has_move = (caps & IMAP_CAP_MOVE) != 0,
		.has_uid_expunge = (caps & IMAP_CAP_UIDPLUS) != 0,
		.tells_appended_uid = (caps & IMAP_CAP_UIDPLUS) != 0,
		.takes_many_appends = (caps & IMAP_CAP_MULTIAPPEND) != 0,
		.appends_without_wait = (caps & IMAP_CAP_LITERAL_PLUS) != 0,
		.tells_changes = (caps & IMAP_CAP_CONDSTORE) != 0,
		.tells_gone = (caps & IMAP_CAP_QRESYNC) != 0,
		.lists_counts = (caps & IMAP_CAP_LIST_STATUS) != 0,
		.has_message_ids = (caps & (IMAP_CAP_OBJECTID | IMAP_CAP_GMAIL)) != 0,
		.shows_window = (caps & IMAP_CAP_YAHOO) != 0,
		.is_tls = imap_is_tls(own->imap),
		.login_name = imap_login_name(own->imap),
	};
	return &own->facts;
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

static int ops_explain(struct remote *remote, struct strlist *lines, struct err *err)
{
	unsigned caps = imap_caps(remote_imap(remote));
	struct buf line;
	int code = 0;
	buf_init(&line, 512);
	for (size_t i = 0; code == 0 && i < sizeof(explained) / sizeof(explained[0]); i++) {
		bool has = (caps & explained[i].cap) != 0;
		bool gmail = explained[i].cap == IMAP_CAP_OBJECTID && (caps & IMAP_CAP_GMAIL) != 0;
		buf_clear(&line);
		buf_printf(&line, "%-3s %-17s %s", has || gmail ? "yes" : "no",
			   gmail ? "X-GM-EXT-1" : explained[i].name,
			   has || gmail ? explained[i].use : explained[i].fallback);
		code = strlist_add(lines, buf_span(&line), err);
	}
	buf_finish(&line);
	return code;
}

static void ops_totals(const struct remote *remote, struct remote_totals *totals)
{
	struct imap_totals own;
	imap_totals(remote_imap(remote), &own);
	*totals = (struct remote_totals){
		.commands = own.commands,
		.round_trips = own.round_trips,
		.bytes_in = own.bytes_in,
		.bytes_out = own.bytes_out,
		.rtt_us = imap_rtt_us(remote_imap(remote)),
	};
}

static bool ops_busy_is_due(const struct remote *remote)
{
	return imap_backoff_is_due(remote_imap(remote));
}

static bool ops_busy_take(struct remote *remote, int64_t *wanted_ms)
{
	return imap_backoff_take(remote_imap(remote), wanted_ms);
}

static void take_counts(struct imap_mailbox *from, struct remote_counts *counts)
{
	static const enum remote_refusal refusals[] = {
		[IMAP_NOT_REFUSED] = REMOTE_REFUSAL_NONE,
		[IMAP_REFUSED_NONEXISTENT] = REMOTE_REFUSAL_NONEXISTENT,
		[IMAP_REFUSED_UNCODED] = REMOTE_REFUSAL_UNCODED,
		[IMAP_REFUSED_OTHER] = REMOTE_REFUSAL_OTHER,
	};
	unsigned has = from->counts.has;
	free(counts->mailboxid);
	*counts = (struct remote_counts){
		.told = (has & IMAP_COUNT_MESSAGES ? REMOTE_TOLD_MESSAGES : 0u) |
			(has & IMAP_COUNT_UIDNEXT ? REMOTE_TOLD_UIDNEXT : 0u) |
			(has & IMAP_COUNT_UIDVALIDITY ? REMOTE_TOLD_UIDVALIDITY : 0u) |
			(has & IMAP_COUNT_HIGHESTMODSEQ ? REMOTE_TOLD_MODSEQ : 0u),
		.messages = from->counts.messages,
		.uidnext = from->counts.uidnext,
		.uidvalidity = from->counts.uidvalidity,
		.modseq = from->counts.highestmodseq,
		.mailboxid = from->counts.mailboxid,
		.refusal = refusals[from->refusal],
	};
	from->counts.mailboxid = NULL;
}

static int ops_list(struct remote *remote, bool subscribed, struct remote_mailboxes *mailboxes,
		    struct err *err)
{
	struct imap_mailboxes found = {0};
	int code = imap_discover(remote_imap(remote), subscribed, &found, err);
	struct remote_mailbox *items = code < 0 ? NULL : calloc(found.count + 1, sizeof(*items));
	if (code == 0 && items == NULL) {
		code = err_nomem(err);
	}
	for (size_t i = 0; code == 0 && i < found.count; i++) {
		items[i].wire = found.items[i].wire;
		items[i].attributes = found.items[i].attributes;
		found.items[i].wire = NULL;
		take_counts(&found.items[i], &items[i].counts);
	}
	if (code == 0) {
		*mailboxes = (struct remote_mailboxes){items, found.count, found.wire};
	}
	imap_mailboxes_finish(&found);
	return code;
}

static int ops_count(struct remote *remote, struct remote_mailboxes *mailboxes, const bool *wanted,
		     struct err *err)
{
	struct imap_mailboxes asked = {.items = calloc(mailboxes->count + 1, sizeof(*asked.items))};
	int code = asked.items == NULL ? err_nomem(err) : 0;
	for (size_t i = 0; code == 0 && i < mailboxes->count; i++) {
		asked.items[i].wire = span_dup(span_of(mailboxes->items[i].wire));
		code = asked.items[i].wire == NULL ? err_nomem(err) : 0;
		asked.count = i + 1;
	}
	if (code == 0) {
		code = imap_status(remote_imap(remote), &asked, wanted, err);
	}
	for (size_t i = 0; code == 0 && i < mailboxes->count; i++) {
		if (wanted[i] || asked.items[i].counts.has != 0) {
			take_counts(&asked.items[i], &mailboxes->items[i].counts);
		}
	}
	imap_mailboxes_finish(&asked);
	return code;
}

static int ops_view_queue(struct remote *remote, const struct remote_view_request *request,
			  struct err *err)
{
	return imap_view_queue(remote_imap(remote), request, err);
}

static int ops_view_next(struct remote *remote, struct remote_view *view, struct err *err)
{
	struct imap_view own = {0};
	int code = imap_view_next(remote_imap(remote), &own, err);
	if (code < 0) {
		return code;
	}
	*view = (struct remote_view){
		.status = own.status,
		.is_writable = own.is_writable,
		.uidvalidity = own.uidvalidity,
		.uidnext = own.uidnext,
		.modseq = own.modseq,
		.exists = own.exists,
		.mailboxid = own.mailboxid,
		.has_permanent = own.has_permanent,
		.permanent_flags = own.permanent_flags,
		.permanent_any = own.permanent_any,
		.is_full = own.is_full,
		.messages = own.messages,
		.count = own.count,
		.gone = own.gone,
		.text = own.text,
	};
	view->err = own.err;
	return 0;
}

static int ops_select(struct remote *remote, const char *wire, bool is_writable,
		      struct remote_opened *opened, struct err *err)
{
	struct imap_view own = {0};
	int code = imap_select(remote_imap(remote), wire, is_writable, &own, err);
	if (code == 0) {
		opened->is_read_only = is_writable && !own.is_writable;
		opened->uidvalidity = own.uidvalidity;
		opened->uidnext = own.uidnext;
		opened->modseq = own.modseq;
		opened->exists = own.exists;
		opened->mailboxid = own.mailboxid;
		own.mailboxid = NULL;
	}
	imap_view_finish(&own);
	return code;
}

static uint32_t ops_selected(const struct remote *remote, const char *wire, bool is_writable)
{
	return imap_selected(remote_imap(remote), wire, is_writable);
}

static int ops_uids(struct remote *remote, enum remote_which which, struct uidset *uids,
		    uint32_t *exists, struct err *err)
{
	if (which == REMOTE_UIDS_ALL) {
		return imap_list_uids(remote_imap(remote), uids, exists, err);
	}
	*exists = remote_imap(remote)->exists;
	return imap_search_deleted(remote_imap(remote), uids, err);
}

static const struct remote_ops imap_ops = {
	.logout = ops_logout,
	.destroy = ops_destroy,
	.facts = ops_facts,
	.explain = ops_explain,
	.totals = ops_totals,
	.busy_is_due = ops_busy_is_due,
	.busy_take = ops_busy_take,
	.list = ops_list,
	.count = ops_count,
	.view_queue = ops_view_queue,
	.view_next = ops_view_next,
	.select = ops_select,
	.selected = ops_selected,
	.uids = ops_uids,
	.pace = remote_imap_pace,
	.fetch_queue = remote_imap_fetch_queue,
	.fetch_open_queue = remote_imap_fetch_open_queue,
	.fetch_next = remote_imap_fetch_next,
	.change_queue = remote_imap_change_queue,
	.append_begin = remote_imap_append_begin,
	.append_message = remote_imap_append_message,
	.append_was_refused = remote_imap_append_was_refused,
	.append_data = remote_imap_append_data,
	.append_end = remote_imap_append_end,
	.done_next = remote_imap_done_next,
};

int remote_open_imap(struct remote **remote, const struct remote_params *params, struct err *err)
{
	struct remote_imap *own = calloc(1, sizeof(*own));
	if (own == NULL) {
		return err_nomem(err);
	}
	remote_init(&own->remote, &imap_ops, params->server->progress);
	int code = imap_open(&own->imap, params, err);
	if (code < 0) {
		ops_destroy(&own->remote);
		return code;
	}
	*remote = &own->remote;
	return 0;
}
