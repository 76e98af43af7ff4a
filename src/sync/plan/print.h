/* The plan as --dry-run prints it. */
#ifndef SYNC_PLAN_PRINT_H
#define SYNC_PLAN_PRINT_H

#include "run/run.h"

/* All that would be done goes to the report; run_report_plan says in which form. */
int plan_print(struct run *run, struct err *err);

#endif
