/* Canonical mailbox names: what they are, and how users write them. */
#include "mailsync/model/mbname.h"

#include <string.h>

#include "mailsync/model/mutf7.h"
#include "mbname_private.h"

int mbname_refuse(struct span name, const char *reason, struct err *err)
{
	int len = name.len > 200 ? 200 : (int)name.len;
	return err_set(err, ERR_PARTIAL, SCOPE_MAILBOX, "the mailbox name \"%.*s\" %s", len,
		       name.data, reason);
}

bool mbname_is_inbox(struct span component)
{
	return span_equal_nocase(component, "INBOX");
}

bool mbname_component_next(struct span *rest, char separator, struct span *component)
{
	if (rest->data == NULL) {
		return false;
	}
	const char *end = separator == '\0' || rest->len == 0
				? NULL
				: memchr(rest->data, separator, rest->len);
	if (end == NULL) {
		*component = *rest;
		*rest = (struct span){NULL, 0};
		return true;
	}
	size_t len = (size_t)(end - rest->data);
	*component = (struct span){rest->data, len};
	*rest = (struct span){end + 1, rest->len - len - 1};
	return true;
}

static bool char_is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

bool mbname_hex_at(struct span text, size_t at)
{
	return at + 1 < text.len && char_is_hex(text.data[at]) && char_is_hex(text.data[at + 1]);
}

static bool text_has_controls(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		unsigned char next = i + 1 < text.len ? (unsigned char)text.data[i + 1] : 0;
		if (c < ' ' || c == 0x7f || (c == 0xc2 && next >= 0x80 && next <= 0x9f)) {
			return true;
		}
	}
	return false;
}

/* "%2F", or "%25" with two digits behind it, is an escape; other "%XX" may not be there. */
static bool escapes_are_canonical(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] != '%' || !mbname_hex_at(name, i + 1)) {
			continue;
		}
		bool is_slash = memcmp(name.data + i + 1, "2F", 2) == 0;
		bool is_percent = memcmp(name.data + i + 1, "25", 2) == 0;
		if (!is_slash && !(is_percent && mbname_hex_at(name, i + 3))) {
			return false;
		}
		i += 2;
	}
	return true;
}

int mbname_check(struct span name, struct err *err)
{
	struct span rest = name;
	struct span component;
	if (name.len == 0 || name.len > MBNAME_MAX) {
		return mbname_refuse(name, "is empty or too long", err);
	}
	if (!utf8_is_valid(name)) {
		return mbname_refuse(name, "is not valid UTF-8", err);
	}
	if (text_has_controls(name)) {
		return mbname_refuse(name, "holds control characters", err);
	}
	if (!escapes_are_canonical(name)) {
		return mbname_refuse(name,
				     "holds a % and two hexadecimal digits, which mailsync "
				     "writes as %25 and the digits",
				     err);
	}
	bool is_first = true;
	while (mbname_component_next(&rest, '/', &component)) {
		if (component.len == 0) {
			return mbname_refuse(name, "has an empty part", err);
		}
		if (is_first && mbname_is_inbox(component) &&
		    !span_equal_cstr(component, "INBOX")) {
			return mbname_refuse(name, "begins with INBOX in another case", err);
		}
		is_first = false;
	}
	return 0;
}

/* One component as a user wrote it: INBOX and stray "%XX" are normalised. */
static void user_component_append(struct span component, bool is_first, struct buf *out)
{
	if (is_first && mbname_is_inbox(component)) {
		buf_append_cstr(out, "INBOX");
		return;
	}
	for (size_t i = 0; i < component.len; i++) {
		buf_append_char(out, component.data[i]);
		if (component.data[i] != '%' || !mbname_hex_at(component, i + 1)) {
			continue;
		}
		const char *digits = component.data + i + 1;
		bool is_escape = memcmp(digits, "2F", 2) == 0 ||
				 (memcmp(digits, "25", 2) == 0 && mbname_hex_at(component, i + 3));
		buf_append_cstr(out, is_escape ? "" : "25");
		if (is_escape) {
			buf_append(out, digits, 2);
			i += 2;
		}
	}
}

int mbname_from_user(struct span text, struct buf *out, struct err *err)
{
	size_t start = out->len;
	struct span rest = text;
	struct span component;
	while (mbname_component_next(&rest, '/', &component)) {
		if (component.len == 0) {
			continue;
		}
		bool is_first = out->len == start;
		if (!is_first) {
			buf_append_char(out, '/');
		}
		user_component_append(component, is_first, out);
	}
	int code = buf_status(out, "a mailbox name", err);
	if (code == 0) {
		code = mbname_check((struct span){out->data + start, out->len - start}, err);
	}
	if (code != 0) {
		buf_truncate(out, start);
	}
	return code;
}
