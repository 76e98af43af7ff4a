/* The little of Python that stands in configurations: literals, and the plainest filters. */
#ifndef MAILSYNC_MIGRATE_PYTHON_H
#define MAILSYNC_MIGRATE_PYTHON_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/span.h"
#include "mailsync/base/strlist.h"

/* ("a", 'b',) or ['a'] or one string: adds the strings to LIST. False, LIST then of no use, where
 * TEXT is anything else. */
bool python_strings(struct span text, struct strlist *list);
/* lambda NAME: NAME in [...], or `not in`: *IS_OUT. False where it is anything else. */
bool python_filter(struct span text, struct strlist *list, bool *is_out);
/* Appends WORDS as a command for a shell. */
void python_append_command(const struct strlist *words, struct buf *out);

#endif
