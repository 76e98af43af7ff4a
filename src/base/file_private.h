/* What the file_*.c files share: which error a failed call on the local disk is. */
#ifndef MAILSYNC_BASE_FILE_PRIVATE_H
#define MAILSYNC_BASE_FILE_PRIVATE_H

#include "mailsync/base/err.h"

/* err_set_errno as ERR_LOCAL, "cannot WHAT NAME: reason". A full or broken disk is the account's
 * trouble, anything else the mailbox's. */
int file_fail(struct err *err, int errnum, const char *what, const char *name);

#endif
