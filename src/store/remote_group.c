/*
 * What was asked for in one call and sent as several commands, because a set of UIDs can be longer
 * than a line: their answers are put together into one.
 *
 * Its status is that of the first refusal. What the other commands did is told all the same, as
 * UIDs that were copied and UIDs that were refused, so that nobody takes the ones for the others.
 */
#include <stdlib.h>

#include "mailsync/base/array.h"

#include "remote_private.h"

#define PIECE_TEXT_SIZE (REMOTE_SET_TEXT_MAX + 64)

bool remote_piece_next(const struct uidset *set, size_t *from, struct uidset *piece)
{
	struct buf text;
	size_t first = *from;
	buf_init(&text, PIECE_TEXT_SIZE);
	bool has_piece = uidset_format_some(set, from, REMOTE_SET_TEXT_MAX, &text);
	buf_finish(&text);
	if (has_piece) {
		*piece = (struct uidset){.ranges = set->ranges + first, .count = *from - first};
	}
	return has_piece;
}

static int uids_add(struct uidset *into, const struct uidset *from, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < from->count; i++) {
		code = uidset_add(into, from->ranges[i].first, from->ranges[i].last, err);
	}
	return code;
}

static void group_destroy(struct remote_group *group)
{
	uidset_finish(&group->uids);
	remote_done_finish(&group->done);
	free(group);
}

int remote_group_begin(struct remote *remote, struct remote_groups *groups,
		       const struct uidset *uids, struct remote_group **result, struct err *err)
{
	struct remote_group *group = calloc(1, sizeof(*group));
	if (group == NULL) {
		return err_nomem(err);
	}
	group->first = remote->last_number + 1;
	remote_done_init(&group->done);
	int code = uids == NULL ? 0 : uids_add(&group->uids, uids, err);
	if (code < 0) {
		group_destroy(group);
		return code;
	}
	*groups->end = group;
	groups->end = &group->next;
	groups->count++;
	*result = group;
	return 0;
}

uint64_t remote_group_number(struct remote *remote, struct remote_group *group)
{
	group->sent++;
	group->left++;
	return ++remote->last_number;
}

void remote_group_sent(struct remote_groups *groups, struct remote_group *group)
{
	groups->complete += group->left == 0;
}

static void group_unlink(struct remote_groups *groups, struct remote_group *group)
{
	struct remote_group **link = &groups->head;
	while (*link != group) {
		link = &(*link)->next;
	}
	*link = group->next;
	if (groups->end == &group->next) {
		groups->end = link;
	}
	groups->count--;
}

void remote_group_drop(struct remote_groups *groups, struct remote_group *group)
{
	group_unlink(groups, group);
	group_destroy(group);
}

struct remote_group *remote_group_find(const struct remote_groups *groups, uint64_t number)
{
	struct remote_group *group = groups->head;
	while (group != NULL && (number < group->first || number - group->first >= group->sent)) {
		group = group->next;
	}
	return group;
}

/* The UIDs of its command number INDEX, from 0. */
static int add_refused(struct remote_group *group, uint64_t index, struct err *err)
{
	struct uidset piece = {0};
	size_t from = 0;
	for (uint64_t i = 0; i <= index; i++) {
		if (!remote_piece_next(&group->uids, &from, &piece)) {
			return 0;
		}
	}
	return uids_add(&group->done.refused, &piece, err);
}

static int add_copied(struct remote_group *group, const struct remote_done *answer, struct err *err)
{
	struct remote_done *done = &group->done;
	struct remote_copied *copied = &done->copied;
	const struct remote_copied *more = &answer->copied;
	if (done->uidvalidity.is_told && !told_equal(done->uidvalidity, answer->uidvalidity)) {
		group->lacks_copied = true;
		return 0;
	}
	size_t count = copied->count + more->count;
	if (ARRAY_RESERVE(&copied->from, count, &group->from_cap, err) < 0 ||
	    ARRAY_RESERVE(&copied->to, count, &group->to_cap, err) < 0) {
		return -ERR_NOMEM;
	}
	for (size_t i = 0; i < more->count; i++) {
		copied->from[copied->count] = more->from[i];
		copied->to[copied->count] = more->to[i];
		copied->count++;
	}
	done->uidvalidity = answer->uidvalidity;
	return 0;
}

/* A command that was refused half way may have told what it did before. */
static int add_half_done(struct remote_group *group, const struct remote_done *answer,
			 struct err *err)
{
	struct uidset *refused = &group->done.refused;
	int code = add_refused(group, answer->cookie - group->first, err);
	if (code == 0 && answer->has_copied) {
		code = add_copied(group, answer, err);
	}
	for (size_t i = 0; code == 0 && i < answer->copied.count; i++) {
		code = uidset_remove(refused, answer->copied.from[i], answer->copied.from[i], err);
	}
	return code;
}

/* So may one that was carried out, of what it left as it was. */
static int add_done(struct remote_group *group, struct remote_done *answer, struct err *err)
{
	struct remote_done *done = &group->done;
	if (answer->has_appended) {
		/* Of one command: appends have no sets. */
		struct uidset spare = done->appended;
		done->has_appended = true;
		done->uidvalidity = answer->uidvalidity;
		done->appended = answer->appended;
		answer->appended = spare;
		return 0;
	}
	int code = uids_add(&done->refused, &answer->refused, err);
	group->lacks_copied |= !answer->has_copied;
	return code < 0 || answer->copied.count == 0 ? code : add_copied(group, answer, err);
}

int remote_group_answer(struct remote_groups *groups, struct remote_group *group,
			struct remote_done *answer, struct err *err)
{
	struct remote_done *done = &group->done;
	int code = answer->status < 0 ? add_half_done(group, answer, err)
				      : add_done(group, answer, err);
	if (answer->status < 0 && done->status == 0) {
		done->status = answer->status;
		done->refusal = answer->refusal;
		done->err = answer->err;
	}
	group->left--;
	groups->complete += group->left == 0;
	return code;
}

bool remote_group_take(struct remote_groups *groups, struct remote_done *done)
{
	if (groups->complete == 0) {
		return false;
	}
	struct remote_group *group = groups->head;
	while (group->left > 0) {
		group = group->next;
	}
	remote_done_finish(done);
	*done = group->done;
	done->has_copied = done->copied.count > 0 && !group->lacks_copied;
	remote_done_init(&group->done);
	groups->complete--;
	remote_group_drop(groups, group);
	return true;
}

void remote_groups_finish(struct remote_groups *groups)
{
	while (groups->head != NULL) {
		remote_group_drop(groups, groups->head);
	}
}
