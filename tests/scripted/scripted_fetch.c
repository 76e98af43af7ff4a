/* Bodies: each becomes the events in which a connection would give it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "scripted_private.h"

static struct remote_body *add_event(struct scripted_connection *connection,
				     enum remote_body_type type)
{
	struct scripted_answer *answer = scripted_answer_add(&connection->bodies);
	answer->body.type = type;
	return &answer->body;
}

static void add_data(struct scripted_connection *connection, struct span piece)
{
	struct scripted_answer *answer = scripted_answer_add(&connection->bodies);
	answer->data = malloc(piece.len + 1);
	assert(answer->data != NULL);
	memcpy(answer->data, piece.data, piece.len);
	answer->body.type = REMOTE_FETCHED_DATA;
	answer->body.data = (struct span){answer->data, piece.len};
}

static void add_text(struct scripted_connection *connection, struct span text)
{
	size_t most = connection->server->piece_len == 0 ? text.len : connection->server->piece_len;
	while (text.len > 0) {
		size_t len = text.len < most ? text.len : most;
		add_data(connection, (struct span){text.data, len});
		text.data += len;
		text.len -= len;
	}
}

/* Up to the empty line, with it. */
static struct span header_of(const struct scripted_message *message)
{
	for (size_t i = 0; i + 4 <= message->len; i++) {
		if (memcmp(message->text + i, "\r\n\r\n", 4) == 0) {
			return (struct span){message->text, i + 4};
		}
	}
	return (struct span){message->text, message->len};
}

/* False: the connection broke within it. */
static bool add_message(struct scripted_connection *connection,
			const struct scripted_message *message, enum remote_part part,
			const struct scripted_fate *fate)
{
	struct span text = part == REMOTE_HEADER ? header_of(message)
						 : (struct span){message->text, message->len};
	bool is_nil = uidset_contains(&fate->nil, message->uid) ||
		      (part == REMOTE_HEADER && uidset_contains(&fate->no_header, message->uid));
	if (part == REMOTE_HEADER && uidset_contains(&fate->blank, message->uid)) {
		text = (struct span){"\r\n", 2};
	}
	if (uidset_contains(&fate->empty, message->uid)) {
		text.len = 0;
	}
	if (!is_nil) {
		bool is_cut = fate->cut_uid == message->uid;
		add_event(connection, REMOTE_FETCHED_BEGIN)->size = text.len;
		text.len = is_cut ? text.len / 2 : text.len;
		add_text(connection, text);
		if (is_cut) {
			return false;
		}
		add_event(connection, REMOTE_FETCHED_END);
	}
	struct remote_body *body = add_event(connection, REMOTE_FETCHED_MESSAGE);
	body->uid = message->uid;
	body->has_body = !is_nil;
	body->date = told_time(message->date);
	return true;
}

/* False: the connection broke. */
static bool add_messages(struct scripted_connection *connection, enum remote_part part,
			 const struct uidset *uids, const struct scripted_fate *fate)
{
	const struct scripted_mailbox *mailbox = scripted_selected(connection);
	for (size_t i = 0; mailbox != NULL && i < mailbox->count; i++) {
		const struct scripted_message *message = &mailbox->messages[i];
		if (uidset_contains(uids, message->uid) &&
		    !uidset_contains(&fate->omitted, message->uid) &&
		    !add_message(connection, message, part, fate)) {
			return false;
		}
	}
	return true;
}

static void carry_out(struct scripted_connection *connection, enum remote_part part,
		      const struct uidset *uids, uint64_t number, const struct scripted_fate *fate)
{
	bool is_refused =
		fate->is_refused || fate->is_busy || scripted_selected(connection) == NULL;
	if ((!is_refused && !add_messages(connection, part, uids, fate)) || fate->is_lost) {
		scripted_answer_add(&connection->bodies)->is_cut = true;
		connection->is_cut = true;
		return;
	}
	struct scripted_answer *answer = scripted_answer_add(&connection->bodies);
	answer->body.type = REMOTE_FETCHED_DONE;
	answer->body.cookie = number;
	answer->is_busy = fate->is_busy;
	answer->busy_ms = fate->busy_ms;
	if (is_refused) {
		answer->body.status = scripted_refusal(fate, &answer->body.err);
	}
}

/* What was late is answered now. */
static void overtaken(struct scripted_connection *connection)
{
	scripted_answers_move(&connection->late, &connection->late.head, &connection->bodies);
}

int scripted_fetch_queue(struct remote *remote, enum remote_part part, const struct uidset *uids,
			 uint64_t number, struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	struct scripted_fate fate;
	struct buf text;
	(void)err;
	buf_init(&text, 65536);
	uidset_format(uids, &text);
	scripted_hear(connection, "%s %s %s", part == REMOTE_WHOLE ? "fetch" : "header",
		      connection->selected == NULL ? "-" : connection->selected, text.data);
	buf_finish(&text);
	if (scripted_begin(connection, SCRIPTED_FETCH, connection->selected, uids, &fate) &&
	    !scripted_cuts(connection, &fate, false, &connection->bodies)) {
		struct scripted_answer **own = connection->bodies.end;
		carry_out(connection, part, uids, number, &fate);
		if (fate.is_late) {
			scripted_answers_move(&connection->bodies, own, &connection->late);
		} else {
			overtaken(connection);
		}
	}
	scripted_fate_finish(&fate);
	return 0;
}

int scripted_fetch_open_queue(struct remote *remote, const char *wire, uint64_t cookie,
			      struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	struct scripted_fate fate;
	(void)err;
	scripted_hear(connection, "open %s", wire);
	if (scripted_begin(connection, SCRIPTED_SELECT, wire, NULL, &fate) &&
	    !scripted_cuts(connection, &fate, false, &connection->bodies)) {
		struct scripted_mailbox *mailbox = scripted_find(connection->server, wire);
		struct scripted_answer *answer = scripted_answer_add(&connection->bodies);
		bool is_refused = mailbox == NULL || fate.is_refused || fate.is_busy;
		scripted_open(connection, is_refused ? NULL : wire, false);
		answer->body.type = REMOTE_FETCHED_OPENED;
		answer->body.cookie = cookie;
		answer->body.status = is_refused ? scripted_refusal(&fate, &answer->body.err) : 0;
		answer->body.uidvalidity = connection->selected_uidvalidity;
		answer->is_busy = fate.is_busy;
		answer->busy_ms = fate.busy_ms;
		answer->is_cut = fate.is_lost;
		connection->is_cut = fate.is_lost;
	}
	scripted_fate_finish(&fate);
	return 0;
}

int scripted_fetch_next(struct remote *remote, struct remote_body *body, struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	free(connection->lent);
	connection->lent = NULL;
	if (connection->bodies.head == NULL) {
		overtaken(connection);
	}
	struct scripted_answer *answer = scripted_answer_take(connection, &connection->bodies, err);
	if (answer == NULL) {
		return -(int)err->code;
	}
	*body = answer->body;
	connection->lent = answer->data;
	answer->data = NULL;
	scripted_answer_destroy(answer);
	return 0;
}
