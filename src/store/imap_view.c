/*
 * What changed in a mailbox, by the best way the server has:
 *   QRESYNC:    SELECT folder (QRESYNC (uidvalidity modseq)): flags and VANISHED come with it
 *   CONDSTORE:  UID FETCH 1:* (FLAGS) (CHANGEDSINCE modseq)
 *   neither:    UID FETCH 1:* (FLAGS)
 * and UID FETCH uidnext:* for sizes and dates of new messages. Views of several mailboxes are
 * pipelined: what comes before the answer to a view's last command belongs to the oldest view that
 * is not yet answered (imap_event_next says which data of a pipelined SELECT is nobody's).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/model/flags.h"

#include "imap_private.h"

#define VIEW_MESSAGES_MAX 20000000
#define VIEW_PART         10000 /* messages */

static void slot_destroy(struct imap_view_slot *slot)
{
	remote_view_finish(&slot->view);
	imap_ranges_finish(&slot->gone);
	free(slot->late);
	free(slot);
}

void imap_views_finish(struct imap *imap)
{
	while (imap->views != NULL) {
		struct imap_view_slot *slot = imap->views;
		imap->views = slot->next;
		slot_destroy(slot);
	}
	imap->views_end = &imap->views;
}

/* SELECT or EXAMINE with the parameters that the server understands. */
static int send_select(struct imap *imap, struct imap_view_slot *slot, struct err *err)
{
	const struct remote_view_request *request = &slot->request;
	slot->by_qresync = imap->is_qresync_on && !imap->lacks_closed &&
			   request->uidvalidity.is_told && request->modseq.is_told;
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, request->is_writable ? "SELECT " : "EXAMINE ");
	int code = imap_line_string(imap, request->wire, err);
	if (code < 0) {
		return code;
	}
	if (slot->by_qresync) {
		buf_printf(&imap->line, " (QRESYNC (%" PRIu64 " %" PRIu64 "))",
			   request->uidvalidity.number, request->modseq.number);
	} else if (imap->caps & IMAP_CAP_CONDSTORE) {
		buf_append_cstr(&imap->line, " (CONDSTORE)");
	}
	return imap_line_end_opening(imap, IMAP_COMMAND_VIEW, 0, err);
}

static void append_new_items(const struct imap *imap, struct buf *line)
{
	buf_append_cstr(line, "(UID FLAGS INTERNALDATE RFC822.SIZE");
	if (imap->caps & IMAP_CAP_OBJECTID) {
		buf_append_cstr(line, " EMAILID");
	} else if (imap->caps & IMAP_CAP_GMAIL) {
		buf_append_cstr(line, " X-GM-MSGID");
	}
	buf_append_char(line, ')');
}

static int send_fetch_new(struct imap *imap, uint64_t from, struct err *err)
{
	imap_line_begin(imap);
	buf_printf(&imap->line, "UID FETCH %" PRIu64 ":* ", from);
	append_new_items(imap, &imap->line);
	return imap_line_end(imap, IMAP_COMMAND_VIEW, 0, err);
}

static int send_fetch_changed(struct imap *imap, const struct remote_view_request *request,
			      struct err *err)
{
	imap_line_begin(imap);
	buf_printf(&imap->line, "UID FETCH 1:%" PRIu64 " (UID FLAGS)", request->uidnext.number - 1);
	if (request->modseq.is_told && (imap->caps & IMAP_CAP_CONDSTORE)) {
		buf_printf(&imap->line, " (CHANGEDSINCE %" PRIu64 ")", request->modseq.number);
	}
	return imap_line_end(imap, IMAP_COMMAND_VIEW, 0, err);
}

static bool request_is_full(const struct remote_view_request *request)
{
	return !request->uidvalidity.is_told || request->uidnext.number <= 1;
}

static int send_fetches(struct imap *imap, struct imap_view_slot *slot, struct err *err)
{
	const struct remote_view_request *request = &slot->request;
	bool by_modseq = (imap->caps & IMAP_CAP_CONDSTORE) && request->modseq.is_told;
	int code = 0;
	if (request->is_empty) {
		slot->view.is_full = true;
		return 0;
	}
	if (request_is_full(request)) {
		slot->view.is_full = true;
		slot->lists_new = true;
		slot->fetches = 1;
		return send_fetch_new(imap, 1, err);
	}
	if (!slot->by_qresync) {
		slot->view.is_full = !by_modseq;
		slot->fetches++;
		code = send_fetch_changed(imap, request, err);
	}
	/* Where all is listed the new ones have to be, too. */
	if (code == 0 && (!request->skip_new || slot->view.is_full)) {
		slot->lists_new = true;
		slot->fetches++;
		code = send_fetch_new(imap, request->uidnext.number, err);
	}
	return code;
}

int imap_view_queue(struct remote *remote, const struct remote_view_request *request,
		    struct err *err)
{
	struct imap *imap = imap_of(remote);
	struct imap_view_slot *slot = calloc(1, sizeof(*slot));
	if (slot == NULL) {
		return err_nomem(err);
	}
	slot->request = *request;
	uidset_init(&slot->view.gone);
	if (request_is_full(request)) {
		slot->request.modseq = UNTOLD;
	}
	int code = send_select(imap, slot, err);
	if (code < 0) {
		free(slot);
		return code;
	}
	slot->select_tag = imap->line_tag;
	code = send_fetches(imap, slot, err);
	*imap->views_end = slot;
	imap->views_end = &slot->next;
	return code;
}

static int store_emailid(struct imap_view_slot *slot, struct span id, size_t *offset,
			 struct err *err)
{
	struct remote_view *view = &slot->view;
	size_t need = slot->text_len + id.len + 1;
	if (ARRAY_RESERVE(&view->text, need, &slot->text_cap, err) < 0) {
		return -ERR_NOMEM;
	}
	memcpy(view->text + slot->text_len, id.data, id.len);
	view->text[slot->text_len + id.len] = '\0';
	*offset = slot->text_len + 1;
	slot->text_len = need;
	return 0;
}

static struct remote_view_message *view_add(struct imap_view_slot *slot, uint32_t uid,
					    struct err *err)
{
	struct remote_view *view = &slot->view;
	bool is_late = uid <= slot->parted;
	if (slot->parted_count + view->count + slot->late_count >= VIEW_MESSAGES_MAX) {
		err_set(err, ERR_PROTOCOL, SCOPE_MAILBOX, "the server lists too many messages");
		return NULL;
	}
	if ((is_late ? ARRAY_RESERVE(&slot->late, slot->late_count + 1, &slot->late_cap, err)
		     : ARRAY_RESERVE(&view->messages, view->count + 1, &slot->cap, err)) < 0) {
		return NULL;
	}
	slot->is_unsorted |=
		!is_late && view->count > 0 && view->messages[view->count - 1].uid >= uid;
	struct remote_view_message *message =
		is_late ? &slot->late[slot->late_count++] : &view->messages[view->count++];
	*message = (struct remote_view_message){.uid = uid};
	return message;
}

static int note_fetch(struct imap_view_slot *slot, const struct imap_fetch *fetch, struct err *err)
{
	struct remote_view *view = &slot->view;
	if ((fetch->has & IMAP_FETCH_UID) == 0) {
		view->unread++;
		return 0;
	}
	struct remote_view_message *message = view_add(slot, fetch->uid, err);
	if (message == NULL) {
		return -(int)err->code;
	}
	if (fetch->has & IMAP_FETCH_FLAGS) {
		message->has_flags = true;
		message->flags = flags_from_imap(fetch->flags, slot->request.keywords,
						 slot->request.intern, NULL);
	}
	message->size = fetch->size;
	message->date = fetch->internaldate;
	if ((fetch->has & IMAP_FETCH_EMAILID) != 0 && fetch->uid > slot->parted) {
		return store_emailid(slot, fetch->emailid, &message->emailid, err);
	}
	return 0;
}

static void note_permanent(struct imap_view_slot *slot, struct span args)
{
	struct remote_view *view = &slot->view;
	view->has_permanent = true;
	view->permanent_flags = flags_from_imap(args, slot->request.keywords, slot->request.intern,
						&view->permanent_any);
}

static void forget_numbers(struct remote_view *view)
{
	view->numbers.uidvalidity = UNTOLD;
	view->numbers.uidnext = UNTOLD;
	view->numbers.modseq = UNTOLD;
	free(view->mailboxid);
	view->mailboxid = NULL;
}

/* Numbers of SELECT. Nonsense counts as not told. */
static int note_code(struct imap_view_slot *slot, const struct imap_event *event, struct err *err)
{
	struct remote_view *view = &slot->view;
	struct numbers *numbers = &view->numbers;
	const struct imap_code *code = &event->code;
	switch ((int)code->type) {
	case IMAP_CODE_UIDVALIDITY:
		numbers->uidvalidity = told_unless_0(code->number);
		break;
	case IMAP_CODE_UIDNEXT:
		numbers->uidnext = told_unless_0(code->number);
		break;
	case IMAP_CODE_HIGHESTMODSEQ:
		/* Only SELECT's own counts: later ones may be ahead of what was read. */
		if (!slot->is_selected && event->type == IMAP_UNTAGGED) {
			numbers->modseq = told_unless_0(code->number);
		}
		break;
	case IMAP_CODE_NOMODSEQ:
		numbers->modseq = UNTOLD;
		break;
	case IMAP_CODE_PERMANENTFLAGS:
		/* NIL, or a list that is cut off, tells nothing; an empty one does. */
		if (code->is_list) {
			note_permanent(slot, code->args);
		}
		break;
	case IMAP_CODE_READ_ONLY:
		view->is_writable = false;
		break;
	case IMAP_CODE_MAILBOXID:
		free(view->mailboxid);
		view->mailboxid = code->args.len == 0 ? NULL : span_dup(code->args);
		return code->args.len > 0 && view->mailboxid == NULL ? err_nomem(err) : 0;
	case IMAP_CODE_CLOSED:
		forget_numbers(view); /* of the mailbox before */
		break;
	default:
		break;
	}
	return 0;
}

static int view_event(struct imap *imap, struct imap_view_slot *slot,
		      const struct imap_event *event, struct err *err)
{
	switch ((int)event->type) {
	case IMAP_FETCH:
		return note_fetch(slot, &event->fetch, err);
	case IMAP_VANISHED:
		/* A VANISHED for everything is checked against the count by who uses it. */
		return imap_ranges_add(&slot->gone, event->range, err);
	case IMAP_EXISTS:
	case IMAP_EXPUNGE:
		slot->view.numbers.messages = imap->exists;
		return 0;
	case IMAP_UNTAGGED:
		return note_code(slot, event, err);
	default:
		return 0;
	}
}

int imap_exists_untold(struct err *err)
{
	return err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
		       "the server does not tell how many messages the mailbox holds (no EXISTS, "
		       "or none that can be read); nothing is changed in it");
}

/* Lines that cannot be read leave a view that is not whole, which is better than none: who asked
 * for it looks again. */
static void note_unread(struct imap *imap, struct imap_view_slot *slot,
			const struct imap_command *command)
{
	slot->view.unread += command->broken;
	if (slot->by_qresync && command->stale > 0) {
		slot->view.unread += command->stale;
		imap->lacks_closed = true;
	}
}

static int view_selected(struct imap *imap, struct imap_view_slot *slot,
			 const struct imap_event *event, const struct imap_command *command,
			 struct err *err)
{
	struct remote_view *view = &slot->view;
	view->status = imap_status_error(event, slot->request.is_writable ? "SELECT" : "EXAMINE",
					 &view->err);
	if (view->status < 0) {
		return imap_set_selected(imap, NULL, false, err);
	}
	view->is_writable = slot->request.is_writable;
	int code = note_code(slot, event, err);
	if (code == 0) {
		code = imap_set_selected(imap, slot->request.wire, view->is_writable, err);
	}
	slot->is_selected = true;
	imap->selected_uidvalidity = view->numbers.uidvalidity;
	view->numbers.messages = command->exists;
	if (!command->exists.is_told) {
		view->status = imap_exists_untold(&view->err);
	}
	return code;
}

static int view_answered(struct imap *imap, struct imap_view_slot *slot,
			 const struct imap_event *event, const struct imap_command *command,
			 struct err *err)
{
	note_unread(imap, slot, command);
	if (command->tag == slot->select_tag) {
		slot->select_tag = 0;
		return view_selected(imap, slot, event, command, err);
	}
	slot->fetches--;
	/* FETCH 1:* in an empty mailbox is an error to some servers. */
	if (event->status != IMAP_OK && slot->is_selected && !told_is(command->exists, 0) &&
	    slot->view.status == 0) {
		slot->view.status = imap_status_error(event, "FETCH", &slot->view.err);
	}
	return 0;
}

static int compare_uid(const void *x, const void *y)
{
	const struct remote_view_message *one = x;
	const struct remote_view_message *two = y;
	if (one->uid != two->uid) {
		return one->uid < two->uid ? -1 : 1;
	}
	return 0;
}

/* Messages told of twice become one, with all that was told. */
static void view_merge(struct remote_view *view)
{
	qsort(view->messages, view->count, sizeof(*view->messages), compare_uid);
	size_t kept = 0;
	for (size_t i = 0; i < view->count; i++) {
		struct remote_view_message *message = &view->messages[i];
		if (kept == 0 || view->messages[kept - 1].uid != message->uid) {
			view->messages[kept++] = *message;
			continue;
		}
		struct remote_view_message *into = &view->messages[kept - 1];
		if (message->has_flags) {
			into->has_flags = true;
			into->flags = message->flags;
		}
		into->date = message->date.is_told ? message->date : into->date;
		into->size = message->size.is_told ? message->size : into->size;
		into->emailid = message->emailid != 0 ? message->emailid : into->emailid;
	}
	view->count = kept;
}

static uint64_t count_unflagged(const struct remote_view *view)
{
	uint64_t count = 0;
	for (size_t i = 0; i < view->count; i++) {
		count += !view->messages[i].has_flags;
	}
	return count;
}

/* What was not asked for because the numbers said that there was none, and what came without flags:
 * by whose UID alone nothing is known of a message. */
static void note_left_out(struct imap_view_slot *slot)
{
	const struct remote_view_request *request = &slot->request;
	struct remote_view *view = &slot->view;
	view->unread += slot->unflagged + count_unflagged(view);
	if (request->is_empty && !told_is(view->numbers.messages, 0)) {
		view->unread++;
		view->is_full = false; /* nothing was listed */
	} else if (!request->is_empty && !slot->lists_new &&
		   !told_equal(view->numbers.uidnext, request->uidnext)) {
		view->unread++;
	}
}

/* A listing that goes on, with enough of it there to be taken. */
static bool has_part(const struct imap_view_slot *slot)
{
	return slot->view.is_full && slot->is_selected && slot->view.status == 0 &&
	       slot->fetches > 0 && slot->view.count >= VIEW_PART;
}

/* Up to the next part, or to the last answer. */
static int view_read(struct imap *imap, struct imap_view_slot *slot, struct err *err)
{
	int code = 0;
	while (code == 0 && (slot->select_tag != 0 || slot->fetches > 0) && !has_part(slot)) {
		struct imap_event event;
		struct imap_command command;
		if ((code = imap_event_next(imap, &event, err)) < 0) {
			return code;
		}
		if (event.type != IMAP_TAGGED) {
			code = view_event(imap, slot, &event, err);
		} else if (imap_command_answered(imap, &event, &command) &&
			   command.kind == IMAP_COMMAND_VIEW) {
			code = view_answered(imap, slot, &event, &command, err);
		}
	}
	return code;
}

/* What came so far goes into PART, which is empty. */
static void take_part(struct imap_view_slot *slot, struct remote_view *part)
{
	struct remote_view *view = &slot->view;
	if (slot->is_unsorted) {
		view_merge(view);
	}
	slot->is_unsorted = false;
	slot->parted = view->messages[view->count - 1].uid;
	slot->parted_count += view->count;
	slot->unflagged += count_unflagged(view);
	*part = (struct remote_view){
		.is_part = true,
		.is_writable = view->is_writable,
		.is_full = true,
		.numbers = view->numbers,
		.messages = view->messages,
		.count = view->count,
		.text = view->text,
	};
	view->messages = NULL;
	view->count = slot->cap = 0;
	view->text = NULL;
	slot->text_len = slot->text_cap = 0;
}

/* Those that came late stand before all others. */
static int add_late(struct imap_view_slot *slot, struct err *err)
{
	struct remote_view *view = &slot->view;
	for (size_t i = 0; i < slot->late_count; i++) {
		if (ARRAY_RESERVE(&view->messages, view->count + 1, &slot->cap, err) < 0) {
			return -ERR_NOMEM;
		}
		view->messages[view->count++] = slot->late[i];
	}
	slot->is_unsorted |= slot->late_count > 0;
	slot->late_count = 0;
	return 0;
}

/* All that is left of it. */
static int take_view(struct imap *imap, struct imap_view_slot *slot, struct remote_view *view,
		     struct err *err)
{
	int code = add_late(slot, err);
	if (code < 0) {
		return code;
	}
	if (slot->is_unsorted) {
		view_merge(&slot->view);
	}
	note_left_out(slot);
	if ((code = imap_ranges_take(&slot->gone, &slot->view.gone, err)) < 0) {
		return code;
	}
	*view = slot->view;
	memset(&slot->view, 0, sizeof(slot->view));
	imap->views = slot->next;
	if (imap->views == NULL) {
		imap->views_end = &imap->views;
	}
	slot_destroy(slot);
	return 0;
}

int imap_view_next(struct remote *remote, struct remote_view *view, struct err *err)
{
	struct imap *imap = imap_of(remote);
	struct imap_view_slot *slot = imap->views;
	if (slot == NULL) {
		return err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT, "no view was asked for");
	}
	int code = view_read(imap, slot, err);
	if (code == 0 && has_part(slot)) {
		take_part(slot, view);
	} else if (code == 0) {
		code = take_view(imap, slot, view, err);
	}
	return code;
}

/* A view that fetches nothing. */
static int view_opening(struct remote *remote, const char *wire, bool is_writable,
			struct remote_view *view, struct err *err)
{
	struct keywords none;
	keywords_init(&none);
	struct remote_view_request request = {
		.wire = wire, .is_writable = is_writable, .is_empty = true, .keywords = &none};
	int code = imap_view_queue(remote, &request, err);
	if (code == 0) {
		code = imap_view_next(remote, view, err);
	}
	keywords_finish(&none);
	return code;
}

int imap_select(struct remote *remote, const char *wire, bool is_writable,
		struct remote_opened *opened, struct err *err)
{
	struct remote_view view = {0};
	int code = view_opening(remote, wire, is_writable, &view, err);
	if (code == 0 && view.status < 0) {
		code = view.status;
		*err = view.err;
	}
	if (code == 0) {
		opened->is_read_only = is_writable && !view.is_writable;
		opened->numbers = view.numbers;
		opened->mailboxid = view.mailboxid;
		view.mailboxid = NULL;
	}
	remote_view_finish(&view);
	return code;
}
