#include "deflate.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include <zlib.h>

#define RAW_WINDOW_BITS (-15)
#define MEMORY_LEVEL    8
#define PACK_ROOM_MIN   16

struct deflate {
	z_stream packer;
	z_stream unpacker;
	bool is_flushed;
	bool has_ended; /* the server's stream came to its end */
};

int deflate_create(struct deflate **deflate, struct err *err)
{
	struct deflate *new_deflate = calloc(1, sizeof(*new_deflate));

	if (new_deflate == NULL) {
		return err_nomem(err);
	}
	if (deflateInit2(&new_deflate->packer, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_WINDOW_BITS,
			 MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		goto fail_alloc;
	}
	if (inflateInit2(&new_deflate->unpacker, RAW_WINDOW_BITS) != Z_OK) {
		goto fail_packer;
	}
	new_deflate->is_flushed = true;
	*deflate = new_deflate;
	return 0;

fail_packer:
	(void)deflateEnd(&new_deflate->packer);
fail_alloc:
	free(new_deflate);
	return err_nomem(err);
}

void deflate_destroy(struct deflate **deflate)
{
	if (*deflate == NULL) {
		return;
	}
	(void)deflateEnd(&(*deflate)->packer);
	(void)inflateEnd(&(*deflate)->unpacker);
	free(*deflate);
	*deflate = NULL;
}

static uInt zlib_len(size_t len)
{
	return len < UINT_MAX ? (uInt)len : UINT_MAX;
}

/* zlib's own type for input is not const, but it does not write there. */
static void stream_attach(z_stream *stream, struct span in, char *out, size_t size)
{
	stream->next_in = (Bytef *)(uintptr_t)in.data;
	stream->avail_in = zlib_len(in.len);
	stream->next_out = (Bytef *)out;
	stream->avail_out = zlib_len(size);
}

static size_t stream_detach(z_stream *stream, struct span *in, size_t size)
{
	size_t taken = zlib_len(in->len) - stream->avail_in;
	size_t made = zlib_len(size) - stream->avail_out;

	in->data += taken;
	in->len -= taken;
	stream->next_in = NULL;
	stream->next_out = NULL;
	return made;
}

int deflate_pack(struct deflate *deflate_state, struct span *in, char *out, size_t size,
		 size_t *written, struct err *err)
{
	z_stream *stream = &deflate_state->packer;
	int flush;
	int code;

	assert(size >= PACK_ROOM_MIN);
	if (in->len == 0 && deflate_state->is_flushed) {
		*written = 0;
		return 0;
	}
	flush = in->len <= UINT_MAX ? Z_SYNC_FLUSH : Z_NO_FLUSH;
	stream_attach(stream, *in, out, size);
	code = deflate(stream, flush);
	/* Z_BUF_ERROR: a flush that was complete just when the room ended. */
	if (code != Z_OK && code != Z_BUF_ERROR) {
		return err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT, "compression failed (%d)", code);
	}
	/* A flush is complete when room was left over. */
	deflate_state->is_flushed =
		flush == Z_SYNC_FLUSH && stream->avail_in == 0 && stream->avail_out != 0;
	*written = stream_detach(stream, in, size);
	return 0;
}

bool deflate_is_flushed(const struct deflate *deflate_state)
{
	return deflate_state->is_flushed;
}

int deflate_unpack(struct deflate *deflate_state, struct span *in, char *out, size_t size,
		   size_t *got, struct err *err)
{
	z_stream *stream = &deflate_state->unpacker;
	size_t made;
	int code;

	if (deflate_state->has_ended) {
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "the server ended the compressed connection");
	}
	stream_attach(stream, *in, out, size);
	code = inflate(stream, Z_SYNC_FLUSH);
	made = stream_detach(stream, in, size);
	if (code == Z_STREAM_END) {
		deflate_state->has_ended = true;
		if (made == 0) {
			return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
				       "the server ended the compressed connection");
		}
	} else if (code == Z_MEM_ERROR) {
		return err_nomem(err);
	} else if (code != Z_OK && code != Z_BUF_ERROR) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server sent damaged compressed data (%s)",
			       stream->msg != NULL ? stream->msg : "unknown");
	}
	*got = made;
	return 0;
}
