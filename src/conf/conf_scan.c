#include "conf_scan.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "mailsync/base/buf.h"

#define DAY_S     INT64_C(86400)
#define WORDS_MAX 65536 /* bytes of a value */

/* The digits that TEXT begins with; *REST gets what follows. */
static bool scan_digits(const char *text, uint64_t *number, const char **rest)
{
	size_t len = strspn(text, "0123456789");

	*rest = text + len;
	return len > 0 && span_to_u64((struct span){text, len}, number);
}

bool conf_scan_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "kmg";
	uint64_t number;
	unsigned shift = 0;
	const char *rest;

	if (!scan_digits(text, &number, &rest)) {
		return false;
	}
	const char *unit = *rest ? strchr(units, ascii_lower(*rest)) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		rest++;
	}
	if (ascii_lower(*rest) == 'b') {
		rest++;
	}
	if (*rest || number > (UINT64_MAX >> 1) >> shift) {
		return false;
	}
	*bytes = number << shift;
	return true;
}

bool conf_scan_age(const char *text, int64_t *seconds)
{
	uint64_t number;
	int64_t unit;
	const char *rest;

	if (!scan_digits(text, &number, &rest) || number == 0 || number > 100000) {
		return false;
	}
	switch (ascii_lower(*rest)) {
	case 'd':
		unit = DAY_S;
		break;
	case 'w':
		unit = 7 * DAY_S;
		break;
	case 'm':
		unit = 30 * DAY_S;
		break;
	case 'y':
		unit = 365 * DAY_S;
		break;
	default:
		return false;
	}
	if (rest[1]) {
		return false;
	}
	*seconds = (int64_t)number * unit;
	return true;
}

bool conf_scan_duration(const char *text, int64_t *seconds)
{
	static const struct {
		const char *unit;
		int64_t seconds;
	} units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", DAY_S}};
	uint64_t number;
	const char *rest;

	if (!scan_digits(text, &number, &rest) || number > UINT32_MAX) {
		return false;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcasecmp(rest, units[i].unit) == 0) {
			*seconds = (int64_t)number * units[i].seconds;
			return true;
		}
	}
	return false;
}

bool conf_scan_number(const char *text, long min, long max, long *number)
{
	uint64_t value;

	if (!span_to_u64(span_of(text), &value) || value > LONG_MAX) {
		return false;
	}
	if ((long)value < min || (long)value > max) {
		return false;
	}
	*number = (long)value;
	return true;
}

/* Appends the word at *AT to WORD and moves *AT behind it. False for an open quote. */
static bool scan_word(const char **at, struct buf *word)
{
	bool quoted = false;
	const char *p = *at;

	for (; *p && (quoted || (*p != ' ' && *p != '\t')); p++) {
		if (*p == '"') {
			quoted = !quoted;
		} else {
			if (quoted && *p == '\\' && (p[1] == '"' || p[1] == '\\')) {
				p++;
			}
			buf_append_char(word, *p);
		}
	}
	*at = p;
	return !quoted;
}

int conf_scan_words(const char *text, struct strlist *words, struct err *err)
{
	struct buf word;
	int code = 0;

	buf_init(&word, WORDS_MAX);
	for (const char *at = text + strspn(text, " \t"); *at && code == 0;
	     at += strspn(at, " \t")) {
		buf_clear(&word);
		if (!scan_word(&at, &word)) {
			code = err_set(err, ERR_CONFIG, SCOPE_RUN, "a closing '\"' is missing");
			break;
		}
		code = buf_status(&word, "a value", err);
		if (code == 0 && (word.len == 0 || strcmp(word.data, "!") == 0)) {
			code = err_set(err, ERR_CONFIG, SCOPE_RUN, "a name is empty");
		}
		if (code == 0) {
			code = strlist_add(words, buf_span(&word), err);
		}
	}
	buf_finish(&word);
	return code;
}
