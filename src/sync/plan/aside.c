/* What the server refused before, and whether it is due again (rules/refusal_rules.h). */
#include "plan.h"

#include <stdlib.h>

#include "mailsync/base/clock.h"

#include "rules/refusal_rules.h"

struct told plan_append_limit(const struct run *run, const struct mailbox *mailbox)
{
	struct told own = mailbox->seen.append_limit;
	return own.is_told ? own : remote_facts(run->session->remote)->append_limit;
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
static int look_at_file(struct job *job, const struct row *row, bool *is_same, struct err *err)
{
	struct maildir_entry entry;
	struct maildir_file file;
	struct err ignored;
	int code = mailbox_open_dir(job->run, job->mailbox, err);
	if (code < 0) {
		return code;
	}
	if (job_find_file(job, row, &entry, &ignored) == 0 &&
	    maildir_folder_stat_file(job->mailbox->dir, entry.name, entry.in_new, &file,
				     &ignored) == 0) {
		const struct file_mark mark = maildir_file_mark(&file);
		*is_same = file_mark_equal(&row->mark, &mark);
	}
	return 0;
}

static int judge(struct job *job, const struct refusal *refusal, bool *is_aside, struct err *err)
{
	const struct row *row = row_of(job, refusal->row);
	struct refusal_facts facts = {
		.is_same_file = true,
		.limit = plan_append_limit(job->run, job->mailbox),
		.now = clock_real_s(),
	};
	if (row == NULL) {
		return 0;
	}
	facts.flags = row->local_flags & message_remote_flags(&job->facts);
	int code = refusal_is_due(refusal, &facts)
			 ? 0
			 : look_at_file(job, row, &facts.is_same_file, err);
	*is_aside = code == 0 && !refusal_is_due(refusal, &facts);
	return code;
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
	for (size_t i = 0; code == 0 && i < refused->count; i++) {
		bool is_aside = false;
		code = judge(job, &refused->items[i], &is_aside, err);
		if (is_aside) {
			job->aside[job->facts.aside_count++] = refused->items[i].row;
		}
	}
	job->facts.aside = job->aside;
	return code;
}
