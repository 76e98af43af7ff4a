#include "mailsync/model/mutf7.h"

#include <stdint.h>
#include <string.h>

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* The code point that TEXT begins with (RFC 3629) and its length, 0 when it is not valid. */
static size_t utf8_take(struct span text, uint32_t *point)
{
	static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = (unsigned char)text.data[0];
	size_t len = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (len == 0 || lead > 0xf4 || len > text.len) {
		return 0;
	}
	uint32_t value = len == 1 ? lead : lead & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		unsigned char next = (unsigned char)text.data[i];
		if ((next & 0xc0) != 0x80) {
			return 0;
		}
		value = value << 6 | (next & 0x3fu);
	}
	if (value < smallest[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
		return 0;
	}
	*point = value;
	return len;
}

static void utf8_append(struct buf *out, uint32_t point)
{
	if (point < 0x80) {
		buf_append_char(out, (char)point);
		return;
	}
	if (point < 0x800) {
		buf_append_char(out, (char)(0xc0 | point >> 6));
	} else if (point < 0x10000) {
		buf_append_char(out, (char)(0xe0 | point >> 12));
		buf_append_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
	} else {
		buf_append_char(out, (char)(0xf0 | point >> 18));
		buf_append_char(out, (char)(0x80 | (point >> 12 & 0x3f)));
		buf_append_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
	}
	buf_append_char(out, (char)(0x80 | (point & 0x3f)));
}

bool utf8_is_valid(struct span text)
{
	while (text.len > 0) {
		uint32_t point;
		size_t len = utf8_take(text, &point);
		if (len == 0 || point == 0) {
			return false;
		}
		text.data += len;
		text.len -= len;
	}
	return true;
}

/* Bits on their way into or out of base64. */
struct bits {
	uint32_t value;
	unsigned count;
};

static void unit_append(struct buf *out, struct bits *bits, uint32_t unit)
{
	bits->value = bits->value << 16 | unit;
	bits->count += 16;
	while (bits->count >= 6) {
		bits->count -= 6;
		buf_append_char(out, base64_digits[bits->value >> bits->count & 0x3f]);
	}
}

static void shift_close(struct buf *out, struct bits *bits)
{
	if (bits->count > 0) {
		buf_append_char(out, base64_digits[bits->value << (6 - bits->count) & 0x3f]);
	}
	buf_append_char(out, '-');
}

static bool point_is_plain(uint32_t point)
{
	return point >= 0x20 && point <= 0x7e;
}

static void shifted_append(struct buf *out, struct bits *bits, uint32_t point)
{
	if (point >= 0x10000) {
		unit_append(out, bits, 0xd800 + ((point - 0x10000) >> 10));
		unit_append(out, bits, 0xdc00 + ((point - 0x10000) & 0x3ff));
	} else {
		unit_append(out, bits, point);
	}
}

int mutf7_encode(struct span text, struct buf *out, struct err *err)
{
	struct bits bits = {0, 0};
	bool is_shifted = false;
	size_t start = out->len;
	while (text.len > 0) {
		uint32_t point;
		size_t len = utf8_take(text, &point);
		if (len == 0) {
			buf_truncate(out, start);
			return err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
				       "a name is not valid UTF-8");
		}
		text.data += len;
		text.len -= len;
		if (point_is_plain(point)) {
			if (is_shifted) {
				shift_close(out, &bits);
			}
			is_shifted = false;
			buf_append_cstr(out, point == '&' ? "&-" : "");
			if (point != '&') {
				buf_append_char(out, (char)point);
			}
			continue;
		}
		if (!is_shifted) {
			buf_append_char(out, '&');
			bits = (struct bits){0, 0};
			is_shifted = true;
		}
		shifted_append(out, &bits, point);
	}
	if (is_shifted) {
		shift_close(out, &bits);
	}
	return buf_status(out, "a mailbox name", err);
}

/* Decodes one "&...-" whose digits are TEXT. False for what no encoder would write. */
static bool shifted_decode(struct span text, struct buf *out)
{
	struct bits bits = {0, 0};
	uint32_t high = 0;
	for (size_t i = 0; i < text.len; i++) {
		const char *digit = memchr(base64_digits, text.data[i], 64);
		if (digit == NULL) {
			return false;
		}
		bits.value = bits.value << 6 | (uint32_t)(digit - base64_digits);
		bits.count += 6;
		if (bits.count < 16) {
			continue;
		}
		bits.count -= 16;
		uint32_t unit = bits.value >> bits.count & 0xffff;
		bool is_low = unit >= 0xdc00 && unit <= 0xdfff;
		if (is_low != (high != 0) || point_is_plain(unit)) {
			return false;
		}
		if (unit >= 0xd800 && unit <= 0xdbff) {
			high = unit;
			continue;
		}
		utf8_append(out,
			    is_low ? 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00) : unit);
		high = 0;
	}
	return high == 0 && bits.count < 6 && (bits.value & ((1u << bits.count) - 1)) == 0;
}

static bool text_decode(struct span text, struct buf *out)
{
	bool was_shifted = false;
	while (text.len > 0) {
		char c = text.data[0];
		if (c != '&') {
			if (!point_is_plain((unsigned char)c)) {
				return false;
			}
			buf_append_char(out, c);
			text.data++;
			text.len--;
			was_shifted = false;
			continue;
		}
		const char *end = memchr(text.data, '-', text.len);
		if (end == NULL) {
			return false;
		}
		size_t len = (size_t)(end - text.data) + 1;
		if (len == 2) {
			buf_append_char(out, '&');
			was_shifted = false;
		} else {
			/* Two shifts in a row would have been one. */
			struct span digits = {text.data + 1, len - 2};
			if (was_shifted || !shifted_decode(digits, out)) {
				return false;
			}
			was_shifted = true;
		}
		text.data += len;
		text.len -= len;
	}
	return true;
}

int mutf7_decode(struct span text, struct buf *out, struct err *err)
{
	size_t start = out->len;
	if (!text_decode(text, out)) {
		buf_truncate(out, start);
		return err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
			       "a name is not valid modified UTF-7");
	}
	return buf_status(out, "a mailbox name", err);
}
