#include "sendq.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/secret.h"

void sendq_init(struct sendq *queue)
{
	queue->data = NULL;
	queue->start = queue->end = queue->cap = 0;
	queue->chunk_at = queue->chunk_len = 0;
	queue->has_secret = false;
}

void sendq_finish(struct sendq *queue)
{
	if (queue->has_secret) {
		secret_wipe(queue->data, queue->cap);
		secret_wipe(queue->chunk, sizeof(queue->chunk));
	}
	free(queue->data);
	sendq_init(queue);
}

/* No realloc: it would leave a copy of a secret behind. */
static int sendq_grow(struct sendq *queue, size_t room, struct err *err)
{
	size_t len = queue->end - queue->start;
	size_t cap = queue->cap < 4096 ? 4096 : queue->cap;
	char *data;

	if (room > SIZE_MAX / 4 || len > SIZE_MAX / 4) {
		return err_nomem(err);
	}
	while (cap < len + room) {
		cap *= 2;
	}
	data = malloc(cap);
	if (data == NULL) {
		return err_nomem(err);
	}
	if (len > 0) {
		memcpy(data, queue->data + queue->start, len);
	}
	if (queue->has_secret && queue->data != NULL) {
		secret_wipe(queue->data, queue->cap);
	}
	free(queue->data);
	queue->data = data;
	queue->cap = cap;
	queue->start = 0;
	queue->end = len;
	return 0;
}

int sendq_add(struct sendq *queue, struct span data, bool is_secret, struct err *err)
{
	if (data.len == 0) {
		return 0;
	}
	if (data.len > queue->cap - queue->end) {
		int code = sendq_grow(queue, data.len, err);

		if (code != 0) {
			return code;
		}
	}
	memcpy(queue->data + queue->end, data.data, data.len);
	queue->end += data.len;
	queue->has_secret = queue->has_secret || is_secret;
	return 0;
}

size_t sendq_len(const struct sendq *queue)
{
	return queue->end - queue->start + queue->chunk_len - queue->chunk_at;
}

struct span sendq_waiting(const struct sendq *queue)
{
	if (queue->data == NULL) {
		return SPAN_LIT("");
	}
	return (struct span){queue->data + queue->start, queue->end - queue->start};
}

void sendq_drop(struct sendq *queue, size_t len)
{
	assert(len <= queue->end - queue->start);
	if (queue->has_secret && len > 0) {
		secret_wipe(queue->data + queue->start, len);
	}
	queue->start += len;
	if (queue->start == queue->end) {
		queue->start = queue->end = 0;
	}
}

void sendq_fill(struct sendq *queue)
{
	struct span waiting = sendq_waiting(queue);
	size_t len = waiting.len < SENDQ_CHUNK ? waiting.len : SENDQ_CHUNK;

	if (queue->chunk_len != 0 || len == 0) {
		return;
	}
	memcpy(queue->chunk, waiting.data, len);
	queue->chunk_len = len;
	sendq_drop(queue, len);
}

struct span sendq_chunk(const struct sendq *queue)
{
	return (struct span){queue->chunk + queue->chunk_at, queue->chunk_len - queue->chunk_at};
}

void sendq_sent(struct sendq *queue, size_t len)
{
	assert(len <= queue->chunk_len - queue->chunk_at);
	queue->chunk_at += len;
	if (queue->chunk_at < queue->chunk_len) {
		return;
	}
	if (queue->has_secret) {
		secret_wipe(queue->chunk, queue->chunk_len);
		queue->has_secret = queue->start != queue->end;
	}
	queue->chunk_at = queue->chunk_len = 0;
}
