/* What befalls commands, what is heard of them, and the answers that wait. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "scripted_private.h"

void scripted_fault(struct scripted *server, const struct scripted_fault *fault)
{
	struct err err;
	scripted_must(
		ARRAY_RESERVE(&server->faults, server->fault_count + 1, &server->fault_cap, &err),
		&err);
	server->faults[server->fault_count++] = *fault;
}

void scripted_forget_faults(struct scripted *server)
{
	server->fault_count = 0;
}

static bool is_of_size(const struct scripted_connection *connection, uint64_t size)
{
	for (size_t i = 0; i < connection->upload_count; i++) {
		if (connection->uploads[i].size == size) {
			return true;
		}
	}
	return false;
}

/* Those whose answer is about a message are for the commands that name it; views and listings name
 * none. */
static bool is_meant(const struct scripted_connection *connection,
		     const struct scripted_fault *fault, enum scripted_op op, const char *wire,
		     const struct uidset *uids)
{
	return fault->op == op && (fault->size == 0 || is_of_size(connection, fault->size)) &&
	       (fault->wire == NULL || (wire != NULL && strcmp(fault->wire, wire) == 0)) &&
	       (fault->uid == 0 || uids == NULL || uidset_contains(uids, fault->uid));
}

static void take_fault(struct scripted_fate *fate, const struct scripted_fault *fault)
{
	struct err err;
	int code = 0;
	switch (fault->what) {
	case SCRIPTED_REFUSED:
		fate->is_refused = true;
		fate->code = fault->code;
		break;
	case SCRIPTED_BUSY:
		fate->is_busy = true;
		fate->busy_ms = fault->busy_ms;
		break;
	case SCRIPTED_CUT:
		fate->is_cut = fault->uid == 0;
		fate->cut_uid = fault->uid;
		break;
	case SCRIPTED_ENDS:
		fate->is_cut = true;
		break;
	case SCRIPTED_LOST:
		fate->is_lost = true;
		break;
	case SCRIPTED_UNTOLD:
		fate->is_untold = true;
		break;
	case SCRIPTED_HALF:
		fate->half_uid = fault->uid;
		fate->code = fault->code;
		break;
	case SCRIPTED_OMITTED:
		code = uidset_add(&fate->omitted, fault->uid, fault->uid, &err);
		break;
	case SCRIPTED_UNREAD:
		code = uidset_add(&fate->unread, fault->uid, fault->uid, &err);
		break;
	case SCRIPTED_EMPTY:
		code = uidset_add(&fate->empty, fault->uid, fault->uid, &err);
		break;
	case SCRIPTED_BLANK:
		code = uidset_add(&fate->blank, fault->uid, fault->uid, &err);
		break;
	case SCRIPTED_NO_HEADER:
		code = uidset_add(&fate->no_header, fault->uid, fault->uid, &err);
		break;
	case SCRIPTED_NIL:
		code = uidset_add(&fate->nil, fault->uid, fault->uid, &err);
		break;
	case SCRIPTED_MISTOLD:
		fate->mistold_uid = fault->uid;
		break;
	case SCRIPTED_UNKEPT:
		fate->is_unkept = fault->uid == 0;
		fate->is_unflagged = fault->uid != 0;
		break;
	case SCRIPTED_LATE:
		fate->is_late = true;
		break;
	case SCRIPTED_MEANWHILE:
		break;
	}
	scripted_must(code, &err);
}

bool scripted_begin(struct scripted_connection *connection, enum scripted_op op, const char *wire,
		    const struct uidset *uids, struct scripted_fate *fate)
{
	struct scripted *server = connection->server;
	*fate = (struct scripted_fate){0};
	if (connection->is_cut) {
		return false;
	}
	server->asked[op]++;
	for (size_t i = 0; i < server->fault_count;) {
		struct scripted_fault fault = server->faults[i];
		if (!is_meant(connection, &fault, op, wire, uids)) {
			i++;
		} else if (fault.nth > 1) {
			server->faults[i++].nth--;
		} else {
			take_fault(fate, &fault);
			server->is_down |= fault.for_good;
			if (fault.always) {
				i++;
			} else {
				server->fault_count--;
				memmove(server->faults + i, server->faults + i + 1,
					(server->fault_count - i) * sizeof(fault));
			}
			if (fault.what == SCRIPTED_MEANWHILE) {
				fault.act(server);
			}
		}
	}
	return true;
}

void scripted_fate_finish(struct scripted_fate *fate)
{
	uidset_finish(&fate->omitted);
	uidset_finish(&fate->unread);
	uidset_finish(&fate->empty);
	uidset_finish(&fate->nil);
	uidset_finish(&fate->blank);
	uidset_finish(&fate->no_header);
}

/* What the test has heard is not told again. */
static void forget_heard(struct scripted *server)
{
	if (server->is_heard) {
		buf_clear(&server->heard);
	}
	server->is_heard = false;
}

void scripted_hear(struct scripted_connection *connection, const char *format, ...)
{
	va_list args;
	char line[4096];
	if (connection->is_cut) {
		return;
	}
	forget_heard(connection->server);
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	buf_printf(&connection->server->heard, "%s\n", line);
}

const char *scripted_heard(struct scripted *server)
{
	forget_heard(server);
	server->is_heard = true;
	return server->heard.len == 0 ? "" : server->heard.data;
}

int scripted_refuse(enum remote_refusal code, const char *words, struct err *err)
{
	static const char *const names[] = {
		[REMOTE_REFUSAL_NONE] = "",
		[REMOTE_REFUSAL_UNCODED] = "",
		[REMOTE_REFUSAL_ALREADY_EXISTS] = "[ALREADYEXISTS] ",
		[REMOTE_REFUSAL_NONEXISTENT] = "[NONEXISTENT] ",
		[REMOTE_REFUSAL_TRYCREATE] = "[TRYCREATE] ",
		[REMOTE_REFUSAL_OVERQUOTA] = "[OVERQUOTA] ",
		[REMOTE_REFUSAL_TOOBIG] = "[TOOBIG] ",
		[REMOTE_REFUSAL_CANNOT] = "[CANNOT] ",
		[REMOTE_REFUSAL_BUSY] = "[LIMIT] ",
		[REMOTE_REFUSAL_PASSING] = "[INUSE] ",
		[REMOTE_REFUSAL_NOPERM] = "[NOPERM] ",
		[REMOTE_REFUSAL_OTHER] = "[X-OTHER] ",
	};
	return err_set(err, ERR_REFUSED, SCOPE_MAILBOX,
		       "the server refused a command, saying \"%s%s\"", names[code], words);
}

int scripted_refusal(const struct scripted_fate *fate, struct err *err)
{
	if (fate->is_busy) {
		return err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
			       "the server refused a command, saying \"[UNAVAILABLE] busy\"");
	}
	return scripted_refuse(fate->code, "as the test has it", err);
}

int scripted_cut_now(struct scripted_connection *connection, struct err *err)
{
	connection->is_cut = true;
	return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT, "connection closed by the server");
}

bool scripted_cuts(struct scripted_connection *connection, const struct scripted_fate *fate,
		   bool after, struct scripted_answers *answers)
{
	bool is_cut = after ? fate->is_lost : fate->is_cut;
	if (is_cut) {
		scripted_answer_add(answers)->is_cut = true;
		connection->is_cut = true;
	}
	return is_cut;
}

static void note_busy(struct scripted_connection *connection, int64_t busy_ms)
{
	connection->is_busy = true;
	connection->busy_ms = busy_ms > connection->busy_ms ? busy_ms : connection->busy_ms;
}

int scripted_enter(struct scripted_connection *connection, enum scripted_op op, const char *wire,
		   struct scripted_fate *fate, struct err *err)
{
	if (!scripted_begin(connection, op, wire, NULL, fate) || fate->is_cut) {
		return scripted_cut_now(connection, err);
	}
	if (fate->is_busy) {
		note_busy(connection, fate->busy_ms);
	}
	return fate->is_busy || fate->is_refused ? scripted_refusal(fate, err) : 0;
}

int scripted_leave(struct scripted_connection *connection, struct scripted_fate *fate, int code,
		   struct err *err)
{
	bool is_lost = fate->is_lost;
	scripted_fate_finish(fate);
	return is_lost ? scripted_cut_now(connection, err) : code;
}

void scripted_answers_init(struct scripted_answers *answers)
{
	answers->head = NULL;
	answers->end = &answers->head;
}

struct scripted_answer *scripted_answer_add(struct scripted_answers *answers)
{
	struct scripted_answer *answer = calloc(1, sizeof(*answer));
	assert(answer != NULL);
	remote_done_init(&answer->done);
	*answers->end = answer;
	answers->end = &answer->next;
	return answer;
}

void scripted_answers_move(struct scripted_answers *from, struct scripted_answer **link,
			   struct scripted_answers *to)
{
	if (*link != NULL) {
		*to->end = *link;
		to->end = from->end;
		*link = NULL;
		from->end = link;
	}
}

struct scripted_answer *scripted_answer_take(struct scripted_connection *connection,
					     struct scripted_answers *answers, struct err *err)
{
	struct scripted_answer *answer = answers->head;
	if (answer == NULL && !connection->is_cut) {
		err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT, "nothing was asked for");
		return NULL;
	}
	if (answer == NULL || answer->is_cut) {
		scripted_cut_now(connection, err);
		return NULL;
	}
	answers->head = answer->next;
	if (answers->head == NULL) {
		answers->end = &answers->head;
	}
	if (answer->is_busy) {
		note_busy(connection, answer->busy_ms);
	}
	return answer;
}

void scripted_answer_destroy(struct scripted_answer *answer)
{
	remote_view_finish(&answer->view);
	remote_done_finish(&answer->done);
	free(answer->data);
	free(answer);
}
