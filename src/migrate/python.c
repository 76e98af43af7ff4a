#include "python.h"

#include <string.h>

#include "mailsync/base/shell.h"

#define WORD_MAX 65536

static void skip_blanks(struct span *text)
{
	while (text->len > 0 && strchr(" \t\r\n", text->data[0]) && text->data[0]) {
		text->data++;
		text->len--;
	}
}

/* Takes SIGN off TEXT, where it stands there. */
static bool take_sign(struct span *text, char sign)
{
	skip_blanks(text);
	if (text->len == 0 || text->data[0] != sign) {
		return false;
	}
	text->data++;
	text->len--;
	return true;
}

/* Takes WORD off TEXT, where a name does not go on behind it. */
static bool take_word(struct span *text, struct span word)
{
	static const char names[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789_";

	skip_blanks(text);
	if (text->len < word.len || memcmp(text->data, word.data, word.len) != 0 ||
	    (text->len > word.len && text->data[word.len] && strchr(names, text->data[word.len]))) {
		return false;
	}
	text->data += word.len;
	text->len -= word.len;
	return true;
}

/* A literal in quotes; of its escapes those of quotes and backslashes. */
static bool take_string(struct span *text, struct buf *out)
{
	skip_blanks(text);
	if (text->len < 2 || (text->data[0] != '"' && text->data[0] != '\'')) {
		return false;
	}
	for (size_t at = 1; at < text->len; at++) {
		char sign = text->data[at];
		if (sign == text->data[0]) {
			text->data += at + 1;
			text->len -= at + 1;
			return out->failed == 0;
		}
		if (sign == '\\') {
			char next = at + 1 < text->len ? text->data[++at] : '\0';
			if (next != '\\' && next != '"' && next != '\'') {
				return false;
			}
			sign = next;
		}
		if (sign == '\0') {
			return false;
		}
		buf_append_char(out, sign);
	}
	return false;
}

static bool take_item(struct span *text, struct strlist *list)
{
	struct buf word;
	struct err ignored;

	buf_init(&word, WORD_MAX);
	bool is_good =
		take_string(text, &word) && strlist_add(list, buf_span(&word), &ignored) == 0;
	buf_finish(&word);
	return is_good;
}

static bool take_list(struct span *text, struct strlist *list)
{
	char end = take_sign(text, '(') ? ')' : take_sign(text, '[') ? ']' : '\0';

	if (!end) {
		return take_item(text, list);
	}
	while (!take_sign(text, end)) {
		if (!take_item(text, list)) {
			return false;
		}
		if (!take_sign(text, ',')) {
			return take_sign(text, end);
		}
	}
	return true;
}

bool python_strings(struct span text, struct strlist *list)
{
	bool is_good = take_list(&text, list);
	skip_blanks(&text);
	return is_good && text.len == 0;
}

bool python_filter(struct span text, struct strlist *list, bool *is_out)
{
	if (!take_word(&text, SPAN_LIT("lambda"))) {
		return false;
	}
	skip_blanks(&text);
	const char *colon = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;
	struct span name = {text.data, colon ? (size_t)(colon - text.data) : 0};
	name = span_trim(name);
	if (name.len == 0 || memchr(name.data, ' ', name.len) || memchr(name.data, ',', name.len)) {
		return false;
	}
	text.len -= (size_t)(colon + 1 - text.data);
	text.data = colon + 1;
	if (!take_word(&text, name)) {
		return false;
	}
	*is_out = take_word(&text, SPAN_LIT("not"));
	return take_word(&text, SPAN_LIT("in")) && python_strings(text, list);
}

void python_append_command(const struct strlist *words, struct buf *out)
{
	for (size_t i = 0; i < words->count; i++) {
		buf_append_cstr(out, i > 0 ? " " : "");
		shell_append_word(out, words->items[i]);
	}
}
