/*
 * What happens to this machine: it slept, or has another address. After either, a connection may be
 * dead without anybody saying so.
 *
 *     surroundings_create(&surroundings, &err)
 *     poll() of surroundings_fds() for reading; then, and now and then:
 *         if (surroundings_changed(surroundings)) ...
 *
 * A sleep is seen by the clock that goes on meanwhile (CLOCK_BOOTTIME), an address by what the
 * system tells (rtnetlink). Where it has nothing of the kind, nothing ever changes.
 */
#ifndef MAILSYNC_BASE_SURROUNDINGS_H
#define MAILSYNC_BASE_SURROUNDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "mailsync/base/err.h"

#define SURROUNDINGS_FDS 2

struct surroundings;

/* Fails for lack of memory only. */
int surroundings_create(struct surroundings **surroundings, struct err *err);
void surroundings_destroy(struct surroundings **surroundings);
/* -1 where there is none. */
void surroundings_fds(const struct surroundings *surroundings, int fds[SURROUNDINGS_FDS]);
/* Since the last call. Never waits. */
bool surroundings_changed(struct surroundings *surroundings);

#endif
