/*
 * Whose Maildir is it? `mailsync-id` in its root names account, database and generation; the
 * database knows the same. They are compared before anything is believed:
 *
 *   no file, database new            first run
 *   another account                  refused (-ERR_CONFIG)
 *   another database, or a database
 *   that is older or newer than file the database is not this Maildir's: forget it, pair, delete
 *   nothing
 *   the other protocol was used      likewise
 *
 * The database's generation is written first, then the file's, then rows: a crash between leaves
 * the database one ahead, which is no contradiction, as no row was written.
 */
#ifndef SYNC_GUARD_OWNERSHIP_H
#define SYNC_GUARD_OWNERSHIP_H

#include <stdbool.h>

#include "mailsync/base/err.h"
#include "mailsync/state/state.h"
#include "mailsync/store/maildir.h"
#include "mailsync/sync/account.h"

struct ownership {
	bool must_pair;         /* base was forgotten, or there was none: pair, delete nothing */
	bool is_other_protocol; /* why, then */
	bool was_unclean;       /* the last run that changed things did not end properly */
	/* and the system was started anew since: with durability = none rows may be ahead of
	 * files */
	bool lost_power;
};

/* MAY_WRITE false (dry run, STATE_SCRATCH): nothing on disk is written. */
int ownership_check(struct maildir *maildir, struct state *state, const struct account *account,
		    struct ownership *ownership, struct err *err);

/* Before the first row of a run that changes something: makes this run's generation durable in
 * database and file, and marks the database as under work. */
int ownership_claim(struct maildir *maildir, struct state *state, const struct account *account,
		    struct err *err);
/* At a proper end: what was left to the system to write out is made durable first. */
int ownership_release(struct maildir *maildir, struct state *state, struct err *err);

#endif
