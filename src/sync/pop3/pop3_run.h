/*
 * One POP3 account's run, from lock to report; what sync.h promises for accounts with is_pop3.
 *
 *     lock, state, ownership     as for IMAP
 *     observe                    login, UIDL and LIST; rows and messages are brought together
 *     download                   batches: files durable, then rows committed
 *     delete                     intents committed, then DELE; QUIT is what deletes
 *
 * Gmail lists only some messages a session, so its sessions are repeated until one brings nothing.
 */
#ifndef SYNC_POP3_POP3_RUN_H
#define SYNC_POP3_POP3_RUN_H

#include "mailsync/base/err.h"
#include "mailsync/base/strlist.h"
#include "mailsync/sync/sync.h"

int pop3_run(const struct account *account, const struct sync_options *options,
	     struct report *report, struct err *err);
/* One entry, INBOX. */
int pop3_run_list(const struct account *account, const struct sync_options *options,
		  struct listing *listing, struct err *err);
int pop3_run_check(const struct account *account, const struct sync_options *options,
		   struct strlist *lines, struct err *err);

#endif
