/*
 * What changed on the server since base. Pure: no network, no state. The rules look at one message
 * of a view and one row of base at a time, so memory follows the change and not the mailbox.
 *
 * Which mailboxes are viewed, and what is asked for:
 *   D20 all numbers told and equal to base's, MODSEQ among them or no message there, no intent
 *       open, nothing to pair, not without a folder (which is to be made, all of it is new), nor
 *       with flags that wait for PERMANENTFLAGS to allow them -> not viewed
 *   D42 the same where the server has no MODSEQ, and flags are left to a later run, because nobody
 *       told of any in this mailbox (`watch`), and there are none of ours to be written
 *   D21 UIDVALIDITY was told and is not base's: base's numbers say nothing, everything is listed;
 *       else what changed since them. That there is nothing new, or nothing at all, is taken from
 *       the numbers told before only while nothing was changed by us
 *   D22 opened for writing only where this run may write there and has something to write
 *   D23 no UIDVALIDITY: UIDs mean nothing, the mailbox cannot be synced
 *   D24 another UIDVALIDITY, or numbers that went back (RFC 9051 2.3.1.1, RFC 7162 3.1: a server
 *       restored from a backup gives base's UIDs to other messages): renumbered, base is forgotten
 *       and all paired
 *
 * A message that the view tells of, and the row of its UID:
 *   D25 no row, and the line comes with flags and with date or size, as those do that were asked
 *       for; or with flags alone, in a listing of all and below its UIDNEXT -> REMOTE_NEW. (A line
 *       that was not asked for may tell of a message that is not there, which would make up for one
 *       that is said to be gone)
 *   D26 a row that was not there                              -> REMOTE_BACK
 *   D27 other flags                                           -> REMOTE_FLAGS
 *   D39 flags of one that we put there and that was not seen since (REASON_UNPROVEN)
 *                                                             -> REMOTE_FIRST (E13)
 *   D28 with `keywords = no` the row's keywords stay what they were
 *   D29 a row that was there, which a listing of all lacks    -> REMOTE_GONE, where it is believed
 *       and in view
 *   D40 the same of one that we put there, was never seen and has a file -> REMOTE_UNKEPT (E14):
 *       the server did not keep it. (Where VANISHED tells of it, it was there)
 *
 * When it is believed (I1, I9):
 *   D30 VANISHED, and what a listing lacks, is believed where the rows that then remain are as many
 *       as the mailbox holds; else all but removals is taken, and UID SEARCH has to tell
 *   D31 some servers show the newest 10,000 of a mailbox and count no others, or no more than their
 *       MESSAGELIMIT (RFC 9738): a listing of just so many is a window, what lies below its lowest
 *       UID is out of view, and counts prove nothing
 *   D32 UID SEARCH is believed where it lists as many as the mailbox holds; what lies between the
 *       UIDs listed is gone then
 *   D33 it lists more than base knows: only a listing of all tells more of these
 *   D34 numbers are stored only up to which every change was read: those of a view that is
 *       believed; after UID SEARCH those of the view before it, unless MODSEQ went back or rows
 *       are still amiss. UIDNEXT untold: above the highest UID seen, and never back
 *
 * A view is whole, and only then proves anything (D30) and has numbers to store, where
 *   D35 all that was asked for was told and could be read; and of changes, each UID that was given
 *       out since base was told or said to be gone. Else new and old are not counted apart: one
 *       that came and is not told of would make up for one that went. A line about a message that
 *       base does not have, and that is not new by it (D25), is one that could not be read: what
 *       tells of that message was left out, now or in a view before
 *   D36 of a view that is not whole: what was not read is asked for once more, then everything is
 *       listed; what is not told of by either is asked of UID SEARCH
 *
 * Servers that never count right must not starve:
 *   D37 what UID SEARCH lists and a listing of all does not show, or not in a way that can be read,
 *       is there, unreadable: a row of its own (REASON_UNSEEN), never gone but by D32. With one the
 *       mailbox is looked at in each run, and what a listing lacks needs UID SEARCH
 *   D38 EXISTS that is off by the same number in two runs, an hour or more apart, while UID SEARCH
 *       and a listing of all agree: so many are not there, and no count of that mailbox means them
 *       from then on, until it is right without
 */
#ifndef SYNC_RULES_REMOTE_RULES_H
#define SYNC_RULES_REMOTE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/model/row.h"
#include "mailsync/model/told.h"
#include "mailsync/store/remote.h"

/* All but HIGHESTMODSEQ, which not every server has. */
bool numbers_are_told(const struct numbers *numbers);
/* Any of them. */
bool numbers_tell_something(const struct numbers *numbers);
/* The same UIDVALIDITY, and UIDNEXT (where told) not gone back (RFC 9051 2.3.1.1). */
bool numbers_go_on(const struct numbers *base, const struct numbers *now);

/* What decides whether and how a mailbox is viewed. */
struct view_facts {
	struct numbers base;
	struct numbers told; /* by LIST or STATUS, */
	bool has_counts;     /* where they did */
	bool has_intents;
	bool must_pair;
	bool lacks_folder;
	bool has_refused_flags; /* something waits, and PERMANENTFLAGS, which may be why, is told
				 * by opening alone */
	bool may_write;         /* this run, on the server; and what there may be to write: */
	bool has_local_changes;
	bool has_pending;
	bool expunges;
	bool leaves_flags; /* those that changed there, where nothing tells of it */
};

/* D20 and D42. */
bool view_is_needed(const struct view_facts *facts);

enum view_scope {
	VIEW_SINCE_COUNTS,  /* what changed; the numbers told before still hold */
	VIEW_SINCE_CHANGES, /* what changed; we may have changed something since they were told */
	VIEW_ALL
};
/* D21 and D22. Name and keywords are left to the caller. */
struct remote_view_request view_request(const struct view_facts *facts, enum view_scope scope);

/*
 * How far the look at a mailbox has come.
 *
 *   NONE --D20: viewed--+----------------------------------------> NONE
 *                       +- too busy, the first time -> PUT_OFF     waited for: viewed again
 *                       +- D24 -> RENUMBERED --all listed--+-----> NONE
 *                       |                                  '- D30: as below
 *                       '- D30 -> MISCOUNTED --UID SEARCH--+-----> NONE
 *                                                          '- D33 -> INCOMPLETE
 *                       |                                           (or D38)
 *                       '- D36 -> AGAIN --viewed once more-------> NONE, or as above
 *                                 INCOMPLETE --all listed--+-----> NONE
 *                                                          '- D36 -> MISCOUNTED
 *
 * A failure, or D23, ends each of them: NONE, and the mailbox is excluded.
 */
enum view_state {
	VIEW_NONE,       /* nothing is to be asked for (any more) */
	VIEW_PUT_OFF,    /* the server was too busy to open it: worth a second try, and only one */
	VIEW_RENUMBERED, /* base is to be forgotten, and everything listed */
	VIEW_MISCOUNTED, /* counts did not fit: UID SEARCH has to tell what is gone */
	VIEW_AGAIN,      /* some of it could not be read, or was not asked for */
	VIEW_INCOMPLETE, /* UID SEARCH told of messages that nothing else did */
};

/* How whole a view is. */
struct view_tally {
	bool is_full;        /* it lists all messages */
	uint64_t unread;     /* of struct remote_view, and lines about messages not known */
	struct told from;    /* base's UIDNEXT, */
	struct told uidnext; /* and the view's */
	uint64_t fresh;      /* UIDs from the one up to the other that were told of, also as gone */
};
/* D35. */
bool view_is_whole(const struct view_tally *tally);

/* What was asked in this run already. */
struct view_asked {
	bool was_again;
	bool was_listed; /* all, in a view */
};
/* D36. What has to follow a view that is not whole, or whose counts do not fit. */
enum view_state view_next_state(const struct view_tally *tally, const struct view_asked *asked);

/* D23. */
bool view_is_usable(const struct numbers *told);
/* D24. */
bool view_is_renumbered(const struct numbers *base, const struct numbers *told);

enum remote_news {
	REMOTE_SAME,
	REMOTE_NEW,
	REMOTE_BACK,
	REMOTE_FLAGS,
	REMOTE_FIRST,
	REMOTE_GONE,
	REMOTE_UNKEPT,
};

/* Of a view as a whole. */
struct delta_facts {
	bool keeps_keywords; /* `keywords = no` */
	bool is_full;        /* it lists all messages */
	struct told uidnext;
	bool believes_gone;
	uint32_t gone_from; /* UIDs below it are out of view */
};

/* D40. Where ROW is what a listing lacks. */
bool remote_is_unkept(const struct row *row);
/* D25 to D29, D39, D40. ROW is NULL where base has none of that UID, MESSAGE where a listing lacks
 * it. */
enum remote_news remote_news_of(const struct delta_facts *facts,
				const struct remote_view_message *message, const struct row *row);
/* D28. The flags that MESSAGE gives to ROW (NULL: a new one). */
uint64_t remote_flags_of(const struct delta_facts *facts, const struct remote_view_message *message,
			 const struct row *row);

/* D31. LISTED: how many messages were told of, EXISTS: how many the mailbox holds; LIMIT: the
 * server's, 0: it names none. */
bool view_is_window(uint32_t limit, uint64_t listed, struct told exists);

/* D38. EXISTS is more than what is there by OFFSET, since that was first seen. */
struct surplus {
	int64_t offset; /* 0: it is right */
	int64_t since;  /* seconds */
	bool is_proven;
};
/* EXISTS as far as it means messages. */
struct told surplus_less(const struct surplus *surplus, struct told exists);
/* After a listing of all and UID SEARCH agreed on LISTED messages. */
struct surplus surplus_next(const struct surplus *known, uint64_t listed, struct told exists,
			    int64_t now);

/* D30, D32, D34. PRESENT: the rows that then count as there, or how many are listed; COUNTED: what
 * the mailbox holds. */
bool rows_fit(uint64_t present, struct told counted, bool is_window);

/* What UID SEARCH told. */
struct uid_facts {
	uint64_t listed;
	uint64_t present;   /* rows that then count as there */
	struct told modseq; /* of the opening for it */
	bool is_window;
	bool was_listed; /* all were listed in a view before */
};
/* D33: where that was not done before. */
enum view_state uids_next_state(const struct uid_facts *facts);
/* D34. Whether numbers VIEWED before may be stored now. */
bool uids_prove_numbers(const struct uid_facts *facts, const struct numbers *viewed);

/* D34. What base stores where a view is believed, HIGHEST the highest UID told of (0: none). */
struct numbers numbers_to_store(const struct numbers *base, const struct numbers *told,
				uint32_t highest);

#endif
