/* How a blot's forms are found in words. Pure. */
#ifndef MAILSYNC_BASE_BLOT_MATCH_H
#define MAILSYNC_BASE_BLOT_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "mailsync/base/span.h"

enum blot_kind {
	BLOT_BYTES,  /* the secret */
	BLOT_BASE64, /* the digits that hang on nothing but the secret, in one alignment */
	BLOT_HEX
};

/* Sets *USED to the bytes of WORDS from AT on that stand for as much as they can of PATTERN;
 * returns how many of its bytes that is. */
size_t blot_match(enum blot_kind kind, struct span pattern, struct span words, size_t at,
		  size_t *used);
/* Whether the LEN bytes of PATTERN from SKIPPED on, found as WORDS from AT to END, are to go. */
bool blot_is_found(enum blot_kind kind, struct span pattern, size_t skipped, size_t len,
		   struct span words, size_t at, size_t end);
/* Widens what was found to the base64 that it stands in. */
void blot_widen(struct span words, size_t *at, size_t *end);

#endif
