/*
 * Messages that the server does not take: for good or for now, and when they are tried again. Pure:
 * the time comes in.
 *
 * What an answer to an APPEND says:
 *   N1 TOOBIG, CANNOT: it is the message -> for good
 *   N2 larger than the server says that it takes (APPENDLIMIT, RFC 7889) -> the same, unsent
 *   N3 no code, or none that says why, or BAD, and in the same run the same mailbox took another
 *      one: it is the message -> for good
 *   N4 the same where it took none: in three runs, of which the last is an hour after the first
 *      -> for good
 *   N5 OVERQUOTA, LIMIT, NOPERM, UNAVAILABLE, INUSE, SERVERBUG, CONTACTADMIN and what else speaks
 *      of the moment, the user or the mailbox -> for now, however often; what was for good is no
 *      more
 *
 * What is for good is left out, and is tried again (refusal_is_due):
 *   N6 when its file, or its flags, are not what was sent; where the server's limit is in its way
 *      and known, when that has grown; else a day after it was tried last. A clock that was set
 *      back ends the waiting, too
 *
 * What was refused before is no burden for others:
 *   N7 it goes last and by itself, no byte of it before the server's go-ahead
 *   N8 after OVERQUOTA only smaller ones go to that mailbox in this run; where the last run met it,
 *      the smallest goes first, and none that waits for others before one was taken
 *   N9 after a request for fewer commands, or two refusals in a row that are not the message's, no
 *      more goes to that mailbox in this run
 *
 * A command about several messages that does nothing if it is repeated (STORE, EXPUNGE, MOVE to the
 * trash):
 *   N11 refused for a reason that may be that of one of them, it is given for each by itself, until
 *       many in a row are refused, too
 *
 * Telling:
 *   N10 what is for now in each run that tried it; what is for good once, and not before a run came
 *       to its end with it
 */
#ifndef SYNC_RULES_REFUSAL_RULES_H
#define SYNC_RULES_REFUSAL_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/model/refusal.h"
#include "mailsync/model/told.h"
#include "mailsync/store/remote.h"

/* N1, N3 to N5: of an answer by itself. */
enum refusal_kind refusal_kind_of(enum remote_refusal refusal);

struct refusal_event {
	enum refusal_kind kind;
	int64_t now;
	int64_t run;
	uint64_t flags;
	uint64_t size_bytes;
};
/* N2, N4, N5. What is known after EVENT; KNOWN: before, of this very file with these flags, or
 * NULL. Row, mailbox and words are the caller's. */
struct refusal refusal_after(const struct refusal *known, const struct refusal_event *event);
/* N3. What is known of REFUSAL once its mailbox took another message in RUN. */
enum refusal_kind refusal_in_company(const struct refusal *refusal, int64_t run);

struct refusal_facts {
	bool is_same_file; /* that was sent */
	uint64_t flags;    /* now */
	struct told limit; /* the server's, where it is known without asking */
	int64_t now;
};
/* N6. */
bool refusal_is_due(const struct refusal *refusal, const struct refusal_facts *facts);

/* N7, N8: in which order messages go. */
struct refusal_turn {
	enum refusal_kind kind; /* REFUSAL_NONE: it was not refused before */
	uint64_t size_bytes;
	bool has_failed; /* in an earlier run (U8) */
	size_t place;    /* in the plan */
	bool by_size;    /* a quota was in the way of one of them */
};
/* Below 0: ONE goes before OTHER. */
int refusal_turn_compare(const struct refusal_turn *one, const struct refusal_turn *other);

/* N8, N9: what a mailbox's answers say of those that are still to be sent. Zeroed at first. */
struct refusal_course {
	bool is_over;         /* no more goes there in this run */
	bool was_taken;       /* one was */
	bool is_wary;         /* as in N7 whatever it is: what was in the way may still be */
	struct told room;     /* smaller ones alone have a chance */
	unsigned not_its_own; /* refusals in a row that were not the message's */
};
void refusal_course_note(struct refusal_course *course, enum remote_refusal refusal,
			 uint64_t size_bytes);
/* N8 */
bool refusal_course_admits(const struct refusal_course *course, uint64_t size_bytes);

/* N11. COUNT: of the messages that it was refused for. */
bool refusal_may_be_of_one(enum remote_refusal refusal, uint64_t count);

/* N10. RUN: that asks. */
bool refusal_is_to_be_told(const struct refusal *refusal, int64_t run);

#endif
