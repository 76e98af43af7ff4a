/* Bodies: several UID FETCH commands in flight, their bytes handed on as they come. */
#include <string.h>

#include "imap_private.h"

int imap_fetch_queue(struct imap *imap, enum imap_part what, struct span uids, uint64_t cookie,
		     struct err *err)
{
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "UID FETCH ");
	buf_append_span(&imap->line, uids);
	buf_append_cstr(&imap->line, what == IMAP_WHOLE ? " (UID INTERNALDATE BODY.PEEK[])"
							: " (UID INTERNALDATE BODY.PEEK[HEADER])");
	return imap_line_end(imap, IMAP_COMMAND_FETCH, cookie, err);
}

static void body_message(struct imap_body *body, const struct imap_fetch *fetch)
{
	body->type = IMAP_FETCHED_MESSAGE;
	body->uid = (fetch->has & IMAP_FETCH_UID) ? fetch->uid : 0;
	body->has_body = (fetch->has & IMAP_FETCH_BODY) != 0;
	body->has_date = (fetch->has & IMAP_FETCH_INTERNALDATE) != 0;
	body->date = body->has_date ? fetch->internaldate : 0;
}

/* True when BODY was filled from EVENT. */
static bool body_of_event(struct imap *imap, const struct imap_event *event, struct imap_body *body)
{
	struct imap_command command;
	switch ((int)event->type) {
	case IMAP_BODY_BEGIN:
		body->type = IMAP_FETCHED_BEGIN;
		body->size = event->number;
		return true;
	case IMAP_BODY_DATA:
		body->type = IMAP_FETCHED_DATA;
		body->data = event->data;
		return true;
	case IMAP_BODY_END:
		body->type = IMAP_FETCHED_END;
		return true;
	case IMAP_FETCH:
		body_message(body, &event->fetch);
		return true;
	case IMAP_TAGGED:
		if (!imap_command_answered(imap, event, &command) ||
		    command.kind != IMAP_COMMAND_FETCH) {
			return false;
		}
		body->type = IMAP_FETCHED_DONE;
		body->cookie = command.cookie;
		body->status = imap_status_error(event, "FETCH", &body->err);
		return true;
	default:
		return false;
	}
}

int imap_fetch_next(struct imap *imap, struct imap_body *body, struct err *err)
{
	struct imap_event event;
	do {
		int code = imap_event_next(imap, &event, err);
		if (code < 0) {
			return code;
		}
	} while (!body_of_event(imap, &event, body));
	return 0;
}
