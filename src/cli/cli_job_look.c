#include "cli_job_look.h"

#include <string.h>

#include "cli_print.h"

/* A mailbox that the command line names, and that is not there. */
static void job_miss(struct cli_job *job, const char *mailbox, const char *text)
{
	const struct cli_trouble trouble = {job->conf->name, mailbox, 0, ERR_PARTIAL, text};

	cli_print_error(&job->output, &trouble);
	job->status = err_exit_status(ERR_PARTIAL);
}

void cli_job_list(struct cli_job *job, const struct sync_options *options)
{
	struct listing listing = {NULL, 0};
	struct err err;

	if (sync_list(&job->account, options, &listing, &err) < 0) {
		cli_job_fail(job, &err);
		return;
	}
	cli_print_listing(&job->output, job->conf->name, &listing, &job->only);
	for (size_t i = 0; i < job->only.count; i++) {
		bool found = false;
		for (size_t j = 0; j < listing.count && !found; j++) {
			found = strcmp(listing.items[j].name, job->only.items[i]) == 0;
		}
		if (!found) {
			job_miss(job, job->only.items[i], "the server has no such mailbox");
		}
	}
	for (size_t i = 0; i < listing.count; i++) {
		const struct listing_entry *entry = &listing.items[i];
		if (entry->trouble != NULL && cli_print_wants(&job->only, entry->name)) {
			job_miss(job, entry->name, entry->trouble);
		}
	}
	listing_finish(&listing);
}

void cli_job_check(struct cli_job *job, const struct sync_options *options)
{
	struct strlist lines;
	struct err err;

	strlist_init(&lines);
	int code = sync_check(&job->account, options, &lines, &err);
	cli_print_check(&job->output, job->conf->name, &lines);
	if (code < 0) {
		cli_job_fail(job, &err);
	}
	strlist_finish(&lines);
}

void cli_job_status(struct cli_job *job, const struct sync_options *options)
{
	struct status status = {0};
	struct err err;

	int code = sync_status(&job->account, options, &status, &err);
	if (code < 0 && code != -ERR_CHANGED) {
		cli_job_fail(job, &err);
		return;
	}
	if (code == -ERR_CHANGED || status.count == 0) {
		cli_print_never_synced(&job->output, job->conf->name);
	} else {
		cli_print_status(&job->output, job->conf->name, &status, &job->only);
	}
	for (size_t i = 0; i < job->only.count; i++) {
		bool found = false;
		for (size_t j = 0; j < status.count && !found; j++) {
			found = strcmp(status.items[j].name, job->only.items[i]) == 0;
		}
		if (!found) {
			job_miss(job, job->only.items[i], "this mailbox was never synced");
		}
	}
	status_finish(&status);
}
