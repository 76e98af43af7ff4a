/* Carries plans out and decides nothing: mailbox by mailbox, then looks again at what our own
 * commands changed. */
#ifndef SYNC_ACT_ACT_H
#define SYNC_ACT_ACT_H

#include "observe/moves.h"
#include "run/run.h"

int execute_run(struct run *run, struct move_list *moves, struct err *err);

#endif
