/*
 * A borrowed run of bytes: a pointer and a length, no terminator, nothing owned.
 * Valid as long as the header that hands it out says. Data from servers travels in
 * spans; NUL is an ordinary byte.
 */
#ifndef MAILSYNC_BASE_SPAN_H
#define MAILSYNC_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char *data;
	size_t len;
};

/* A span over a string literal or char array constant. */
#define SPAN_LIT(literal) ((struct span){(literal), sizeof(literal) - 1})

/* A span over all of CSTR but its terminator. NULL gives an empty span. */
struct span span_of(const char *cstr);

bool span_equal(struct span x, struct span y);
bool span_equal_cstr(struct span x, const char *cstr);
/* By bytes, then by length: negative, 0 or positive. */
int span_compare(struct span x, const char *cstr);

/* ASCII alone, whatever the locale says of C: a word of a protocol is the same everywhere. */
char ascii_lower(char c);
void ascii_lower_all(char *text);
void ascii_upper_all(char *text);

/* ASCII case is folded; other bytes must be equal. */
bool span_equal_nocase(struct span x, const char *cstr);
bool span_starts_nocase(struct span x, const char *prefix);
bool span_contains_nocase(struct span x, const char *word);

/* Decimal digits only, the whole span, no sign; false on overflow or anything else,
 * VALUE then untouched. */
bool span_to_u32(struct span x, uint32_t *value);
bool span_to_u64(struct span x, uint64_t *value);

/* Without the blanks and tabs at both ends. */
struct span span_trim(struct span x);

/* A heap copy with a terminator; the caller frees it. NULL when out of memory, or when
 * the span holds a NUL byte (it could not be told from the end). */
char *span_dup(struct span x);

#endif
