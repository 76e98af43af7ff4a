/* The POP3 codec against any bytes: no crash, and the same events whole and byte by byte. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/buf.h"
#include "mailsync/proto/pop3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
	struct buf bodies;
	uint64_t events; /* a hash of all events but the cuts of bodies */
};

static void tally_add(struct tally *tally, const struct pop3_event *event)
{
	if (event->type == POP3_BODY) {
		buf_append_span(&tally->bodies, event->text);
		return;
	}
	uint64_t value = (uint64_t)event->type * 64 + (uint64_t)event->reply * 8 +
			 (event->is_ok ? 4u : 0u) + (event->is_last ? 2u : 0u) +
			 (event->is_broken ? 1u : 0u);
	if (event->type != POP3_STRAY) {
		value += event->number + event->size_bytes + event->text.len;
	}
	tally->events = (tally->events ^ value) * UINT64_C(0x100000001b3);
}

/* The first two bytes choose the replies that are expected. */
static void run(const uint8_t *data, size_t size, size_t chunk, struct tally *tally)
{
	struct pop3_parser *parser = NULL;
	struct pop3_event event;
	struct err err;
	size_t fed = 2;

	if (pop3_parser_create(&parser, &err)) {
		abort();
	}
	for (unsigned bits = data[0] + 256u * data[1]; bits > 0; bits /= 6) {
		(void)pop3_parser_expect(parser, (enum pop3_reply)(bits % 6), &err);
	}
	for (;;) {
		if (pop3_parser_next(parser, &event, &err) || event.type == POP3_STRAY) {
			break;
		}
		if (event.type != POP3_MORE) {
			tally_add(tally, &event);
			continue;
		}
		if (fed == size) {
			break;
		}
		size_t n = size - fed < chunk ? size - fed : chunk;
		char *room = pop3_parser_reserve(parser, n, &err);
		if (!room) {
			abort();
		}
		memcpy(room, data + fed, n);
		pop3_parser_commit(parser, n);
		fed += n;
	}
	pop3_parser_destroy(&parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tally whole = {.events = 0}, bytes = {.events = 0};

	if (size < 2) {
		return 0;
	}
	buf_init(&whole.bodies, size + 1);
	buf_init(&bytes.bodies, size + 1);
	run(data, size, size, &whole);
	run(data, size, 1, &bytes);
	if (whole.events != bytes.events ||
	    !span_equal(buf_span(&whole.bodies), buf_span(&bytes.bodies))) {
		abort();
	}
	buf_finish(&whole.bodies);
	buf_finish(&bytes.bodies);
	return 0;
}
