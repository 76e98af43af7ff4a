/* The downloads of one mailbox, on its job's connection. */
#ifndef SYNC_FETCH_FETCH_MAILBOX_H
#define SYNC_FETCH_FETCH_MAILBOX_H

#include "plan/job.h"

int job_download(struct job *job, struct err *err);

#endif
