/*
 * The bodies of some rows of one mailbox: asked for in several fetches, taken as they come, handed
 * to a delivery. Who drives it (one mailbox: fetch_mailbox.c; many in one pipeline, or slices on
 * several connections: bulk_worker.c) decides when to ask, and whose the answers are:
 *
 *     download_init, or download_slice of one that was
 *     download_ask        while remote_fetch_room and download_has_more
 *     download_take       each answer
 *     download_broke      when an answer could not be had
 *     download_finish, or download_drop_arrival of a slice
 *
 * What is asked for when, what an answer means and who is blamed: rules/transfer_rules.h.
 */
#ifndef SYNC_FETCH_DOWNLOAD_PRIVATE_H
#define SYNC_FETCH_DOWNLOAD_PRIVATE_H

#include "delivery.h"
#include "plan/plan.h"

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

struct download {
	struct job *job;
	struct remote *remote;
	struct maildir_folder *folder;
	struct delivery *delivery;
	struct wants wants; /* its arrays are owned unless it is a slice */
	char key[MAILDIR_KEY_SIZE];

	size_t next;      /* the first row not yet asked for */
	size_t in_flight; /* fetches */
	uint64_t cookie;  /* of them */
	bool one_by_one;  /* second try: a fetch for each */
	bool put_off;     /* the server asked for patience: nothing more is asked for */
	struct err why;   /* its words */
	struct arrival arrival;
};

/* For all of the plan's OP_DOWNLOADs. */
int download_init(struct download *download, struct job *job, struct delivery *delivery,
		  struct err *err);
void download_finish(struct download *download);
/* COUNT rows of WHOLE from FIRST on, for another driver; it owns nothing but what is coming in. */
void download_slice(struct download *slice, const struct download *whole, size_t first,
		    size_t count);
/* The body that came in belongs to another slice of the mailbox: servers may carry out fetches of
 * one mailbox side by side. */
void download_hand_over(struct download *from, struct download *to);
/* Throws away the body that is coming in: all that a slice owns. */
void download_drop_arrival(struct download *download);

/* True while there are rows that were not yet asked for. */
bool download_has_more(const struct download *download);
/* One fetch for the next of them. */
int download_ask(struct download *download, struct err *err);
/* What came of it. REMOTE_FETCHED_DONE counts in_flight down. */
int download_take(struct download *download, const struct remote_body *body, struct err *err);
/* The connection broke, or what came made no sense (ERR): who is to blame is noted. Returns the
 * error's code. */
int download_broke(struct download *download, struct err *err);

#endif
