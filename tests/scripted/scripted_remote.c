/* A connection to the scripted server: the session, the mailboxes, and which one is open. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/model/flags.h"

#include "scripted_private.h"

struct scripted_connection *scripted_of(const struct remote *remote)
{
	return (struct scripted_connection *)remote;
}

struct scripted_mailbox *scripted_selected(const struct scripted_connection *connection)
{
	return connection->selected == NULL
		     ? NULL
		     : scripted_find(connection->server, connection->selected);
}

void scripted_open(struct scripted_connection *connection, const char *wire, bool is_writable)
{
	char *copy = wire == NULL ? NULL : scripted_copy(span_of(wire));
	free(connection->selected);
	connection->selected = copy;
	connection->selected_writable = is_writable;
	connection->selected_uidvalidity =
		wire == NULL ? UNTOLD
			     : told_unless_0(scripted_find(connection->server, wire)->uidvalidity);
}

struct numbers scripted_numbers(const struct scripted *server,
				const struct scripted_mailbox *mailbox)
{
	return (struct numbers){
		.uidvalidity = told_unless_0(mailbox->uidvalidity),
		.uidnext = told(mailbox->uidnext),
		.messages = told(scripted_exists(mailbox)),
		.modseq = server->facts.tells_changes ? told(mailbox->modseq) : UNTOLD,
	};
}

uint32_t scripted_exists(const struct scripted_mailbox *mailbox)
{
	return (uint32_t)((int64_t)mailbox->count + mailbox->exists_off);
}

int scripted_exists_untold(struct err *err)
{
	return err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
		       "the server does not tell how many messages the mailbox holds");
}

static int ops_logout(struct remote *remote, struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	scripted_hear(connection, "logout");
	return connection->is_cut ? scripted_cut_now(connection, err) : 0;
}

static void answers_finish(struct scripted_answers *answers)
{
	while (answers->head != NULL) {
		struct scripted_answer *answer = answers->head;
		answers->head = answer->next;
		scripted_answer_destroy(answer);
	}
}

static void ops_destroy(struct remote *remote)
{
	struct scripted_connection *connection = scripted_of(remote);
	remote_finish(remote);
	answers_finish(&connection->views);
	answers_finish(&connection->bodies);
	answers_finish(&connection->late);
	answers_finish(&connection->dones);
	scripted_uploads_finish(connection);
	scripted_fate_finish(&connection->append_fate);
	free(connection->append_wire);
	free(connection->lent);
	free(connection->selected);
	free(connection);
}

static const struct remote_facts *ops_facts(struct remote *remote)
{
	struct scripted_connection *connection = scripted_of(remote);
	connection->facts = connection->server->facts;
	connection->facts.lists_counts &= !remote->lists_plainly;
	return &connection->facts;
}

static int ops_explain(struct remote *remote, struct strlist *lines, struct err *err)
{
	(void)remote;
	return strlist_add(lines, SPAN_LIT("yes SCRIPTED"), err);
}

static void ops_totals(const struct remote *remote, struct remote_totals *totals)
{
	*totals = (struct remote_totals){0};
	for (size_t i = 0; i < SCRIPTED_OP_COUNT; i++) {
		totals->commands += scripted_of(remote)->server->asked[i];
	}
}

static bool ops_busy_is_due(const struct remote *remote)
{
	return scripted_of(remote)->is_busy;
}

static bool ops_busy_take(struct remote *remote, int64_t *wanted_ms)
{
	struct scripted_connection *connection = scripted_of(remote);
	bool is_due = connection->is_busy;
	*wanted_ms = connection->busy_ms;
	connection->is_busy = false;
	connection->busy_ms = 0;
	return is_due;
}

static void tell_counts(const struct scripted *server, const struct scripted_mailbox *mailbox,
			struct remote_counts *counts)
{
	remote_counts_finish(counts);
	*counts = (struct remote_counts){
		.numbers = scripted_numbers(server, mailbox),
		.mailboxid = server->facts.has_message_ids
				   ? scripted_copy(span_of(mailbox->mailboxid))
				   : NULL,
	};
}

static int ops_list(struct remote *remote, bool subscribed, struct remote_mailboxes *mailboxes,
		    struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	struct scripted *server = connection->server;
	struct scripted_fate fate;
	scripted_hear(connection, "list%s", subscribed ? " subscribed" : "");
	int code = scripted_enter(connection, SCRIPTED_LIST, NULL, &fate, err);
	if (code < 0) {
		return scripted_leave(connection, &fate, code, err);
	}
	struct remote_mailboxes found = {.items = calloc(server->count + 1, sizeof(*found.items))};
	assert(found.items != NULL);
	for (size_t i = 0; i < server->count; i++) {
		const struct scripted_mailbox *mailbox = &server->mailboxes[i];
		if (mailbox->is_unlisted) {
			continue;
		}
		struct remote_mailbox *item = &found.items[found.count++];
		item->wire = scripted_copy(span_of(mailbox->wire));
		item->attributes = mailbox->attributes;
		if (server->hides_subscriptions) {
			item->attributes &= ~(unsigned)REMOTE_SUBSCRIBED;
		}
		if (server->hides_uses) {
			item->attributes &= ~REMOTE_USES;
		}
		if (remote_facts(remote)->lists_counts &&
		    (mailbox->attributes & REMOTE_NOSELECT) == 0 && !fate.is_untold) {
			tell_counts(server, mailbox, &item->counts);
		}
	}
	found.is_read = !server->lists_badly;
	const struct scripted_mailbox *inbox = scripted_find(server, "INBOX");
	found.is_whole = found.is_read && inbox != NULL && !inbox->is_unlisted;
	found.naming = server->naming;
	found.has_subscriptions = subscribed && !server->hides_subscriptions;
	found.has_uses = !server->hides_uses;
	found.wire.separator = server->separator;
	if (server->naming == REMOTE_NAMING_TOLD) {
		memcpy(found.wire.prefix, server->prefix, sizeof(server->prefix));
	}
	code = scripted_leave(connection, &fate, 0, err);
	if (code < 0) {
		remote_mailboxes_finish(&found);
		return code;
	}
	*mailboxes = found;
	return 0;
}

static int count_one(struct scripted_connection *connection, struct remote_mailbox *mailbox,
		     struct err *err)
{
	struct scripted_fate fate;
	struct err refusal;
	scripted_hear(connection, "count %s", mailbox->wire);
	int code = scripted_enter(connection, SCRIPTED_COUNT, mailbox->wire, &fate, &refusal);
	const struct scripted_mailbox *found = scripted_find(connection->server, mailbox->wire);
	if (connection->is_cut) {
		*err = refusal;
	} else if (code < 0 || found == NULL || (found->attributes & REMOTE_NOSELECT)) {
		remote_counts_finish(&mailbox->counts);
		mailbox->counts.refusal = fate.is_busy ? REMOTE_REFUSAL_OTHER
					: code < 0     ? fate.code
						       : REMOTE_REFUSAL_NONEXISTENT;
		if (mailbox->counts.refusal == REMOTE_REFUSAL_NONE) {
			mailbox->counts.refusal = REMOTE_REFUSAL_UNCODED;
		}
		code = 0;
	} else if (fate.is_untold) {
		remote_counts_finish(&mailbox->counts);
	} else {
		tell_counts(connection->server, found, &mailbox->counts);
	}
	return scripted_leave(connection, &fate, code, err);
}

static int ops_count(struct remote *remote, struct remote_mailboxes *mailboxes, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < mailboxes->count; i++) {
		if (mailboxes->items[i].is_asked) {
			code = count_one(scripted_of(remote), &mailboxes->items[i], err);
		}
	}
	return code;
}

static int select_now(struct scripted_connection *connection, const char *wire, bool is_writable,
		      struct remote_opened *opened, const struct scripted_fate *fate,
		      struct err *err)
{
	const struct scripted *server = connection->server;
	const struct scripted_mailbox *mailbox = scripted_find(connection->server, wire);
	scripted_open(connection, NULL, false);
	if (mailbox == NULL || (mailbox->attributes & REMOTE_NOSELECT)) {
		return scripted_refuse(REMOTE_REFUSAL_NONEXISTENT, "there is none", err);
	}
	scripted_open(connection, wire, is_writable && !mailbox->is_read_only);
	if (fate->is_untold) {
		return scripted_exists_untold(err);
	}
	*opened = (struct remote_opened){
		.is_read_only = is_writable && mailbox->is_read_only,
		.numbers = scripted_numbers(server, mailbox),
		.mailboxid = server->facts.has_message_ids
				   ? scripted_copy(span_of(mailbox->mailboxid))
				   : NULL,
	};
	return 0;
}

static int ops_select(struct remote *remote, const char *wire, bool is_writable,
		      struct remote_opened *opened, struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	struct scripted_fate fate;
	scripted_hear(connection, "open %s%s", wire, is_writable ? " for writing" : "");
	int code = scripted_enter(connection, SCRIPTED_SELECT, wire, &fate, err);
	if (code == 0) {
		code = select_now(connection, wire, is_writable, opened, &fate, err);
	} else {
		scripted_open(connection, NULL, false);
	}
	return scripted_leave(connection, &fate, code, err);
}

static struct told ops_selected(const struct remote *remote, const char *wire, bool is_writable)
{
	const struct scripted_connection *connection = scripted_of(remote);
	if (connection->selected == NULL || strcmp(connection->selected, wire) != 0 ||
	    (is_writable && !connection->selected_writable)) {
		return UNTOLD;
	}
	return connection->selected_uidvalidity;
}

static int uids_now(struct scripted_connection *connection, enum remote_which which,
		    struct uidset *uids, struct told *exists, const struct scripted_fate *fate,
		    struct err *err)
{
	const struct scripted_mailbox *mailbox = scripted_selected(connection);
	int code = 0;
	if (mailbox == NULL) {
		return scripted_refuse(REMOTE_REFUSAL_UNCODED, "no mailbox is open", err);
	}
	for (size_t i = 0; code == 0 && i < mailbox->count; i++) {
		const struct scripted_message *message = &mailbox->messages[i];
		if ((which == REMOTE_UIDS_ALL || (message->flags & FLAG_DELETED)) &&
		    !uidset_contains(&fate->omitted, message->uid)) {
			code = uidset_add(uids, message->uid, message->uid, err);
		}
	}
	*exists = told(scripted_exists(mailbox));
	return fate->is_untold ? scripted_exists_untold(err) : code;
}

static int ops_uids(struct remote *remote, enum remote_which which, struct uidset *uids,
		    struct told *exists, struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	const char *wire = connection->selected;
	struct scripted_fate fate;
	scripted_hear(connection, "%s %s", which == REMOTE_UIDS_ALL ? "uids" : "deleted",
		      wire == NULL ? "-" : wire);
	int code = scripted_enter(connection, SCRIPTED_UIDS, wire, &fate, err);
	if (code == 0) {
		code = uids_now(connection, which, uids, exists, &fate, err);
	}
	return scripted_leave(connection, &fate, code, err);
}

static enum remote_pace ops_pace(const struct remote *remote)
{
	(void)remote;
	return REMOTE_PACE_FREE;
}

static const struct remote_ops scripted_ops = {
	.logout = ops_logout,
	.destroy = ops_destroy,
	.facts = ops_facts,
	.explain = ops_explain,
	.totals = ops_totals,
	.busy_is_due = ops_busy_is_due,
	.busy_take = ops_busy_take,
	.list = ops_list,
	.count = ops_count,
	.view_queue = scripted_view_queue,
	.view_next = scripted_view_next,
	.select = ops_select,
	.selected = ops_selected,
	.uids = ops_uids,
	.pace = ops_pace,
	.fetch_queue = scripted_fetch_queue,
	.fetch_open_queue = scripted_fetch_open_queue,
	.fetch_next = scripted_fetch_next,
	.change_queue = scripted_change_queue,
	.append_begin = scripted_append_begin,
	.append_message = scripted_append_message,
	.append_was_refused = scripted_append_was_refused,
	.append_data = scripted_append_data,
	.append_end = scripted_append_end,
	.done_next = scripted_done_next,
};

struct remote *scripted_connect(struct scripted *server)
{
	struct scripted_connection *connection = calloc(1, sizeof(*connection));
	assert(connection != NULL);
	remote_init(&connection->remote, &scripted_ops, NULL);
	connection->server = server;
	server->connections++;
	scripted_answers_init(&connection->views);
	scripted_answers_init(&connection->bodies);
	scripted_answers_init(&connection->late);
	scripted_answers_init(&connection->dones);
	return &connection->remote;
}
