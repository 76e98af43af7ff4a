/* The downloads of one mailbox: what its plan wants, asked for twice where need be. */
#include <stdlib.h>

#include "observe/observe.h"

#include "fetch_private.h"

int download_init(struct download *download, struct job *job, struct err *err)
{
	const struct op *op;
	struct wants *wants = &download->wants;
	*download = (struct download){.job = job};
	wants->rows = calloc(job->plan.count + 1, sizeof(*wants->rows));
	wants->states = calloc(job->plan.count + 1, sizeof(*wants->states));
	if (wants->rows == NULL || wants->states == NULL) {
		return err_nomem(err);
	}
	for (size_t at = 0; (op = job_next(job, OP_DOWNLOAD, &at)) != NULL;) {
		wants->rows[wants->count++] = job_row(job, op);
	}
	wants_sort(wants);
	return maildir_folder_key(job->run->account->name, job->mailbox->name, download->key, err);
}

void download_finish(struct download *download)
{
	free(download->wants.rows);
	free(download->wants.states);
	download->wants = (struct wants){0};
}

static int fetch_all(struct download *download, struct err *err)
{
	struct task task = {download, 0, download->wants.count};
	struct tasks tasks = {.run = download->job->run, .items = &task, .count = 1};
	int code = tasks_work(&tasks, 1, err);
	return code == 0 && tasks.put_off ? -(int)err->code : code;
}

/* A row without a body: a failure where the server still lists the message. */
static int report_missing_one(struct job *job, int64_t id, struct err *err)
{
	struct row now;
	struct err why;
	bool found = false;
	row_init(&now);
	int code = state_row_by_id(job->run->session->state, id, &now, &found, err);
	if (code == 0 && found && now.remote == MESSAGE_PRESENT) {
		err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
			"the server lists this message but does not give its text; it is tried "
			"again in the next run");
		code = job_message_failed(job, &now, &why);
	}
	row_finish(&now);
	return code;
}

/* Expunged meanwhile is no failure: look before complaining. */
static int report_missing(const struct download *download, struct err *err)
{
	struct job *job = download->job;
	const struct wants *wants = &download->wants;
	int code = observe_remote_mailbox(job->run, job->remote, job->mailbox, LOOK_IN_JOB, err);
	code = code < 0 ? code : job_take_news(job, err);
	for (size_t i = 0; code == 0 && i < wants->count; i++) {
		if (wants->states[i] == WANT_OPEN) {
			code = report_missing_one(job, wants->rows[i]->id, err);
		}
	}
	return code;
}

/* Rows that got no body although the server is done are asked for once more, each by itself, so
 * that one bad message holds up no other. */
static int fetch_and_retry(struct download *download, struct err *err)
{
	int code = fetch_all(download, err);
	if (code == 0 && wants_open(&download->wants) > 0) {
		download->one_by_one = true;
		code = fetch_all(download, err);
	}
	return code == 0 && wants_open(&download->wants) > 0 ? report_missing(download, err) : code;
}

int job_download(struct job *job, struct err *err)
{
	struct download download;
	int code = download_init(&download, job, err);
	if (code == 0 && download.wants.count > 0 && (code = job_select(job, false, err)) == 0) {
		download.folder = job->mailbox->dir;
		code = fetch_and_retry(&download, err);
	}
	job->failures += wants_failed(&download.wants);
	download_finish(&download);
	return code;
}
