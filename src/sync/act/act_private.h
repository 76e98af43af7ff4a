/* The steps of a mailbox's job (plan/job.h) that change something, in the order in which act.c
 * takes them. Each commits what it did before the next begins. */
#ifndef SYNC_ACT_ACT_PRIVATE_H
#define SYNC_ACT_ACT_PRIVATE_H

#include "plan/job.h"

int job_local(struct job *job, struct err *err);
int job_upload(struct job *job, struct err *err);
int job_store_flags(struct job *job, struct err *err);
int job_delete_remote(struct job *job, struct err *err);

#endif
