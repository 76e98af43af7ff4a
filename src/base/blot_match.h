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

/* A part of a pattern found in words: its LEN bytes from SKIPPED on, as those from AT to END. */
struct blot_find {
	size_t skipped, len;
	size_t at, end;
};

/* Finds as much as there is of PATTERN from FIND->skipped on in WORDS from FIND->at on; sets the
 * rest of FIND. */
void blot_match(enum blot_kind kind, struct span pattern, struct span words,
		struct blot_find *find);
/* Whether what was found is to go. */
bool blot_is_found(enum blot_kind kind, struct span pattern, struct span words,
		   const struct blot_find *find);
/* Widens what was found to the base64 that it stands in. */
void blot_widen(struct span words, struct blot_find *find);

#endif
