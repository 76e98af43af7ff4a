/* FNV-1a: to tell apart, and to spread. Not against somebody who may choose what is hashed. */
#ifndef MAILSYNC_BASE_HASH_H
#define MAILSYNC_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/span.h"

static inline uint64_t hash_span(struct span x)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < x.len; i++) {
		hash = (hash ^ (unsigned char)x.data[i]) * 1099511628211u;
	}
	return hash;
}

#endif
