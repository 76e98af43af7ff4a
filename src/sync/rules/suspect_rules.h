/*
 * Suspects: what the connection ended on holds up nothing else, and nothing is condemned by a bad
 * line. Pure.
 *
 * An item is a message, a mailbox, or the listing with numbers. When it is tried goes by what is
 * remembered of it:
 *   X1 nothing: with the others
 *   X2 a mark: last, when all else that this run has to do is done
 *   X3 it was confirmed in three runs, the first and the last of them an hour or more apart: not
 *      before a day has passed since the last one, or an hour for a mailbox; then as X2. Till then
 *      it is `skipped`
 *   X4 the listing with numbers, confirmed once: not before a day has passed. The plain one does as
 *      well, and a mailbox that is a suspect ends both
 *   X5 the last one is later than now, for the clock went back: as X2
 * The connection ended:
 *   X6 several items were on their way: each is doubted. All are set aside until the rest is done,
 *      and then tried one at a time
 *   X7 one was, by itself: a candidate, which is tried by itself on a fresh connection
 *   X8 that ended, too, and so did a third, where the last two ended alike: on a word of the
 *      server, or, cut or silent, behind much the same number of bytes; or eight did in a row,
 *      however; or, of an item that was confirmed in an earlier run, the first one: it has ended
 *      its connection. Where a message is cut as it goes up nobody can tell how far it came: then
 *      it takes eight
 *   X9 then, on a later connection, another item of its kind of act went through, or all that was
 *      left to do did: it is confirmed. It is named, and remembered. Where no other connection is
 *      to be had, what this run did before is the proof, of what an earlier run lost on it, too
 *   X10 but where two or more that were never confirmed before ended theirs at one act, and nothing
 *      at all went through that act in this run, the server does so with all of them: nobody is.
 *      Where but one mailbox had to be opened, one that is idle is opened to see
 *   X11 else the line was bad. What is still doubted at the end is marked for the order of
 *      the next run. What went through, and what was refused, is no suspect any more
 * What a run does next:
 *   X12 first the rest; then a candidate, by itself; then the doubted, and those of X2, one at a
 *      time; then the rest once more, if something has ended its connection and is not confirmed
 *      yet: acts whose outcome is unknown are settled so, too
 *   X14 where very many are doubted, these first go by dozens
 *   X13 so many connections a run at most, so many in a row that end with nothing gone through
 */
#ifndef SYNC_RULES_SUSPECT_RULES_H
#define SYNC_RULES_SUSPECT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/model/suspect.h"

enum suspect_turn {
	SUSPECT_WITH_OTHERS,
	SUSPECT_LAST,
	SUSPECT_NOT_NOW
};
/* X1 to X5. MARK may be NULL. */
enum suspect_turn suspect_turn(enum suspect_kind kind, const struct suspect_mark *mark,
			       int64_t now);
/* When X3 or X4 lets it be tried again; 0: in the next run. */
int64_t suspect_next_try(enum suspect_kind kind, const struct suspect_mark *mark);
/* X9: one more run. */
void suspect_confirm(struct suspect_mark *mark, int64_t now);

/* How far an item has come in this run. */
enum suspect_stage {
	SUSPECT_KNOWN,     /* marked by an earlier run, and not tried in this one */
	SUSPECT_DOUBTED,   /* on its way with others when a connection ended */
	SUSPECT_CANDIDATE, /* by itself when one ended */
	SUSPECT_ENDED,     /* and, fresh, another one */
	SUSPECT_PROVEN,    /* and then something else went through */
	SUSPECT_CLEARED    /* it went through itself, or was refused */
};
struct suspect_loss {
	bool was_alone; /* nothing else was on its way */
	enum suspect_act act;
	enum err_end end;
	uint64_t end_at;
};
/* X6 to X8: of an item that was on its way. MARK notes it. */
enum suspect_stage suspect_after_loss(enum suspect_stage stage, struct suspect_mark *mark,
				      const struct suspect_loss *loss);

enum suspect_step {
	SUSPECT_STEP_REST,   /* all but what is set aside */
	SUSPECT_STEP_FRESH,  /* one candidate, on a fresh connection */
	SUSPECT_STEP_SINGLY, /* the doubted, and those whose turn is last, one at a time */
	SUSPECT_STEP_DONE,
	SUSPECT_STEP_GIVE_UP /* X13: the line is bad */
};
struct suspect_tally {
	bool rest_is_done;
	size_t due; /* KNOWN whose turn is last */
	size_t doubted;
	size_t candidates;
	size_t ended; /* and not PROVEN */
	unsigned losses;
	unsigned losses_in_a_row; /* with nothing gone through between */
};
/* X12, X13 */
enum suspect_step suspect_next_step(const struct suspect_tally *tally);

/* X6, X14: how many items may be on their way at once, of so many that are to be tried. */
size_t suspect_batch(enum suspect_step step, size_t doubted);

/* X10, of those of one act. PROVEN: that were never confirmed before; WENT: others went through. */
bool suspects_are_believed(size_t proven, size_t went);

#endif
