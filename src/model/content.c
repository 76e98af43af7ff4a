/* Invariant: the result depends on the bytes, not on how they were cut into pieces. */
#include "mailsync/model/content.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/digest.h"
#include "mailsync/model/row.h"

#define OUT_SIZE 4096

static_assert(ROW_CONTENT_SIZE == CONTENT_DIGEST_SIZE, "rows keep all of it");

struct content_scan {
	struct digest *digest;
	uint64_t held_crs;  /* not yet digested: they count if no LF follows */
	char out[OUT_SIZE]; /* short lines on their way to the digest */
	size_t out_len;
};

int content_scan_create(struct content_scan **scan, struct err *err)
{
	struct content_scan *created = malloc(sizeof(*created));
	if (created == NULL) {
		return err_nomem(err);
	}
	created->digest = NULL;
	created->held_crs = 0;
	created->out_len = 0;
	int code = digest_create(&created->digest, DIGEST_SHA256, err);
	if (code < 0) {
		free(created);
		return code;
	}
	*scan = created;
	return 0;
}

void content_scan_destroy(struct content_scan **scan)
{
	if (*scan != NULL) {
		digest_destroy(&(*scan)->digest);
		free(*scan);
		*scan = NULL;
	}
}

static int out_flush(struct content_scan *scan, struct err *err)
{
	struct span out = {scan->out, scan->out_len};
	scan->out_len = 0;
	return out.len == 0 ? 0 : digest_update(scan->digest, out, err);
}

static int out_append(struct content_scan *scan, struct span data, struct err *err)
{
	if (data.len > OUT_SIZE - scan->out_len) {
		int code = out_flush(scan, err);
		if (code < 0 || data.len > OUT_SIZE) {
			return code < 0 ? code : digest_update(scan->digest, data, err);
		}
	}
	memcpy(scan->out + scan->out_len, data.data, data.len);
	scan->out_len += data.len;
	return 0;
}

/* No LF followed: they are content. */
static int out_crs(struct content_scan *scan, struct err *err)
{
	int code = 0;
	for (; code == 0 && scan->held_crs > 0; scan->held_crs--) {
		code = out_append(scan, (struct span){"\r", 1}, err);
	}
	return code;
}

int content_scan_feed(struct content_scan *scan, struct span data, struct err *err)
{
	int code = 0;
	while (code == 0 && data.len > 0) {
		if (data.data[0] == '\r') {
			scan->held_crs++;
			data.data++;
			data.len--;
			continue;
		}
		if (data.data[0] == '\n') {
			scan->held_crs = 0;
		}
		const char *cr = memchr(data.data, '\r', data.len);
		size_t len = cr != NULL ? (size_t)(cr - data.data) : data.len;
		if ((code = out_crs(scan, err)) == 0) {
			code = out_append(scan, (struct span){data.data, len}, err);
		}
		data.data += len;
		data.len -= len;
	}
	return code;
}

int content_scan_result(struct content_scan *scan, uint8_t digest[CONTENT_DIGEST_SIZE],
			struct err *err)
{
	int code;
	if ((code = out_crs(scan, err)) < 0 || (code = out_flush(scan, err)) < 0) {
		return code;
	}
	return digest_result(scan->digest, digest, err);
}
