/* What the file_*.c files share: which error a failed call on the local disk is. */
#ifndef MAILSYNC_BASE_FILE_PRIVATE_H
#define MAILSYNC_BASE_FILE_PRIVATE_H

#include <errno.h>
#include <stdbool.h>

#include "mailsync/base/err.h"

/* err_set_errno as ERR_LOCAL, "cannot WHAT NAME: reason". A full or broken disk is the account's
 * trouble, anything else the mailbox's. */
int file_fail(struct err *err, int errnum, const char *what, const char *name);
/* Likewise of NAME in the directory DIRFD, with its path (file_shown). */
int file_fail_in(struct err *err, int errnum, const char *what, int dirfd, const char *name);

/* The file system, or the owner that it is mounted for (CIFS, NFS, exFAT, FUSE), does not have this
 * call: another way is to be tried. What is forbidden altogether fails in that one, too. */
static inline bool file_is_refused(int errnum)
{
	return errnum == EPERM || errnum == EACCES || errnum == EINVAL || errnum == ENOSYS ||
	       errnum == ENOTSUP || errnum == EOPNOTSUPP || errnum == ENOTTY;
}

#endif
