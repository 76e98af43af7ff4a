/* Modified UTF-7 vectors of other programs, from $MAILSYNC_TEST_DATA/wire where there are any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/base/buf.h"
#include "mailsync/model/mutf7.h"

static unsigned hex_quad(const char *at)
{
	char digits[5] = {0};
	memcpy(digits, at, 4);
	return (unsigned)strtoul(digits, NULL, 16);
}

static void utf8_put(struct buf *out, unsigned point)
{
	if (point < 0x80) {
		buf_append_char(out, (char)point);
	} else if (point < 0x800) {
		buf_printf(out, "%c%c", (int)(0xc0 | point >> 6), (int)(0x80 | (point & 0x3f)));
	} else if (point < 0x10000) {
		buf_printf(out, "%c%c%c", (int)(0xe0 | point >> 12),
			   (int)(0x80 | (point >> 6 & 0x3f)), (int)(0x80 | (point & 0x3f)));
	} else {
		buf_printf(out, "%c%c%c%c", (int)(0xf0 | point >> 18),
			   (int)(0x80 | (point >> 12 & 0x3f)), (int)(0x80 | (point >> 6 & 0x3f)),
			   (int)(0x80 | (point & 0x3f)));
	}
}

/* One escape of a JSON string, AT behind the backslash; what follows it. */
static const char *escape_read(const char *at, struct buf *out)
{
	static const char signs[] = "\"\\/bfnrt";
	static const char bytes[] = "\"\\/\b\f\n\r\t";
	if (*at != 'u') {
		const char *sign = strchr(signs, *at);
		buf_append_char(out, sign != NULL ? bytes[sign - signs] : *at);
		return at + 1;
	}
	unsigned point = hex_quad(at + 1);
	at += 5;
	if (point >= 0xd800 && point < 0xdc00 && at[0] == '\\' && at[1] == 'u') {
		point = 0x10000 + ((point - 0xd800) << 10) + (hex_quad(at + 2) - 0xdc00);
		at += 6;
	}
	utf8_put(out, point);
	return at;
}

/* The string value of KEY at or behind AT. False for null. *AT is moved behind it. */
static bool string_find(const char **at, const char *key, struct buf *out)
{
	buf_clear(out);
	const char *p = strstr(*at, key);
	assert_non_null(p);
	p += strlen(key);
	p += strspn(p, " :\n");
	if (*p != '"') {
		*at = p;
		return false;
	}
	for (p++; *p != '"' && *p != '\0';) {
		if (*p == '\\') {
			p = escape_read(p + 1, out);
		} else {
			buf_append_char(out, *p++);
		}
	}
	*at = p + 1;
	return true;
}

static bool vectors_read(struct buf *text)
{
	const char *data = getenv("MAILSYNC_TEST_DATA");
	char path[4096];
	char block[4096];
	size_t len;
	snprintf(path, sizeof(path), "%s/wire/imap-utf7-vectors.json",
		 data != NULL ? data : "../shared");
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		print_message("skipped: no %s\n", path);
		return false;
	}
	while ((len = fread(block, 1, sizeof(block), file)) > 0) {
		buf_append(text, block, len);
	}
	fclose(file);
	return true;
}

static void check_vector(struct span mutf7, bool is_valid, struct span utf8)
{
	struct buf out;
	struct err err;
	buf_init(&out, 65536);
	int code = mutf7_decode(mutf7, &out, &err);
	if ((code == 0) != is_valid) {
		fail_msg("%.*s was %s", (int)mutf7.len, mutf7.data,
			 is_valid ? "refused" : "accepted");
	}
	if (is_valid) {
		assert_true(span_equal(buf_span(&out), utf8));
		buf_clear(&out);
		assert_int_equal(mutf7_encode(utf8, &out, &err), 0);
		assert_true(span_equal(buf_span(&out), mutf7));
	}
	buf_finish(&out);
}

static void vectors_of_others_decode_alike(void **state)
{
	struct buf text;
	struct buf mutf7;
	struct buf utf8;
	int count = 0;
	(void)state;
	buf_init(&text, 1u << 20);
	buf_init(&mutf7, 65536);
	buf_init(&utf8, 65536);
	bool is_there = vectors_read(&text);
	const char *at = is_there ? strstr(text.data, "\"vectors\"") : NULL;
	while (at != NULL && strstr(at, "\"mutf7\"") != NULL) {
		string_find(&at, "\"mutf7\"", &mutf7);
		bool is_valid = string_find(&at, "\"utf8\"", &utf8);
		check_vector(buf_span(&mutf7), is_valid, buf_span(&utf8));
		count++;
	}
	buf_finish(&utf8);
	buf_finish(&mutf7);
	buf_finish(&text);
	if (!is_there) {
		skip();
	}
	print_message("%d vectors\n", count);
	assert_true(count > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_others_decode_alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
