/*
 * What is remembered of a message that the server did not take (rules/refusal_rules.h). One stands
 * beside the row of its file, as long as that is not on the server.
 */
#ifndef MAILSYNC_MODEL_REFUSAL_H
#define MAILSYNC_MODEL_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/err.h"

/* The numbers stand in databases. From REFUSAL_LASTING on it is left out. */
enum refusal_kind {
	REFUSAL_NONE,
	REFUSAL_NOW,     /* for a reason that passes, or that is not the message's */
	REFUSAL_QUOTA,   /* likewise: no room */
	REFUSAL_OPEN,    /* for a reason that was not told */
	REFUSAL_LASTING, /* for good */
	REFUSAL_LIMIT    /* for good: larger than the server takes; not even sent */
};

struct refusal {
	int64_t row;
	int64_t mailbox; /* of the row */
	enum refusal_kind kind;
	bool is_told;              /* that it is for good; else every run tells it */
	int64_t since;             /* seconds, of the first of RUNS */
	int64_t last;              /* seconds */
	int64_t run;               /* the last that tried it (struct run) */
	uint32_t runs;             /* in which it was refused so, one after the other */
	uint64_t flags;            /* that it was sent with */
	uint64_t size_bytes;       /* on the wire */
	char words[ERR_TEXT_SIZE]; /* a sentence: which file, and what the server says */
};

struct refusals {
	struct refusal *items; /* by row */
	size_t count;
	size_t cap;
};
void refusals_finish(struct refusals *refusals);
/* That of ROW, or NULL. */
const struct refusal *refusals_find(const struct refusals *refusals, int64_t row);

/* It is not tried in each run any more. */
static inline bool refusal_is_lasting(const struct refusal *refusal)
{
	return refusal->kind >= REFUSAL_LASTING;
}

#endif
