/*
 * COMPRESS=DEFLATE (RFC 4978): raw DEFLATE (RFC 1951) in both directions of a connection, without
 * I/O. Output goes into the caller's memory and is never larger than that, whatever comes in.
 */
#ifndef MAILSYNC_NET_DEFLATE_H
#define MAILSYNC_NET_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

struct deflate;

int deflate_create(struct deflate **deflate, struct err *err);
void deflate_destroy(struct deflate **deflate);

/* Compresses from the front of *IN, which is shortened by what was taken. Once *IN is empty a
 * flush follows, so that the server can read all of it; call again until deflate_is_flushed().
 * SIZE is 16 at least: a flush that finds less room begins again without end. */
int deflate_pack(struct deflate *deflate, struct span *in, char *out, size_t size, size_t *written,
		 struct err *err);
/* False while packed bytes are still inside. */
bool deflate_is_flushed(const struct deflate *deflate);

/* Expands from the front of *IN likewise. *GOT is 0 when more input is needed. -ERR_PROTOCOL
 * for what is not DEFLATE, -ERR_TEMPORARY when the server ended its stream. */
int deflate_unpack(struct deflate *deflate, struct span *in, char *out, size_t size, size_t *got,
		   struct err *err);

#endif
