#include "fetch.h"

#include <stdlib.h>

#include "download_private.h"
#include "observe/observe.h"

/* Asks for as much as is good to have on its way, and takes one answer. *MORE: there was one. */
static int fetch_one(struct download *download, bool *more, struct err *err)
{
	struct remote_body body;
	int code = 0;
	while (code == 0 && download_has_more(download) &&
	       remote_fetch_room(download->remote) > 0) {
		code = download_ask(download, err);
	}
	*more = code == 0 && download->in_flight > 0;
	if (!*more) {
		return code;
	}
	if ((code = remote_fetch_next(download->remote, &body, err)) < 0 ||
	    (code = download_take(download, &body, err)) < 0) {
		return code;
	}
	return body.type == REMOTE_FETCHED_MESSAGE ? run_check_stop(download->job->run, err) : 0;
}

static int fetch_all(struct download *download, struct err *err)
{
	struct err why;
	bool more = true;
	int code = 0;
	while (code == 0 && more) {
		code = fetch_one(download, &more, err);
	}
	if (code < 0) {
		code = download_broke(download, err);
	}
	/* What is here is kept, whatever ended it. */
	int flushed = delivery_flush(download->delivery, &why);
	if (flushed < 0 && code == 0) {
		*err = why;
		code = flushed;
	}
	return code;
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

static int report_missing(struct download *download, struct err *err)
{
	struct job *job = download->job;
	const struct wants *wants = &download->wants;
	/* Expunged meanwhile is no failure: look before complaining. */
	int code =
		observe_remote_mailbox(job->run, download->remote, job->mailbox, LOOK_IN_JOB, err);
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
	if (code == 0 && !download->put_off && wants_open(&download->wants) > 0) {
		download->one_by_one = true;
		download->next = 0;
		code = fetch_all(download, err);
	}
	if (code < 0) {
		return code;
	}
	if (download->put_off) {
		*err = download->why;
		return -(int)err->code;
	}
	return wants_open(&download->wants) > 0 ? report_missing(download, err) : 0;
}

static int fetch(struct job *job, struct download *download, struct err *err)
{
	int code = job_select(job, false, err);
	download->folder = job->mailbox->dir;
	return code < 0 ? code : fetch_and_retry(download, err);
}

int job_download(struct job *job, struct err *err)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));
	struct download download;
	if (delivery == NULL) {
		return err_nomem(err);
	}
	delivery->run = job->run;
	int code = download_init(&download, job, delivery, err);
	if (code == 0 && download.wants.count > 0) {
		code = fetch(job, &download, err);
	}
	delivery_discard(delivery);
	job->failures += wants_failed(&download.wants);
	download_finish(&download);
	free(delivery);
	return code;
}
