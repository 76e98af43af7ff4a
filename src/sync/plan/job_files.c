/* Where the files of a job's rows are now. */
#include "plan.h"

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

int job_find_file(struct job *job, const struct row *row, struct maildir_entry *entry,
		  struct err *err)
{
	struct maildir_file file;
	struct err ignored;
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

const struct maildir_entry *job_doubles(const struct job *job, const struct row *row, size_t *count)
{
	return maildir_scan_doubles(&job->scan, span_of(row->unique), count);
}
