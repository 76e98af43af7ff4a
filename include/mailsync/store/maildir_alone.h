/*
 * Whether this handle alone changed a folder. Then what is known of the folder, and what was done
 * to it, tell what is in it now, and it need not be read again.
 *
 *     maildir_alone_begin(maildir, name, &err)     before the folder is looked at, and before the
 *                                                  first of our own acts
 *     ... the look, and the acts
 *     if (maildir_alone_end(maildir, name, &stamp)) STAMP stands for all of that
 *
 * It is proven by inotify, which tells of all acts, and by the notes that our own acts pass
 * (maildir_note): both have to tell of the same, and of no new cur, new or dovecot-keywords. Where
 * that cannot be, the folder is read once more. It costs some 20 ms, most of them at
 * maildir_close().
 */
#ifndef MAILSYNC_STORE_MAILDIR_ALONE_H
#define MAILSYNC_STORE_MAILDIR_ALONE_H

#include <stdbool.h>

#include "mailsync/store/maildir.h"

/* Once more for the same mailbox does nothing. Where it cannot be seen that is no failure. */
int maildir_alone_begin(struct maildir *maildir, const char *name, struct err *err);
/* True with a *STAMP that is_heard: no change from now on looks the same. May wait for as long as a
 * tick of the system's clock lasts. */
bool maildir_alone_end(struct maildir *maildir, const char *name, struct stamp *stamp);

#endif
