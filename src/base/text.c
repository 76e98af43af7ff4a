#include "mailsync/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* How many bytes the sequence that begins with LEAD has; 0 where none can begin with it. */
static size_t sequence_len(unsigned char lead)
{
	if (lead < 0x80) {
		return 1;
	}
	if (lead >= 0xc2 && lead <= 0xdf) {
		return 2;
	}
	if (lead >= 0xe0 && lead <= 0xef) {
		return 3;
	}
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* The smallest code point that needs as many bytes: less is an overlong form. */
static const uint32_t sequence_least[5] = {0, 0, 0x80, 0x800, 0x10000};

/* Decodes a sequence of LEN bytes, of which HAVE are there; false where it is broken. */
static bool sequence_decode(const unsigned char *bytes, size_t len, size_t have, uint32_t *code)
{
	uint32_t sum = len == 1 ? bytes[0] : bytes[0] & (0xffu >> (len + 1));

	for (size_t i = 1; i < have; i++) {
		if ((bytes[i] & 0xc0) != 0x80) {
			return false;
		}
		sum = sum << 6 | (bytes[i] & 0x3fu);
	}
	*code = sum;
	return true;
}

/* Ends of lines and paragraphs, and what turns the direction of what follows: it can make a line
 * read as another than it is. */
static bool code_turns_text(uint32_t code)
{
	return code == 0x061c || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static bool code_is_printable(uint32_t code, size_t len)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code_turns_text(code)) {
		return false;
	}
	if (code >= 0xd800 && code <= 0xdfff) {
		return false;
	}
	return code >= sequence_least[len] && code <= 0x10ffff;
}

size_t text_clean(char *text, size_t len)
{
	size_t in = 0, out = 0;

	while (in < len) {
		const unsigned char *bytes = (const unsigned char *)text + in;
		size_t want = sequence_len(bytes[0]);
		size_t have = want <= len - in ? want : len - in;
		uint32_t code = 0;

		if (want == 0 || !sequence_decode(bytes, want, have, &code)) {
			text[out++] = '?';
			in++;
			continue;
		}
		if (have < want) {
			break;
		}
		if (!code_is_printable(code, want)) {
			text[out++] = '?';
			in += want;
			continue;
		}
		for (size_t i = 0; i < want; i++) {
			text[out++] = text[in++];
		}
	}
	return out;
}
