/*
 * Mailboxes renamed on one side, renamed on the other (rename_find.h tells which), keeping what
 * base knows of them.
 *
 *   `create` and `direction` do not cover the    no rename: one is gone, the other new
 * (mailboxes.h) other side only --pull, --push or the names on the      both are left alone, so
 * that a later run can command line keep this run from it, or the server refuses the new name is
 * taken on the other side      no rename
 *
 * RENAME takes children along on both sides: those that were renamed alike are done with their
 * parent, others go back.
 */
#ifndef SYNC_ACT_RENAME_MAILBOXES_H
#define SYNC_ACT_RENAME_MAILBOXES_H

#include "run/run.h"

/* After mailboxes_gather, before mailboxes_settle. What is renamed is one mailbox, under its new
 * name, afterwards: mailboxes may have been gathered anew. */
int rename_mailboxes(struct run *run, struct err *err);

#endif
