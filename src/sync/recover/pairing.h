/*
 * Joins what both sides have and base does not know: a first run over a filled Maildir, a lost or
 * older database, a new UIDVALIDITY, files delivered by a run that was cut before it could write
 * their rows, uploads whose UID is not known. What pairs becomes an agreed row with the union of
 * its flags; what does not stays new and is copied; nothing is deleted. How is in
 * rules/match.h.
 */
#ifndef SYNC_RECOVER_PAIRING_H
#define SYNC_RECOVER_PAIRING_H

#include "run/run.h"

int pair_mailboxes(struct run *run, struct err *err);
/* One mailbox, over a worker's connection, after it was observed: settles its open intents too. */
int pair_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox, struct err *err);

#endif
