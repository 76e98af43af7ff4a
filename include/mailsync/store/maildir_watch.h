/*
 * Hears where in Maildir trees something happens. It says only "look there": what changed is found
 * by the usual looking, so that news too many cost a look, and news too few wait until the caller
 * looks by itself, which it has to do now and then in any case.
 *
 *     maildir_watcher_create(&watcher, &err)                   one a process
 *     maildir_watch_open(&watch, watcher, &params, &err)       one a Maildir
 *     poll() of maildir_watcher_fd(watcher) for reading:
 *         maildir_watcher_read(watcher, &err)
 *         for each watch that maildir_watch_has_news(): maildir_watch_take(watch, &news, &err)
 *     now and then, and after a pass: maildir_watch_renew(watch, &err)
 *
 * A folder that comes is watched by itself, with what is in it. What mail programs keep beside
 * messages (index files, tmp) is no news; dovecot-keywords is. What this program does itself is,
 * as what any other does: the stamps of base say then that there is nothing to do.
 *
 * No file and no directory is kept open, so that the disk may go. Not for threads at once: the
 * watcher and its watches belong to the thread of the loop. PARAMS are copied.
 */
#ifndef MAILSYNC_STORE_MAILDIR_WATCH_H
#define MAILSYNC_STORE_MAILDIR_WATCH_H

#include <stdbool.h>

#include "mailsync/base/err.h"
#include "mailsync/base/strlist.h"
#include "mailsync/store/maildir.h"

struct maildir_watcher;
struct maildir_watch;

struct maildir_news {
	struct strlist mailboxes; /* as maildir_list() names them, each once; a name that is not
				   * known, or not any more, is a reason to look at all */
	bool all;                 /* look at every folder, and for new ones */
};

/* Where the system has nothing of the kind, or has no more to give, it is made all the same: then
 * there is no descriptor, and nothing is heard. */
int maildir_watcher_create(struct maildir_watcher **watcher, struct err *err);
/* After its watches. */
void maildir_watcher_destroy(struct maildir_watcher **watcher);
/* -1: there is none. */
int maildir_watcher_fd(const struct maildir_watcher *watcher);
/* Takes in all that was told so far, without waiting. */
int maildir_watcher_read(struct maildir_watcher *watcher, struct err *err);

/* It fails for lack of memory only; maildir_watch_why() tells how it went. */
int maildir_watch_open(struct maildir_watch **watch, struct maildir_watcher *watcher,
		       const struct maildir_params *params, struct err *err);
void maildir_watch_close(struct maildir_watch **watch);

bool maildir_watch_has_news(const struct maildir_watch *watch);
/* The news since the last call; NEWS is initialised here and finished by the caller. On failure
 * they are kept. */
int maildir_watch_take(struct maildir_watch *watch, struct maildir_news *news, struct err *err);
void maildir_news_finish(struct maildir_news *news);

/* A sentence about what is not heard, and why; NULL: all is. Valid until the next call of any
 * other function. */
const char *maildir_watch_why(const struct maildir_watch *watch);

/* Sees whether another directory is in the root's place than the one that is watched, as after a
 * disk came, and watches that one: then all is news. Where not all could be heard it is tried
 * again. Two system calls where nothing is wrong. */
int maildir_watch_renew(struct maildir_watch *watch, struct err *err);

#endif
