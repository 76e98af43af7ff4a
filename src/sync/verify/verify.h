/* Proves mailbox by mailbox, and says what does not hold. verify.c of the top has the order. */
#ifndef SYNC_VERIFY_VERIFY_H
#define SYNC_VERIFY_VERIFY_H

#include "verify_private.h"

/* Looks at every mailbox that takes part, by VERIFY's level; the run has looked ahead at what the
 * next sync would do. */
int verify_mailboxes(struct verify *verify, struct err *err);
/* Afterwards, in a run whose state is the real one: fetches what is missing or damaged here from
 * the server, where that has just that. */
int verify_repair(struct verify *verify, struct err *err);

#endif
