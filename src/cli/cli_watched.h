/*
 * One account of `watch`: its lock, what is heard of it, what it does now, and what is said of it.
 * What takes time it does in a thread, which lives as long as the task; all else is the loop's
 * (cli_watch.c).
 */
#ifndef MAILSYNC_CLI_WATCHED_H
#define MAILSYNC_CLI_WATCHED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "mailsync/base/file.h"
#include "mailsync/base/stop.h"
#include "mailsync/store/maildir_watch.h"
#include "mailsync/watch/hearing.h"
#include "mailsync/watch/schedule.h"
#include "cli_job.h"
#include "cli_run.h"

enum watched_state {
	WATCHED_NEW, /* nothing was said of it yet */
	WATCHED_SYNCING,
	WATCHED_WATCHING,
	WATCHED_WAITING,
	WATCHED_STATES
};

/* What a thread is at, and came to. The loop looks at it when it is done. */
struct watched_task {
	enum schedule_task kind;
	pthread_t thread;
	atomic_bool is_done; /* set last of all */
	/* A sync: it is done only where TOLD is news, unless there are other reasons. */
	bool is_certain;
	bool is_whole; /* flags are looked at everywhere, not only where they were told of */
	struct remote_mailboxes told;
	bool was_spared;
	bool is_second_look; /* it is for what the hearing told when it was made */
	uint64_t heard;      /* hearing_count, when it began */
	/* A connection that was made; or, lent to a sync, what has to give way to it. */
	struct hearing *hearing;
	bool is_lent;
	int code;
	struct err err;
};

struct watched {
	struct cli_run *run;
	struct cli_job *job;
	const struct cli_options *options;
	struct sync_options sync_options; /* the run's, but for `stop`, which is this one's: */
	stop_flag stop;        /* set: what is under way ends at the next batch, and it leaves */
	struct file_lock lock; /* as long as it is watched */
	struct schedule schedule;
	struct watched_task task;
	struct hearing *hearing;    /* the server; NULL: it is not heard now */
	struct maildir_watch *here; /* the Maildir; may be NULL */
	struct sync_keep keep;      /* the connection of the syncs */
	uint64_t heard;             /* hearing_count, when the last sync that went well began */
	bool is_certain;            /* the next sync is for more than what the hearing told, */
	bool is_whole;              /* and for what nothing tells of */
	bool is_to_be_probed;       /* the hearing, which is lent */
	int64_t deaf_ms;            /* until when it has to tell what a sync found; 0: none */
	uint64_t deaf_heard;        /* hearing_count, if it does not */
	bool told_why;              /* what of the Maildir is not heard */
	char changed[256];          /* a mailbox that changed here since the last sync began, */
	size_t changed_count;       /* of so many words about any */
	bool was_well;              /* a sync once went well */
	bool is_over;               /* it is not watched, or no more; `status` says why */
	int status;
	enum watched_state state; /* as was said last */
};

/* JOB's account, of RUN, which has begun. Where it cannot be watched its first task says so, and it
 * is_over. It stays where it is in memory. */
void watched_init(struct watched *watched, struct cli_run *run, struct cli_job *job,
		  struct maildir_watcher *watcher, const struct cli_options *options);
void watched_finish(struct watched *watched);

/* Begins what is due. False: nothing is under way, for it was not needed, or no thread could be
 * had, and it is tried again. */
bool watched_begin(struct watched *watched, enum schedule_task task);
/* A thread is at work. */
bool watched_is_busy(const struct watched *watched);
/* Takes what the thread came to, once it is done: true. */
bool watched_collect(struct watched *watched);
/* Waits for it. */
void watched_join(struct watched *watched);

/* Takes what is to be heard, on both sides, and what is due with it. */
void watched_listen(struct watched *watched);
/* Something fails, or is not heard, and is waited for to be tried again. */
bool watched_is_failing(const struct watched *watched);
/* FROM_USER: sync now. FROM_WAKE: are the connections alive? */
void watched_call(struct watched *watched, enum schedule_from from);
/* When watched_begin or watched_listen is due though nothing happens. */
int64_t watched_next_ms(const struct watched *watched);

#endif
