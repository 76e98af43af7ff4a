#ifndef SYNC_ACT_CREATE_MAILBOXES_H
#define SYNC_ACT_CREATE_MAILBOXES_H

#include "run/run.h"

int mailboxes_create_local(struct run *run, struct mailbox *mailbox, struct err *err);

/* Queues CREATE for the mailbox at INDEX in the table; mailboxes_create_finish takes the answer. */
int mailboxes_create_remote(struct run *run, struct mailbox *mailbox, size_t index,
			    struct err *err);

/* After the last mailboxes_create_remote: takes the answers, and subscribes what was made. */
int mailboxes_create_finish(struct run *run, struct err *err);

#endif
