/* The brake's count, and what it holds (rules/brake.h has the rules). */
#ifndef SYNC_PLAN_BRAKE_H
#define SYNC_PLAN_BRAKE_H

#include "run/run.h"

/* Plans every mailbox once to count what would be deleted, and sets `decided.braked`. What is held
 * is noted in its rows at once: a run that dies later must not leave it to be judged anew. */
int brake_plan(struct run *run, struct err *err);

#endif
