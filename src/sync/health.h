/* How an account does as a backup: when its messages were last proven, what the server and the disk
 * have room for. For `check`, which asks and notes, and `status`, which repeats. */
#ifndef SYNC_HEALTH_H
#define SYNC_HEALTH_H

#include "run/run.h"

/* Appends a line for people on each thing that STATE knows. */
int health_notes(struct state *state, struct strlist *lines, struct err *err);
/* Room on the disk of the Maildir, in bytes; and a line on it, where it can be told. */
bool health_space(const struct account *account, uint64_t *bytes);
int health_add_space(const struct account *account, struct strlist *lines, struct err *err);
/* What `check` noted last; zeroed: nothing. */
int health_quota(struct state *state, struct status_quota *quota, struct err *err);
/* Asks REMOTE (NULL: a POP3 account has none) for its quota and the disk for its space, notes the
 * first where the account was ever synced, and appends these, health_notes and what
 * waits. */
int health_check(const struct account *account, const struct sync_options *options,
		 struct remote *remote, struct strlist *lines, struct err *err);

#endif
