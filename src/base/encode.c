/* Bytes as text: hexadecimal and base64 (RFC 4648). Declared in digest.h. */
#include <string.h>

#include "mailsync/base/digest.h"

void hex_encode(const uint8_t *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[data[i] >> 4];
		*out++ = digits[data[i] & 15];
	}
	*out = '\0';
}

#define BASE64_ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* DIGITS: the alphabet. */
static void encode(struct span data, const char digits[64], bool is_padded, struct buf *out)
{
	for (size_t i = 0; i < data.len; i += 3) {
		size_t count = data.len - i < 3 ? data.len - i : 3;
		uint32_t bits = 0;

		for (size_t j = 0; j < 3; j++) {
			bits = bits << 8 | (j < count ? (uint8_t)data.data[i + j] : 0u);
		}
		char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63], digits[bits >> 6 & 63],
				digits[bits & 63]};
		memset(four + count + 1, '=', 3 - count);
		buf_append(out, four, is_padded ? sizeof(four) : count + 1);
	}
}

void base64_encode(struct span data, struct buf *out)
{
	encode(data, BASE64_ALNUM "+/", true, out);
}

void base64url_encode(struct span data, struct buf *out)
{
	encode(data, BASE64_ALNUM "-_", false, out);
}

/* The value of a base64 digit, or -1. */
static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Bytes that FOUR digits stand for, written to OUT; 0 when they are not base64. Padding is
 * allowed in the LAST four only. */
static size_t base64_decode_four(const char *four, bool last, char out[3])
{
	size_t count = 4;
	uint32_t bits = 0;

	while (last && count > 2 && four[count - 1] == '=') {
		count--;
	}
	for (size_t i = 0; i < 4; i++) {
		int value = i < count ? base64_value(four[i]) : 0;
		if (value < 0) {
			return 0;
		}
		bits = bits << 6 | (uint32_t)value;
	}
	out[0] = (char)(bits >> 16);
	out[1] = (char)(bits >> 8 & 255);
	out[2] = (char)(bits & 255);
	return count - 1;
}

int base64_decode(struct span data, struct buf *out, struct err *err)
{
	size_t before = out->len;

	if (data.len % 4 != 0) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT, "not base64: its length is odd");
	}
	for (size_t i = 0; i < data.len; i += 4) {
		char three[3];
		size_t count = base64_decode_four(data.data + i, i + 4 == data.len, three);
		if (count == 0) {
			buf_truncate(out, before);
			return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
				       "not base64: a character that has no place there");
		}
		buf_append(out, three, count);
	}
	return buf_status(out, "decoded base64", err);
}
