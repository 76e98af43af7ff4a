#include "mailsync/base/shell.h"

#include <string.h>

void shell_append_quoted(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			buf_append_cstr(out, "'\\''");
		} else {
			buf_append_char(out, *text);
		}
	}
}

void shell_append_word(struct buf *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "._/@%+=:,-";
	if (*text != '\0' && text[strspn(text, plain)] == '\0') {
		buf_append_cstr(out, text);
		return;
	}
	buf_append_char(out, '\'');
	shell_append_quoted(out, text);
	buf_append_char(out, '\'');
}
