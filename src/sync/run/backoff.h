/*
 * When a server asks for patience ([THROTTLED], [LIMIT], [UNAVAILABLE], "Suggested Backoff Time: N
 * milliseconds"): it is waited for as told, for at most the account's timeout in all of a run, and
 * then the mailbox's step is tried once more. Where that is not enough the run goes on with the
 * other mailboxes and ends with status 75.
 */
#ifndef SYNC_RUN_BACKOFF_H
#define SYNC_RUN_BACKOFF_H

#include "run.h"

/* What was asked for and not waited for so far counts as put off. */
void backoff_note(struct run *run, struct remote *remote);

/* *AGAIN true: patience was asked for and it has been waited for, so the step is worth a second
 * try. False: none was, or it is too long, which is noted. -ERR_INTERRUPTED when a signal ended the
 * wait. */
int backoff_wait(struct run *run, struct remote *remote, bool *again, struct err *err);

#endif
