/* Flags and removals in the Maildir, and rows that need no act at all. */
#include "act_private.h"

#include <string.h>

#include "mailsync/base/clock.h"

#include "observe/observe.h"
#include "rules/effect.h"

/* C9: whether another name of the message says already what FLAGS are to be: that one speaks from
 * now on. */
static int has_such_name(struct job *job, const struct row *row, uint64_t flags, bool *has,
			 struct err *err)
{
	const struct local_facts facts = letter_facts_of(job->run, job->mailbox);
	struct file_look look = {.verdict = CONTENT_UNKNOWN};
	struct row wanted = *row; /* borrowed */
	size_t count = 0;
	*has = false;
	if (job_doubles(job, row, &count) == NULL || count == 0) {
		return 0;
	}
	wanted.local_flags = flags;
	const struct maildir_entry *name = observe_known_name(&job->scan, &facts, &wanted);
	int code = name == NULL ? 0 : observe_file(job->mailbox->dir, row, name, &look, err);
	*has = look.verdict == CONTENT_SAME;
	return code;
}

static int set_flags(struct job *job, const struct op *op, struct err *err)
{
	struct mailbox *mailbox = job->mailbox;
	struct row *row = job_row(job, op);
	struct maildir_entry entry;
	struct maildir_told told;
	uint64_t granted = 0;
	bool has_name = false;
	int code;
	if ((code = job_find_name(job, row, &entry, err)) < 0) {
		return code;
	}
	if ((code = maildir_folder_read_letters(mailbox->dir, entry.name, entry.in_new,
						&mailbox->base.keywords, &told, err)) < 0) {
		return code;
	}
	uint64_t due = effect_letters_due(row, told.known, op->add, op->remove); /* E10 */
	if ((code = maildir_folder_grant(mailbox->dir, due, &mailbox->base.keywords, &granted,
					 err)) < 0) {
		return code;
	}
	const struct maildir_change change = {
		.file = entry.name,
		.in_new = entry.in_new,
		.add = granted,
		.remove = op->remove,
		.keywords = &mailbox->base.keywords,
	};
	uint64_t wanted = (row->local_flags | (op->add & granted)) & ~op->remove;
	if ((code = has_such_name(job, row, wanted, &has_name, err)) < 0 ||
	    (code = has_name ? 0 : maildir_folder_set_flags(mailbox->dir, &change, NULL, err)) <
		    0) {
		return code;
	}
	uint64_t add = op->add & granted;
	job->failures += add != op->add; /* no letter was left: the next run tries again */
	effect_flags(row, SIDE_LOCAL, add, op->remove);
	row->unlettered = due & ~granted & ~op->add;
	/* Nothing was done where all that was to be added waits for a letter. */
	mailbox->done.counts.flags_local += (granted | op->remove) != 0;
	return 0;
}

int act_file_is_other(struct run *run, struct mailbox *mailbox, struct row *row,
		      const struct maildir_file *file, struct err *err)
{
	const struct found_file found = {file->size_bytes, file->mtime, maildir_file_mark(file)};
	struct state *state = run->session->state;
	struct row fresh;
	int code;
	log_line(run->log, LOG_INFO,
		 "%s/%s: the file %s is not the message that the server removed; it is new mail",
		 run->account->name, mailbox->name, row->unique);
	row_init(&fresh);
	effect_file_is_other(row, &fresh, &found);
	mailbox->open.has_new_rows = true;
	if ((code = row_set_unique(&fresh, row->unique, strlen(row->unique), err)) == 0 &&
	    (code = row_set_unique(row, "", 0, err)) == 0 &&
	    (code = state_begin(state, err)) == 0) {
		if ((code = state_row_put(state, row, err)) == 0) {
			code = state_row_put(state, &fresh, err);
		}
		code = state_end(state, code, err);
	}
	row_finish(&fresh);
	return code;
}

/* C6: other names of the message that is removed go with it. What holds another message stays, and
 * is new mail for the next look. */
static int remove_doubles(struct job *job, const struct row *row, struct err *err)
{
	struct maildir_folder *dir = job->mailbox->dir;
	size_t count = 0;
	const struct maildir_entry *doubles = job_doubles(job, row, &count);
	int code = 0;
	for (size_t i = 0; code == 0 && i < count; i++) {
		struct file_look look = {.verdict = CONTENT_UNKNOWN};
		code = observe_file(dir, row, &doubles[i], &look, err);
		if (code == 0 && look.verdict == CONTENT_SAME) {
			code = maildir_folder_remove(dir, doubles[i].name, doubles[i].in_new, err);
		}
		code = code == -ERR_CHANGED ? 0 : code;
	}
	return code;
}

/* Only what base agreed on is proven to be elsewhere; what never was is removed because it carries
 * T (R6). */
static int remove_file(struct job *job, const struct op *op, struct err *err)
{
	struct maildir_folder *dir = job->mailbox->dir;
	struct row *row = job_row(job, op);
	struct file_look look = {.verdict = CONTENT_SAME};
	struct maildir_entry entry;
	int code;
	if ((code = job_find_file(job, row, &entry, err)) < 0 ||
	    (code = row->is_agreed ? observe_file(dir, row, &entry, &look, err) : 0) < 0) {
		return code;
	}
	if (row->is_agreed && (code = remove_doubles(job, row, err)) < 0) {
		return code;
	}
	if (look.verdict == CONTENT_OTHER) {
		return act_file_is_other(job->run, job->mailbox, row, &look.file, err);
	}
	if ((code = maildir_folder_remove(dir, entry.name, entry.in_new, err)) < 0) {
		return code;
	}
	job->deleted_here += !message_is_waste(&job->facts, row, SIDE_LOCAL);
	effect_deleted(row, SIDE_LOCAL);
	job->mailbox->done.counts.deleted_local++;
	return 0;
}

static bool is_local(enum op_kind kind)
{
	return kind == OP_FLAGS_LOCAL || kind == OP_DELETE_LOCAL || kind == OP_AGREE ||
	       kind == OP_FORGET;
}

/* Of OP_FORGET the row is void, and storing it drops it. */
static int one_op(struct job *job, struct op *op, struct err *err)
{
	struct row *row = job_row(job, op);
	int code = op->kind == OP_FLAGS_LOCAL  ? set_flags(job, op, err)
		 : op->kind == OP_DELETE_LOCAL ? remove_file(job, op, err)
					       : 0;
	if (code == -ERR_CHANGED) {
		job->failures++; /* a MUA was faster; the next run sees what it did */
		return 0;
	}
	if (code < 0) {
		return job_message_failed(job, row, err);
	}
	if (op->kind == OP_AGREE) {
		effect_agreed(row, op->agreed);
	}
	/* At once: the brake's mark must outlive a run that dies before it is concluded. */
	effect_held(row, op->reason);
	effect_braked(row, op->held, clock_real_s());
	op->is_done = true;
	return 0;
}

int job_local(struct job *job, struct err *err)
{
	struct err why;
	bool is_any_done = false;
	int code = 0;
	for (size_t i = 0; code == 0 && i < job->plan.count; i++) {
		struct op *op = &job->plan.ops[i];
		if (is_local(op->kind)) {
			code = one_op(job, op, err);
			is_any_done |= op->is_done;
		}
	}
	if (!is_any_done) {
		return code;
	}
	/* What was done is kept, whatever ended it; the names are to be durable first. */
	int kept = maildir_folder_sync_names(job->mailbox->dir, &why);
	if ((kept < 0 || (kept = job_commit(job, &why)) < 0) && code == 0) {
		*err = why;
		code = kept;
	}
	return code;
}
