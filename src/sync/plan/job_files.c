/* Where the files of a job's rows are now. */
#include "plan.h"

#include <string.h>

#include "observe/observe.h"

static int job_scan(struct job *job, struct err *err)
{
	if (job->has_scan) {
		maildir_scan_finish(&job->scan);
	}
	int code = maildir_folder_scan(job->mailbox->dir, &job->mailbox->base.keywords, &job->scan,
				       err);
	job->has_scan = code == 0;
	return code;
}

void job_ask_names(struct job *job)
{
	const struct state_mailbox *base = &job->mailbox->base;
	struct stamp now;
	struct err ignored;
	if (job->names != NAMES_NOT_ASKED) {
		return;
	}
	job->names = NAMES_TO_READ;
	if (base->has_stamp && base->names.are_known &&
	    maildir_stat(job->run->session->maildir, job->mailbox->name, &now, &ignored) == 0 &&
	    local_names_are_known(&base->stamp, &now)) {
		maildir_folder_know_borne(job->mailbox->dir, base->names.borne);
		job->names = base->names.has_doubles ? NAMES_TO_READ : NAMES_KNOWN;
	}
}

/* Whether ROW's file has a name that it can be known to have; it is ENTRY's then. */
static bool is_guessed(struct job *job, const struct row *row, struct maildir_entry *entry)
{
	const struct maildir_known known = {
		.unique = row->unique,
		.flags = row->local_flags & ~row->unlettered,
		.keywords = &job->mailbox->base.keywords,
	};
	struct err ignored;
	bool in_new = false;
	if (job->names != NAMES_KNOWN ||
	    maildir_folder_guess(job->mailbox->dir, &known, job->name, &in_new, &ignored) < 0) {
		return false;
	}
	*entry = (struct maildir_entry){
		.name = job->name,
		.unique_len = (uint16_t)strlen(row->unique),
		.in_new = in_new,
	};
	return true;
}

int job_find_file(struct job *job, const struct row *row, struct maildir_entry *entry,
		  struct err *err)
{
	struct maildir_file file;
	struct err ignored;
	job_ask_names(job);
	if (is_guessed(job, row, entry)) {
		return 0;
	}
	job->names = NAMES_TO_READ; /* one that was missed is unlikely to stay the only one */
	int code = job->has_scan ? 0 : job_scan(job, err);
	/* Twice: a MUA may have renamed it since the scan. */
	for (int attempt = 0; code == 0 && attempt < 2; attempt++) {
		const struct maildir_entry *found =
			maildir_scan_find(&job->scan, span_of(row->unique));
		if (found != NULL &&
		    maildir_folder_stat_file(job->mailbox->dir, found->name, found->in_new, &file,
					     &ignored) == 0) {
			*entry = *found;
			return 0;
		}
		code = attempt == 0 ? job_scan(job, err) : 0;
	}
	return code < 0 ? code
			: err_set(err, ERR_CHANGED, SCOPE_MESSAGE,
				  "the file %s is not there any more", row->unique);
}

int job_find_name(struct job *job, const struct row *row, struct maildir_entry *entry,
		  struct err *err)
{
	size_t count = 0;
	int code = job_find_file(job, row, entry, err);
	if (code == 0 && job_doubles(job, row, &count) != NULL && count > 0) {
		const struct local_facts facts = letter_facts_of(job->run, job->mailbox);
		const struct maildir_entry *known = observe_known_name(&job->scan, &facts, row);
		*entry = known != NULL ? *known : *entry;
	}
	return code;
}

const struct maildir_entry *job_doubles(const struct job *job, const struct row *row, size_t *count)
{
	return maildir_scan_doubles(&job->scan, span_of(row->unique), count);
}
