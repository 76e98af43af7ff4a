#include "delivery.h"

#include <string.h>

static void note_failure(struct job *job)
{
	pthread_mutex_lock(&job->run->mutex);
	job->failures++;
	pthread_mutex_unlock(&job->run->mutex);
}

/* The server of a mailbox that was paired anew may give a UID again within the second of the first
 * (it was restored from a backup). */
static int make_unique(const struct delivery_item *item, char unique[MAILDIR_UNIQUE_MAX + 1],
		       struct err *err)
{
	const struct mailbox *mailbox = item->job->mailbox;
	bool is_taken = mailbox->done.was_paired;
	int code = maildir_unique_make(unique, item->key, mailbox->base.uidvalidity, item->row->uid,
				       err);
	while (code == 0 && is_taken) {
		struct row row;
		row_init(&row);
		code = state_row_by_unique(item->job->run->session->state, mailbox->base.id, unique,
					   &row, &is_taken, err);
		row_finish(&row);
		if (code == 0 && is_taken) {
			maildir_unique_later(unique);
		}
	}
	return code;
}

static int publish_one(struct delivery_item *item, struct err *err)
{
	struct job *job = item->job;
	struct row *row = item->row;
	char unique[MAILDIR_UNIQUE_MAX + 1];
	uint64_t flags = row->remote_flags & (FLAGS_SYSTEM | job->local_keywords);
	uint64_t granted = 0;
	int code = make_unique(item, unique, err);
	if (code == 0) {
		code = maildir_folder_grant(item->dir, flags, &job->mailbox->base.keywords,
					    &granted, err);
		if (granted != flags) {
			note_failure(job); /* the next run tries again */
		}
		flags = granted;
	}
	if (code == 0) {
		code = maildir_draft_publish(item->dir, &item->draft, unique, flags,
					     &job->mailbox->base.keywords, err);
	}
	if (code == 0) {
		code = row_set_unique(row, unique, strlen(unique), err);
	}
	if (code == 0) {
		row->local = MESSAGE_PRESENT;
		row->local_flags = flags;
		row->is_agreed = true;
		row->flags = flags;
		row->reason = REASON_NONE;
		row->size_bytes = item->draft.size_bytes;
		row->date = item->date;
		row->has_digest = true;
		memcpy(row->digest, item->draft.digest, ROW_DIGEST_SIZE);
	}
	return code;
}

/* The folders of a batch, each once: items of one mailbox follow one another. */
static size_t batch_dirs(const struct delivery_batch *batch, struct maildir_folder **dirs)
{
	size_t count = 0;
	for (size_t i = 0; i < batch->count; i++) {
		if (count == 0 || dirs[count - 1] != batch->items[i].dir) {
			dirs[count++] = batch->items[i].dir;
		}
	}
	return count;
}

static int sync_contents(const struct delivery_batch *batch, struct err *err)
{
	const struct maildir_draft *drafts[DELIVERY_MESSAGES_MAX];
	for (size_t i = 0; i < batch->count; i++) {
		drafts[i] = &batch->items[i].draft;
	}
	return maildir_sync_drafts(drafts, batch->count, err);
}

static int publish_all(struct delivery_batch *batch, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		struct delivery_item *item = &batch->items[i];
		code = publish_one(item, err);
		item->is_published = code == 0;
		if (code < 0) {
			code = job_message_failed(item->job, item->row, err);
		}
	}
	return code;
}

static int commit_rows(struct state *state, struct delivery_batch *batch, struct err *err)
{
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < batch->count; i++) {
		if (batch->items[i].is_published) {
			code = state_row_put(state, batch->items[i].row, err);
		}
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

static int deliver(struct run *run, struct delivery_batch *batch, struct err *err)
{
	struct maildir_folder *dirs[DELIVERY_MESSAGES_MAX];
	size_t dir_count = batch_dirs(batch, dirs);
	if (batch->count == 0) {
		return 0;
	}
	int code = publish_all(batch, err);
	if (code == 0) {
		code = maildir_sync_names(dirs, dir_count, err);
	}
	if (code == 0) {
		code = commit_rows(run->session->state, batch, err);
	}
	return code;
}

/* The batch that is not filling. */
static struct delivery_batch *leaving_batch(struct delivery *delivery)
{
	return &delivery->batches[!delivery->filling];
}

static void *deliver_main(void *argument)
{
	struct delivery *delivery = argument;
	delivery->code = deliver(delivery->run, leaving_batch(delivery), &delivery->err);
	atomic_store(&delivery->has_arrived, true);
	return NULL;
}

/* The owners learn what became of their rows. */
static void tell_owners(struct delivery *delivery, struct delivery_batch *batch)
{
	pthread_mutex_lock(&delivery->run->mutex);
	for (size_t i = 0; i < batch->count; i++) {
		struct delivery_item *item = &batch->items[i];
		struct err ignored;
		*item->state = item->is_published ? WANT_DONE : WANT_FAILED;
		item->job->mailbox->done.counts.downloaded += item->is_published;
		/* It is in the database; 50,000 names would take 5 MB. */
		(void)row_set_unique(item->row, "", 0, &ignored);
	}
	pthread_mutex_unlock(&delivery->run->mutex);
}

/* Waits for the batch that is on its way; after success there is none. */
static int settle(struct delivery *delivery, struct err *err)
{
	if (delivery->is_thread) {
		pthread_join(delivery->thread, NULL);
		delivery->is_thread = false;
	}
	if (delivery->code < 0) {
		*err = delivery->err;
		return delivery->code;
	}
	struct delivery_batch *batch = leaving_batch(delivery);
	tell_owners(delivery, batch);
	batch->count = 0;
	batch->bytes = 0;
	return 0;
}

/* Sends the batch that is filling on its way, once the one before has arrived. */
static int send_off(struct delivery *delivery, bool is_last, struct err *err)
{
	int code = settle(delivery, err);
	if (code == 0) {
		code = sync_contents(&delivery->batches[delivery->filling], err);
	}
	if (code < 0) {
		return code;
	}
	delivery->filling = !delivery->filling;
	atomic_store(&delivery->has_arrived, false);
	delivery->is_thread =
		!is_last && pthread_create(&delivery->thread, NULL, deliver_main, delivery) == 0;
	if (!delivery->is_thread) {
		deliver_main(delivery);
		code = settle(delivery, err);
	}
	return code;
}

int delivery_flush(struct delivery *delivery, struct err *err)
{
	return send_off(delivery, true, err);
}

static bool is_due(const struct delivery *delivery, const struct delivery_batch *batch)
{
	if (batch->count == DELIVERY_MESSAGES_MAX || batch->bytes >= DELIVERY_BYTES_MAX) {
		return true;
	}
	bool is_free = !delivery->is_thread || atomic_load(&delivery->has_arrived);
	return is_free && (batch->count >= DELIVERY_MESSAGES || batch->bytes >= DELIVERY_BYTES);
}

int delivery_add(struct delivery *delivery, const struct delivery_item *item, struct err *err)
{
	struct delivery_batch *batch = &delivery->batches[delivery->filling];
	*item->state = WANT_DRAFTED;
	batch->items[batch->count++] = *item;
	batch->bytes += item->draft.size_bytes;
	return is_due(delivery, batch) ? send_off(delivery, false, err) : 0;
}

void delivery_discard(struct delivery *delivery)
{
	struct err ignored;
	(void)settle(delivery, &ignored);
	for (int b = 0; b < 2; b++) {
		struct delivery_batch *batch = &delivery->batches[b];
		for (size_t i = 0; i < batch->count; i++) {
			maildir_draft_discard(batch->items[i].dir, &batch->items[i].draft);
		}
		batch->count = 0;
	}
}
