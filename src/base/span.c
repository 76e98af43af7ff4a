#include "mailsync/base/span.h"

#include <stdlib.h>
#include <string.h>

struct span span_of(const char *cstr)
{
	struct span span = {"", 0};

	if (cstr) {
		span.data = cstr;
		span.len = strlen(cstr);
	}
	return span;
}

bool span_equal(struct span x, struct span y)
{
	return x.len == y.len && (x.len == 0 || memcmp(x.data, y.data, x.len) == 0);
}

bool span_equal_cstr(struct span x, const char *cstr)
{
	return span_equal(x, span_of(cstr));
}

int span_compare(struct span x, const char *cstr)
{
	size_t len = strlen(cstr);
	int order = memcmp(x.data, cstr, len < x.len ? len : x.len);
	return order != 0 ? order : (x.len > len) - (x.len < len);
}

char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

void ascii_lower_all(char *text)
{
	for (; *text; text++) {
		*text = ascii_lower(*text);
	}
}

void ascii_upper_all(char *text)
{
	for (; *text; text++) {
		*text = *text >= 'a' && *text <= 'z' ? (char)(*text - ('a' - 'A')) : *text;
	}
}

bool span_starts_nocase(struct span x, const char *prefix)
{
	size_t len = strlen(prefix);

	if (x.len < len) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (ascii_lower(x.data[i]) != ascii_lower(prefix[i])) {
			return false;
		}
	}
	return true;
}

bool span_equal_nocase(struct span x, const char *cstr)
{
	return x.len == strlen(cstr) && span_starts_nocase(x, cstr);
}

bool span_contains_nocase(struct span x, const char *word)
{
	for (; x.len >= strlen(word); x.data++, x.len--) {
		if (span_starts_nocase(x, word)) {
			return true;
		}
	}
	return false;
}

struct span span_trim(struct span x)
{
	while (x.len > 0 && (x.data[0] == ' ' || x.data[0] == '\t')) {
		x.data++;
		x.len--;
	}
	while (x.len > 0 && (x.data[x.len - 1] == ' ' || x.data[x.len - 1] == '\t')) {
		x.len--;
	}
	return x;
}

bool span_to_u64(struct span x, uint64_t *value)
{
	uint64_t sum = 0;

	if (x.len == 0) {
		return false;
	}
	for (size_t i = 0; i < x.len; i++) {
		if (x.data[i] < '0' || x.data[i] > '9') {
			return false;
		}
		uint64_t digit = (uint64_t)(x.data[i] - '0');
		if (sum > (UINT64_MAX - digit) / 10) {
			return false;
		}
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}

bool span_to_u32(struct span x, uint32_t *value)
{
	uint64_t wide;

	if (!span_to_u64(x, &wide) || wide > UINT32_MAX) {
		return false;
	}
	*value = (uint32_t)wide;
	return true;
}

char *span_dup(struct span x)
{
	if (x.len > 0 && memchr(x.data, '\0', x.len)) {
		return NULL;
	}
	char *copy = malloc(x.len + 1);
	if (!copy) {
		return NULL;
	}
	if (x.len > 0) {
		memcpy(copy, x.data, x.len);
	}
	copy[x.len] = '\0';
	return copy;
}
