/*
 * A connection that hears what happens on the server: by NOTIFY (RFC 5465) in all mailboxes, or by
 * IDLE (RFC 2177) in one. It says only "look there". Nothing else is done with such a connection;
 * it is one of remote.h's, opened, listed on and closed as those are.
 *
 *     remote_open_imap, remote_list
 *     remote_watch_begin(remote, how, wire, &told, &err)      waits
 *     poll() of remote_watch_fd() for reading:
 *         while (remote_watch_next(remote, &heard, &err) == 1) ...     never waits
 *     now and then remote_watch_renew(), and remote_watch_next() once: a path that is silent may be
 *         dead, and routers forget it. remote_watch_is_asking() until the server answers; how long
 *         that may take is the caller's business
 */
#ifndef MAILSYNC_STORE_REMOTE_WATCH_H
#define MAILSYNC_STORE_REMOTE_WATCH_H

#include <stdbool.h>

#include "mailsync/store/remote.h"

enum remote_watch {
	REMOTE_WATCH_IDLE,
	REMOTE_WATCH_NOTIFY
};

/* Whether the server claims to have it, and nobody forbade it. */
bool remote_watch_can(const struct remote *remote, enum remote_watch how);
/*
 * Hears from now on, of WIRE alone with REMOTE_WATCH_IDLE. TOLD, which the caller finishes, gets
 * the numbers of mailboxes as they stand at this moment: of WIRE, or of all (only wire and counts
 * of its items are set). -ERR_REFUSED: the server has no such thing after all.
 */
int remote_watch_begin(struct remote *remote, enum remote_watch how, const char *wire,
		       struct remote_mailboxes *told, struct err *err);

enum remote_heard_kind {
	REMOTE_HEARD_SIGN,      /* of life, no more */
	REMOTE_HEARD_MAILBOX,   /* something happened in WIRE */
	REMOTE_HEARD_MAILBOXES, /* one came, went, or is called or subscribed to otherwise */
	REMOTE_HEARD_LOST,      /* something happened that is not told: look at all */
	REMOTE_HEARD_OVER       /* nothing more is told: begin anew, and look at all */
};
struct remote_heard {
	enum remote_heard_kind kind;
	const char *wire;       /* valid until the next call */
	struct numbers numbers; /* of it, as far as they were told */
};
/* 1 with *HEARD, 0: nothing more is there now; else the connection is lost. */
int remote_watch_next(struct remote *remote, struct remote_heard *heard, struct err *err);
/* IDLE anew, or NOOP. */
int remote_watch_renew(struct remote *remote, struct err *err);
/* An answer is still to come. */
bool remote_watch_is_asking(const struct remote *remote);
int remote_watch_fd(const struct remote *remote);

#endif
