/*
 * Whose Maildir is it? rules/ownership_rules.h decides, from `mailsync-id` in its root and from
 * what the database says; here both are read and written.
 *
 * The database's generation is written first, then the file's, then rows: a crash between leaves
 * the database one ahead, which is no contradiction, as no row was written.
 */
#ifndef SYNC_GUARD_OWNERSHIP_H
#define SYNC_GUARD_OWNERSHIP_H

#include "mailsync/base/err.h"
#include "mailsync/state/state.h"
#include "mailsync/store/maildir.h"
#include "mailsync/sync/account.h"

#include "rules/ownership_rules.h"
#include "run/run.h"

/* Before anything is believed: sets SESSION's pair_all, was_unclean and lost_power, and forgets
 * base where the verdict is so. -ERR_CONFIG: the Maildir is another account's. */
int ownership_check(struct session *session, enum ownership_verdict *verdict, struct err *err);

/* Before the first row of a run that changes something: makes this run's generation durable in
 * database and file, and marks the database as under work. */
int ownership_claim(struct maildir *maildir, struct state *state, const struct account *account,
		    struct err *err);
/* At a proper end: what was left to the system to write out is made durable first. */
int ownership_release(struct maildir *maildir, struct state *state, struct err *err);

#endif
