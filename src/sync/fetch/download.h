/*
 * The bodies of some rows of one mailbox: asked for in several UID FETCH commands, taken as they
 * come, handed to a delivery. Who drives it (one mailbox: job_download.c; many in one pipeline, or
 * slices on several connections: bulk.c) decides when to ask and whose answers these are.
 */
#ifndef SYNC_FETCH_DOWNLOAD_H
#define SYNC_FETCH_DOWNLOAD_H

#include "delivery.h"
#include "plan/job.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define DOWNLOAD_HEAD_SIZE 1024

struct download {
	struct job *job;
	struct remote *remote;
	struct maildir_folder *dir;
	struct delivery *delivery;
	struct row **rows; /* ascending by UID; owned unless it is a slice */
	uint8_t *states;   /* enum want_state of each */
	size_t count;
	size_t next;                      /* the first row not yet asked for */
	size_t in_flight;                 /* commands */
	uint64_t cookie;                  /* of them */
	struct maildir_draft draft;       /* of the body that is coming in */
	struct maildir_folder *draft_dir; /* the handle that it was made with */
	bool has_draft;
	bool is_whole;
	bool one_by_one;    /* second try: a command for each */
	bool put_off;       /* the server asked for patience: nothing more is asked for */
	struct err why;     /* its words */
	uint64_t wire_size; /* of the body that is coming in */
	char head[DOWNLOAD_HEAD_SIZE]; /* its beginning */
	size_t head_len;
	char key[MAILDIR_KEY_SIZE];
};

/* For all of the plan's OP_DOWNLOADs. */
int download_init(struct download *download, struct job *job, struct remote *remote,
		  struct delivery *delivery, struct err *err);
void download_finish(struct download *download);
/* COUNT rows of WHOLE from FIRST on, for another driver; it owns nothing but its draft. */
void download_slice(struct download *slice, const struct download *whole, size_t first,
		    size_t count);
/* Whether UID is one of its rows. */
bool download_wants(const struct download *download, uint32_t uid);
/* The body that came in belongs to another slice of the mailbox: servers may carry out FETCHes of
 * one mailbox side by side, and whose a body is shows only when its response closes. */
void download_hand_over(struct download *from, struct download *to);
/* Throws away the body that is coming in: all that a slice owns. */
void download_drop_draft(struct download *download);

/* True while there are rows that were not yet asked for. */
bool download_has_more(const struct download *download);
/* One FETCH for the next of them. */
int download_ask(struct download *download, struct err *err);
/* What came of it. IMAP_FETCHED_DONE counts in_flight down. */
int download_take(struct download *download, const struct imap_body *body, struct err *err);
/* The connection broke, or what came made no sense (ERR): who is to blame is noted. Returns the
 * error's code. */
int download_broke(struct download *download, struct err *err);
/* Rows without a body so far. */
size_t download_open(const struct download *download);
/* Rows that were not delivered, or not with all their flags: the next run tries again. */
size_t download_failures(const struct download *download);

#endif
