/* IMAP behind the seam (remote.h): the connection from its opening to its end, and what its server
 * can do. */
#include <inttypes.h>
#include <stdlib.h>

#include "imap_private.h"
#include "login.h"

#define IMAP_COMMAND_MAX (1u << 20) /* bytes */

/* What LIST tells is handed on as it is. */
_Static_assert(REMOTE_NOSELECT == IMAP_LIST_NOSELECT && REMOTE_SUBSCRIBED == IMAP_LIST_SUBSCRIBED &&
		       REMOTE_NOINFERIORS == IMAP_LIST_NOINFERIORS &&
		       REMOTE_HASCHILDREN == IMAP_LIST_HASCHILDREN && REMOTE_ALL == IMAP_LIST_ALL &&
		       REMOTE_ARCHIVE == IMAP_LIST_ARCHIVE && REMOTE_DRAFTS == IMAP_LIST_DRAFTS &&
		       REMOTE_FLAGGED == IMAP_LIST_FLAGGED && REMOTE_JUNK == IMAP_LIST_JUNK &&
		       REMOTE_SENT == IMAP_LIST_SENT && REMOTE_TRASH == IMAP_LIST_TRASH &&
		       REMOTE_IMPORTANT == IMAP_LIST_IMPORTANT,
	       "attributes have one value");

static void imap_destroy(struct remote *remote)
{
	struct imap *imap = imap_of(remote);
	remote_finish(remote);
	imap_views_finish(imap);
	conn_destroy(&imap->conn);
	imap_parser_destroy(&imap->parser);
	buf_finish(&imap->line);
	buf_finish(&imap->shown);
	blot_finish(&imap->blot);
	free(imap->queue);
	free(imap->selected);
	free(imap->watched);
	free(imap->opening);
	if (imap->append_no != NULL) {
		remote_done_finish(imap->append_no);
		free(imap->append_no);
	}
	free(imap->label);
	free(imap);
}

static const struct remote_facts *imap_facts(struct remote *remote)
{
	struct imap *imap = imap_of(remote);
	unsigned caps = imap->caps;
	imap->facts = (struct remote_facts){
		.has_move = (caps & IMAP_CAP_MOVE) != 0,
		.has_uid_expunge = (caps & IMAP_CAP_UIDPLUS) != 0,
		.takes_many_appends = (caps & IMAP_CAP_MULTIAPPEND) != 0,
		.appends_without_wait = (caps & IMAP_CAP_LITERAL_PLUS) != 0,
		.tells_changes = (caps & IMAP_CAP_CONDSTORE) != 0,
		.lists_counts = (caps & IMAP_CAP_LIST_STATUS) != 0 && !remote->lists_plainly,
		.has_message_ids = (caps & (IMAP_CAP_OBJECTID | IMAP_CAP_GMAIL)) != 0,
		.message_limit = imap->message_limit,
		.has_append_limits = (caps & IMAP_CAP_APPENDLIMIT) != 0,
		.append_limit = imap->append_limit,
		.is_tls = conn_is_tls(imap->conn),
		.login_name = imap->login_name,
	};
	return &imap->facts;
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
	{IMAP_CAP_NOTIFY, "NOTIFY", "`watch` hears of all mailboxes on one connection",
	 "`watch` hears by IDLE"},
	{IMAP_CAP_IDLE, "IDLE", "`watch` hears of watch_mailboxes, each on a connection",
	 "`watch` looks each watch_interval"},
	{IMAP_CAP_COMPRESS, "COMPRESS=DEFLATE", "can be switched on by `compress`",
	 "nothing is compressed"},
};

/* Only where there is one: without, all sizes are taken as far as anybody knows. */
static void explain_limit(const struct imap *imap, struct buf *line)
{
	if (imap->append_limit.is_told) {
		buf_printf(line,
			   "yes %-17s messages of more than %" PRIu64
			   " bytes are left out of what is sent, unsent",
			   "APPENDLIMIT", imap->append_limit.number);
	} else if ((imap->caps & IMAP_CAP_APPENDLIMIT) != 0) {
		buf_printf(line, "yes %-17s each mailbox tells how large a message it takes",
			   "APPENDLIMIT");
	}
}

static int imap_explain(struct remote *remote, struct strlist *lines, struct err *err)
{
	unsigned caps = imap_of(remote)->caps;
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
	buf_clear(&line);
	explain_limit(imap_of(remote), &line);
	if (code == 0 && line.len > 0) {
		code = strlist_add(lines, buf_span(&line), err);
	}
	buf_finish(&line);
	return code;
}

static void imap_totals(const struct remote *remote, struct remote_totals *totals)
{
	const struct imap *imap = imap_of(remote);
	struct conn_stats stats;
	conn_get_stats(imap->conn, &stats);
	*totals = (struct remote_totals){
		.commands = imap->commands + stats.commands,
		.round_trips = stats.round_trips,
		.bytes_in = stats.bytes_in,
		.bytes_out = stats.bytes_out,
		.rtt_us = conn_rtt_us(imap->conn),
	};
}

static const struct remote_ops imap_ops = {
	.logout = imap_logout,
	.rest = imap_rest,
	.wake = imap_wake,
	.destroy = imap_destroy,
	.facts = imap_facts,
	.explain = imap_explain,
	.quota = imap_quota,
	.totals = imap_totals,
	.busy_is_due = imap_busy_is_due,
	.busy_take = imap_busy_take,
	.list = imap_list,
	.count = imap_count,
	.view_queue = imap_view_queue,
	.view_next = imap_view_next,
	.select = imap_select,
	.selected = imap_selected,
	.uids = imap_uids,
	.pace = imap_pace,
	.fetch_queue = imap_fetch_queue,
	.fetch_open_queue = imap_fetch_open_queue,
	.fetch_next = imap_fetch_next,
	.change_queue = imap_change_queue,
	.append_begin = imap_append_begin,
	.append_message = imap_append_message,
	.append_was_refused = imap_append_was_refused,
	.append_data = imap_append_data,
	.append_end = imap_append_end,
	.done_next = imap_done_next,
};

/* Connects and logs in. */
static int imap_start(struct imap *imap, const struct remote_params *params, struct err *err)
{
	int code;
	if ((code = imap_parser_create(&imap->parser, params->body_max, err)) < 0 ||
	    (code = imap_login(imap, params, err)) < 0) {
		return code;
	}
	return params->server->compress == SERVER_COMPRESS_YES ? imap_compress(imap, err) : 0;
}

static int open_once(struct remote **remote, const struct remote_params *params, struct err *err)
{
	struct imap *imap = calloc(1, sizeof(*imap));
	if (imap == NULL) {
		return err_nomem(err);
	}
	remote_init(&imap->remote, &imap_ops, params->server->progress);
	imap->server = params->server;
	imap->log = params->log;
	imap->views_end = &imap->views;
	imap->login_name = "none";
	buf_init(&imap->line, IMAP_COMMAND_MAX);
	buf_init(&imap->shown, IMAP_COMMAND_MAX);
	blot_init(&imap->blot);
	imap->trace_in.blot = &imap->blot;
	imap->label = span_dup(span_of(params->label));
	int code = imap->label == NULL ? err_nomem(err) : imap_start(imap, params, err);
	if (code < 0) {
		imap_destroy(&imap->remote);
		return code;
	}
	*remote = &imap->remote;
	return 0;
}

int remote_open_imap(struct remote **remote, const struct remote_params *params, struct err *err)
{
	int code = open_once(remote, params, err);
	if (code == -ERR_LOGIN && (code = login_again(params->server, params->stop, err)) > 0) {
		log_line(params->log, LOG_INFO, "%s: %s; trying again with another token",
			 params->label, err->text);
		code = open_once(remote, params, err);
	}
	return code;
}
