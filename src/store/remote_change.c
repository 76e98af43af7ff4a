/* Changes and uploads: a large set of UIDs becomes several commands, and their answers one. */
#include <stdlib.h>
#include <string.h>

#include "remote_private.h"

void remote_done_init(struct remote_done *done)
{
	memset(done, 0, sizeof(*done));
	uidset_init(&done->appended);
	uidset_init(&done->refused);
}

void remote_done_finish(struct remote_done *done)
{
	uidset_finish(&done->appended);
	uidset_finish(&done->refused);
	free(done->copied.from);
	free(done->copied.to);
	remote_done_init(done);
}

static bool has_uids(enum remote_change_kind kind)
{
	return kind == REMOTE_STORE || kind == REMOTE_EXPUNGE || kind == REMOTE_COPY ||
	       kind == REMOTE_MOVE;
}

static int send_pieces(struct remote *remote, const struct remote_change *change,
		       struct remote_group *group, struct err *err)
{
	struct remote_change command = *change;
	struct uidset piece;
	size_t from = 0;
	int code = 0;
	if (!has_uids(change->kind)) {
		command.uids = NULL;
		return remote->ops->change_queue(remote, &command,
						 remote_group_number(remote, group), err);
	}
	command.uids = &piece;
	while (code == 0 && remote_piece_next(change->uids, &from, &piece)) {
		code = remote->ops->change_queue(remote, &command,
						 remote_group_number(remote, group), err);
	}
	return code;
}

int remote_change_queue(struct remote *remote, const struct remote_change *change, uint64_t cookie,
			struct err *err)
{
	struct remote_group *group = NULL;
	const struct uidset *uids = has_uids(change->kind) ? change->uids : NULL;
	int code = remote_group_begin(remote, &remote->changes, uids, &group, err);
	if (code < 0) {
		return code;
	}
	group->done.cookie = cookie;
	code = send_pieces(remote, change, group, err);
	if (code < 0) {
		remote_group_drop(&remote->changes, group);
		return code;
	}
	remote_group_sent(&remote->changes, group);
	return 0;
}

size_t remote_outstanding(const struct remote *remote)
{
	return remote->changes.count;
}

int remote_done_next(struct remote *remote, struct remote_done *done, struct err *err)
{
	if (remote->changes.count == 0) {
		return err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT, "no change awaits its answer");
	}
	while (!remote_group_take(&remote->changes, done)) {
		struct remote_done answer;
		remote_done_init(&answer);
		int code = remote->ops->done_next(remote, &answer, err);
		struct remote_group *group =
			code < 0 ? NULL : remote_group_find(&remote->changes, answer.cookie);
		if (group != NULL) {
			code = remote_group_answer(&remote->changes, group, &answer, err);
		}
		remote_done_finish(&answer);
		if (code < 0) {
			return code;
		}
	}
	return 0;
}

int remote_answer_next(struct remote *remote, struct remote_done *done, struct err *err)
{
	remote_done_finish(done);
	if (remote->changes.count == 0) {
		return 0;
	}
	int code = remote_done_next(remote, done, err);
	if (code < 0) {
		remote_done_finish(done);
	}
	return code < 0 ? code : 1;
}

int remote_change_now(struct remote *remote, const struct remote_change *change,
		      struct remote_done *done, struct err *err)
{
	struct remote_done own;
	struct remote_done *into = done == NULL ? &own : done;
	remote_done_init(&own);
	int code = remote_change_queue(remote, change, 0, err);
	if (code == 0) {
		code = remote_done_next(remote, into, err);
	}
	if (code == 0 && done == NULL && own.status < 0) {
		*err = own.err;
		code = own.status;
	}
	remote_done_finish(&own);
	return code;
}

int remote_append_begin(struct remote *remote, const char *wire, uint64_t cookie, struct err *err)
{
	struct remote_group *group = NULL;
	int code = remote_group_begin(remote, &remote->changes, NULL, &group, err);
	if (code < 0) {
		return code;
	}
	group->done.cookie = cookie;
	code = remote->ops->append_begin(remote, wire, remote_group_number(remote, group), err);
	if (code < 0) {
		remote_group_drop(&remote->changes, group);
		return code;
	}
	remote_group_sent(&remote->changes, group);
	return 0;
}

int remote_append_message(struct remote *remote, const struct remote_append *message,
			  struct err *err)
{
	return remote->ops->append_message(remote, message, err);
}

bool remote_append_was_refused(const struct remote *remote)
{
	return remote->ops->append_was_refused(remote);
}

int remote_append_data(struct remote *remote, struct span data, struct err *err)
{
	return remote->ops->append_data(remote, data, err);
}

int remote_append_end(struct remote *remote, struct err *err)
{
	return remote->ops->append_end(remote, err);
}
