#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

#include "guard/guard.h"
#include "rules/effect.h"

#include "plan.h"

void job_init(struct job *job, struct run *run, struct remote *remote, struct mailbox *mailbox)
{
	*job = (struct job){.run = run, .remote = remote, .mailbox = mailbox};
	mailbox_plan_init(&job->plan);
}

void job_finish(struct job *job)
{
	if (job->has_scan) {
		maildir_scan_finish(&job->scan);
	}
	mailbox_plan_finish(&job->plan);
	mailbox_release(job->mailbox);
}

int job_plan(struct job *job, struct err *err)
{
	return mailbox_plan_make(job->run, job->mailbox, &job->plan, err);
}

int job_prepare(struct job *job, struct err *err)
{
	int code = run_claim(job->run, err);
	return code < 0 ? code : mailbox_open_dir(job->run, job->mailbox, err);
}

struct row *job_row(struct job *job, const struct op *op)
{
	return &job->plan.rows.items[op->row];
}

size_t *job_ops(struct job *job, enum op_kind kind, size_t *count, struct err *err)
{
	const struct message_plan *plan = &job->plan.plan;
	size_t wanted = 0;
	*count = 0;
	for (size_t i = 0; i < plan->count; i++) {
		wanted += plan->ops[i].kind == kind;
	}
	if (wanted == 0) {
		err_clear(err);
		return NULL;
	}
	size_t *indices = malloc(wanted * sizeof(*indices));
	if (indices == NULL) {
		err_nomem(err);
		return NULL;
	}
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->ops[i].kind == kind) {
			indices[(*count)++] = i;
		}
	}
	return indices;
}

int job_select(struct job *job, bool is_writable, struct err *err)
{
	struct mailbox *mailbox = job->mailbox;
	struct remote_opened opened = {0};
	int code = remote_open(job->remote, mailbox->seen.wire,
			       is_writable ? REMOTE_WRITE : REMOTE_READ, mailbox->base.uidvalidity,
			       &opened, err);
	mailbox->seen.is_read_only |= code < 0 && opened.is_read_only;
	if (code == 0 && mailbox->base.uidvalidity == 0 && opened.uidvalidity != 0) {
		code = err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
			       "this mailbox was not looked at yet; the next run pairs it");
	}
	remote_opened_finish(&opened);
	return code;
}

static int job_scan(struct job *job, struct err *err)
{
	if (job->has_scan) {
		maildir_scan_finish(&job->scan);
		job->has_scan = false;
	}
	int code = maildir_folder_scan(job->mailbox->dir, &job->mailbox->base.keywords, &job->scan,
				       err);
	job->has_scan = code == 0;
	return code;
}

static bool file_is_there(struct job *job, const struct maildir_entry *entry)
{
	struct maildir_file file;
	struct err ignored;
	return maildir_folder_stat_file(job->mailbox->dir, entry->name, entry->in_new, &file,
					&ignored) == 0;
}

int job_find_file(struct job *job, const struct row *row, struct maildir_entry *entry,
		  struct err *err)
{
	int code = job->has_scan ? 0 : job_scan(job, err);
	/* Twice: a MUA may have renamed it since the scan. */
	for (int attempt = 0; code == 0 && attempt < 2; attempt++) {
		const struct maildir_entry *found =
			maildir_scan_find(&job->scan, span_of(row->unique));
		if (found != NULL && file_is_there(job, found)) {
			*entry = *found;
			return 0;
		}
		if (attempt == 0) {
			code = job_scan(job, err);
		}
	}
	return code < 0 ? code
			: err_set(err, ERR_CHANGED, SCOPE_MESSAGE,
				  "the file %s is not there any more", row->unique);
}

int job_message_failed(struct job *job, struct row *row, const struct err *err)
{
	struct err ignored; /* the message is told of; the next run tries it either way */
	if (run_is_fatal(err)) {
		return -(int)err->code;
	}
	job->failures++;
	effect_held(row, REASON_FAILED);
	run_report_error(job->run, job->mailbox, row->uid, err);
	return state_row_put(job->run->session->state, row, &ignored);
}

/* True when every row left pending was left so by policy alone: this very policy need not look
 * again. Rows seen since the plan was made, and those of an open move, are not in it. */
static bool only_policy_holds(const struct job *job)
{
	const struct mailbox *mailbox = job->mailbox;
	return job->failures == 0 && !mailbox->seen.has_intents && !mailbox->done.has_new_rows &&
	       !move_is_open(&job->run->plan->moves, mailbox) &&
	       message_plan_holds_by_policy(&job->plan.plan);
}

int job_conclude(struct job *job, struct err *err)
{
	struct run *run = job->run;
	struct mailbox *mailbox = job->mailbox;
	struct state *state = run->session->state;
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	mailbox->base.held_policy = only_policy_holds(job) ? run->policy.hash : 0;
	mailbox->base.synced_at = clock_real_s();
	if ((code = mailbox_plan_note_holds(run, &job->plan, err)) < 0 ||
	    (code = mailbox_store(run, mailbox, err)) < 0 ||
	    (code = state_mailbox_count(state, &mailbox->base, err)) < 0) {
		return state_end(state, code, err);
	}
	mailbox->done.counts.skipped = job->plan.plan.skipped;
	return state_end(state, 0, err);
}
