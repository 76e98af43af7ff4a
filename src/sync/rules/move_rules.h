/*
 * Moves: a message that is gone from one mailbox and new in another. Its two rows and what is known
 * of the mailboxes in, what becomes of the move out. Pure.
 *
 * In the order in which they are tried:
 *   V1  one of the two rows is part of another move   -> none. A file with several copies moves
 *       once, and its other copies are new mail.
 * Seen in the Maildir: a file's unique part, which MUAs keep, is gone from one folder and new in
 * another. It is to be moved on the server:
 *   V2  the message is not there any more, or never was -> none. There is nothing to move; the file
 *       is new mail.
 *   V3  the new row is AMBIGUOUS                        -> none. Pairing has to settle it first.
 *   V17 it is UNIDENTIFIED (W19)                        -> held (unreadable): while it waits its
 *       original is not removed, and then it moves.
 *   V16 an act of the new row is under way, and its outcome is not known -> held by an obstacle, as
 *       V5: it may be this very move, whose copy is not told of yet
 *   V4  `copy` and `delete` do not both cover the server -> held by policy: both rows wait, and the
 *       old copy stays.
 *   V5  one of the mailboxes takes no part in this run, is read-only or not on the server -> held
 *       by an obstacle: the same, and the next run looks again.
 *   V18 the message, or its new row, is set aside, since the connection ended on it -> the same
 *   V6  else                                            -> planned
 * The same under another unique part, as programs do that write a message anew: where the whole
 * content is the same (files are asked that have the size of a lost one):
 *   V19 V4's policy                                     -> none: a new message and a removal, each
 *       by its own rule. Else as above
 * A new file whose unique part base has in a folder that could not be read:
 *   V7  agreed in base -> held (unreadable), since it may have come from there: as new mail it
 *       would lose its keywords, whose letters are that folder's. Not agreed -> none.
 * A unique part only proposes; of both of these it is asked last whether the new file holds the
 * message that base knows (content_rules.h):
 *   V11 another one                                     -> none. It is new mail, and the old file
 *       is gone.
 *   V12 it cannot be read now                           -> held (unreadable)
 * Seen on the server: V13, or without EMAILIDs V10. The file is to be moved instead of downloaded
 * again:
 *   V8  the message is not agreed, not gone from the server, or its file is gone, too -> none
 *   V9  `copy` and `delete` do not both cover the Maildir, or V5's obstacles -> none: a download
 *       and a removal, each by its own rule.
 *   V6  else -> planned
 *   V10 (an EMAILID that is untold) same INTERNALDATE, which MOVE and COPY keep (RFC 9051, 6.4.7),
 *       and same header digest, of a header with a Message-ID: without it says too little. Each
 *       original goes with one new message at most.
 *   V13 the same EMAILID, told for both, proposes; INTERNALDATE and header digest must be equal,
 *       too. One that was not told proposes nothing: then V10 may.
 * Seen on both sides, to different places:
 *   V15 its message is gone from where base had it on both sides, a new file has its unique part
 *       and its content, and a new message elsewhere, or come back, has its date and header (and
 *       EMAILID, where both are told): the server's place wins, and the file is moved there, if V9
 *       lets it. Else both are new
 *   V14 an EMAILID that rows of different header digests bear is untold
 */
#ifndef SYNC_RULES_MOVE_RULES_H
#define SYNC_RULES_MOVE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/side.h"
#include "mailsync/model/identity.h"
#include "mailsync/model/row.h"

#include "content_rules.h"

enum move_state {
	MOVE_NONE, /* there is no move */
	MOVE_PLANNED,
	MOVE_HELD_POLICY,
	MOVE_HELD_OBSTACLE,
	MOVE_HELD_UNREADABLE,
	MOVE_TRIED, /* and perhaps carried out: intents tell, or the next look does */
	MOVE_DONE   /* its rows say so already */
};

/* How it was seen. */
enum move_seen {
	MOVE_SEEN_HERE,       /* in the Maildir */
	MOVE_SEEN_RENAMED,    /* in the Maildir, under another unique part */
	MOVE_SEEN_THERE,      /* on the server */
	MOVE_SEEN_UNREADABLE, /* a folder that could not be read may lack the file */
};

struct move_mailbox {
	bool is_active;    /* takes part in this run */
	bool is_read_only; /* the server says so */
	bool is_there;     /* on the server, or will be once the plan's mailboxes are made */
};

struct move_facts {
	enum move_seen seen;
	const struct row *gone;
	const struct row *fresh;
	struct move_mailbox from;
	struct move_mailbox to;
	enum side copy; /* the policy, as in message_rules.h */
	enum side delete_;
	bool is_taken;                /* one of the rows is part of another move */
	bool has_intent;              /* the new one, of an act under way */
	bool is_aside;                /* one is set aside (V18) */
	enum content_verdict content; /* of the new file, to the old row; SAME: not asked yet */
};

/* True where V11 and V12 have the last word, and the new file is to be looked at. */
bool move_wants_content(enum move_seen seen, enum move_state state);
enum move_state move_rule(const struct move_facts *facts);

/* The side that it is carried out on: the one that has not seen it. */
enum side move_side(enum move_seen seen);

/* What rows come into question for moves seen on the server: a message of base that is gone from
 * there, and one that is only there. */
bool move_is_original(const struct row *row);
bool move_is_arrival(const struct row *row);

/* V15: a message of base that is gone on both sides; whether FRESH, an arrival, may be that, and
 * with its header (not NULL) is. */
bool move_is_origin(const struct row *row);
bool move_is_crossed(const struct row *gone, const struct row *fresh,
		     const struct header_identity *identity);

/* V13. FRESH has the header IDENTITY. */
bool move_is_proven(const struct row *gone, const struct row *fresh,
		    const struct header_identity *identity);

/* An original, by what V10 compares. */
struct move_trace {
	struct told_time date; /* told */
	int64_t row;
	int64_t mailbox;
	uint8_t digest[ROW_DIGEST_SIZE];
	bool has_emailid;
	bool is_taken;
};
/* By date, for qsort(). */
int move_trace_compare(const void *one, const void *two);
/* A new message likewise. */
struct move_arrival {
	int64_t mailbox;
	struct told_time date;
	/* One that is told (V14): then V13 alone speaks for originals that have one. */
	bool has_emailid;
};
/* V10 in TRACES, sorted by date: where ARRIVAL comes from by its header; without one (NULL), where
 * it may come from. NULL: nowhere. */
struct move_trace *move_trace_find(struct move_trace *traces, size_t count,
				   const struct move_arrival *arrival,
				   const struct header_identity *identity);

#endif
