/* How a run ended, for the report: of both protocols. */
#ifndef SYNC_RUN_OUTCOME_H
#define SYNC_RUN_OUTCOME_H

#include "run.h"

/* After a run that ended with CODE and ERR: what each of its mailboxes has to say and their sum,
 * the exit status, the time since run_init. Returns CODE, or a failure of its own in its place. */
int run_outcome(struct run *run, int code, struct err *err);
/* Adds what a connection cost. */
void run_add_totals(struct run *run, const struct remote_totals *totals);

#endif
