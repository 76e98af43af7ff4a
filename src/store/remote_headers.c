/* The headers of a set of UIDs, some commands at a time, made identities as they stream by. */
#include "mailsync/proto/header.h"

#include "remote_private.h"

void remote_headers_finish(struct remote_headers *headers)
{
	uidset_finish(&headers->uids);
	uidset_finish(&headers->told);
	header_scan_destroy(&headers->scan);
	*headers = (struct remote_headers){0};
}

int remote_headers_begin(struct remote *remote, const struct uidset *uids, struct err *err)
{
	struct remote_headers *headers = &remote->headers;
	remote_headers_finish(headers);
	int code = header_scan_create(&headers->scan, err);
	for (size_t i = 0; code == 0 && i < uids->count; i++) {
		code = uidset_add(&headers->uids, uids->ranges[i].first, uids->ranges[i].last, err);
	}
	return code;
}

/* Asks for more once half of what is on its way was answered: each turn of asking costs a wait. */
static int send_more(struct remote *remote, struct err *err)
{
	struct remote_headers *headers = &remote->headers;
	struct uidset piece;
	int code = 0;
	if (headers->in_flight > REMOTE_FETCHES_MAX / 2) {
		return 0;
	}
	while (code == 0 && headers->in_flight < REMOTE_FETCHES_MAX &&
	       remote_piece_next(&headers->uids, &headers->from, &piece)) {
		code = remote->ops->fetch_queue(remote, REMOTE_HEADER, &piece,
						++remote->last_number, err);
		headers->in_flight += code == 0;
	}
	return code;
}

/* Takes what the scan holds, which is then empty for the next message. */
static int take_identity(struct remote_headers *headers, struct header_identity *identity,
			 struct err *err)
{
	headers->is_fed = false;
	headers->has_line = false;
	return header_scan_result(headers->scan, identity, err);
}

/* A response closed. *IS_NEWS: it tells of a message that was asked for and not yet told of. */
static int take_message(struct remote_headers *headers, const struct remote_body *body,
			struct remote_identity *identity, bool *is_news, struct err *err)
{
	/* The empty line at the end of a header is part of it: nothing at all is none. */
	bool is_told = body->uid != 0 && body->has_body && headers->is_fed;
	identity->is_blank = !headers->has_line;
	identity->uid = body->uid;
	int code = take_identity(headers, &identity->identity, err);
	headers->is_broken |= !is_told;
	*is_news = is_told && uidset_contains(&headers->uids, body->uid) &&
		   !uidset_contains(&headers->told, body->uid);
	return code < 0 || !*is_news ? code : uidset_add(&headers->told, body->uid, body->uid, err);
}

static void take_status(struct remote_headers *headers, const struct remote_body *body)
{
	headers->in_flight--;
	if (body->status < 0 && headers->status == 0) {
		headers->status = body->status;
		headers->err = body->err;
	}
}

static bool has_line(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] != '\r' && text.data[i] != '\n') {
			return true;
		}
	}
	return false;
}

/* One event. *IS_NEWS: IDENTITY is filled. */
static int take_event(struct remote *remote, struct remote_identity *identity, bool *is_news,
		      struct err *err)
{
	struct remote_headers *headers = &remote->headers;
	struct remote_body body;
	int code = remote->ops->fetch_next(remote, &body, err);
	if (code < 0) {
		return code;
	}
	if (body.type == REMOTE_FETCHED_BEGIN && headers->is_fed) {
		/* Of a response that broke off; it is nobody's. */
		return take_identity(headers, &identity->identity, err);
	}
	if (body.type == REMOTE_FETCHED_DATA) {
		headers->is_fed |= body.data.len > 0;
		headers->has_line |= has_line(body.data);
		return header_scan_feed(headers->scan, body.data, err);
	}
	if (body.type == REMOTE_FETCHED_MESSAGE) {
		return take_message(headers, &body, identity, is_news, err);
	}
	if (body.type == REMOTE_FETCHED_DONE) {
		take_status(headers, &body);
	}
	return 0;
}

static void take_end(struct remote_headers *headers, struct remote_identity *identity)
{
	identity->is_done = true;
	identity->status = headers->status;
	identity->is_whole = headers->status == 0 && !headers->is_broken;
	identity->told = uidset_size(&headers->told);
	identity->err = headers->err;
	remote_headers_finish(headers);
}

int remote_headers_next(struct remote *remote, struct remote_identity *identity, struct err *err)
{
	struct remote_headers *headers = &remote->headers;
	bool is_news = false;
	identity->is_done = false;
	if (headers->scan == NULL) {
		return err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT, "no headers were asked for");
	}
	int code = send_more(remote, err);
	while (code == 0 && !is_news && headers->in_flight > 0) {
		code = take_event(remote, identity, &is_news, err);
		if (code == 0) {
			code = send_more(remote, err);
		}
	}
	if (code == 0 && !is_news) {
		take_end(headers, identity);
	}
	return code;
}

int remote_header_of_whole(struct remote *remote, uint32_t uid, struct header_identity *identity,
			   bool *is_whole, struct err *err)
{
	struct remote_body body = {.type = REMOTE_FETCHED_OPENED};
	struct header_scan *scan = NULL;
	struct uidset uids;
	bool has_data = false;
	int code;
	*is_whole = false;
	uidset_init(&uids);
	if ((code = header_scan_create(&scan, err)) == 0 &&
	    (code = uidset_add(&uids, uid, uid, err)) == 0) {
		code = remote_fetch_queue(remote, REMOTE_WHOLE, &uids, 0, err);
	}
	while (code == 0 && body.type != REMOTE_FETCHED_DONE) {
		code = remote_fetch_next(remote, &body, err);
		if (code == 0 && body.type == REMOTE_FETCHED_DATA && !*is_whole) {
			has_data |= body.data.len > 0;
			code = header_scan_feed(scan, body.data, err);
		} else if (code == 0 && body.type == REMOTE_FETCHED_MESSAGE) {
			*is_whole |= has_data && body.has_body && body.uid == uid;
		}
	}
	code = code < 0 ? code : header_scan_result(scan, identity, err);
	header_scan_destroy(&scan);
	uidset_finish(&uids);
	return code;
}
