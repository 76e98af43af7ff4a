#include "delivery.h"

#include <string.h>

static void note_failure(struct job *job)
{
	pthread_mutex_lock(&job->run->mutex);
	job->failures++;
	pthread_mutex_unlock(&job->run->mutex);
}

static int publish_one(struct delivery_item *item, struct err *err)
{
	struct job *job = item->job;
	struct row *row = item->row;
	char unique[MAILDIR_UNIQUE_MAX + 1];
	uint64_t flags = row->remote_flags & (FLAGS_SYSTEM | job->local_keywords);
	uint64_t granted = 0;
	int code =
		maildir_unique_make(unique, item->key, job->box->base.uidvalidity, row->uid, err);
	if (code == 0) {
		code = maildir_box_grant(item->dir, flags, &job->box->base.keywords, &granted, err);
		if (granted != flags) {
			note_failure(job); /* the next run tries again */
		}
		flags = granted;
	}
	if (code == 0) {
		code = maildir_draft_publish(item->dir, &item->draft, unique, flags,
					     &job->box->base.keywords, err);
	}
	if (code == 0) {
		code = row_set_unique(row, unique, strlen(unique), err);
	}
	if (code == 0) {
		row->local = SIDE_PRESENT;
		row->local_flags = flags;
		row->is_agreed = true;
		row->flags = flags;
		row->reason = REASON_NONE;
		row->size_bytes = item->draft.size_bytes;
		row->date = item->date;
		row->has_digest = true;
		memcpy(row->digest, item->draft.identity.digest, ROW_DIGEST_SIZE);
	}
	return code;
}

/* The folders of a batch, each once: items of one mailbox follow one another. */
static size_t batch_dirs(const struct delivery *delivery, struct maildir_box **dirs)
{
	size_t count = 0;
	for (size_t i = 0; i < delivery->count; i++) {
		if (count == 0 || dirs[count - 1] != delivery->items[i].dir) {
			dirs[count++] = delivery->items[i].dir;
		}
	}
	return count;
}

static int commit_rows(struct delivery *delivery, struct err *err)
{
	struct state *state = delivery->run->state;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < delivery->count; i++) {
		if (*delivery->items[i].state == WANT_DONE) {
			code = state_row_put(state, delivery->items[i].row, err);
		}
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

static int publish_all(struct delivery *delivery, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < delivery->count; i++) {
		struct delivery_item *item = &delivery->items[i];
		code = publish_one(item, err);
		*item->state = code == 0 ? WANT_DONE : WANT_FAILED;
		if (code < 0) {
			code = job_message_failed(item->job, item->row, err);
		}
	}
	return code;
}

static void count_done(struct delivery *delivery)
{
	pthread_mutex_lock(&delivery->run->mutex);
	for (size_t i = 0; i < delivery->count; i++) {
		struct delivery_item *item = &delivery->items[i];
		item->job->box->counts.downloaded += *item->state == WANT_DONE;
	}
	pthread_mutex_unlock(&delivery->run->mutex);
}

int delivery_flush(struct delivery *delivery, struct err *err)
{
	struct maildir_box *dirs[DELIVERY_MESSAGES];
	size_t dir_count = batch_dirs(delivery, dirs);
	if (delivery->count == 0) {
		return 0;
	}
	int code = maildir_sync_files(dirs, dir_count, err);
	if (code == 0) {
		code = publish_all(delivery, err);
	}
	if (code == 0) {
		code = maildir_sync_names(dirs, dir_count, err);
	}
	if (code == 0) {
		code = commit_rows(delivery, err);
	}
	if (code == 0) {
		count_done(delivery);
		delivery->count = 0;
		delivery->bytes = 0;
	}
	return code;
}

int delivery_add(struct delivery *delivery, const struct delivery_item *item, struct err *err)
{
	*item->state = WANT_DRAFTED;
	delivery->items[delivery->count++] = *item;
	delivery->bytes += item->draft.size_bytes;
	if (delivery->count == DELIVERY_MESSAGES || delivery->bytes >= DELIVERY_BYTES) {
		return delivery_flush(delivery, err);
	}
	return 0;
}

void delivery_discard(struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->count; i++) {
		maildir_draft_discard(delivery->items[i].dir, &delivery->items[i].draft);
	}
	delivery->count = 0;
}
