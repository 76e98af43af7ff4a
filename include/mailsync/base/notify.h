/*
 * What happens in directories, told by the system as it happens: inotify(7). A system without it,
 * or one that has no more to give, says -ERR_LIMIT, and the caller looks now and then.
 *
 *     notify_create(&notify, &err)
 *     notify_add(notify, "/path", false, &id, &err)           each directory
 *     poll() of notify_fd(), then notify_next() until it is 0
 *
 * The descriptor is one of few (128 for a user), the directories count, too: one struct notify for
 * a whole process. It does not keep a file system from being unmounted. Not for threads at once.
 */
#ifndef MAILSYNC_BASE_NOTIFY_H
#define MAILSYNC_BASE_NOTIFY_H

#include <stdbool.h>

#include "mailsync/base/err.h"

enum notify_what {
	NOTIFY_CAME,  /* NAME is in the directory now: made, or renamed to it */
	NOTIFY_WENT,  /* NAME is not: removed, or renamed away */
	NOTIFY_MOVED, /* the directory itself has another name, perhaps elsewhere */
	NOTIFY_ENDED, /* no more is told of ID: the directory is gone, unmounted or removed */
	NOTIFY_LOST   /* there was more than the system keeps: anything may have happened */
};

struct notify_event {
	enum notify_what what;
	int id;           /* not of NOTIFY_LOST */
	bool is_dir;      /* what NAME is or was */
	const char *name; /* of CAME and WENT; valid until the next call */
};

struct notify;

/* -ERR_LIMIT: there is no such thing here, or no more of them. */
int notify_create(struct notify **notify, struct err *err);
void notify_destroy(struct notify **notify);
/* To be polled for reading. */
int notify_fd(const struct notify *notify);

/* Tells from now on what happens in the directory PATH, to which a link leads only if FOLLOWS. A
 * directory that is told of already has the ID it had. -ERR_CHANGED: no directory is there;
 * -ERR_LIMIT: the system tells of no more; -ERR_LOCAL: it may not be looked at. */
int notify_add(struct notify *notify, const char *path, bool follows, int *id, struct err *err);
/* What is told of ID already still comes. */
void notify_remove(struct notify *notify, int id);

/* 1 with *EVENT, 0 when there is none now; never waits. */
int notify_next(struct notify *notify, struct notify_event *event, struct err *err);

/* Whether PATH is on a file system that other machines write to, too, which nothing tells of. */
bool notify_is_remote(const char *path);

#endif
