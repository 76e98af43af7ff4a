/*
 * What is worth a word where nobody looks on. A network that is not there for a while, and what was
 * said already, are not. Pure: what is remembered comes in and goes out again.
 *
 *   Y1 a temporary failure is borne without a word until `patience` has passed since the first one
 *      after a success; with `patience = 0` none is
 *   Y2 the first failures of an account that was never synced are not borne
 *   Y3 after a gap between runs of more than `patience`, as of a machine that slept, the first of
 *      the failures is this one; once, until there is a success
 *   Y4 what was remembered as later than now, for the clock went back, was now
 *   Y5 what the brake holds is said when its number is another, and once a day
 */
#ifndef SYNC_RULES_SILENCE_RULES_H
#define SYNC_RULES_SILENCE_RULES_H

#include <stdbool.h>
#include <stdint.h>

/* What is remembered of failures in a row; times in seconds since 1970, 0 where there is none. */
struct silence_failures {
	int64_t first;
	int64_t last; /* when an account with such failures last ran */
	bool was_renewed;
};

struct silence_facts {
	int64_t now;
	int64_t patience_s;
	bool was_synced;
};

/* Y1 to Y4: one more temporary failure. True: it is borne. */
bool silence_bears(struct silence_failures *failures, const struct silence_facts *facts);

/* What was said of the brake: how many it held, and when. */
struct silence_held {
	uint64_t number;
	int64_t at;
};

/* Y5 */
bool silence_knows_held(const struct silence_held *said, uint64_t number, int64_t now);

#endif
