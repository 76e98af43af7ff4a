/* Bodies, changes and uploads by IMAP in the seam's terms. */
#include <inttypes.h>

#include "imap_private.h"
#include "remote_imap.h"

#define SET_TEXT_SIZE (REMOTE_SET_TEXT_MAX + 64)

struct imap *remote_imap(const struct remote *remote)
{
	return ((const struct remote_imap *)remote)->imap;
}

/* A set that ends at the last UID that there can be is one up to the last that there is. */
static void format_uids(const struct uidset *uids, struct buf *text)
{
	struct uidset closed = *uids;
	buf_init(text, SET_TEXT_SIZE);
	const struct uidrange *last = uids->count == 0 ? NULL : &uids->ranges[uids->count - 1];
	bool is_open = last != NULL && last->last == UINT32_MAX && last->first != UINT32_MAX;
	closed.count -= is_open;
	uidset_format(&closed, text);
	if (is_open) {
		buf_printf(text, "%s%" PRIu32 ":*", closed.count > 0 ? "," : "", last->first);
	}
}

enum remote_pace remote_imap_pace(const struct remote *remote)
{
	const struct imap *imap = remote_imap(remote);
	if (imap_should_compress(imap)) {
		return REMOTE_PACE_HOLD;
	}
	return imap_is_pacing(imap) ? REMOTE_PACE_SLOW : REMOTE_PACE_FREE;
}

/* With `compress = auto`, once the wire has shown to be the brake and nothing is on its way. */
static int compress_if_due(struct imap *imap, struct err *err)
{
	bool is_due = imap_outstanding(imap) == 0 && imap_should_compress(imap);
	return is_due ? imap_compress(imap, err) : 0;
}

int remote_imap_fetch_queue(struct remote *remote, enum remote_part part, const struct uidset *uids,
			    uint64_t number, struct err *err)
{
	struct imap *imap = remote_imap(remote);
	enum imap_part what = part == REMOTE_WHOLE ? IMAP_WHOLE : IMAP_HEADERS;
	struct buf text;
	format_uids(uids, &text);
	int code = buf_status(&text, "a set of UIDs", err);
	if (code == 0 && part == REMOTE_WHOLE) {
		code = compress_if_due(imap, err);
	}
	if (code == 0) {
		code = imap_fetch_queue(imap, what, buf_span(&text), number, err);
	}
	buf_finish(&text);
	return code;
}

int remote_imap_fetch_open_queue(struct remote *remote, const char *wire, uint64_t cookie,
				 struct err *err)
{
	int code = compress_if_due(remote_imap(remote), err);
	return code < 0 ? code : imap_fetch_open_queue(remote_imap(remote), wire, cookie, err);
}

static const enum remote_body_type body_types[] = {
	[IMAP_FETCHED_OPENED] = REMOTE_FETCHED_OPENED,
	[IMAP_FETCHED_BEGIN] = REMOTE_FETCHED_BEGIN,
	[IMAP_FETCHED_DATA] = REMOTE_FETCHED_DATA,
	[IMAP_FETCHED_END] = REMOTE_FETCHED_END,
	[IMAP_FETCHED_MESSAGE] = REMOTE_FETCHED_MESSAGE,
	[IMAP_FETCHED_DONE] = REMOTE_FETCHED_DONE,
};

int remote_imap_fetch_next(struct remote *remote, struct remote_body *body, struct err *err)
{
	struct imap_body own;
	own.status = 0;
	int code = imap_body_next(remote_imap(remote), &own, err);
	if (code < 0) {
		return code;
	}
	body->type = body_types[own.type];
	switch (own.type) {
	case IMAP_FETCHED_BEGIN:
		body->size = own.size;
		break;
	case IMAP_FETCHED_DATA:
		body->data = own.data;
		break;
	case IMAP_FETCHED_END:
		break;
	case IMAP_FETCHED_MESSAGE:
		body->uid = own.uid;
		body->has_body = own.has_body;
		body->has_date = own.has_date;
		body->date = own.date;
		break;
	case IMAP_FETCHED_OPENED:
	case IMAP_FETCHED_DONE:
		body->cookie = own.cookie;
		body->status = own.status;
		body->uidvalidity = own.type == IMAP_FETCHED_OPENED ? own.uidvalidity : 0;
		if (own.status < 0) {
			body->err = own.err;
		}
		break;
	}
	return 0;
}

static int queue_on_uids(struct imap *imap, const struct remote_change *change, struct span uids,
			 uint64_t number, struct err *err)
{
	struct imap_store_request store = {.uids = uids,
					   .add = change->is_add,
					   .flags = change->flags,
					   .keywords = change->keywords};
	if (change->kind == REMOTE_STORE) {
		return imap_store_queue(imap, &store, number, err);
	}
	if (change->kind == REMOTE_EXPUNGE) {
		return imap_expunge_queue(imap, uids, number, err);
	}
	return imap_copy_queue(imap, uids, change->wire, change->kind == REMOTE_MOVE, number, err);
}

int remote_imap_change_queue(struct remote *remote, const struct remote_change *change,
			     uint64_t number, struct err *err)
{
	struct imap *imap = remote_imap(remote);
	struct buf text;
	int code = 0;
	switch (change->kind) {
	case REMOTE_EXPUNGE_ALL:
		return imap_expunge_queue(imap, (struct span){"", 0}, number, err);
	case REMOTE_CREATE:
		return imap_admin_queue(imap, IMAP_CREATE, change->wire, number, err);
	case REMOTE_DELETE:
		return imap_admin_queue(imap, IMAP_DELETE, change->wire, number, err);
	case REMOTE_SUBSCRIBE:
		return imap_admin_queue(imap, IMAP_SUBSCRIBE, change->wire, number, err);
	case REMOTE_UNSUBSCRIBE:
		return imap_admin_queue(imap, IMAP_UNSUBSCRIBE, change->wire, number, err);
	case REMOTE_RENAME:
		return imap_rename_queue(imap, change->wire, change->to, number, err);
	case REMOTE_STORE:
	case REMOTE_EXPUNGE:
	case REMOTE_COPY:
	case REMOTE_MOVE:
		break;
	}
	format_uids(change->uids, &text);
	code = buf_status(&text, "a set of UIDs", err);
	if (code == 0) {
		code = queue_on_uids(imap, change, buf_span(&text), number, err);
	}
	buf_finish(&text);
	return code;
}

int remote_imap_append_begin(struct remote *remote, const char *wire, uint64_t number,
			     struct err *err)
{
	return imap_append_begin(remote_imap(remote), wire, number, err);
}

int remote_imap_append_message(struct remote *remote, const struct remote_append *message,
			       struct err *err)
{
	return imap_append_message(remote_imap(remote), message, err);
}

bool remote_imap_append_was_refused(const struct remote *remote)
{
	return imap_append_was_refused(remote_imap(remote));
}

int remote_imap_append_data(struct remote *remote, struct span data, struct err *err)
{
	return imap_append_data(remote_imap(remote), data, err);
}

int remote_imap_append_end(struct remote *remote, struct err *err)
{
	return imap_append_end(remote_imap(remote), err);
}

static enum remote_refusal refusal_of(const struct imap_done *done)
{
	if (done->status == 0) {
		return REMOTE_REFUSAL_NONE;
	}
	switch ((int)done->code) {
	case IMAP_CODE_NONE:
		return done->is_bad || done->status == -ERR_TEMPORARY ? REMOTE_REFUSAL_OTHER
								      : REMOTE_REFUSAL_UNCODED;
	case IMAP_CODE_ALREADYEXISTS:
		return REMOTE_REFUSAL_ALREADY_EXISTS;
	case IMAP_CODE_NONEXISTENT:
		return REMOTE_REFUSAL_NONEXISTENT;
	case IMAP_CODE_TRYCREATE:
		return REMOTE_REFUSAL_TRYCREATE;
	case IMAP_CODE_OVERQUOTA:
		return REMOTE_REFUSAL_OVERQUOTA;
	default:
		return REMOTE_REFUSAL_OTHER;
	}
}

int remote_imap_done_next(struct remote *remote, struct remote_done *done, struct err *err)
{
	struct imap_done own;
	imap_done_init(&own);
	int code = imap_done_next(remote_imap(remote), &own, err);
	if (code < 0) {
		imap_done_finish(&own);
		return code;
	}
	done->cookie = own.cookie;
	done->status = own.status;
	done->refusal = refusal_of(&own);
	if (own.status < 0) {
		done->err = own.err;
	}
	done->has_appended = own.has_appenduid;
	done->has_copied = own.has_copyuid;
	done->uidvalidity = own.uidvalidity;
	done->appended = own.appended;
	done->copied = (struct remote_copied){own.copied.from, own.copied.to, own.copied.count};
	return 0;
}
