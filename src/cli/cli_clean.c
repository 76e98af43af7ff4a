#include "cli_clean.h"

#include <stdbool.h>

void cli_clean(struct buf *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	for (; *at; at++) {
		bool is_c1 = at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F;
		buf_append_char(out, is_c1 || *at < 0x20 || *at == 0x7F ? '?' : (char)*at);
		at += is_c1;
	}
}
