/*
 * Is it there? A folder, a file, a mailbox: there are three answers, and all who ask go through
 * this one type. "Untold" is neither of the others: nothing is deleted, renamed or forgotten for it
 * (I9).
 *
 * On this machine ENOENT alone says that a name is absent, and this header is the one place that
 * knows so (lint checks it). EACCES, EIO, ESTALE, ELOOP, ENOTDIR, ENAMETOOLONG and the rest tell
 * of a disk, a mount, a permission or a link, and nothing of what the user did. On a server see
 * mailbox_absence (src/sync/rules/mailbox_rules.h).
 */
#ifndef MAILSYNC_BASE_THERE_H
#define MAILSYNC_BASE_THERE_H

#include <errno.h>
#include <stdbool.h>

enum there {
	THERE_UNTOLD = 0,
	THERE_YES,
	THERE_NO
};

/* What a system call on a name said: 0, or its errno. */
static inline enum there there_of(int errnum)
{
	return errnum == 0 ? THERE_YES : errnum == ENOENT ? THERE_NO : THERE_UNTOLD;
}

/* True where it said that the name is absent. */
static inline bool is_absent(int errnum)
{
	return there_of(errnum) == THERE_NO;
}

#endif
