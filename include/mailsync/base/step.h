/*
 * Fail points. Each act that a crash could separate from the next is a numbered step:
 * file changes, syncs, database commits, bytes sent. In a build with MAILSYNC_STEPS the
 * environment tells which step to stop at or fail (docs/RELIABILITY.md); in every other
 * build STEP() is nothing.
 */
#ifndef MAILSYNC_BASE_STEP_H
#define MAILSYNC_BASE_STEP_H

#ifdef MAILSYNC_STEPS
/* Counts a step named WHAT. Stops the process, or returns an errno to fail with; else 0. */
int step_reached(const char *what);
#define STEP(what) step_reached(what)
#else
#define STEP(what) 0
#endif

#endif
