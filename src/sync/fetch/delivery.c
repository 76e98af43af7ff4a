/* From drafts to files and rows: batches, and the thread that delivers one while the next fills. */
#include "fetch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rules/effect.h"

/* A batch goes on its way with so many messages when the one before has arrived, else with up to
 * the most. Each costs a syncfs, and one or two directories and the database to be synced: some
 * 15 ms on ext4, in which several hundred messages come in. */
#define DELIVERY_MESSAGES     500
#define DELIVERY_MESSAGES_MAX 2000
#define DELIVERY_BYTES        (32u << 20)
#define DELIVERY_BYTES_MAX    (64u << 20)

#define NAMES_AT_ONCE 100

struct delivery_batch {
	struct delivery_item items[DELIVERY_MESSAGES_MAX];
	size_t count;
	uint64_t bytes;
};

struct delivery { /* too large for a stack */
	struct run *run;
	struct delivery_batch batches[2];
	int filling;    /* which of the two; the other one is being delivered, or empty */
	bool is_thread; /* the other one, by THREAD, which says when it HAS_ARRIVED */
	pthread_t thread;
	atomic_bool has_arrived;
	int code; /* of the first batch that failed; nothing is delivered after it */
	struct err err;
};

/* The server of a mailbox that was paired anew may give a UID again within the second of the first
 * (it was restored from a backup). */
static int make_unique(struct run *run, const struct delivery_item *item,
		       char unique[MAILDIR_UNIQUE_MAX + 1], struct err *err)
{
	const struct state_mailbox *base = &item->mailbox->base;
	bool is_taken = item->mailbox->done.was_paired;
	int code = maildir_unique_make(
		unique, item->key, (uint32_t)base->numbers.uidvalidity.number, item->row->uid, err);
	while (code == 0 && is_taken) {
		code = state_has_unique(run->session->state, base->id, unique, &is_taken, err);
		if (code == 0 && is_taken) {
			maildir_unique_later(unique);
		}
	}
	return code;
}

/* Of COUNT items of IMAP. In one transaction, although it changes nothing: each look-up by itself
 * would lock the database and look for a journal, eight system calls a message. Whatever fails here
 * fails for all. */
static int make_names(struct run *run, const struct delivery_item *items, size_t count,
		      char names[][MAILDIR_UNIQUE_MAX + 1], struct err *err)
{
	struct state *state = run->session->state;
	int code = state_begin(state, err);
	for (size_t i = 0; code == 0 && i < count; i++) {
		code = make_unique(run, &items[i], names[i], err);
	}
	state_rollback(state);
	return code;
}

static int publish(struct delivery_item *item, const char *unique, struct err *err)
{
	const struct keywords *keywords = &item->mailbox->base.keywords;
	struct row *row = item->row;
	uint64_t granted = 0;
	int code;
	if ((code = maildir_folder_grant(item->folder, item->flags, keywords, &granted, err)) < 0 ||
	    (code = maildir_draft_publish(item->folder, &item->draft, unique, granted, keywords,
					  err)) < 0) {
		return code;
	}
	if ((code = row_set_unique(row, unique, strlen(unique), err)) < 0) {
		return code;
	}
	effect_downloaded(row, granted);
	row->size = told(item->draft.size_bytes);
	row->date = told_time(item->date);
	row->has_digest = true;
	memcpy(row->digest, item->draft.digest, ROW_DIGEST_SIZE);
	row_set_file(row, &item->draft.mark, item->draft.content);
	item->outcome = granted == item->flags ? WANT_DONE : WANT_PARTLY;
	return 0;
}

/* Its row keeps all that it knew but what the file is (E17). */
static int publish_repair(struct delivery_item *item, struct err *err)
{
	const struct delivery_repair *repair = item->repair;
	const struct keywords *keywords = &item->mailbox->base.keywords;
	struct row *row = item->row;
	uint64_t granted = item->flags;
	int code;
	if (repair->damaged != NULL) {
		code = maildir_draft_exchange(item->folder, &item->draft, repair->damaged,
					      repair->in_new, &repair->mark, err);
	} else if ((code = maildir_folder_grant(item->folder, item->flags, keywords, &granted,
						err)) == 0) {
		code = maildir_draft_publish(item->folder, &item->draft, repair->unique, granted,
					     keywords, err);
	}
	if (code < 0 || row == NULL ||
	    (code = row_set_unique(row, repair->unique, strlen(repair->unique), err)) < 0) {
		item->outcome = code < 0 ? item->outcome : WANT_DONE;
		return code;
	}
	effect_repaired(row, item->flags & ~granted);
	row->size = told(item->draft.size_bytes);
	row_set_file(row, &item->draft.mark, item->draft.content);
	item->outcome = WANT_DONE;
	return 0;
}

static int publish_pop3(struct delivery_item *item, struct err *err)
{
	struct pop3_row *row = item->pop3_row;
	int code = maildir_draft_publish(item->folder, &item->draft, row->unique, item->flags,
					 &item->mailbox->base.keywords, err);
	if (code == -ERR_CHANGED) {
		maildir_draft_discard(item->folder, &item->draft);
	} else if (code < 0) {
		return code;
	}
	item->outcome = WANT_DONE;
	row->has_digest = true;
	memcpy(row->digest, item->draft.digest, ROW_DIGEST_SIZE);
	row->has_content = true;
	memcpy(row->content, item->draft.content, ROW_CONTENT_SIZE);
	return 0;
}

/* It is of no server, and new to all: the next sync takes it as it takes what a MUA puts there. */
static int publish_foreign(struct delivery_item *item, struct err *err)
{
	const struct keywords *keywords = &item->mailbox->base.keywords;
	char unique[MAILDIR_UNIQUE_MAX + 1];
	uint64_t granted = 0;
	int code;
	if ((code = maildir_unique_make_foreign(unique, item->date, item->draft.content, err)) <
		    0 ||
	    (code = maildir_folder_grant(item->folder, item->flags, keywords, &granted, err)) < 0) {
		return code;
	}
	code = maildir_draft_publish(item->folder, &item->draft, unique, granted, keywords, err);
	if (code == -ERR_CHANGED) { /* the same content, by its name */
		maildir_draft_discard(item->folder, &item->draft);
	} else if (code < 0) {
		return code;
	}
	item->outcome = WANT_DONE;
	return 0;
}

static int publish_one(struct delivery_item *item, const char *name, struct err *err)
{
	if (item->repair != NULL) {
		return publish_repair(item, err);
	}
	if (item->row != NULL) {
		return publish(item, name, err);
	}
	return item->pop3_row != NULL ? publish_pop3(item, err) : publish_foreign(item, err);
}

/* It holds up no other, unless none can be delivered any more. */
static int note_failure(struct run *run, struct delivery_item *item, const struct err *why)
{
	if (run_is_fatal(why)) {
		return -(int)why->code;
	}
	item->outcome = WANT_FAILED;
	maildir_draft_discard(item->folder, &item->draft);
	if (item->row != NULL && item->repair == NULL) {
		effect_held(item->row, REASON_FAILED);
	}
	run_report_error(run, item->mailbox, item->row != NULL ? item->row->uid : 0, why);
	return 0;
}

static int publish_some(struct run *run, struct delivery_item *items, size_t count, struct err *err)
{
	char names[NAMES_AT_ONCE][MAILDIR_UNIQUE_MAX + 1];
	/* A delivery is of one protocol, and POP3's rows come with their names. */
	int code = items[0].row != NULL ? make_names(run, items, count, names, err) : 0;
	for (size_t i = 0; code == 0 && i < count; i++) {
		struct delivery_item *item = &items[i];
		code = publish_one(item, names[i], err);
		if (code < 0) {
			code = note_failure(run, item, err);
		}
	}
	return code;
}

static int publish_all(struct run *run, struct delivery_batch *batch, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < batch->count; i += NAMES_AT_ONCE) {
		size_t rest = batch->count - i;
		code = publish_some(run, &batch->items[i],
				    rest < NAMES_AT_ONCE ? rest : NAMES_AT_ONCE, err);
	}
	return code;
}

static int sync_contents(const struct delivery_batch *batch, struct err *err)
{
	const struct maildir_draft *drafts[DELIVERY_MESSAGES_MAX];
	for (size_t i = 0; i < batch->count; i++) {
		drafts[i] = &batch->items[i].draft;
	}
	return maildir_sync_drafts(drafts, batch->count, err);
}

static int commit_row(struct state *state, struct delivery_item *item, struct err *err)
{
	if (item->row != NULL) {
		bool is_left = item->repair != NULL && item->outcome == WANT_FAILED;
		return is_left ? 0 : state_row_put(state, item->row, err);
	}
	bool has_row = item->pop3_row != NULL && item->outcome != WANT_FAILED;
	return has_row ? state_pop3_put(state, item->pop3_row, err) : 0;
}

static int commit_rows(struct state *state, struct delivery_item *items, size_t count,
		       struct err *err)
{
	if (items[0].row == NULL && items[0].pop3_row == NULL) {
		return 0; /* of files: none has one */
	}
	int code = state_begin(state, err);
	for (size_t i = 0; code == 0 && i < count; i++) {
		code = commit_row(state, &items[i], err);
	}
	return state_end(state, code, err);
}

/* The disk failed in the middle of BATCH. What is there already is the user's, who may delete it
 * before the next run adopts it: then it would come once more. */
static void keep_published(struct run *run, struct delivery_batch *batch,
			   struct maildir_folder *const *folders, size_t folder_count)
{
	struct err ignored;
	size_t count = 0;
	while (count < batch->count && batch->items[count].outcome != WANT_OPEN) {
		count++;
	}
	if (maildir_sync_names(folders, folder_count, &ignored) == 0) {
		(void)commit_rows(run->session->state, batch->items, count, &ignored);
	}
}

static int deliver(struct run *run, struct delivery_batch *batch, struct err *err)
{
	struct maildir_folder *folders[DELIVERY_MESSAGES_MAX];
	size_t count = 0;
	/* Each once: items of one mailbox follow one another. */
	for (size_t i = 0; i < batch->count; i++) {
		if (count == 0 || folders[count - 1] != batch->items[i].folder) {
			folders[count++] = batch->items[i].folder;
		}
	}
	if (count == 0) {
		return 0;
	}
	int code = publish_all(run, batch, err);
	if (code < 0) {
		keep_published(run, batch, folders, count);
		return code;
	}
	if ((code = maildir_sync_names(folders, count, err)) < 0) {
		return code;
	}
	return commit_rows(run->session->state, batch->items, batch->count, err);
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
		*item->state = (uint8_t)item->outcome;
		item->mailbox->done.counts.downloaded += item->outcome != WANT_FAILED;
		if (item->row != NULL) {
			(void)row_set_unique(item->row, "", 0, &ignored);
		}
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
	int code;
	if ((code = settle(delivery, err)) < 0 ||
	    (code = sync_contents(&delivery->batches[delivery->filling], err)) < 0) {
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

struct delivery *delivery_create(struct run *run, struct err *err)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));
	if (delivery == NULL) {
		err_nomem(err);
		return NULL;
	}
	delivery->run = run;
	return delivery;
}

void delivery_destroy(struct delivery *delivery)
{
	struct err ignored;
	if (delivery == NULL) {
		return;
	}
	(void)settle(delivery, &ignored);
	for (int b = 0; b < 2; b++) {
		struct delivery_batch *batch = &delivery->batches[b];
		for (size_t i = 0; i < batch->count; i++) {
			maildir_draft_discard(batch->items[i].folder, &batch->items[i].draft);
		}
	}
	free(delivery);
}
