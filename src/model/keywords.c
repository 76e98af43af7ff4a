/*
 * Invariants:
 * 1. An index once given keeps its name: names are only ever added at the end.
 * 2. No two names are equal without ASCII case; each is an IMAP atom.
 */
#include "mailsync/model/keywords.h"

#include <stdlib.h>

#include "mailsync/model/flags.h"

void keywords_init(struct keywords *keywords)
{
	keywords->count = 0;
	for (int i = 0; i < KEYWORDS_MAX; i++) {
		keywords->names[i] = NULL;
	}
}

void keywords_finish(struct keywords *keywords)
{
	for (int i = 0; i < keywords->count; i++) {
		free(keywords->names[i]);
	}
	keywords_init(keywords);
}

int keywords_find(const struct keywords *keywords, struct span name)
{
	for (int i = 0; i < keywords->count; i++) {
		if (span_equal_nocase(name, keywords->names[i])) {
			return i;
		}
	}
	return -1;
}

/*
 * flag-keyword = atom; atom = 1*ATOM-CHAR
 * "]" is let through, as servers do send "[Gmail]/x" and the like; a backslash is not, since it
 * begins a system flag.
 */
bool keyword_is_atom(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.data[i];
		if (c <= ' ' || c >= 0x7f || c == '(' || c == ')' || c == '{' || c == '%' ||
		    c == '*' || c == '"' || c == '\\') {
			return false;
		}
	}
	return name.len > 0;
}

int keywords_intern(struct keywords *keywords, struct span name)
{
	int index = keywords_find(keywords, name);
	if (index >= 0) {
		return index;
	}
	if (keywords->count >= KEYWORDS_MAX || !keyword_is_atom(name)) {
		return -1;
	}
	char *copy = span_dup(name);
	if (copy == NULL) {
		return -1;
	}
	index = keywords->count++;
	keywords->names[index] = copy;
	return index;
}

void keywords_format(const struct keywords *keywords, struct buf *out)
{
	for (int i = 0; i < keywords->count; i++) {
		if (i > 0) {
			buf_append_char(out, ' ');
		}
		buf_append_cstr(out, keywords->names[i]);
	}
}

void keywords_parse(struct keywords *keywords, struct span text)
{
	size_t at = 0;
	while (at < text.len) {
		size_t end = at;
		while (end < text.len && text.data[end] != ' ') {
			end++;
		}
		if (end > at) {
			keywords_intern(keywords, (struct span){text.data + at, end - at});
		}
		at = end + 1;
	}
}

uint64_t keywords_translate(uint64_t flags, const struct keywords *from, struct keywords *to)
{
	uint64_t result = flags & FLAGS_SYSTEM;
	for (int i = 0; i < from->count; i++) {
		int index = (flags & FLAG_KEYWORD(i)) ? keywords_intern(to, span_of(from->names[i]))
						      : -1;
		if (index >= 0) {
			result |= FLAG_KEYWORD(index);
		}
	}
	return result;
}
