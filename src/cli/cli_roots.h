#ifndef CLI_ROOTS_H
#define CLI_ROOTS_H

#include "cli_select.h"

/* Refuses those of JOBS whose Maildir root is, holds or lies in that of one before, and the one
 * that it lies in; all of them where that cannot be told (no memory). JOBS: all of the file,
 * whether they are wanted or not. */
void cli_roots_check(const struct cli_jobs *jobs);

#endif
