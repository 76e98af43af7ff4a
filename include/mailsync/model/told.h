/*
 * What a server may leave out: a number or a time that knows whether it was told. What was not told
 * changes nothing (I9): it equals nothing, not even another untold one, and lies neither below nor
 * above anything. So these are structs, which no == compares, and {0} is untold.
 */
#ifndef MAILSYNC_MODEL_TOLD_H
#define MAILSYNC_MODEL_TOLD_H

#include <stdbool.h>
#include <stdint.h>

struct told {
	bool is_told;
	uint64_t number; /* 0 where it is not told */
};

#define UNTOLD ((struct told){0})

static inline struct told told(uint64_t number)
{
	return (struct told){true, number};
}

/* 0 is no such number (RFC 9051 nz-number): a server that says it says nothing. */
static inline struct told told_unless_0(uint64_t number)
{
	return number == 0 ? UNTOLD : told(number);
}

static inline bool told_is(struct told one, uint64_t number)
{
	return one.is_told && one.number == number;
}

static inline bool told_equal(struct told one, struct told two)
{
	return one.is_told && told_is(two, one.number);
}

/* Both are told, and ONE lies below TWO. */
static inline bool told_below(struct told one, struct told two)
{
	return one.is_told && two.is_told && one.number < two.number;
}

static inline uint64_t told_or(struct told one, uint64_t otherwise)
{
	return one.is_told ? one.number : otherwise;
}

/* Seconds since 1970. */
struct told_time {
	bool is_told;
	int64_t seconds; /* 0 where it is not told */
};

static inline struct told_time told_time(int64_t seconds)
{
	return (struct told_time){true, seconds};
}

static inline bool told_time_equal(struct told_time one, struct told_time two)
{
	return one.is_told && two.is_told && one.seconds == two.seconds;
}

static inline int64_t told_time_or(struct told_time one, int64_t otherwise)
{
	return one.is_told ? one.seconds : otherwise;
}

/* The numbers of a mailbox: what the server told, or what base knows. */
struct numbers {
	struct told uidvalidity; /* RFC 9051 2.3.1.1; 1 to 2^32-1 */
	struct told uidnext;     /* 1 to 2^32-1; base's: every UID below it was observed */
	struct told messages;    /* EXISTS or MESSAGES */
	struct told modseq;      /* HIGHESTMODSEQ (RFC 7162); 1 to 2^63-1 */
};

#endif
