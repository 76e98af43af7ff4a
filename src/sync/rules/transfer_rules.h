/*
 * Messages on their way. Pure.
 *
 * Downloads: what is asked for and when, what an answer means, who is blamed, and how much of it is
 * done side by side:
 *   F1 A message that failed in an earlier run is asked for last, and like all that is asked for
 *      again in a fetch of its own: it may be what the server breaks off at.
 *   F2 An answer without a UID, or for a message that is not open (any more), is nobody's.
 *   F3 An answer without a whole body is none: the message is still to come.
 *   F4 So is an empty body, unless the server tells that its size is 0,
 *   F5 and what Exchange sends in place of an item that it cannot render. Stored, these would be
 *      taken for the message for ever.
 *   F6 When the connection breaks in the middle of a body, or what came makes no sense, the first
 *      message that was due and is still open is to blame: servers answer in order. Else all that
 *      were asked for may be (suspect_rules.h).
 *   F7 A mailbox is cut into slices of so many messages or bytes, for several connections.
 *   F8 Connections are opened as long as each saves more time than its login costs.
 *
 * What the answer to an upload means:
 *   U1 taken, and as many UIDs are told as messages were sent, of the mailbox that base knows:
 *      they are there under these
 *   U2 taken, but that is not so: they are there, and are looked for. Until they are found they are
 *      not sent again, though they may look like nothing that is there: servers rewrite messages
 *   U3 refused, and the server asks for patience: no more is sent now
 *   U4 several together refused, for whatever reason: some may have been taken, since not every
 *      MULTIAPPEND is as atomic as it should be. They are looked for before anything is sent again;
 *      those that are not there then go each by itself, which shows whose fault it was
 *   U5 one refused: it was not taken, and stays pending
 *   U8 what failed in an earlier run goes last, and by itself: it may be refused again, and would
 *      take others with it
 * What is told of one of them then:
 *   U6 a UID that base has already, with a file (Gmail): an alias, as far as digests tell. Both
 *      files stay, neither is sent again
 *   U9 a UID that has another message's file, or that is below the UIDNEXT of before: untold (U2)
 *   U10 the same of one that base has and that has no file here (held back): it may be Gmail's
 *      alias, and is looked at, too, when the message is looked for
 * What the answer to a COPY or MOVE tells, also one that was refused half way:
 *   U7 it is believed where all of it makes sense: of the mailbox that base knows, no message that
 *      was not asked for, none and no new UID twice, and no UID that was there before. Of what is
 *      not told so, be it done or refused, nothing is known: it is looked for
 */
#ifndef SYNC_RULES_TRANSFER_RULES_H
#define SYNC_RULES_TRANSFER_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/span.h"
#include "mailsync/model/row.h"
#include "mailsync/model/told.h"
#include "mailsync/model/uidset.h"
#include "mailsync/store/remote.h"

/* How far a wanted message has come. */
enum want_state {
	WANT_OPEN,
	WANT_DRAFTED, /* handed to a delivery */
	WANT_DONE,    /* its file and its row are durable */
	WANT_PARTLY,  /* likewise, but for flags that the folder has no letters for */
	WANT_FAILED   /* reported */
};

#define WANT_NONE SIZE_MAX

/* Wanted messages of one mailbox. All of this is the owner's. */
struct wants {
	struct row **rows; /* ascending by UID */
	uint8_t *states;   /* enum want_state of each */
	size_t count;
};
void wants_sort(struct wants *wants);
/* The index of UID, or WANT_NONE. */
size_t wants_find(const struct wants *wants, uint32_t uid);
size_t wants_open(const struct wants *wants);
/* Those that failed, or have not all of their flags: the next run tries again. */
size_t wants_failed(const struct wants *wants);
bool wants_are_done(const struct wants *wants);

/* F1. ONE_BY_ONE: each is asked for in a fetch of its own, and those that failed too. */
bool want_is_due(const struct wants *wants, size_t index, bool one_by_one);
/* F6. WANT_NONE: nobody is. */
size_t wants_suspect(const struct wants *wants, bool one_by_one);

/* So much of the beginning of a body is looked at. */
#define FETCH_HEAD_SIZE 1024

/* What is known of an answer when it ends. */
struct fetch_answer {
	bool is_wanted;      /* it has a UID, of a message that is open */
	bool has_whole_body; /* one came, and to its end */
	struct told told;    /* the message's size, as the server tells it */
	uint64_t wire_bytes; /* of the body */
	struct span head;    /* its beginning */
};
enum fetch_verdict {
	FETCH_NOBODYS, /* F2 */
	FETCH_BROKEN,  /* F3 */
	FETCH_EMPTY,   /* F4 */
	FETCH_STUB,    /* F5 */
	FETCH_MESSAGE
};
enum fetch_verdict fetch_judge(const struct fetch_answer *answer);

/* F7. How many from FIRST on make a slice, at least one; *COST is what they cost. */
size_t fetch_slice(const struct wants *wants, size_t first, uint64_t *cost);

struct fetch_load {
	int64_t rtt_us; /* 0: unknown */
	uint64_t cost;
	size_t slices;
	size_t connections; /* at most */
};
/* F8. At least one. */
size_t fetch_connections(const struct fetch_load *load);

enum upload_outcome {
	UPLOAD_LANDED,  /* U1 */
	UPLOAD_UNKNOWN, /* U2 */
	UPLOAD_PUT_OFF, /* U3 */
	UPLOAD_SPLIT,   /* U4 */
	UPLOAD_REFUSED  /* U5 */
};

struct upload_answer {
	bool is_taken;
	bool is_busy;            /* the refusal asks for patience */
	bool tells_uids;         /* of these, that: */
	struct told uidvalidity; /* they are of this mailbox */
	uint64_t uids;           /* how many */
	size_t sent;             /* messages in this APPEND */
};
/* UIDVALIDITY as base knows it. */
enum upload_outcome upload_outcome(const struct upload_answer *answer, struct told uidvalidity);
enum upload_landing {
	LANDING_THERE,
	LANDING_ALIAS,  /* U6 */
	LANDING_UNTOLD, /* U9 */
	LANDING_LOOK    /* U10 */
};
/* U6, U9, U10. UID is told of what SENT's file was sent as; SEEN is base's row of that UID (NULL:
 * none), UIDNEXT base's. */
enum upload_landing upload_landing(uint32_t uid, struct told uidnext, const struct row *seen,
				   const struct row *sent);
/* Whether the UID of the row SEEN, which was told, is of a file already. */
bool uid_is_taken(const struct row *seen);

/* U7. DONE: the answer for ASKED. BASE: of the target. */
bool copies_are_told(const struct remote_done *done, const struct uidset *asked,
		     const struct numbers *base);

#endif
