/*
 * A suspect: what the connection ended on, and what is remembered of that between runs. The rules
 * are in src/sync/rules/suspect_rules.h.
 */
#ifndef MAILSYNC_MODEL_SUSPECT_H
#define MAILSYNC_MODEL_SUSPECT_H

#include <stdint.h>

#include "mailsync/base/err.h"

/* The numbers of these stand in databases. */
enum suspect_kind {
	SUSPECT_MAILBOX = 1, /* by its name: it may have no row in base yet */
	SUSPECT_MESSAGE = 2, /* by its row */
	SUSPECT_POP3 = 3,    /* a message of POP3, by a hash that POP3 makes */
	SUSPECT_LISTING = 4  /* LIST with the numbers of all mailboxes */
};
enum suspect_act {
	SUSPECT_AT_OPEN = 1, /* SELECT or EXAMINE, and the view that goes with it */
	SUSPECT_AT_COUNT = 2,
	SUSPECT_AT_LIST = 3,
	SUSPECT_AT_FETCH = 4,
	SUSPECT_AT_APPEND = 5,
	SUSPECT_AT_STORE = 6,
	SUSPECT_AT_MOVE = 7,
	SUSPECT_AT_EXPUNGE = 8,
	SUSPECT_AT_RETR = 9,
	SUSPECT_AT_TOP = 10,
	SUSPECT_AT_DELE = 11,
	SUSPECT_AT_LOOK = 12, /* something that is asked of the open mailbox */
	SUSPECT_ACT_COUNT = 13
};

/* What is remembered. With no run it is a mark for the order of the next run, and evidence. */
struct suspect_mark {
	unsigned runs;    /* in which it was confirmed */
	int64_t first_at; /* seconds; the first of these, and */
	int64_t last_at;  /* the last; with no run: when it was marked */
	unsigned losses;  /* in a row, of which it was the only one that was on its way */
	enum err_end end; /* of the last one: how, and behind how many bytes of the answer */
	uint64_t end_at;
};

#endif
