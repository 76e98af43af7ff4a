/* What identifies a message is the same however its bytes are cut, and whether its lines end in LF
 * or CRLF. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/buf.h"
#include "mailsync/proto/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void identify(struct header_scan *scan, struct span text, size_t chunk,
		     struct header_identity *identity)
{
	struct err err;

	memset(identity, 0, sizeof(*identity));
	while (text.len > 0) {
		size_t len = text.len < chunk ? text.len : chunk;
		if (header_scan_feed(scan, (struct span){text.data, len}, &err) < 0) {
			abort();
		}
		text.data += len;
		text.len -= len;
	}
	if (header_scan_result(scan, identity, &err) < 0) {
		abort();
	}
}

static void check_equal(const struct header_identity *one, const struct header_identity *two)
{
	assert(memcmp(one->digest, two->digest, HEADER_DIGEST_SIZE) == 0);
	assert(one->has_message_id == two->has_message_id);
	assert(!one->has_message_id || strcmp(one->message_id, two->message_id) == 0);
	assert(one->has_date == two->has_date);
	assert(!one->has_date || one->date == two->date);
	assert(one->is_complete == two->is_complete);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	struct header_identity whole;
	struct header_identity other;
	struct header_scan *scan = NULL;
	struct buf crlf;
	struct err err;
	int64_t seconds;

	if (header_scan_create(&scan, &err) < 0) {
		abort();
	}
	identify(scan, text, size + 1, &whole);
	identify(scan, text, 1, &other);
	check_equal(&whole, &other);
	identify(scan, text, 7, &other);
	check_equal(&whole, &other);
	/* As it is stored, and as it is sent. */
	if (memchr(data, '\r', size) == NULL) {
		buf_init(&crlf, 2 * size + 1);
		for (size_t i = 0; i < size; i++) {
			if (data[i] == '\n') {
				buf_append_char(&crlf, '\r');
			}
			buf_append_char(&crlf, (char)data[i]);
		}
		identify(scan, buf_span(&crlf), size + 1, &other);
		check_equal(&whole, &other);
		buf_finish(&crlf);
	}
	header_scan_destroy(&scan);
	(void)header_parse_date(text, &seconds);
	return 0;
}
