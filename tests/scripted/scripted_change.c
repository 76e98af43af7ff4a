/* Changes in the open mailbox and of mailboxes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/model/flags.h"

#include "scripted_private.h"

_Static_assert((int)SCRIPTED_STORE == (int)REMOTE_STORE &&
		       (int)SCRIPTED_RENAME == (int)REMOTE_RENAME,
	       "changes are counted in the order of their kinds");

struct changing {
	struct scripted_connection *connection;
	const struct remote_change *change;
	const struct scripted_fate *fate;
	struct scripted_mailbox *mailbox; /* the open one */
	struct remote_done *done;
};

static int refuse(struct changing *changing, enum remote_refusal code, const char *words)
{
	changing->done->refusal = code;
	return scripted_refuse(code, words, &changing->done->err);
}

static bool is_to_change(const struct changing *changing, uint32_t uid)
{
	const struct uidset *uids = changing->change->uids;
	uint32_t half = changing->fate->half_uid;
	return (uids == NULL || uidset_contains(uids, uid)) && (half == 0 || uid < half);
}

static int store(struct changing *changing)
{
	const struct remote_change *change = changing->change;
	struct scripted_mailbox *mailbox = changing->mailbox;
	uint64_t flags = scripted_translate(change->flags, change->keywords, &mailbox->keywords,
					    !mailbox->lacks_any);
	flags &= mailbox->permanent_flags | (mailbox->lacks_any ? 0 : ~FLAGS_SYSTEM);
	for (size_t i = 0; i < mailbox->count; i++) {
		struct scripted_message *message = &mailbox->messages[i];
		uint64_t before = message->flags;
		if (!is_to_change(changing, message->uid)) {
			continue;
		}
		if (uidset_contains(&changing->fate->omitted, message->uid)) {
			struct err err;
			scripted_must(uidset_add(&changing->done->refused, message->uid,
						 message->uid, &err),
				      &err);
			continue;
		}
		message->flags = change->is_add ? before | flags : before & ~flags;
		if (message->flags != before) {
			message->modseq = ++mailbox->modseq;
		}
	}
	return 0;
}

static int expunge(struct changing *changing)
{
	struct scripted_mailbox *mailbox = changing->mailbox;
	for (size_t i = mailbox->count; i > 0; i--) {
		const struct scripted_message *message = &mailbox->messages[i - 1];
		if ((message->flags & FLAG_DELETED) && is_to_change(changing, message->uid)) {
			scripted_drop(mailbox, message->uid);
		}
	}
	return 0;
}

static void tell_copied(struct remote_done *done, uint32_t from, uint32_t to)
{
	struct remote_copied *copied = &done->copied;
	copied->from = realloc(copied->from, (copied->count + 1) * sizeof(*copied->from));
	copied->to = realloc(copied->to, (copied->count + 1) * sizeof(*copied->to));
	assert(copied->from != NULL && copied->to != NULL);
	copied->from[copied->count] = from;
	copied->to[copied->count++] = to;
}

static int copy(struct changing *changing)
{
	struct scripted *server = changing->connection->server;
	const struct remote_change *change = changing->change;
	struct scripted_mailbox *source = changing->mailbox;
	struct scripted_mailbox *target = scripted_find(server, change->wire);
	bool is_move = change->kind == REMOTE_MOVE;
	bool is_told = server->tells_appended_uid && !changing->fate->is_untold;
	if (target == NULL || (target->attributes & REMOTE_NOSELECT)) {
		return refuse(changing, REMOTE_REFUSAL_TRYCREATE, "there is none");
	}
	size_t last = source->count;
	for (size_t i = 0; i < last;) {
		struct scripted_message like = source->messages[i];
		if (!is_to_change(changing, like.uid)) {
			i++;
			continue;
		}
		like.flags =
			scripted_translate(like.flags, &source->keywords, &target->keywords, true);
		uint32_t uid = scripted_put(server, target, &like)->uid;
		if (is_told) {
			uint32_t mistold = changing->fate->mistold_uid;
			uid = mistold == 0 ? uid : mistold + (uint32_t)changing->done->copied.count;
			tell_copied(changing->done, like.uid, uid);
		}
		if (is_move) {
			scripted_drop(source, like.uid);
			last--;
		} else {
			i++;
		}
	}
	changing->done->has_copied = changing->done->copied.count > 0;
	changing->done->uidvalidity =
		changing->done->has_copied ? told(target->uidvalidity) : UNTOLD;
	return 0;
}

static int change_messages(struct changing *changing)
{
	const struct scripted *server = changing->connection->server;
	enum remote_change_kind kind = changing->change->kind;
	changing->mailbox = scripted_selected(changing->connection);
	if (changing->mailbox == NULL) {
		return refuse(changing, REMOTE_REFUSAL_OTHER, "no mailbox is open");
	}
	if (kind != REMOTE_COPY && !changing->connection->selected_writable) {
		return refuse(changing, REMOTE_REFUSAL_OTHER, "it is open for reading only");
	}
	if ((kind == REMOTE_MOVE && !server->facts.has_move) ||
	    (kind == REMOTE_EXPUNGE && !server->facts.has_uid_expunge)) {
		return refuse(changing, REMOTE_REFUSAL_OTHER, "an unknown command");
	}
	int code = kind == REMOTE_STORE                       ? store(changing)
		 : kind == REMOTE_COPY || kind == REMOTE_MOVE ? copy(changing)
							      : expunge(changing);
	return code < 0 || changing->fate->half_uid == 0
		     ? code
		     : refuse(changing, changing->fate->code, "no more of them");
}

static int change_mailbox(struct changing *changing)
{
	struct scripted *server = changing->connection->server;
	const struct remote_change *change = changing->change;
	struct scripted_mailbox *mailbox = scripted_find(server, change->wire);
	enum remote_change_kind kind = change->kind;
	if (kind == REMOTE_CREATE && mailbox != NULL) {
		return refuse(changing, REMOTE_REFUSAL_ALREADY_EXISTS, "it is there");
	}
	if (kind == REMOTE_CREATE && changing->fate->is_unkept) {
		return 0;
	}
	if (kind == REMOTE_CREATE) {
		scripted_make(server, change->wire)->attributes = 0;
		return 0;
	}
	if (mailbox == NULL) {
		return refuse(changing, REMOTE_REFUSAL_NONEXISTENT, "there is none");
	}
	if (kind == REMOTE_RENAME && scripted_find(server, change->to) != NULL) {
		return refuse(changing, REMOTE_REFUSAL_ALREADY_EXISTS, "it is there");
	}
	if (kind == REMOTE_RENAME && changing->fate->is_unkept) {
		return 0;
	}
	if (kind == REMOTE_RENAME) {
		scripted_rename(server, change->wire, change->to);
	} else if (kind == REMOTE_DELETE) {
		scripted_remove(server, change->wire);
	} else if (kind == REMOTE_SUBSCRIBE) {
		mailbox->attributes |= REMOTE_SUBSCRIBED;
	} else {
		mailbox->attributes &= ~(unsigned)REMOTE_SUBSCRIBED;
	}
	return 0;
}

static bool is_of_messages(enum remote_change_kind kind)
{
	return kind <= REMOTE_MOVE;
}

static void hear(struct scripted_connection *connection, const struct remote_change *change)
{
	static const char *const verbs[] = {
		[REMOTE_STORE] = "store",         [REMOTE_EXPUNGE] = "expunge",
		[REMOTE_EXPUNGE_ALL] = "expunge", [REMOTE_COPY] = "copy",
		[REMOTE_MOVE] = "move",           [REMOTE_CREATE] = "create",
		[REMOTE_DELETE] = "delete",       [REMOTE_SUBSCRIBE] = "subscribe",
		[REMOTE_RENAME] = "rename",       [REMOTE_UNSUBSCRIBE] = "unsubscribe",
	};
	struct buf line;
	buf_init(&line, 65536);
	buf_append_cstr(&line, verbs[change->kind]);
	if (is_of_messages(change->kind)) {
		buf_printf(&line, " %s ",
			   connection->selected == NULL ? "-" : connection->selected);
		if (change->uids == NULL) {
			buf_append_cstr(&line, "all");
		} else {
			uidset_format(change->uids, &line);
		}
	}
	if (change->kind == REMOTE_STORE) {
		buf_append_cstr(&line, change->is_add ? " +" : " -");
		flags_to_imap(change->flags, change->keywords, &line);
	} else if (change->wire != NULL) {
		buf_printf(&line, " %s", change->wire);
	}
	if (change->kind == REMOTE_RENAME) {
		buf_printf(&line, " %s", change->to);
	}
	scripted_hear(connection, "%s", line.data);
	buf_finish(&line);
}

void scripted_refuse_done(const struct scripted_fate *fate, struct remote_done *done)
{
	done->status = scripted_refusal(fate, &done->err);
	done->refusal = fate->is_busy                     ? REMOTE_REFUSAL_BUSY
		      : fate->code == REMOTE_REFUSAL_NONE ? REMOTE_REFUSAL_UNCODED
							  : fate->code;
}

void scripted_answer_done(struct scripted_connection *connection, const struct scripted_fate *fate,
			  struct remote_done *done)
{
	if (scripted_cuts(connection, fate, true, &connection->dones)) {
		remote_done_finish(done);
		return;
	}
	struct scripted_answer *answer = scripted_answer_add(&connection->dones);
	answer->done = *done;
	answer->is_busy = fate->is_busy;
	answer->busy_ms = fate->busy_ms;
}

static void carry_out(struct scripted_connection *connection, const struct remote_change *change,
		      uint64_t number, const struct scripted_fate *fate)
{
	struct remote_done done;
	struct changing changing = {
		.connection = connection, .change = change, .fate = fate, .done = &done};
	remote_done_init(&done);
	done.cookie = number;
	if (fate->is_refused || fate->is_busy) {
		scripted_refuse_done(fate, &done);
	} else {
		done.status = is_of_messages(change->kind) ? change_messages(&changing)
							   : change_mailbox(&changing);
	}
	scripted_answer_done(connection, fate, &done);
}

int scripted_change_queue(struct remote *remote, const struct remote_change *change,
			  uint64_t number, struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	struct scripted_fate fate;
	const char *wire = is_of_messages(change->kind) ? connection->selected : change->wire;
	(void)err;
	hear(connection, change);
	if (scripted_begin(connection, (enum scripted_op)change->kind, wire, change->uids, &fate) &&
	    !scripted_cuts(connection, &fate, false, &connection->dones)) {
		carry_out(connection, change, number, &fate);
	}
	scripted_fate_finish(&fate);
	return 0;
}

int scripted_done_next(struct remote *remote, struct remote_done *done, struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	struct scripted_answer *answer = scripted_answer_take(connection, &connection->dones, err);
	if (answer == NULL) {
		return -(int)err->code;
	}
	connection->append_refused = false;
	*done = answer->done;
	remote_done_init(&answer->done);
	scripted_answer_destroy(answer);
	return 0;
}
