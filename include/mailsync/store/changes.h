/*
 * The list of what a run did to message files, for hooks (MAILSYNC_CHANGES): records that end in
 * NUL, in the order of the acts, with absolute paths:
 *
 *     +PATH        delivered
 *     -PATH        removed
 *     =OLD >NEW    renamed or moved: two records
 *
 * The Maildir writes it (maildir_params.changes) while the account's lock is held, each record
 * before its act, so that a run that dies forgets none; what it could not do after all is followed
 * by the opposite. A dead run's list is gone on with. A path may be another one, or gone, by the
 * time that somebody looks: programs change files at any time.
 *
 *     changes_hand_over(path, &err)            with the account's lock, at the end of a run
 *     changes_take(path, list, &size, &err)    with the hooks' lock; run the hooks
 *     changes_drop(list, &err)                 when they have seen it; else the next take adds
 *
 * Three files: PATH is written by a run, PATH-next waits for hooks, PATH-list is with them. After
 * a crash a record may stand there twice. Memory does not grow with the list.
 */
#ifndef MAILSYNC_STORE_CHANGES_H
#define MAILSYNC_STORE_CHANGES_H

#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/file.h"

/* What PATH lists, if it is there, goes behind what waits for hooks. */
int changes_hand_over(const char *path, struct err *err);
/* What waits, and what a hook before did not take, becomes the file LIST of SIZE bytes, which is
 * made where it is missing. */
int changes_take(const char *path, char list[FILE_PATH_SIZE], uint64_t *size, struct err *err);
int changes_drop(const char *list, struct err *err);

#endif
