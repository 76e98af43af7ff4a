/* Uploads: one command with one message or several, of which all are taken or none, unless a fault
 * says that some are. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/model/flags.h"

#include "scripted_private.h"

#define TEXT_MAX (64u << 20)

void scripted_uploads_finish(struct scripted_connection *connection)
{
	for (size_t i = 0; i < connection->upload_count; i++) {
		free(connection->uploads[i].flags);
		buf_finish(&connection->uploads[i].text);
	}
	free(connection->uploads);
	connection->uploads = NULL;
	connection->upload_count = 0;
	connection->upload_cap = 0;
}

int scripted_append_begin(struct remote *remote, const char *wire, uint64_t number, struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	(void)err;
	scripted_uploads_finish(connection);
	free(connection->append_wire);
	connection->append_wire = scripted_copy(span_of(wire));
	connection->append_number = number;
	connection->append_is_known = false;
	connection->append_refused = false;
	return 0;
}

/* What is told of the messages of the append, once they are there. */
static void put_all(struct scripted_connection *connection, struct remote_done *done)
{
	struct scripted *server = connection->server;
	struct scripted_mailbox *mailbox = scripted_find(server, connection->append_wire);
	bool is_untold = connection->append_fate.is_untold;
	struct err err;
	for (size_t i = 0; i < connection->upload_count; i++) {
		const struct scripted_upload *upload = &connection->uploads[i];
		struct scripted_message like = {
			.flags = flags_from_imap(span_of(upload->flags), &mailbox->keywords,
						 !mailbox->lacks_any, NULL),
			.date = upload->date,
			.size = upload->text.len,
			.text = upload->text.data,
			.len = upload->text.len,
		};
		like.flags = connection->append_fate.is_unflagged ? 0 : like.flags;
		uint32_t half_uid = connection->append_fate.half_uid;
		if (half_uid != 0 && mailbox->uidnext >= half_uid) {
			break;
		}
		uint32_t uid = scripted_put(server, mailbox, &like)->uid;
		if (connection->append_fate.is_unkept) {
			free(mailbox->messages[--mailbox->count].text);
		}
		uint32_t mistold = connection->append_fate.mistold_uid;
		uid = mistold == 0 ? uid : mistold + (uint32_t)i;
		scripted_must(uidset_add(&done->appended, uid, uid, &err), &err);
	}
	done->has_appended = server->tells_appended_uid && !is_untold;
	done->uidvalidity = done->has_appended ? told(mailbox->uidvalidity) : UNTOLD;
	if (!done->has_appended) {
		uidset_finish(&done->appended);
	}
}

/* The append's answer, its data being there or not: what it says of success. */
static int give_answer(struct scripted_connection *connection, bool has_data, struct err *err)
{
	const struct scripted_fate *fate = &connection->append_fate;
	const struct scripted_mailbox *mailbox =
		scripted_find(connection->server, connection->append_wire);
	struct remote_done done;
	remote_done_init(&done);
	done.cookie = connection->append_number;
	bool is_half = fate->half_uid != 0 && has_data && mailbox != NULL;
	if (is_half) {
		put_all(connection, &done);
		done.has_appended = false;
		uidset_finish(&done.appended);
	}
	if (fate->is_refused || fate->is_busy || is_half) {
		scripted_refuse_done(fate, &done);
	} else if (mailbox == NULL || (mailbox->attributes & REMOTE_NOSELECT)) {
		done.refusal = REMOTE_REFUSAL_TRYCREATE;
		done.status = scripted_refuse(done.refusal, "there is none", &done.err);
	} else if (has_data) {
		put_all(connection, &done);
	}
	int status = done.status;
	*err = done.err;
	scripted_answer_done(connection, fate, &done);
	return status;
}

/* The server looks at the command: false where the connection breaks. */
static bool is_looked_at(struct scripted_connection *connection)
{
	struct buf line;
	buf_init(&line, TEXT_MAX);
	buf_printf(&line, "append %s", connection->append_wire);
	for (size_t i = 0; i < connection->upload_count; i++) {
		buf_printf(&line, " (%s) %llu", connection->uploads[i].flags,
			   (unsigned long long)connection->uploads[i].size);
	}
	scripted_hear(connection, "%s", line.data);
	buf_finish(&line);
	scripted_fate_finish(&connection->append_fate);
	connection->append_is_known = true;
	return scripted_begin(connection, SCRIPTED_APPEND, connection->append_wire, NULL,
			      &connection->append_fate) &&
	       !scripted_cuts(connection, &connection->append_fate, false, &connection->dones);
}

static bool says_no(const struct scripted_connection *connection)
{
	const struct scripted_fate *fate = &connection->append_fate;
	return fate->is_refused || fate->is_busy ||
	       scripted_find(connection->server, connection->append_wire) == NULL;
}

int scripted_append_message(struct remote *remote, const struct remote_append *message,
			    struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	struct buf flags;
	scripted_must(ARRAY_RESERVE(&connection->uploads, connection->upload_count + 1,
				    &connection->upload_cap, err),
		      err);
	struct scripted_upload *upload = &connection->uploads[connection->upload_count++];
	buf_init(&flags, 65536);
	flags_to_imap(message->flags, message->keywords, &flags);
	*upload = (struct scripted_upload){.flags = scripted_copy(buf_span(&flags)),
					   .date = message->date,
					   .size = message->size};
	buf_init(&upload->text, TEXT_MAX);
	buf_finish(&flags);
	bool has_to_wait = message->asks_first || !connection->server->facts.appends_without_wait;
	if (!has_to_wait || connection->append_is_known) {
		return 0;
	}
	if (!is_looked_at(connection)) {
		return scripted_cut_now(connection, err);
	}
	if (says_no(connection)) {
		connection->append_refused = true;
		return give_answer(connection, false, err);
	}
	return 0;
}

bool scripted_append_was_refused(const struct remote *remote)
{
	return scripted_of(remote)->append_refused;
}

int scripted_append_data(struct remote *remote, struct span data, struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	(void)err;
	buf_append_span(&connection->uploads[connection->upload_count - 1].text, data);
	return 0;
}

int scripted_append_end(struct remote *remote, struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	for (size_t i = 0; i < connection->upload_count; i++) {
		/* A real server would take what follows for a command. */
		assert(connection->uploads[i].text.len == connection->uploads[i].size);
	}
	if (connection->append_is_known || is_looked_at(connection)) {
		give_answer(connection, true, err);
	}
	return 0;
}
