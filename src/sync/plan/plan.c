#include "plan.h"

#include <stdlib.h>

void plan_finish(struct plan *plan)
{
	for (size_t i = 0; i < plan->renames.count; i++) {
		struct rename_op *op = &plan->renames.items[i];
		free(op->from);
		free(op->to);
		free(op->wire);
		strlist_finish(&op->strays);
	}
	free(plan->renames.items);
	free(plan->mailboxes.items);
	free(plan->moves.items);
	free(plan->moves.rows);
	*plan = (struct plan){0};
}

/* The mailbox that removed messages go to: by its name, or the one of that special use. */
static struct mailbox *find_trash(struct run *run, const char *wanted)
{
	struct mailbox *trash = NULL;
	if (wanted[0] != '\\') {
		return run_mailbox(run, wanted);
	}
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		if (run->mailboxes.items[i].seen.attributes & REMOTE_TRASH) {
			trash = &run->mailboxes.items[i];
		}
	}
	return trash;
}

enum removal_way plan_removals(struct run *run, const struct mailbox *mailbox,
			       struct mailbox **trash)
{
	const char *wanted = run->account->trash;
	*trash = wanted == NULL ? NULL : find_trash(run, wanted);
	const struct removal_facts facts = {
		.wants_trash = wanted != NULL,
		.has_trash =
			*trash != NULL && (*trash)->seen.wire != NULL && (*trash)->seen.in_remote,
		.is_trash = *trash == mailbox,
		.has_move = remote_facts(run->session->remote)->has_move,
	};
	return removal_rule(&facts);
}
