/* The events of any bytes are the same however these are cut. */
#include <stdint.h>
#include <stdlib.h>

#include "../wire/imap_dump.h"

#define DUMP_MAX (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = {(const char *)data, size};
	struct buf whole;
	struct buf pieces;
	unsigned seed = 0;
	if (size == 0) {
		return 0;
	}
	buf_init(&whole, DUMP_MAX);
	buf_init(&pieces, DUMP_MAX);
	imap_dump(input, size, &seed, &whole);
	imap_dump(input, 1, &seed, &pieces);
	if (!span_equal(buf_span(&whole), buf_span(&pieces))) {
		abort();
	}
	seed = data[size - 1] | 1u;
	buf_clear(&pieces);
	imap_dump(input, 16, &seed, &pieces);
	if (!span_equal(buf_span(&whole), buf_span(&pieces))) {
		abort();
	}
	buf_finish(&pieces);
	buf_finish(&whole);
	return 0;
}
