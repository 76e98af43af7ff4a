#ifndef SYNC_BOXES_CREATE_H
#define SYNC_BOXES_CREATE_H

#include "run.h"

int boxes_create_local(struct run *run, struct box *box, struct err *err);

/* Queues CREATE for the mailbox at INDEX in the table; boxes_create_finish takes the answer. */
int boxes_create_remote(struct run *run, struct box *box, size_t index, struct err *err);

/* After the last boxes_create_remote: takes the answers, and subscribes what was made. */
int boxes_create_finish(struct run *run, struct err *err);

#endif
