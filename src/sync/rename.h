/* Mailboxes renamed on one side, renamed on the other: gone plus new that is verifiably the same. */
#ifndef SYNC_RENAME_H
#define SYNC_RENAME_H

#include "run.h"

/* After boxes_gather, before boxes_settle. What is renamed is one box under its new name afterwards. */
int rename_boxes(struct run *run, struct err *err);

#endif
