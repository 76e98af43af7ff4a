/*
 * How bodies come in. What is wanted of a mailbox is a download; downloads are cut into tasks. A
 * worker takes tasks, under run->mutex, and keeps its connection busy with several at a time, its
 * slices; connection, delivery and folder handles are its own.
 *
 *   fetch_mailbox.c, bulk.c   which downloads, and how they are cut
 *   worker.c                  a connection, its slices, and whose the answers are
 *   slice.c                   asks for bodies and makes drafts of what comes
 *   delivery.c                makes messages and rows of drafts
 *
 * What is asked for when, what an answer means and who is blamed: rules/transfer_rules.h.
 */
#ifndef SYNC_FETCH_FETCH_PRIVATE_H
#define SYNC_FETCH_FETCH_PRIVATE_H

#include <pthread.h>

#include "fetch.h"

struct download {
	struct job *job;
	struct maildir_folder *folder; /* borrowed; NULL: each worker opens its own */
	struct wants wants;
	char key[MAILDIR_KEY_SIZE];
	bool one_by_one; /* second try: a fetch for each */
};
/* For all of the plan's OP_DOWNLOADs. Finished by the caller in any case. */
int download_init(struct download *download, struct job *job, struct err *err);
void download_finish(struct download *download);

struct task {
	const struct download *download;
	size_t first; /* in its wants */
	size_t count;
};
struct tasks {
	struct run *run;
	struct task *items;
	size_t count, cap;
	size_t next;  /* guarded by run->mutex */
	bool put_off; /* the first connection's server asks for patience: some were left */
};
/* Works all tasks off on COUNT connections, the run's own and COUNT - 1 more. The first worker's
 * failure is the result; another's leaves its rows open, but for failures of the disk, of memory,
 * or by a signal. ERR has the server's words where tasks were put off, too. */
int tasks_work(struct tasks *tasks, size_t count, struct err *err);

#define SLICES_MAX 48 /* at a time; each holds the descriptors of a folder */

struct worker {
	struct tasks *tasks;
	struct remote *remote;
	struct delivery *delivery;
	struct slice *slices[SLICES_MAX]; /* in the order asked */
	size_t count;
	size_t done; /* the first so many are answered, and wait for the delivery's flush */
	uint64_t last_cookie;
	const struct mailbox *asked; /* the one that will be open once all is answered */
	const struct mailbox *open;  /* the one that answers come from now */
	bool put_off; /* the server asks for patience, in the words of ERR: no more is asked for */
	size_t number;
	int code;
	struct err err;
	pthread_t thread;
};

/* A body that is coming in. Whose it is shows only when its response closes. */
struct arrival {
	bool has_draft;
	bool is_whole;
	struct maildir_draft draft;
	struct maildir_folder *folder; /* the handle that it was made with */
	uint64_t wire_bytes;           /* of the body */
	char head[FETCH_HEAD_SIZE];    /* its beginning */
	size_t head_len;
};

struct slice {
	struct worker *worker;
	const struct download *of;
	struct wants wants; /* part of its */
	struct maildir_folder *folder;
	size_t next;      /* the first row not yet asked for */
	size_t in_flight; /* fetches */
	uint64_t cookie;  /* of them, and of the EXAMINE */
	bool is_opening;
	bool is_void; /* could not be opened as expected: its answers are dropped */
	struct arrival arrival;
};
/* True while there are rows that are still to be asked for. */
bool slice_has_more(const struct slice *slice);
/* One fetch for the next of them. */
int slice_ask(struct slice *slice, struct err *err);
/* What came of it. REMOTE_FETCHED_DONE counts in_flight down. */
int slice_take(struct slice *slice, const struct remote_body *body, struct err *err);
/* The connection broke: all that were on their way into ITEMS, which has room for the slice's; how
 * many. */
size_t slice_suspects(const struct slice *slice, struct suspect_item *items);
/* In the middle of a body, or what came made no sense: the one that is to blame (F6). */
bool slice_suspect(const struct slice *slice, struct suspect_item *item);
/* Throws away the body that is coming in. */
void slice_drop_arrival(struct slice *slice);

#endif
