#include "cli_json.h"

#include <inttypes.h>
#include <string.h>

/* The length of the UTF-8 character at TEXT (RFC 3629), 0 when it is none. The terminating NUL
 * is no continuation byte, so nothing behind it is read. */
static size_t utf8_length(const unsigned char *text)
{
	unsigned char low = 0x80, high = 0xBF;
	size_t len;

	if (text[0] < 0x80) {
		return 1;
	}
	if (text[0] >= 0xC2 && text[0] <= 0xDF) {
		len = 2;
	} else if (text[0] >= 0xE0 && text[0] <= 0xEF) {
		len = 3;
		low = text[0] == 0xE0 ? 0xA0 : 0x80;
		high = text[0] == 0xED ? 0x9F : 0xBF;
	} else if (text[0] >= 0xF0 && text[0] <= 0xF4) {
		len = 4;
		low = text[0] == 0xF0 ? 0x90 : 0x80;
		high = text[0] == 0xF4 ? 0x8F : 0xBF;
	} else {
		return 0;
	}
	if (text[1] < low || text[1] > high) {
		return 0;
	}
	for (size_t i = 2; i < len; i++) {
		if (text[i] < 0x80 || text[i] > 0xBF) {
			return 0;
		}
	}
	return len;
}

static void json_char(struct buf *out, const unsigned char *at, size_t len)
{
	if (len == 0) {
		buf_append_cstr(out, "\xEF\xBF\xBD");
	} else if (*at == '"' || *at == '\\') {
		buf_append_char(out, '\\');
		buf_append_char(out, (char)*at);
	} else if (*at == '\n') {
		buf_append_cstr(out, "\\n");
	} else if (*at == '\t') {
		buf_append_cstr(out, "\\t");
	} else if (*at < 0x20 || *at == 0x7F) {
		buf_printf(out, "\\u%04x", (unsigned)*at);
	} else {
		buf_append(out, at, len);
	}
}

static void json_string(struct buf *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	buf_append_char(out, '"');
	while (*at) {
		size_t len = utf8_length(at);
		json_char(out, at, len);
		at += len > 0 ? len : 1;
	}
	buf_append_char(out, '"');
}

static void json_key(struct buf *out, const char *key)
{
	buf_append_char(out, ',');
	json_string(out, key);
	buf_append_char(out, ':');
}

void event_begin(struct buf *out, const char *event)
{
	buf_append_cstr(out, "{\"event\":");
	json_string(out, event);
}

void event_text(struct buf *out, const char *key, const char *value)
{
	if (!value) {
		event_null(out, key);
		return;
	}
	json_key(out, key);
	json_string(out, value);
}

void event_number(struct buf *out, const char *key, uint64_t value)
{
	json_key(out, key);
	buf_printf(out, "%" PRIu64, value);
}

void event_null(struct buf *out, const char *key)
{
	json_key(out, key);
	buf_append_cstr(out, "null");
}

void event_bool(struct buf *out, const char *key, bool value)
{
	json_key(out, key);
	buf_append_cstr(out, value ? "true" : "false");
}

void event_seconds(struct buf *out, const char *key, double value)
{
	uint64_t thousandths = value > 0 ? (uint64_t)(value * 1000 + 0.5) : 0;

	json_key(out, key);
	buf_printf(out, "%" PRIu64 ".%03u", thousandths / 1000, (unsigned)(thousandths % 1000));
}

void event_end(struct buf *out)
{
	buf_append_cstr(out, "}\n");
}
