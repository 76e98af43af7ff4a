/* Whose Maildir is whose, before anything is touched. */
#include "cli_roots.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/store/maildir.h"

#include "cli_job.h"

/* INNER would be a folder of OUTER, its mail sent to where it has no business. */
static void refuse_outer(struct cli_job *outer, const struct account *inner)
{
	if (outer->refusal.code == ERR_NONE) {
		(void)err_set(&outer->refusal, ERR_CONFIG, SCOPE_ACCOUNT,
			      "the Maildir root %s holds that of account \"%s\" (%s); give each "
			      "account a root of its own",
			      outer->account.maildir.root, inner->name, inner->maildir.root);
	}
}

/* ROOTS and INDICES have room for each. */
static int refuse_shared(const struct cli_jobs *jobs, struct maildir_root *roots, size_t *indices,
			 struct err *err)
{
	size_t count = jobs->count;
	int code = 0;

	for (size_t i = 0; i < count; i++) {
		const struct account *account = &jobs->items[i].account;
		roots[i] = (struct maildir_root){account->name, &account->maildir};
		indices[i] = i;
	}
	while (code == 0 && count > 1) {
		size_t culprit = count, around = count;
		code = maildir_check_roots(roots, count, &culprit, &around, err);
		if (code == 0 || culprit >= count) {
			break;
		}
		if (around < count) {
			refuse_outer(&jobs->items[indices[around]],
				     &jobs->items[indices[culprit]].account);
		}
		jobs->items[indices[culprit]].refusal = *err;
		count--;
		memmove(roots + culprit, roots + culprit + 1, (count - culprit) * sizeof(*roots));
		memmove(indices + culprit, indices + culprit + 1,
			(count - culprit) * sizeof(*indices));
		code = 0;
	}
	return code;
}

void cli_roots_check(const struct cli_jobs *jobs)
{
	struct maildir_root *roots = calloc(jobs->count, sizeof(*roots));
	size_t *indices = calloc(jobs->count, sizeof(*indices));
	struct err err;
	int code = roots == NULL || indices == NULL ? err_nomem(&err)
						    : refuse_shared(jobs, roots, indices, &err);

	for (size_t i = 0; code != 0 && i < jobs->count; i++) {
		jobs->items[i].refusal = err;
	}
	free(indices);
	free(roots);
}
