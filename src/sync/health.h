/* How an account does as a backup: when its messages were last proven, what the server and the disk
 * have room for. For `check`, which asks and notes, and `status`, which repeats. */
#ifndef SYNC_HEALTH_H
#define SYNC_HEALTH_H

#include "run/run.h"

/* Appends a line for people on each thing that STATE knows. */
int health_notes(struct state *state, struct strlist *lines, struct err *err);
/* Asks REMOTE (NULL: a POP3 account has none) for its quota and the disk for its space, notes the
 * first where the account was ever synced, and appends these and health_notes. */
int health_check(const struct account *account, const struct sync_options *options,
		 struct remote *remote, struct strlist *lines, struct err *err);

#endif
