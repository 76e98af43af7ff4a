#include "mailsync/base/blot.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/digest.h"
#include "mailsync/base/secret.h"

#include "blot_match.h"

#define BLOTTED     "***"
#define PATTERN_MIN 3 /* digits: fewer are in every other word */

struct blot_form {
	enum blot_kind kind;
	struct secret pattern;
};

void blot_init(struct blot *blot)
{
	*blot = (struct blot){0};
}

void blot_finish(struct blot *blot)
{
	for (size_t i = 0; i < blot->count; i++) {
		secret_finish(&blot->forms[i].pattern);
	}
	free(blot->forms);
	blot_init(blot);
}

static int add_form(struct blot *blot, enum blot_kind kind, struct span pattern, struct err *err)
{
	struct blot_form form = {.kind = kind};
	int code;
	if (kind != BLOT_BYTES && pattern.len < PATTERN_MIN) {
		return 0;
	}
	if (ARRAY_RESERVE(&blot->forms, blot->count + 1, &blot->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	secret_init(&form.pattern);
	if ((code = secret_set(&form.pattern, pattern, err)) == 0) {
		blot->forms[blot->count++] = form;
	}
	return code;
}

/* Of SECRET with SHIFT bytes before it: the digits that hang on neither those nor what follows. */
static int add_base64(struct blot *blot, struct span secret, size_t shift, struct err *err)
{
	size_t first = (shift * 8 + 5) / 6, end = (shift + secret.len) * 8 / 6;
	struct buf bytes, digits;
	buf_init(&bytes, secret.len + 2);
	buf_init(&digits, SECRET_MAX * 2);
	for (size_t i = 0; i < shift; i++) {
		buf_append_char(&bytes, 'x');
	}
	buf_append_span(&bytes, secret);
	base64_encode(buf_span(&bytes), &digits);
	int code = buf_status(&bytes, "a secret", err);
	code = code < 0 ? code : buf_status(&digits, "a secret", err);
	if (code == 0 && first < end) {
		code = add_form(blot, BLOT_BASE64, (struct span){digits.data + first, end - first},
				err);
	}
	buf_finish_secret(&digits);
	buf_finish_secret(&bytes);
	return code;
}

static int add_hex(struct blot *blot, struct span secret, struct err *err)
{
	char *digits = malloc(secret.len * 2 + 1);
	if (digits == NULL) {
		return err_nomem(err);
	}
	hex_encode((const uint8_t *)secret.data, secret.len, digits);
	int code = add_form(blot, BLOT_HEX, (struct span){digits, secret.len * 2}, err);
	secret_wipe(digits, secret.len * 2);
	free(digits);
	return code;
}

int blot_add(struct blot *blot, struct span secret, struct err *err)
{
	int code;
	if (secret.len == 0) {
		return 0;
	}
	if (secret.len > SECRET_MAX / 2) { /* its other forms have to fit, too */
		secret.len = SECRET_MAX / 2;
	}
	if ((code = add_form(blot, BLOT_BYTES, secret, err)) < 0 ||
	    (code = add_hex(blot, secret, err)) < 0) {
		return code;
	}
	for (size_t shift = 0; code == 0 && shift < 3; shift++) {
		code = add_base64(blot, secret, shift, err);
	}
	return code;
}

/* Marks what FORM is found as from AT on; returns true when something was. */
static bool mark_at(const struct blot_form *form, struct span words, size_t at, char *marks)
{
	struct span pattern = secret_span(&form->pattern);
	for (size_t skipped = 0; skipped < pattern.len; skipped++) {
		struct blot_find find = {.skipped = skipped, .at = at};
		blot_match(form->kind, pattern, words, &find);
		if (find.len == 0 || !blot_is_found(form->kind, pattern, words, &find)) {
			continue;
		}
		if (form->kind == BLOT_BASE64) {
			blot_widen(words, &find);
		}
		memset(marks + find.at, 1, find.end - find.at);
		return true;
	}
	return false;
}

static void append_unmarked(struct span words, const char *marks, struct buf *out)
{
	for (size_t i = 0; i < words.len; i++) {
		if (!marks[i]) {
			buf_append_char(out, words.data[i]);
		} else if (i == 0 || !marks[i - 1]) {
			buf_append_cstr(out, BLOTTED);
		}
	}
}

void blot_append(const struct blot *blot, struct span words, struct buf *out)
{
	bool is_found = false;
	if (blot == NULL || blot->count == 0 || words.len == 0) {
		buf_append_span(out, words);
		return;
	}
	char *marks = calloc(words.len, 1);
	if (marks == NULL) {
		buf_append_cstr(out, BLOTTED);
		return;
	}
	for (size_t i = 0; i < blot->count; i++) {
		for (size_t at = 0; at < words.len; at++) {
			is_found |= mark_at(&blot->forms[i], words, at, marks);
		}
	}
	if (is_found) {
		append_unmarked(words, marks, out);
	} else {
		buf_append_span(out, words);
	}
	free(marks);
}
