/*
 * What base does not know: acts that a run which died had begun, and what both sides have already.
 * In the order of a run:
 *
 *     rename_settle_cut      before renames are planned
 *     rename_follow_twice
 *     recover_leftovers      before the folders are read
 *     pair_mailboxes         after both sides were observed
 *     trash_settle
 *
 * and while the plan is carried out rename_..., pair_mailbox and trash_settle_mailbox.
 */
#ifndef SYNC_RECOVER_RECOVER_H
#define SYNC_RECOVER_RECOVER_H

#include "run/run.h"

/*
 * Renames of mailboxes. Base's rows follow a mailbox to its new name only when both sides have it
 * there. Before either side is touched an intent for the mailbox, and for each child that goes
 * along, is durable (I3).
 */
/* All three in a transaction of the caller's. */
int rename_intent_add(struct run *run, const struct mailbox *from, const struct mailbox *to,
		      struct err *err);
int rename_intent_drop(struct run *run, const struct mailbox *from, struct err *err);
/* FROM's rows are TO's, what was seen of TO alone is seen again; the intent goes. */
int rename_base_follow(struct run *run, struct mailbox *from, struct mailbox *to, struct err *err);
/* Settles the intents of a run that was cut, by the names that there are (M16, M17), and gathers
 * the mailboxes anew where there were any. */
int rename_settle_cut(struct run *run, struct err *err);

/* Those that were renamed on both sides (M59): base's rows follow to one of the names, as which the
 * other side is renamed, and the mailboxes are gathered anew. */
int rename_follow_twice(struct run *run, struct err *err);

/* After a run that did not end properly: completes the folders that it was about to make, and
 * removes its drafts and its lock on keyword tables. */
int recover_leftovers(struct run *run, struct err *err);

/*
 * Pairing joins what both sides have and base does not know: a first run over a filled Maildir, a
 * lost or older database, a new UIDVALIDITY, files delivered by a run that was cut before it could
 * write their rows, uploads whose UID is not known. What pairs becomes an agreed row with the union
 * of its flags; what does not stays new and is copied; nothing is deleted. How: rules/match.h.
 */
int pair_mailboxes(struct run *run, struct err *err);
/* Before it, in a restore: which rows are sent (run->restored). Those that the server had and lost
 * become new files again (E12), which pairing looks for before anything is sent. Else nothing. */
int restore_choose(struct run *run, struct err *err);
/* One mailbox, over a worker's connection, after it was observed: settles its open intents too. */
int pair_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox, struct err *err);
/* What is new in MAILBOX and is what the brake holds as gone from that side: it is back (B14).
 * Before anything new is copied; pair_mailboxes does it, too. */
int pair_held(struct run *run, struct remote *remote, struct mailbox *mailbox, struct err *err);

/*
 * Removed messages that went to the trash by COPY, which would be there twice if it were done again
 * (I3). MOVE needs none of this (T4).
 *
 *   INTENT_TRASH    durable before the COPY: it may have been carried out
 *   INTENT_TRASHED  it was: what is left to do is to remove the original
 *   INTENT_MOVED    so it is with a message that was moved elsewhere by COPY, but that its removal
 *                   is no deletion (R26)
 *
 * All are of the original's row and mailbox; the text is the wire name of the trash (the target),
 * the UID bound and UIDVALIDITY are the trash's before the COPY (the copy's). A row with the first
 * is not planned. The others stay until the original is gone or is not to be removed any more.
 */
/* The message of the row ORIGINAL is now TO's UID. Where it is still at its old place, too, notes
 * that it is to be removed there. In a transaction. */
int move_note_original(struct run *run, int64_t original, const struct mailbox *to, uint32_t uid,
		       struct err *err);
/* The intents that runs before this one left. */
int trash_settle(struct run *run, struct err *err);
/* Those of MAILBOX, after COPYs that were refused: looks which messages are in the trash. Another
 * mailbox may be selected afterwards. What cannot be told now stays open. */
int trash_settle_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox,
			 struct err *err);

#endif
