/* Mailboxes made, removed or forgotten as their coming and going on the two sides asks for. */
#ifndef SYNC_ACT_SETTLE_MAILBOXES_H
#define SYNC_ACT_SETTLE_MAILBOXES_H

#include "run/run.h"

/* Creates what is missing and may be created; marks what is to be removed; drops the base of what
 * is gone on both sides. With dry_run only reports. */
int mailboxes_settle(struct run *run, struct err *err);

/* Carries out the removals that the brake let pass. */
int mailboxes_remove(struct run *run, struct err *err);

#endif
