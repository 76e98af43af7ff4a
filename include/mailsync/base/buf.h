/*
 * A growable byte buffer with a maximum. Failure sticks: after an append that did not fit
 * or found no memory, further appends do nothing, and buf_status() tells once at the end.
 * The data is always followed by a NUL that is not counted, so `data` works as a C string
 * where the contents hold none (`data` of an empty buffer is "").
 */
#ifndef MAILSYNC_BASE_BUF_H
#define MAILSYNC_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max; /* bytes of contents at most */
	int failed; /* 0, -ERR_NOMEM or -ERR_LIMIT */
};

/* MAX: the most bytes it may come to hold, at least 1. No memory is taken yet. */
void buf_init(struct buf *buf, size_t max);
/* Frees the memory; the buffer is as after buf_init. */
void buf_finish(struct buf *buf);
/* Overwrites the contents with zeroes, then finishes. For secrets: growing wipes what it
 * leaves behind too. */
void buf_finish_secret(struct buf *buf);

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_append_span(struct buf *buf, struct span span);
void buf_append_cstr(struct buf *buf, const char *cstr);
void buf_append_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Empties it and forgets a failure; keeps the memory. */
void buf_clear(struct buf *buf);
/* Shortens to LEN bytes (not more than there are). */
void buf_truncate(struct buf *buf, size_t len);

struct span buf_span(const struct buf *buf);

/* 0, or the sticky failure with a sentence in ERR naming WHAT ("a command line"). */
int buf_status(const struct buf *buf, const char *what, struct err *err);

/* The contents as a heap string that the caller frees; BUF is empty afterwards. NULL after
 * a failure or out of memory. */
char *buf_steal(struct buf *buf);

#endif
