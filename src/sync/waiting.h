/* What waits in an account by reason, each with the way on; for `check`. */
#ifndef SYNC_WAITING_H
#define SYNC_WAITING_H

#include "mailsync/base/strlist.h"
#include "mailsync/state/state.h"

/* Appends a line for people on each kind of message that waits, and each mailbox that is held. */
int waiting_tell(struct state *state, struct strlist *lines, struct err *err);

#endif
