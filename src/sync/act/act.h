/* Carries the plan out and decides nothing: mailboxes, moves, then messages mailbox by mailbox;
 * looks again at what our own commands changed. */
#ifndef SYNC_ACT_ACT_H
#define SYNC_ACT_ACT_H

#include "run/run.h"

int act_on_plan(struct run *run, struct err *err);

#endif
