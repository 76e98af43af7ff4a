/*
 * How a message is removed on the server: into the trash where one is asked for, else expunged, by
 * UID and nothing but ours. That it is to be removed is message_rules.h's (R1, R14, R20). Pure.
 *
 * In the order in which they are tried:
 *   T1  no trash is asked for                     -> expunge
 *   T2  the trash is asked for and not there      -> refuse: an error, and nothing is removed; what
 *       was to be kept for a while must not be lost by a wrong name.
 *   T3  it is in the trash                        -> expunge
 *   T4  the server has MOVE                       -> move. It leaves a message in one of the two
 *       mailboxes, never in both (RFC 6851 3.3), so that nothing has to be remembered.
 *   T5  else                                      -> copy, with an intent, then expunge
 *   T12 it was copied already, to the trash or to where its file was moved (INTENT_TRASHED,
 *       INTENT_MOVED): it is expunged, in any of these ways
 * To expunge:
 *   T6  the server can expunge by UID             -> just those
 *   T7  others' messages are marked \Deleted      -> hold: a plain EXPUNGE would take them, too
 *   T8  else                                      -> all that is marked
 * Which of the messages that may have been copied were (after a COPY that was refused, or a run
 * that died between COPY and its answer):
 *   T9  the original is gone, or is to stay       -> there is nothing left to do
 *   T10 a message of the trash, from the UID bound on, whose header is the original's byte for byte
 *       in what counts (header.h), and where that header identifies nothing, whose whole content
 *       is -> it was copied. One copy proves one COPY, and those that are known to have been copied
 *       take theirs first.
 *   T11 none                                      -> it was not: twice in the trash is better than
 *       nowhere
 */
#ifndef SYNC_RULES_TRASH_RULES_H
#define SYNC_RULES_TRASH_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/model/row.h"
#include "mailsync/model/uidset.h"

#include "match.h"

enum removal_way {
	REMOVAL_REFUSE,
	REMOVAL_EXPUNGE,
	REMOVAL_MOVE,
	REMOVAL_COPY
};

struct removal_facts {
	bool wants_trash;
	bool has_trash; /* it is on the server */
	bool is_trash;  /* it is the mailbox that the message is in */
	bool has_move;
};
/* T1 to T5. */
enum removal_way trash_rule(const struct removal_facts *facts);

enum expunge_way {
	EXPUNGE_UIDS,
	EXPUNGE_HOLD,
	EXPUNGE_ALL
};
/* T6 to T8. MARKED: the UIDs that are marked \Deleted, OURS: those to go. */
enum expunge_way expunge_rule(bool has_uid_expunge, const struct uidset *marked,
			      const struct uidset *ours);

/* A message that may have been copied to the trash. */
struct trash_original {
	uint32_t uid;
	uint32_t bound;    /* of the trash: its copy's UID is not below */
	bool is_certain;   /* it was copied, as is known; it only takes its copy away from others */
	bool is_void;      /* T9 */
	bool is_known;     /* its header was told */
	bool is_looked_at; /* trash_match was asked */
	bool is_found;     /* its answer */
	size_t index;      /* the caller's */
	size_t trash;      /* the caller's number of the trash that it went to */
	struct pair_candidate header;
};
/* T9. ROW: the original's, NULL where there is none any more. */
bool trash_is_void(const struct row *row, bool expunges);
/* Whether it can be matched: its header is known and it was not looked at yet. */
bool trash_is_open(const struct trash_original *original);
/* T10 and T11 for those of one TRASH, whose messages are COPIES. Reorders both arrays. */
void trash_match(struct trash_original *originals, size_t count, size_t trash,
		 struct pair_candidate *copies, size_t copy_count);

#endif
