#include "mailsync/base/buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/secret.h"

#define BUF_FIRST_CAP 64

/* What `data` points to while no memory is taken (cap is 0): never written. */
static const char buf_nothing[1] = "";

void buf_init(struct buf *buf, size_t max)
{
	assert(max >= 1);
	buf->data = (char *)buf_nothing;
	buf->len = 0;
	buf->cap = 0;
	buf->max = max < SIZE_MAX / 2 ? max : SIZE_MAX / 2; /* sums of two lengths fit */
	buf->failed = 0;
}

void buf_finish(struct buf *buf)
{
	if (buf->cap > 0) {
		free(buf->data);
	}
	buf_init(buf, buf->max);
}

void buf_finish_secret(struct buf *buf)
{
	if (buf->cap > 0) {
		secret_wipe(buf->data, buf->cap);
	}
	buf_finish(buf);
}

/* Not realloc: it may leave a copy of a secret in freed memory. */
static bool buf_grow(struct buf *buf, size_t need)
{
	size_t cap = buf->cap > 0 ? buf->cap : BUF_FIRST_CAP;

	while (cap < need) {
		cap *= 2;
	}
	if (cap > buf->max + 1) {
		cap = buf->max + 1;
	}
	char *data = malloc(cap);
	if (!data) {
		return false;
	}
	memcpy(data, buf->data, buf->len);
	data[buf->len] = '\0';
	if (buf->cap > 0) {
		secret_wipe(buf->data, buf->cap);
		free(buf->data);
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

/* Makes room for LEN more bytes and returns where they go, or NULL (failure sticks). */
static char *reserve(struct buf *buf, size_t len)
{
	if (buf->failed) {
		return NULL;
	}
	if (len > buf->max - buf->len) {
		buf->failed = -ERR_LIMIT;
		return NULL;
	}
	size_t need = buf->len + len + 1;
	if (need > buf->cap && !buf_grow(buf, need)) {
		buf->failed = -ERR_NOMEM;
		return NULL;
	}
	return buf->data + buf->len;
}

/* LEN bytes were written to the room that was reserved. */
static void commit(struct buf *buf, size_t len)
{
	assert(len == 0 || len < buf->cap - buf->len);
	if (buf->cap == 0) {
		return;
	}
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_append(struct buf *buf, const void *data, size_t len)
{
	char *room;

	if (len == 0) {
		return;
	}
	room = reserve(buf, len);
	if (room) {
		memcpy(room, data, len);
		commit(buf, len);
	}
}

void buf_append_span(struct buf *buf, struct span span)
{
	buf_append(buf, span.data, span.len);
}

void buf_append_cstr(struct buf *buf, const char *cstr)
{
	buf_append(buf, cstr, strlen(cstr));
}

void buf_append_char(struct buf *buf, char c)
{
	buf_append(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	char *room;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0) {
		if (!buf->failed) {
			buf->failed = -ERR_NOMEM;
		}
		return;
	}
	room = reserve(buf, (size_t)len);
	if (!room) {
		return;
	}
	va_start(args, format);
	vsnprintf(room, (size_t)len + 1, format, args);
	va_end(args);
	commit(buf, (size_t)len);
}

void buf_clear(struct buf *buf)
{
	buf->failed = 0;
	buf_truncate(buf, 0);
}

void buf_truncate(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	buf->len = len;
	if (buf->cap > 0) {
		buf->data[len] = '\0';
	}
}

struct span buf_span(const struct buf *buf)
{
	return (struct span){buf->data, buf->len};
}

int buf_status(const struct buf *buf, const char *what, struct err *err)
{
	if (buf->failed == 0) {
		return 0;
	}
	if (buf->failed == -ERR_NOMEM) {
		return err_nomem(err);
	}
	return err_set(err, ERR_LIMIT, SCOPE_MESSAGE, "%s is over its limit of %zu bytes", what,
		       buf->max);
}

char *buf_steal(struct buf *buf)
{
	char *data;

	if (buf->failed || !reserve(buf, 0)) {
		return NULL;
	}
	data = buf->data;
	buf_init(buf, buf->max);
	return data;
}
