/*
 * Downloads in batches: bodies stream into drafts; per batch the files are made durable,
 * published, their names made durable, then the rows committed (J1).
 *
 * A body that is shorter than LIST said may have been ended by a lone dot that the server failed to
 * escape. It stays in its draft until the next status line shows that it was whole.
 */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

#include "pop3_private.h"
#include "guard/claim.h"

#define BATCH_COUNT 1000 /* proven ones; one more may wait for its proof */
#define BATCH_BYTES (64u << 20)

struct entry {
	struct pop3_item *item;
	struct maildir_draft draft;
	char unique[MAILDIR_UNIQUE_MAX + 1];
};

struct batch {
	struct pop3_job *job;
	struct entry *entries; /* room for BATCH_COUNT + 1 */
	size_t count;
	uint64_t size_bytes;
	bool is_last_unproven;
	struct pop3_item *current; /* whose body is coming */
	struct maildir_draft draft;
	bool has_draft;
	size_t queued;
	size_t answered;
	bool is_all_queued;
};

static int make_unique(struct batch *batch, struct entry *entry, struct err *err)
{
	char digest[POP3_DIGEST_SIZE];
	int code = pop3_item_digest(entry->item, digest, err);

	return code ? code : maildir_unique_make_pop3(entry->unique, batch->job->key, digest, err);
}

/* A file of that very name is the same message, fetched by a run that was cut this second. */
static int publish(struct batch *batch, struct entry *entry, struct err *err)
{
	struct maildir_folder *dir = batch->job->mailbox.dir;
	int code = make_unique(batch, entry, err);

	if (!code) {
		code = maildir_draft_publish(dir, &entry->draft, entry->unique, 0, NULL, err);
	}
	if (code == -ERR_CHANGED) {
		maildir_draft_discard(dir, &entry->draft);
		code = 0;
	}
	return code;
}

static int commit_row(struct batch *batch, struct entry *entry, struct err *err)
{
	struct pop3_row row = {
		.size_bytes = entry->item->size_bytes,
		.unique = entry->unique,
		.first_seen = clock_real_ns() / 1000000000,
		.reason = REASON_NONE,
		.has_digest = true,
	};

	memcpy(row.digest, entry->draft.digest, ROW_DIGEST_SIZE);
	return pop3_put_row(batch->job, entry->item, &row, err);
}

static int commit_rows(struct batch *batch, size_t count, struct err *err)
{
	struct state *state = batch->job->run.session->state;
	int code = state_begin(state, err);

	if (code) {
		return code;
	}
	for (size_t i = 0; !code && i < count; i++) {
		code = commit_row(batch, &batch->entries[i], err);
	}
	if (code) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

static int sync_contents(const struct batch *batch, size_t count, struct err *err)
{
	const struct maildir_draft *drafts[BATCH_COUNT];

	for (size_t i = 0; i < count; i++) {
		drafts[i] = &batch->entries[i].draft;
	}
	return maildir_sync_drafts(drafts, count, err);
}

/* Delivers all of the batch that is proven whole. */
static int flush(struct batch *batch, struct err *err)
{
	struct pop3_job *job = batch->job;
	size_t count = batch->count - (batch->is_last_unproven ? 1 : 0);
	int code;

	if (count == 0) {
		return 0;
	}
	code = sync_contents(batch, count, err);
	for (size_t i = 0; !code && i < count; i++) {
		code = publish(batch, &batch->entries[i], err);
	}
	if (!code) {
		code = maildir_folder_sync_names(job->mailbox.dir, err);
	}
	if (!code) {
		code = commit_rows(batch, count, err);
	}
	if (code) {
		return code;
	}
	job->mailbox.done.counts.downloaded += count;
	job->downloads_of_session += count;
	if (batch->count > count) {
		batch->entries[0] = batch->entries[count];
	}
	batch->count -= count;
	batch->size_bytes = 0;
	return 0;
}

static struct pop3_item *next_download(struct batch *batch, size_t *at)
{
	while (*at < batch->job->listing.count) {
		struct pop3_item *item = &batch->job->items[(*at)++];
		if (item->act == POP3_ACT_DOWNLOAD) {
			return item;
		}
	}
	return NULL;
}

static int queue_more(struct batch *batch, struct err *err)
{
	int code = 0;

	while (!code && !batch->is_all_queued && pop3_has_room(batch->job->pop3)) {
		struct pop3_item *item = next_download(batch, &batch->queued);
		if (!item) {
			batch->is_all_queued = true;
			return pop3_fetch_end(batch->job->pop3, err);
		}
		code = pop3_fetch_queue(batch->job->pop3, POP3_WANT_MESSAGE, item->number, err);
	}
	return code;
}

static int begin_body(struct batch *batch, struct err *err)
{
	batch->is_last_unproven = false;
	batch->current = next_download(batch, &batch->answered);
	if (!batch->current) {
		return err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT,
			       "an answer to a message that was not asked for");
	}
	int code = maildir_draft_create(batch->job->mailbox.dir, &batch->draft, err);
	batch->has_draft = code == 0;
	return code;
}

static int fail_body(struct batch *batch, const struct err *why, struct err *err)
{
	maildir_draft_discard(batch->job->mailbox.dir, &batch->draft);
	batch->has_draft = false;
	return pop3_job_fail(batch->job, batch->current, why, err);
}

/* Stored, it would stand for the message, which `leave_on_server` may then delete. */
static int fail_empty(struct batch *batch, struct err *err)
{
	struct err why;

	err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
		"message %u came empty, and was listed with %llu bytes; it is tried again next "
		"time",
		(unsigned)batch->current->number, (unsigned long long)batch->current->size_bytes);
	return fail_body(batch, &why, err);
}

/* Where the server failed to escape a line of a single dot, only the size tells a message from two
 * that run into each other. */
static int fail_size(struct batch *batch, uint64_t size_bytes, struct err *err)
{
	struct err why;

	err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
		"message %u has a line of a single dot that the server failed to escape, and came "
		"with %llu bytes where %llu were listed",
		(unsigned)batch->current->number, (unsigned long long)size_bytes,
		(unsigned long long)batch->current->size_bytes);
	return fail_body(batch, &why, err);
}

static int end_body(struct batch *batch, const struct pop3_piece *piece, struct err *err)
{
	uint64_t size_bytes = piece->size_bytes;

	if (piece->has_lone_dot && size_bytes != batch->current->size_bytes) {
		return fail_size(batch, size_bytes, err);
	}
	if (size_bytes == 0 && batch->current->size_bytes > 0) {
		return fail_empty(batch, err);
	}
	int code = maildir_draft_close(&batch->draft, clock_real_ns() / 1000000000, err);
	if (code) {
		return code;
	}
	struct entry *entry = &batch->entries[batch->count++];
	entry->item = batch->current;
	entry->draft = batch->draft;
	batch->has_draft = false;
	batch->size_bytes += size_bytes;
	batch->is_last_unproven = size_bytes < batch->current->size_bytes;
	size_t proven = batch->count - (batch->is_last_unproven ? 1 : 0);
	if (proven == BATCH_COUNT || batch->size_bytes >= BATCH_BYTES) {
		return flush(batch, err);
	}
	return 0;
}

static int refused(struct batch *batch, struct span words, struct err *err)
{
	struct err why;

	batch->is_last_unproven = false;
	struct pop3_item *item = next_download(batch, &batch->answered);
	if (!item) {
		return 0;
	}
	if (span_starts_nocase(words, "[UTF8]") && !batch->job->wants_utf8) {
		batch->job->wants_utf8 = true; /* in another session */
		return 0;
	}
	err_set(&why, ERR_REFUSED, SCOPE_MESSAGE,
		"the server refused message %u, saying \"%.*s\"; it is tried again next time",
		(unsigned)item->number, (int)(words.len > 300 ? 300 : words.len),
		words.data ? words.data : "");
	return pop3_job_fail(batch->job, item, &why, err);
}

static int take_piece(struct batch *batch, const struct pop3_piece *piece, struct err *err)
{
	switch (piece->kind) {
	case PIECE_BEGIN:
		return begin_body(batch, err);
	case PIECE_DATA:
		return maildir_draft_write(&batch->draft, piece->data, err);
	case PIECE_END:
		return end_body(batch, piece, err);
	case PIECE_REFUSED:
		return refused(batch, piece->data, err);
	case PIECE_NONE:
		break;
	}
	return 0;
}

static int stream(struct batch *batch, struct err *err)
{
	struct pop3_piece piece = {.kind = PIECE_BEGIN};
	int code = 0;

	while (!code && piece.kind != PIECE_NONE) {
		code = run_check_stop(&batch->job->run, err);
		if (!code) {
			code = queue_more(batch, err);
		}
		if (!code) {
			code = pop3_fetch_next(batch->job->pop3, &piece, err);
		}
		if (!code) {
			code = take_piece(batch, &piece, err);
		}
	}
	if (!code && batch->is_last_unproven) {
		code = pop3_confirm(batch->job->pop3, err);
	}
	if (!code) {
		batch->is_last_unproven = false;
	}
	return code;
}

/* After a broken answer the body before it is not believed; the rest of this session is lost, and
 * goes on in another one. */
static int drop_unproven(struct batch *batch, struct err *err)
{
	struct err why = *err, failed;

	if (err->code != ERR_PROTOCOL || batch->has_draft || batch->count == 0) {
		return 0;
	}
	batch->is_last_unproven = false;
	struct entry *entry = &batch->entries[--batch->count];
	maildir_draft_discard(batch->job->mailbox.dir, &entry->draft);
	why.code = ERR_PARTIAL;
	why.scope = SCOPE_MESSAGE;
	return pop3_job_fail(batch->job, entry->item, &why, &failed);
}

static void batch_finish(struct batch *batch)
{
	struct maildir_folder *dir = batch->job->mailbox.dir;

	if (batch->has_draft) {
		maildir_draft_discard(dir, &batch->draft);
	}
	for (size_t i = 0; i < batch->count; i++) {
		maildir_draft_discard(dir, &batch->entries[i].draft);
	}
	free(batch->entries);
}

static int open_inbox(struct pop3_job *job, struct err *err)
{
	int code = run_claim(&job->run, err);

	if (!code) {
		code = maildir_create_folder(job->run.session->maildir, "INBOX", err);
	}
	if (!code) {
		code = mailbox_open_dir(&job->run, &job->mailbox, err);
	}
	return code ? code : maildir_folder_sweep(job->mailbox.dir, err);
}

int pop3_download(struct pop3_job *job, struct err *err)
{
	struct batch batch = {.job = job};
	size_t at = 0;

	if (!next_download(&batch, &at)) {
		return 0;
	}
	int code = open_inbox(job, err);
	if (code) {
		return code;
	}
	batch.entries = calloc(BATCH_COUNT + 1, sizeof(*batch.entries));
	code = batch.entries ? stream(&batch, err) : err_nomem(err);
	if (batch.entries && code && err->code != ERR_LOCAL) {
		/* What came whole before the cut is kept; the cut is what is reported. */
		struct err ignored;
		(void)drop_unproven(&batch, err);
		(void)flush(&batch, &ignored);
	} else if (!code) {
		code = flush(&batch, err);
	}
	batch_finish(&batch);
	return code;
}
