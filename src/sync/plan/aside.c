/* What the server refused before, and whether it is due again (rules/refusal_rules.h). */
#include "plan.h"

#include <stdlib.h>

#include "mailsync/base/clock.h"

#include "rules/refusal_rules.h"

struct told plan_append_limit(const struct run *run, const struct mailbox *mailbox)
{
	struct told own = mailbox->seen.append_limit;
	const struct remote *remote = run->session->remote;
	/* A look without the network (verify) has no server to ask. */
	return own.is_told || remote == NULL ? own
					     : remote_facts(run->session->remote)->append_limit;
}

static const struct row *row_of(const struct job *job, int64_t id)
{
	for (size_t i = 0; i < job->rows.count; i++) {
		if (job->rows.items[i].id == id) {
			return &job->rows.items[i];
		}
	}
	return NULL;
}

/* Whether ROW's file is the one that was sent. What cannot be looked at now is no other one. */
static bool is_same_file(struct job *job, const struct row *row)
{
	struct maildir_entry entry;
	struct maildir_file file;
	struct err ignored;
	if (mailbox_open_dir(job->run, job->mailbox, &ignored) < 0 ||
	    job_find_file(job, row, &entry, &ignored) < 0 ||
	    maildir_folder_stat_file(job->mailbox->dir, entry.name, entry.in_new, &file, &ignored) <
		    0) {
		return true;
	}
	const struct file_mark mark = maildir_file_mark(&file);
	return file_mark_equal(&row->mark, &mark);
}

static bool is_aside(struct job *job, const struct refusal *refusal)
{
	const struct row *row = row_of(job, refusal->row);
	struct refusal_facts facts = {
		.is_same_file = true,
		.limit = plan_append_limit(job->run, job->mailbox),
		.now = clock_real_s(),
	};
	if (row == NULL) {
		return false;
	}
	facts.flags = row->local_flags & message_remote_flags(&job->facts);
	if (refusal_is_due(refusal, &facts)) {
		return false;
	}
	facts.is_same_file = is_same_file(job, row);
	return !refusal_is_due(refusal, &facts);
}

int job_set_aside(struct job *job, struct err *err)
{
	struct refusals *refused = &job->refused;
	refusals_finish(refused);
	free(job->aside);
	job->aside = NULL;
	job->facts.aside_count = 0;
	int code =
		state_refusals_load(job->run->session->state, job->mailbox->base.id, refused, err);
	if (code < 0 || refused->count == 0) {
		return code;
	}
	job->aside = calloc(refused->count, sizeof(*job->aside));
	if (job->aside == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < refused->count; i++) {
		if (is_aside(job, &refused->items[i])) {
			job->aside[job->facts.aside_count++] = refused->items[i].row;
		}
	}
	job->facts.aside = job->aside;
	return 0;
}
