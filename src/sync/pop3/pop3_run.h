/*
 * One POP3 account's run: what sync.h promises for accounts with is_pop3. It is a run like one over
 * IMAP but for its steps: the tables of pop3_run.c, two for the run, one for each session.
 *
 * Gmail lists only some messages a session, so its sessions are repeated until one brings nothing.
 */
#ifndef SYNC_POP3_POP3_RUN_H
#define SYNC_POP3_POP3_RUN_H

#include "mailsync/base/err.h"
#include "mailsync/base/strlist.h"
#include "mailsync/sync/sync.h"

#include "run/run.h"

/* Its account went through pop3_account_of(). INBOX is the run's one mailbox afterwards. */
int pop3_run(struct run *run, struct err *err);
/* `list` and `check`: INBOX into LISTING; where that is NULL, what there is to tell into LINES. */
int pop3_inspect(const struct account *account, const struct sync_options *options,
		 struct listing *listing, struct strlist *lines, struct err *err);

#endif
