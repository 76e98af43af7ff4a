/* Words of a command for a shell, as POSIX has it. Pure. */
#ifndef MAILSYNC_BASE_SHELL_H
#define MAILSYNC_BASE_SHELL_H

#include "mailsync/base/buf.h"

/* TEXT as it stands between single quotes. */
void shell_append_quoted(struct buf *out, const char *text);
/* TEXT as one word: in quotes where need be, as it is where it means nothing to a shell. */
void shell_append_word(struct buf *out, const char *text);

#endif
