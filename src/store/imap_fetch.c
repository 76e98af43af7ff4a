/* Bodies: several UID FETCH commands in flight, their bytes handed on as they come. */
#include <stdlib.h>
#include <string.h>

#include "imap_private.h"

int imap_fetch_queue(struct remote *remote, enum remote_part part, const struct uidset *uids,
		     uint64_t number, struct err *err)
{
	struct imap *imap = imap_of(remote);
	int code = part == REMOTE_WHOLE ? imap_compress_if_due(imap, err) : 0;
	if (code < 0) {
		return code;
	}
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "UID FETCH ");
	imap_line_uids(imap, uids);
	buf_append_cstr(&imap->line, part == REMOTE_WHOLE
					     ? " (UID INTERNALDATE BODY.PEEK[])"
					     : " (UID INTERNALDATE BODY.PEEK[HEADER])");
	return imap_line_end(imap, part == REMOTE_WHOLE ? IMAP_COMMAND_FETCH : IMAP_COMMAND_HEADERS,
			     number, err);
}

/* Notes a mailbox that is being opened. */
static int push_opening(struct imap *imap, const char *wire, struct err *err)
{
	size_t len = strlen(wire) + 1;
	char *names = realloc(imap->opening, imap->opening_len + len);
	if (names == NULL) {
		return err_nomem(err);
	}
	imap->opening = names;
	memcpy(imap->opening + imap->opening_len, wire, len);
	imap->opening_len += len;
	return 0;
}

int imap_fetch_open_queue(struct remote *remote, const char *wire, uint64_t cookie, struct err *err)
{
	struct imap *imap = imap_of(remote);
	int code = imap_compress_if_due(imap, err);
	if (code < 0) {
		return code;
	}
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "EXAMINE ");
	if ((code = imap_line_string(imap, wire, err)) < 0 ||
	    (code = imap_line_end_opening(imap, IMAP_COMMAND_OPEN, cookie, err)) < 0) {
		return code;
	}
	return push_opening(imap, wire, err);
}

static int body_opened(struct imap *imap, const struct imap_event *event, uint64_t cookie,
		       struct remote_body *body, struct err *err)
{
	size_t len = strlen(imap->opening) + 1;
	body->type = REMOTE_FETCHED_OPENED;
	body->cookie = cookie;
	body->status = imap_status_error(event, "EXAMINE", &body->err);
	body->uidvalidity = imap->opening_uidvalidity;
	int code = imap_set_selected(imap, body->status == 0 ? imap->opening : NULL, false, err);
	imap->selected_uidvalidity = body->uidvalidity;
	imap->opening_uidvalidity = UNTOLD;
	imap->opening_len -= len;
	memmove(imap->opening, imap->opening + len, imap->opening_len);
	return code;
}

/* What a mailbox that is being opened is, from [CLOSED] on. */
static void note_opening(struct imap *imap, const struct imap_code *code)
{
	if (code->type == IMAP_CODE_CLOSED) {
		imap->opening_uidvalidity = UNTOLD;
	} else if (code->type == IMAP_CODE_UIDVALIDITY) {
		imap->opening_uidvalidity = told_unless_0(code->number);
	}
}

static void body_message(struct remote_body *body, const struct imap_fetch *fetch)
{
	body->type = REMOTE_FETCHED_MESSAGE;
	body->uid = (fetch->has & IMAP_FETCH_UID) ? fetch->uid : 0;
	body->has_body = (fetch->has & IMAP_FETCH_BODY) != 0;
	body->date = fetch->internaldate;
}

/* A whole message whose lines cannot be read is missed by its UID, and the others count; of headers
 * nobody notes which did not come. */
static void body_done(struct remote_body *body, const struct imap_event *event,
		      const struct imap_command *command)
{
	body->type = REMOTE_FETCHED_DONE;
	body->cookie = command->cookie;
	body->status = command->kind == IMAP_COMMAND_FETCH
			     ? imap_status_error(event, "FETCH", &body->err)
			     : imap_answer_error(event, command, "FETCH", &body->err);
}

/* 1 when BODY was filled from EVENT, 0 when it is of no concern, or an error. */
static int body_of_event(struct imap *imap, const struct imap_event *event,
			 struct remote_body *body, struct err *err)
{
	struct imap_command command;
	switch ((int)event->type) {
	case IMAP_BODY_BEGIN:
		imap_pace_begin(imap);
		body->type = REMOTE_FETCHED_BEGIN;
		body->size = event->number;
		return 1;
	case IMAP_BODY_DATA:
		body->type = REMOTE_FETCHED_DATA;
		body->data = event->data;
		return 1;
	case IMAP_BODY_END:
		body->type = REMOTE_FETCHED_END;
		return 1;
	case IMAP_FETCH:
		body_message(body, &event->fetch);
		return 1;
	case IMAP_TAGGED:
		if (!imap_command_answered(imap, event, &command)) {
			return 0;
		}
		if (command.kind == IMAP_COMMAND_OPEN) {
			int code = body_opened(imap, event, command.cookie, body, err);
			return code < 0 ? code : 1;
		}
		if (command.kind != IMAP_COMMAND_FETCH && command.kind != IMAP_COMMAND_HEADERS) {
			return 0;
		}
		body_done(body, event, &command);
		return 1;
	case IMAP_UNTAGGED:
		note_opening(imap, &event->code);
		return 0;
	default:
		return 0;
	}
}

int imap_fetch_next(struct remote *remote, struct remote_body *body, struct err *err)
{
	struct imap *imap = imap_of(remote);
	int code = 0;
	while (code == 0) {
		struct imap_event event;
		code = imap_event_next(imap, &event, err);
		if (code == 0) {
			code = body_of_event(imap, &event, body, err);
		}
	}
	return code < 0 ? code : 0;
}
