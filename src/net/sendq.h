/*
 * The send queue: bytes wait here, and leave in chunks. A chunk neither moves nor shrinks until
 * it is accepted, because OpenSSL wants a refused write repeated from the same place.
 *
 *     sendq_add(&q, data, is_secret)
 *     sendq_fill(&q); sendq_chunk(&q) -> write -> sendq_sent(&q, n)
 */
#ifndef MAILSYNC_NET_SENDQ_H
#define MAILSYNC_NET_SENDQ_H

#include <stdbool.h>
#include <stddef.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

#define SENDQ_CHUNK 16384 /* one TLS record */

struct sendq {
	char *data; /* waiting bytes are data[start, end) */
	size_t start;
	size_t end;
	size_t cap;
	size_t chunk_at; /* unsent bytes are chunk[chunk_at, chunk_len) */
	size_t chunk_len;
	bool has_secret; /* something in queue or chunk must be wiped when it has left */
	char chunk[SENDQ_CHUNK];
};

void sendq_init(struct sendq *queue);
void sendq_finish(struct sendq *queue);
int sendq_add(struct sendq *queue, struct span data, bool is_secret, struct err *err);
/* Waiting and in the chunk. */
size_t sendq_len(const struct sendq *queue);
/* What waits, and how to take LEN bytes of it away. */
struct span sendq_waiting(const struct sendq *queue);
void sendq_drop(struct sendq *queue, size_t len);
/* Moves waiting bytes into the chunk, if that is empty. */
void sendq_fill(struct sendq *queue);
struct span sendq_chunk(const struct sendq *queue);
void sendq_sent(struct sendq *queue, size_t len);

#endif
