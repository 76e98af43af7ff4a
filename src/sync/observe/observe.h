/*
 * What changed on each side since base, written down before anything is planned (I8). Local:
 * folders whose stamp changed are scanned. Remote: mailboxes whose numbers changed are viewed, all
 * in one pipeline.
 */
#ifndef SYNC_OBSERVE_OBSERVE_H
#define SYNC_OBSERVE_OBSERVE_H

#include "run/run.h"

int observe_local(struct run *run, struct err *err);
/* One folder, scanned whatever its stamp says. */
int observe_local_mailbox(struct run *run, struct mailbox *mailbox, struct err *err);
/* MAILBOX's folder cannot be read, as ERR tells: reported, and nothing of it is believed in this
 * run. */
void observe_unreadable(struct run *run, struct mailbox *mailbox, const struct err *err);

int observe_remote(struct run *run, struct err *err);
enum look {
	LOOK_ANEW,  /* base of one that was renumbered is forgotten, and all paired */
	LOOK_IN_JOB /* a job needs the rows: such a one is reported and left to the next run */
};
/* One mailbox, over any connection, after our own changes to it: its numbers are learnt. */
int observe_remote_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox,
			   enum look why, struct err *err);

#endif
