/*
 * Carries out the moves of the plan. Those seen in the Maildir are moved on the server: by MOVE,
 * or by COPY and the removal of the original; intents tell the next run, or the look afterwards,
 * what may have been carried out without an answer that tells the new UIDs. Those seen on the
 * server are moved in the Maildir.
 */
#ifndef SYNC_ACT_MOVE_MESSAGES_H
#define SYNC_ACT_MOVE_MESSAGES_H

#include "plan/plan_moves.h"

/* Each that is planned. What fails is left pending. */
int move_execute(struct run *run, struct remote *remote, struct move_list *moves, struct err *err);
/* Moves whose new row was found on the server after all: their originals are planned from now
 * on. */
int move_settle(struct run *run, struct move_list *moves, struct err *err);

/* One that is to be carried out in the Maildir. */
int move_carry_file(struct run *run, struct move *move, struct err *err);

#endif
