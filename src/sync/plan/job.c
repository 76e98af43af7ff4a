#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

#include "observe/observe.h"
#include "guard/claim.h"

#include "mailsync/store/imap.h" /* until it is converted */

int job_init(struct job *job, struct run *run, struct remote *remote, struct mailbox *mailbox)
{
	memset(job, 0, sizeof(*job));
	job->run = run;
	job->remote = remote;
	job->mailbox = mailbox;
	mailbox_plan_init(&job->plan);
	return 0;
}

void job_finish(struct job *job)
{
	if (job->has_scan) {
		maildir_scan_finish(&job->scan);
	}
	mailbox_plan_finish(&job->plan);
	mailbox_release(job->mailbox);
}

int job_plan(struct job *job, const struct move_list *moves, struct err *err)
{
	job->has_open_move = move_is_open(moves, job->mailbox);
	return planning_make(job->run, job->mailbox, moves, &job->plan, err);
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
	uint32_t uidvalidity = remote_selected(job->remote, mailbox->seen.wire, is_writable);
	if (uidvalidity == 0) {
		struct imap_view opened = {0};
		int code = imap_select(remote_imap(job->remote), mailbox->seen.wire, is_writable,
				       &opened, err);
		uidvalidity = opened.uidvalidity;
		bool refused = is_writable && !opened.is_writable;
		imap_view_finish(&opened);
		if (code < 0) {
			return code;
		}
		if (refused) {
			mailbox->seen.is_read_only = true;
			return err_set(err, ERR_REFUSED, SCOPE_MAILBOX,
				       "the server opens this mailbox for reading only");
		}
	}
	if (uidvalidity != mailbox->base.uidvalidity) {
		return err_set(
			err, ERR_TEMPORARY, SCOPE_MAILBOX,
			"the server renumbered this mailbox during the run; the next run pairs "
			"it");
	}
	return 0;
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

void job_settle_flags(struct row *row)
{
	uint64_t shared = ~(row->local_flags ^ row->remote_flags);
	row->flags = (row->local_flags & shared) | (row->flags & ~shared);
}

int job_message_failed(struct job *job, struct row *row, const struct err *err)
{
	if (run_is_fatal(err)) {
		return -(int)err->code;
	}
	pthread_mutex_lock(&job->run->mutex);
	job->failures++;
	pthread_mutex_unlock(&job->run->mutex);
	row->reason = REASON_FAILED;
	run_report_error(job->run, job->mailbox, row->uid, err);
	struct err why;
	return state_row_put(job->run->session->state, row, &why);
}

/* True when every row left pending was left so by policy alone: this very policy need not look
 * again. Rows seen since the plan was made, and those of an open move, are not in it. */
static bool only_policy_holds(const struct job *job)
{
	const struct message_plan *plan = &job->plan.plan;
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->ops[i].kind == OP_HOLD && plan->ops[i].reason != REASON_POLICY &&
		    plan->ops[i].reason != REASON_TOO_LARGE &&
		    plan->ops[i].reason != REASON_TOO_OLD &&
		    plan->ops[i].reason != REASON_DELETED) {
			return false;
		}
	}
	return job->failures == 0 && !job->has_open_move && !job->mailbox->seen.has_intents &&
	       !job->mailbox->done.has_new_rows;
}

int job_conclude(struct job *job, struct err *err)
{
	struct mailbox *mailbox = job->mailbox;
	int code = state_begin(job->run->session->state, err);
	if (code < 0) {
		return code;
	}
	code = planning_note_holds(job->run, &job->plan, err);
	mailbox->base.held_policy = only_policy_holds(job) ? job->run->policy.hash : 0;
	mailbox->base.synced_at = clock_real_ns() / 1000000000;
	if (code == 0) {
		code = mailbox_store(job->run, mailbox, err);
	}
	if (code == 0) {
		code = state_mailbox_count(job->run->session->state, &mailbox->base, err);
	}
	if (code < 0) {
		state_rollback(job->run->session->state);
		return code;
	}
	mailbox->done.counts.skipped = job->plan.plan.skipped;
	return state_commit(job->run->session->state, err);
}

int job_prepare(struct job *job, struct err *err)
{
	struct mailbox *mailbox = job->mailbox;
	int code = run_claim(job->run, err);
	if (code == 0) {
		code = mailbox_open_dir(job->run, mailbox, err);
	}
	if (code == 0 && job->run->account->keywords) {
		code = maildir_folder_keyword_mask(mailbox->dir, &mailbox->base.keywords,
						   &job->local_keywords, err);
	}
	return code;
}
