/*
 * Downloads. What they become in the Maildir and in the rows: delivery.h, the door for all mail.
 *
 *     bulk_download    of many mailboxes, before their jobs
 *     job_download     a step of a mailbox's job: what is left
 *
 * Bulk: many mailboxes in one pipeline, and large ones over several connections. Only plans that
 * are nothing but downloads take part; whatever is left open here (a message that the server does
 * not give, a mailbox that it does not open) is left to the mailbox's own job, which retries and
 * reports. So this is speed and nothing else.
 *
 * Why it pays: a mailbox by itself costs a round trip to open and one to fetch; here EXAMINEs
 * travel among the FETCHes, and one durable commit serves many small mailboxes. More connections
 * are opened only where the measured round-trip time makes one connection the brake and what is
 * left to do is worth the logins.
 *
 * Threads: each worker has its own connection, delivery and folder handles; tasks are taken from a
 * list under run->mutex. A worker that cannot log in (too many connections) makes the pool smaller,
 * not the run fail.
 */
#ifndef SYNC_FETCH_FETCH_H
#define SYNC_FETCH_FETCH_H

#include "plan/plan.h"

int bulk_download(struct run *run, struct err *err);
/* On the job's connection. */
int job_download(struct job *job, struct err *err);

#endif
