/* Bodies: how many fetches are on their way and how large they are, and headers made identities. */
#include <string.h>

#include "mailsync/proto/header.h"

#include "remote_private.h"

#define RANGE_TEXT_MAX 22 /* "4294967295:4294967295," */

static size_t fetch_room(const struct remote *remote, enum remote_pace pace)
{
	size_t most = pace == REMOTE_PACE_SLOW ? 1 : REMOTE_FETCHES_MAX;
	if (pace == REMOTE_PACE_HOLD && remote->fetches_in_flight + remote->opens_in_flight > 0) {
		return 0;
	}
	return remote->fetches_in_flight < most ? most - remote->fetches_in_flight : 0;
}

size_t remote_fetch_room(const struct remote *remote)
{
	return fetch_room(remote, remote->ops->pace(remote));
}

int remote_fetch_queue(struct remote *remote, enum remote_part part, const struct uidset *uids,
		       uint64_t cookie, struct err *err)
{
	struct remote_group *group = NULL;
	struct uidset piece;
	size_t from = 0;
	int code = remote_group_begin(remote, &remote->fetches, NULL, &group, err);
	if (code < 0) {
		return code;
	}
	group->done.cookie = cookie;
	while (code == 0 && remote_piece_next(uids, &from, &piece)) {
		code = remote->ops->fetch_queue(remote, part, &piece,
						remote_group_number(remote, group), err);
		remote->fetches_in_flight += code == 0;
	}
	if (code < 0) {
		remote_group_drop(&remote->fetches, group);
		return code;
	}
	remote_group_sent(&remote->fetches, group);
	return 0;
}

int remote_fetch_open_queue(struct remote *remote, const char *wire, uint64_t cookie,
			    struct err *err)
{
	int code = remote->ops->fetch_open_queue(remote, wire, cookie, err);
	remote->opens_in_flight += code == 0;
	return code;
}

/* When a fetch is over: what it came to, into BODY. False when none is. */
static bool take_done(struct remote *remote, struct remote_body *body)
{
	struct remote_done done;
	if (remote->fetches.complete == 0) {
		return false; /* nearly always, so nothing is prepared before */
	}
	remote_done_init(&done);
	bool is_done = remote_group_take(&remote->fetches, &done);
	if (is_done) {
		body->type = REMOTE_FETCHED_DONE;
		body->cookie = done.cookie;
		body->status = done.status;
		body->err = done.err;
	}
	remote_done_finish(&done);
	return is_done;
}

static int note_answer(struct remote *remote, const struct remote_body *body, struct err *err)
{
	struct remote_group *group = remote_group_find(&remote->fetches, body->cookie);
	struct remote_done answer;
	remote->fetches_in_flight--;
	if (group == NULL) {
		return 0;
	}
	remote_done_init(&answer);
	answer.cookie = body->cookie;
	answer.status = body->status;
	if (body->status < 0) {
		answer.err = body->err;
	}
	return remote_group_answer(&remote->fetches, group, &answer, err);
}

int remote_fetch_next(struct remote *remote, struct remote_body *body, struct err *err)
{
	while (!take_done(remote, body)) {
		int code = remote->ops->fetch_next(remote, body, err);
		if (code == 0 && body->type == REMOTE_FETCHED_DONE) {
			code = note_answer(remote, body, err);
		} else if (code == 0) {
			remote->opens_in_flight -= body->type == REMOTE_FETCHED_OPENED;
			if (body->type == REMOTE_FETCHED_MESSAGE && body->has_body) {
				progress_copied(remote->progress, body->size);
			}
			return 0;
		}
		if (code < 0) {
			return code;
		}
	}
	return 0;
}

void remote_batch_init(struct remote_batch *batch)
{
	*batch = (struct remote_batch){0};
	uidset_init(&batch->uids);
}

void remote_batch_finish(struct remote_batch *batch)
{
	uidset_finish(&batch->uids);
	remote_batch_init(batch);
}

bool remote_batch_has_room(const struct remote *remote, const struct remote_batch *batch)
{
	bool is_slow = remote->ops->pace(remote) == REMOTE_PACE_SLOW;
	uint64_t most_bytes = is_slow ? REMOTE_PACE_BYTES : REMOTE_BATCH_BYTES;
	return batch->count < REMOTE_BATCH_MESSAGES && batch->bytes < most_bytes &&
	       (batch->uids.count + 1) * RANGE_TEXT_MAX <= REMOTE_SET_TEXT_MAX;
}

int remote_batch_add(struct remote_batch *batch, uint32_t uid, struct told size, struct err *err)
{
	int code = uidset_add(&batch->uids, uid, uid, err);
	batch->count++;
	batch->bytes += told_or(size, 0);
	return code;
}
