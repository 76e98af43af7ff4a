#include "plan.h"

void plan_init(struct plan *plan)
{
	*plan = (struct plan){0};
}

void plan_finish(struct plan *plan)
{
	rename_ops_finish(&plan->renames);
	mailbox_ops_finish(&plan->mailboxes);
	move_list_finish(&plan->moves);
	plan_init(plan);
}
