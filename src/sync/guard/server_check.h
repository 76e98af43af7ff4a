/*
 * Is what is there the account that base knows? An unmounted disk shows in that there is no folder;
 * another server behind the same account (a changed host or user, a server set up anew) in that no
 * mailbox kept its UIDVALIDITY. A server that really renumbered everything still holds the
 * messages: a sample of what it holds is looked for among base's rows. Where none is found the
 * account stops, before a mailbox is made or a message copied. rules/server_rules.h decides; here
 * the facts are gathered.
 */
#ifndef SYNC_GUARD_SERVER_CHECK_H
#define SYNC_GUARD_SERVER_CHECK_H

#include "run/run.h"

/* An unmounted root, an empty mailbox list: -ERR_BRAKE before anything is done. */
int accident_check_mailboxes(struct run *run, struct err *err);
/* POP3: a root without INBOX. Likewise. */
int accident_check_inbox(struct run *run, struct err *err);

/*
 * Where host, user or tunnel are not what they were, equal numbers prove nothing (UIDVALIDITY
 * is a second on many servers, UIDs start at 1): a message has to be found again. -ERR_BRAKE when
 * none is; with leave, base is forgotten and all is paired.
 */
int accident_check_address(struct run *run, struct err *err);

/*
 * -ERR_BRAKE when it is not. Mailboxes that the listing gave no numbers for are asked after when
 * another one gives reason to.
 */
int accident_check_server(struct run *run, struct remote *remote, struct err *err);

#endif
