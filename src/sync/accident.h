/*
 * Is this the server that base knows? Another one behind the same account (a changed host or user,
 * a server set up anew) shows in that no mailbox kept its UIDVALIDITY. A server that really
 * renumbered everything still holds the messages: a sample of what it holds is looked for among
 * base's rows. Where none is found the account stops, before a mailbox is made or a message copied.
 */
#ifndef SYNC_ACCIDENT_H
#define SYNC_ACCIDENT_H

#include "run.h"

/*
 * -ERR_BRAKE when it is not. Mailboxes that the listing gave no numbers for are asked after when
 * another one gives reason to.
 */
int accident_check_server(struct run *run, struct imap *imap, struct err *err);

#endif
