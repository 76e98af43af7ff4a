/* What decodes encodes to itself, and what encodes decodes to itself. */
#include <stdint.h>
#include <stdlib.h>

#include "mailsync/model/mutf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	struct buf there;
	struct buf back;
	struct err err;
	buf_init(&there, 1u << 22);
	buf_init(&back, 1u << 22);
	if (mutf7_decode(text, &there, &err) == 0 &&
	    (mutf7_encode(buf_span(&there), &back, &err) != 0 ||
	     !span_equal(buf_span(&back), text))) {
		abort();
	}
	buf_clear(&there);
	buf_clear(&back);
	if (mutf7_encode(text, &there, &err) == 0 &&
	    (mutf7_decode(buf_span(&there), &back, &err) != 0 ||
	     !span_equal(buf_span(&back), text))) {
		abort();
	}
	buf_finish(&back);
	buf_finish(&there);
	return 0;
}
