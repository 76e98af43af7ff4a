/* How messages of a mailbox are removed on the server, by the rules of rules/removal_rules.h. */
#ifndef SYNC_PLAN_PLAN_REMOVALS_H
#define SYNC_PLAN_PLAN_REMOVALS_H

#include "rules/removal_rules.h"
#include "run/run.h"

/* *TRASH: where they go; NULL when they are expunged, or there is none. */
enum removal_way plan_removals(struct run *run, const struct mailbox *mailbox,
			       struct mailbox **trash);

#endif
