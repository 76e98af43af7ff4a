/* Carries plans out and decides nothing: mailbox by mailbox, then looks again at what our own
 * commands changed. */
#ifndef SYNC_EXECUTE_H
#define SYNC_EXECUTE_H

#include "move.h"
#include "run.h"

int execute_run(struct run *run, struct move_list *moves, struct err *err);

#endif
