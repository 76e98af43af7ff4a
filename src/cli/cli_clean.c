#include "cli_clean.h"

#include "mailsync/base/text.h"

void cli_clean(struct buf *out, const char *text)
{
	size_t before = out->len;

	buf_append_cstr(out, text);
	if (out->len > before) {
		buf_truncate(out, before + text_clean(out->data + before, out->len - before));
	}
}
