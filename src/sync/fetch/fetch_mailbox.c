#include "fetch_mailbox.h"

#include <stdlib.h>

#include "download.h"
#include "observe/observe.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define COMMANDS_IN_FLIGHT 8

static int fetch_all(struct download *download, struct err *err)
{
	struct job *job = download->job;
	int code = 0;
	while (code == 0) {
		/* To compress, what is on its way has to come in first. */
		bool compress = imap_should_compress(remote_imap(download->remote));
		if (compress && download->in_flight == 0) {
			code = imap_compress(remote_imap(download->remote), err);
			compress = false;
		}
		size_t most =
			imap_is_pacing(remote_imap(download->remote)) ? 1 : COMMANDS_IN_FLIGHT;
		while (code == 0 && !compress && download->in_flight < most &&
		       download_has_more(download)) {
			code = download_ask(download, err);
		}
		if (code < 0 || download->in_flight == 0) {
			break;
		}
		struct imap_body body;
		code = imap_fetch_next(remote_imap(download->remote), &body, err);
		if (code == 0) {
			code = download_take(download, &body, err);
		}
		if (code == 0 && body.type == IMAP_FETCHED_MESSAGE) {
			code = run_check_stop(job->run, err);
		}
	}
	if (code < 0) {
		code = download_broke(download, err);
	}
	/* What is here is kept, whatever ended it. */
	struct err why;
	int flushed = delivery_flush(download->delivery, &why);
	if (flushed < 0 && code == 0) {
		*err = why;
		code = flushed;
	}
	return code;
}

static int report_missing(struct download *download, struct err *err)
{
	struct job *job = download->job;
	/* Expunged meanwhile is no failure: look before complaining. */
	int code = observe_remote_in_job(job->run, download->remote, job->mailbox, err);
	for (size_t i = 0; code == 0 && i < download->count; i++) {
		struct row now;
		bool found = false;
		if (download->states[i] != WANT_OPEN) {
			continue;
		}
		row_init(&now);
		code = state_row_by_id(job->run->session->state, download->rows[i]->id, &now,
				       &found, err);
		if (code == 0 && found && now.remote == MESSAGE_PRESENT) {
			struct err why;
			err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
				"the server lists this message but does not give its text; it is "
				"tried again in the next run");
			code = job_message_failed(job, &now, &why);
		}
		row_finish(&now);
	}
	return code;
}

/* Rows that got no body although the server is done are asked for once more, each by itself, so
 * that one bad message holds up no other. */
static int fetch_and_retry(struct download *download, struct err *err)
{
	int code = fetch_all(download, err);
	if (code == 0 && !download->put_off && download_open(download) > 0) {
		download->one_by_one = true;
		download->next = 0;
		code = fetch_all(download, err);
	}
	if (code == 0 && download->put_off) {
		*err = download->why;
		code = -(int)err->code;
	}
	if (code == 0 && download_open(download) > 0) {
		code = report_missing(download, err);
	}
	return code;
}

int job_download(struct job *job, struct err *err)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));
	struct download download;
	if (delivery == NULL) {
		return err_nomem(err);
	}
	delivery->run = job->run;
	int code = download_init(&download, job, job->remote, delivery, err);
	if (code == 0 && download.count > 0) {
		download.dir = job->mailbox->dir;
		code = job_select(job, false, err);
		if (code == 0) {
			code = fetch_and_retry(&download, err);
		}
	}
	delivery_discard(delivery);
	job->failures += download_failures(&download);
	download_finish(&download);
	free(delivery);
	return code;
}
