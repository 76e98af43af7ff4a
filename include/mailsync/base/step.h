/*
 * Fail points. Each act that a crash could separate from the next is a numbered step:
 * file changes, syncs, database commits, bytes sent. In a build with MAILSYNC_STEPS the
 * environment tells which step to stop at or fail (docs/RELIABILITY.md); in every other
 * build STEP() is nothing.
 */
#ifndef MAILSYNC_BASE_STEP_H
#define MAILSYNC_BASE_STEP_H

/*
 * STEP counts a step named WHAT. Either it stops the process, or its value is an errno to fail
 * with, or 0.
 * STEP_AT says besides which directory entry is changed, or, with NAME NULL, which open file or
 * directory. STEP_MOVE: an entry that gets another name. STEP_LOOK, counted apart: a folder is
 * going to be read, which tests change then.
 */
#ifdef MAILSYNC_STEPS
int step_reached(const char *what);
int step_reached_at(const char *what, int dirfd, const char *name);
int step_reached_move(const char *what, int from_dirfd, const char *from, int to_dirfd,
		      const char *to);
void step_look(int dirfd);
#define STEP(what)                                step_reached(what)
#define STEP_AT(what, dirfd, name)                step_reached_at(what, dirfd, name)
#define STEP_MOVE(what, from_fd, from, to_fd, to) step_reached_move(what, from_fd, from, to_fd, to)
#define STEP_LOOK(dirfd)                          step_look(dirfd)
#else
#define STEP(what)                                0
#define STEP_AT(what, dirfd, name)                0
#define STEP_MOVE(what, from_fd, from, to_fd, to) 0
#define STEP_LOOK(dirfd)                          (void)0
#endif

#endif
