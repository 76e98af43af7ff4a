/* Views, told as an IMAP server would that has what facts say: what a SELECT with QRESYNC, a FETCH
 * of changed flags and one of new messages give. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "scripted_private.h"

struct viewing {
	struct scripted_connection *connection;
	const struct scripted_mailbox *mailbox;
	const struct remote_view_request *request;
	const struct scripted_fate *fate;
	struct remote_view *view;
	size_t cap;
	size_t text_cap;
	size_t text_len;
};

static void tell_emailid(struct viewing *viewing, const char *id,
			 struct remote_view_message *message)
{
	struct remote_view *view = viewing->view;
	size_t len = strlen(id) + 1;
	struct err err;
	scripted_must(ARRAY_RESERVE(&view->text, viewing->text_len + len, &viewing->text_cap, &err),
		      &err);
	memcpy(view->text + viewing->text_len, id, len);
	message->emailid = viewing->text_len + 1;
	viewing->text_len += len;
}

static void tell(struct viewing *viewing, const struct scripted_message *from, bool is_new)
{
	struct remote_view *view = viewing->view;
	const struct remote_view_request *request = viewing->request;
	struct err err;
	if (uidset_contains(&viewing->fate->omitted, from->uid)) {
		return;
	}
	if (uidset_contains(&viewing->fate->unread, from->uid)) {
		view->unread++;
		return;
	}
	scripted_must(ARRAY_RESERVE(&view->messages, view->count + 1, &viewing->cap, &err), &err);
	struct remote_view_message *message = &view->messages[view->count++];
	*message = (struct remote_view_message){
		.uid = from->uid,
		.has_flags = true,
		.flags = scripted_translate(from->flags, &viewing->mailbox->keywords,
					    request->keywords, request->intern),
	};
	if (is_new) {
		message->date = told_time(from->date);
		message->size = told(from->size);
		if (viewing->connection->server->facts.has_message_ids &&
		    from->emailid[0] != '\0') {
			tell_emailid(viewing, from->emailid, message);
		}
	}
}

/* "UIDNEXT:*" is the last message in any case. */
static bool is_told_as_new(const struct viewing *viewing, size_t i)
{
	return viewing->mailbox->messages[i].uid >= viewing->request->uidnext.number ||
	       i + 1 == viewing->mailbox->count;
}

/* SELECT with QRESYNC tells of new ones too. */
static bool is_told_as_changed(const struct viewing *viewing, size_t i, bool since, bool with_gone)
{
	const struct scripted_message *message = &viewing->mailbox->messages[i];
	return (!since || message->modseq > viewing->request->modseq.number) &&
	       (message->uid < viewing->request->uidnext.number || with_gone);
}

static void tell_gone(struct viewing *viewing)
{
	struct err err;
	for (size_t i = 0; i < viewing->mailbox->gone_count; i++) {
		const struct scripted_gone *gone = &viewing->mailbox->gone[i];
		if (gone->modseq > viewing->request->modseq.number &&
		    !uidset_contains(&viewing->fate->omitted, gone->uid)) {
			scripted_must(uidset_add(&viewing->view->gone, gone->uid, gone->uid, &err),
				      &err);
		}
	}
}

static void tell_messages(struct viewing *viewing)
{
	const struct remote_view_request *request = viewing->request;
	const struct remote_facts *facts = &viewing->connection->server->facts;
	bool is_full = !request->uidvalidity.is_told || request->uidnext.number <= 1;
	bool is_known = told_is(request->uidvalidity, viewing->mailbox->uidvalidity);
	bool since = facts->tells_changes && !is_full && request->modseq.is_told;
	bool with_gone = viewing->connection->server->tells_gone && since;
	viewing->view->is_full = is_full || request->is_empty || !since;
	bool with_new = !request->skip_new || viewing->view->is_full;
	const struct numbers *numbers = &viewing->view->numbers;
	if (request->is_empty && !told_is(numbers->messages, 0)) {
		viewing->view->unread++;
		viewing->view->is_full = false;
	} else if (!request->is_empty && !with_new &&
		   !told_equal(numbers->uidnext, request->uidnext)) {
		viewing->view->unread++;
	}
	if (with_gone && is_known) {
		tell_gone(viewing);
	}
	for (size_t i = 0; i < viewing->mailbox->count; i++) {
		bool is_changed = (!with_gone || is_known) &&
				  is_told_as_changed(viewing, i, since, with_gone);
		bool is_new = is_full || (with_new && is_told_as_new(viewing, i));
		if (request->is_empty) {
			is_new = false;
			is_changed &= with_gone;
		}
		if (is_new || is_changed) {
			tell(viewing, &viewing->mailbox->messages[i], is_new);
		}
	}
}

static void tell_numbers(struct viewing *viewing)
{
	struct remote_view *view = viewing->view;
	const struct scripted_mailbox *mailbox = viewing->mailbox;
	const struct remote_view_request *request = viewing->request;
	view->is_writable = request->is_writable && !mailbox->is_read_only;
	view->numbers = scripted_numbers(viewing->connection->server, mailbox);
	view->has_permanent = true;
	if (view->is_writable) {
		view->permanent_any = !mailbox->lacks_any;
		view->permanent_flags =
			scripted_translate(mailbox->permanent_flags, &mailbox->keywords,
					   request->keywords, request->intern);
	}
	if (viewing->connection->server->facts.has_message_ids) {
		view->mailboxid = scripted_copy(span_of(mailbox->mailboxid));
	}
}

/* The mailbox as it is now. */
static void look(struct scripted_connection *connection, const struct remote_view_request *request,
		 const struct scripted_fate *fate, struct scripted_answer *answer)
{
	struct viewing viewing = {.connection = connection,
				  .mailbox = scripted_find(connection->server, request->wire),
				  .request = request,
				  .fate = fate,
				  .view = &answer->view};
	struct remote_view *view = &answer->view;
	scripted_open(connection, NULL, false);
	if (fate->is_refused || fate->is_busy) {
		view->status = scripted_refusal(fate, &view->err);
		answer->is_busy = fate->is_busy;
		answer->busy_ms = fate->busy_ms;
	} else if (viewing.mailbox == NULL || (viewing.mailbox->attributes & REMOTE_NOSELECT)) {
		view->status =
			scripted_refuse(REMOTE_REFUSAL_NONEXISTENT, "there is none", &view->err);
	} else {
		tell_numbers(&viewing);
		tell_messages(&viewing);
		scripted_open(connection, request->wire, view->is_writable);
		view->status = fate->is_untold ? scripted_exists_untold(&view->err) : 0;
	}
}

int scripted_view_queue(struct remote *remote, const struct remote_view_request *request,
			struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	struct scripted_fate fate;
	(void)err;
	scripted_hear(connection, "view %s%s", request->wire,
		      request->is_writable ? " for writing" : "");
	if (scripted_begin(connection, SCRIPTED_VIEW, request->wire, NULL, &fate) &&
	    !scripted_cuts(connection, &fate, false, &connection->views)) {
		struct scripted_answer *answer = scripted_answer_add(&connection->views);
		look(connection, request, &fate, answer);
		answer->is_cut = fate.is_lost;
		connection->is_cut = fate.is_lost;
	}
	scripted_fate_finish(&fate);
	return 0;
}

static void *copy_of(const void *data, size_t len)
{
	void *copy = malloc(len + 1);
	assert(copy != NULL);
	memcpy(copy, data, len);
	return copy;
}

/* The first PART messages of WHOLE, which loses them. */
static void take_part(struct remote_view *whole, size_t part, struct remote_view *view)
{
	size_t text_len = 0;
	for (size_t i = 0; i < part; i++) {
		const char *id = remote_view_emailid(whole, &whole->messages[i]);
		text_len = id == NULL ? text_len : whole->messages[i].emailid + strlen(id);
	}
	*view = (struct remote_view){
		.is_part = true,
		.is_writable = whole->is_writable,
		.is_full = true,
		.numbers = whole->numbers,
		.messages = copy_of(whole->messages, part * sizeof(*whole->messages)),
		.count = part,
		.text = text_len == 0 ? NULL : copy_of(whole->text, text_len),
	};
	whole->count -= part;
	memmove(whole->messages, whole->messages + part, whole->count * sizeof(*whole->messages));
}

int scripted_view_next(struct remote *remote, struct remote_view *view, struct err *err)
{
	struct scripted_connection *connection = scripted_of(remote);
	size_t part = connection->server->view_part;
	struct scripted_answer *first = connection->views.head;
	if (part > 0 && first != NULL && first->view.is_full && first->view.status == 0 &&
	    first->view.count > part) {
		take_part(&first->view, part, view);
		return 0;
	}
	struct scripted_answer *answer = scripted_answer_take(connection, &connection->views, err);
	if (answer == NULL) {
		return -(int)err->code;
	}
	*view = answer->view;
	answer->view = (struct remote_view){0};
	scripted_answer_destroy(answer);
	return 0;
}
