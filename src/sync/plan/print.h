/* The plan of the messages as --dry-run prints it, after that of mailboxes (plan_mailboxes.h) and
 * moves (plan_moves.h). */
#ifndef SYNC_PLAN_PRINT_H
#define SYNC_PLAN_PRINT_H

#include "run/run.h"

/* What would be done goes to the report; run_report_plan says in which form. */
int plan_print(struct run *run, struct err *err);

#endif
