#include "act_private.h"

#include <stdlib.h>
#include <string.h>

bool upload_is_over(const struct upload *upload)
{
	return upload->quota_hit || upload->put_off;
}

/* Sends the current batch and goes on to the next, waiting for the one that used its place
 * before. */
static int batch_turn(struct upload *upload, struct err *err)
{
	int code = batch_send(upload, &upload->batches[upload->current], err);
	upload->current = (upload->current + 1) % BATCHES_IN_FLIGHT;
	return code < 0 ? code : batch_settle(upload, &upload->batches[upload->current], err);
}

/* Header digest and size of a row's file are noted; -ERR_CHANGED: it is not there now. */
static int identify(struct job *job, struct row *row, struct err *err)
{
	struct maildir_folder *dir = job->mailbox->dir;
	struct maildir_entry entry;
	struct header_identity identity;
	struct maildir_file file;
	int code;
	if ((code = job_find_file(job, row, &entry, err)) < 0 ||
	    (code = maildir_folder_identify(dir, entry.name, entry.in_new, &identity, err)) < 0 ||
	    (code = maildir_folder_stat_file(dir, entry.name, entry.in_new, &file, err)) < 0) {
		return code;
	}
	row->has_digest = true;
	memcpy(row->digest, identity.digest, ROW_DIGEST_SIZE);
	row->size_bytes = file.size_bytes;
	return 0;
}

/* Into the current batch, which is sent once it is full. A row whose file is not there now is left
 * for the next run. */
static int add_row(struct upload *upload, struct row *row, struct err *err)
{
	struct job *job = upload->job;
	struct batch *batch = &upload->batches[upload->current];
	int code = identify(job, row, err);
	if (code == -ERR_CHANGED) {
		job->failures++;
		return 0;
	}
	if (code < 0) {
		return job_message_failed(job, row, err);
	}
	batch->items[batch->count++] = (struct item){
		.row = row,
		.is_due = true,
		.flags = row->local_flags & message_remote_flags(&job->facts),
	};
	batch->bytes += row->size_bytes;
	bool is_full = batch->count == BATCH_MESSAGES || batch->bytes >= BATCH_BYTES;
	return is_full ? batch_turn(upload, err) : 0;
}

/* All rows into batches, full ones sent; then waits for all. */
static int upload_rows(struct upload *upload, struct err *err)
{
	struct job *job = upload->job;
	const struct op *op;
	size_t at = 0;
	int code = 0;
	while (code == 0 && !upload_is_over(upload) &&
	       (op = job_next(job, OP_UPLOAD, &at)) != NULL) {
		if ((code = run_check_stop(job->run, err)) == 0) {
			code = add_row(upload, job_row(job, op), err);
		}
	}
	if (code == 0 && !upload_is_over(upload)) {
		code = batch_send(upload, &upload->batches[upload->current], err);
	}
	for (size_t i = 0; code == 0 && i < BATCHES_IN_FLIGHT; i++) {
		code = batch_settle(upload, &upload->batches[i], err);
	}
	if (code == 0 && upload->put_off) {
		*err = upload->why;
		code = -(int)err->code;
	}
	job->failures += upload->quota_hit;
	return code;
}

/* Courier refuses an APPEND to the mailbox that is EXAMINEd at the time. Where literals wait for a
 * go-ahead, as there, one turn more is little; elsewhere it would be half of a small upload. */
static int reopen_examined(struct upload *upload, struct err *err)
{
	struct job *job = upload->job;
	bool is_open = remote_selected(job->remote, job->mailbox->seen.wire, false) != 0;
	return is_open && !upload->pipelined ? job_select(job, true, err) : 0;
}

int job_upload(struct job *job, struct err *err)
{
	const struct remote_facts *facts = remote_facts(job->remote);
	size_t at = 0;
	if (job_next(job, OP_UPLOAD, &at) == NULL) {
		return 0;
	}
	struct upload *upload = calloc(1, sizeof(*upload));
	if (upload == NULL) {
		return err_nomem(err);
	}
	upload->job = job;
	upload->pipelined = facts->appends_without_wait;
	upload->multi = facts->takes_many_appends && upload->pipelined;
	buf_init(&upload->body, SMALL_BYTES + 1);
	int code = reopen_examined(upload, err);
	if (code == 0) {
		code = upload_rows(upload, err);
	}
	buf_finish(&upload->body);
	free(upload);
	return code;
}
