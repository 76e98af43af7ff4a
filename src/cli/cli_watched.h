/*
 * One account of `watch`: its lock, what it does now, and what is said of it. What it does, it does
 * in a thread of its own, which lives as long as the task; all else is the loop's (cli_watch.c).
 */
#ifndef MAILSYNC_CLI_WATCHED_H
#define MAILSYNC_CLI_WATCHED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "mailsync/base/file.h"
#include "mailsync/watch/schedule.h"
#include "cli_job.h"
#include "cli_run.h"

enum watched_state {
	WATCHED_NEW, /* nothing was said of it yet */
	WATCHED_SYNCING,
	WATCHED_WATCHING,
	WATCHED_WAITING
};

struct watched {
	struct cli_run *run;
	struct cli_job *job;
	const struct cli_options *options;
	struct file_lock lock; /* as long as it is watched */
	struct schedule schedule;
	enum schedule_task task; /* that a thread is at */
	pthread_t thread;
	atomic_bool is_done; /* set by the thread, last of all */
	bool is_over;        /* it is not watched, or no more; `status` says why */
	int status;
	enum watched_state state; /* as was said last */
	uint64_t said;            /* a hash of what its last sync said on standard error */
};

/* JOB's account, of RUN, which has begun. Where it cannot be watched that is said, and is_over. */
void watched_init(struct watched *watched, struct cli_run *run, struct cli_job *job,
		  const struct cli_options *options);
void watched_finish(struct watched *watched);

/* Begins what is due. False: no thread could be had; it is tried again. */
bool watched_begin(struct watched *watched, enum schedule_task task);
/* Takes what the thread came to, once it is done: true. */
bool watched_collect(struct watched *watched);
/* Waits for it. */
void watched_join(struct watched *watched);

#endif
