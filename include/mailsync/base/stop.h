/* What asks for an end before time: a signal's handler sets it, and every thread looks at it. */
#ifndef MAILSYNC_BASE_STOP_H
#define MAILSYNC_BASE_STOP_H

#include <stdatomic.h>

/* Non-zero: what is under way ends soon, with -ERR_INTERRUPTED. */
typedef atomic_int stop_flag;

#endif
