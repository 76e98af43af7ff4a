/* Mailbox names as a server writes them. */
#include <string.h>

#include "mailsync/model/mbname.h"
#include "mailsync/model/mutf7.h"
#include "mbname_private.h"

/* True when NAME lies in the personal namespace; *NAME is then without the prefix. The INBOX
 * that a prefix may begin with has any case. */
static bool prefix_take(const struct mbname_wire *wire, struct span *name)
{
	struct span prefix = span_of(wire->prefix);
	size_t folded = span_starts_nocase(prefix, "INBOX") ? 5 : 0;
	if (prefix.len == 0 || name->len < prefix.len) {
		return false;
	}
	if ((folded > 0 && !span_starts_nocase(*name, "INBOX")) ||
	    memcmp(name->data + folded, prefix.data + folded, prefix.len - folded) != 0) {
		return false;
	}
	name->data += prefix.len;
	name->len -= prefix.len;
	return true;
}

/* Wire bytes to UTF-8, separators as they are. */
static int wire_decode(const struct mbname_wire *wire, struct span name, struct buf *out,
		       struct err *err)
{
	if (!wire->is_utf8) {
		int code = mutf7_decode(name, out, err);
		if (code != -ERR_PARTIAL || !utf8_is_valid(name)) {
			return code;
		}
	}
	buf_append_span(out, name);
	return buf_status(out, "a mailbox name", err);
}

/* One component of a server's name, "/" and the "%" that could be an escape as escapes. */
static void component_append(struct span component, bool is_first, struct buf *out)
{
	if (is_first && mbname_is_inbox(component)) {
		buf_append_cstr(out, "INBOX");
		return;
	}
	for (size_t i = 0; i < component.len; i++) {
		char c = component.data[i];
		if (c == '/') {
			buf_append_cstr(out, "%2F");
		} else if (c == '%' && mbname_hex_at(component, i + 1)) {
			buf_append_cstr(out, "%25");
		} else {
			buf_append_char(out, c);
		}
	}
}

static int decoded_append(const struct mbname_wire *wire, struct span decoded, struct buf *out,
			  struct err *err)
{
	size_t start = out->len;
	struct span rest = decoded;
	struct span component;
	while (mbname_component_next(&rest, wire->separator, &component)) {
		bool is_first = component.data == decoded.data;
		if (!is_first) {
			buf_append_char(out, '/');
		}
		component_append(component, is_first, out);
	}
	int code = buf_status(out, "a mailbox name", err);
	if (code != 0) {
		return code;
	}
	return mbname_check((struct span){out->data + start, out->len - start}, err);
}

int mbname_from_wire(const struct mbname_wire *wire, struct span name, struct buf *out,
		     struct err *err)
{
	if (mbname_is_inbox(name)) {
		buf_append_cstr(out, "INBOX");
		return buf_status(out, "a mailbox name", err);
	}
	if (name.len == 0 || name.len > MBNAME_MAX) {
		return mbname_refuse(name, "is empty or too long", err);
	}
	struct span inner = name;
	if (prefix_take(wire, &inner) && mbname_is_inbox(inner)) {
		return mbname_refuse(name, "would be a second INBOX", err);
	}
	size_t start = out->len;
	struct buf decoded;
	buf_init(&decoded, MBNAME_MAX);
	int code = wire_decode(wire, inner, &decoded, err);
	if (code == 0) {
		code = decoded_append(wire, buf_span(&decoded), out, err);
	}
	buf_finish(&decoded);
	if (code != 0) {
		buf_truncate(out, start);
	}
	return code;
}

/* A canonical component without its escapes. */
static void component_unescape(struct span component, struct buf *out)
{
	for (size_t i = 0; i < component.len; i++) {
		if (component.data[i] == '%' && mbname_hex_at(component, i + 1)) {
			buf_append_char(out, component.data[i + 2] == 'F' ? '/' : '%');
			i += 2;
		} else {
			buf_append_char(out, component.data[i]);
		}
	}
}

static int component_to_wire(const struct mbname_wire *wire, struct span component, struct buf *out,
			     struct err *err)
{
	struct buf plain;
	buf_init(&plain, MBNAME_MAX);
	component_unescape(component, &plain);
	int code = buf_status(&plain, "a mailbox name", err);
	if (code == 0 && wire->separator != '\0' && plain.len > 0 &&
	    memchr(plain.data, wire->separator, plain.len) != NULL) {
		code = mbname_refuse(component,
				     "holds the character that this server has between "
				     "the parts of a name; rename its folder",
				     err);
	}
	if (code == 0 && wire->is_utf8) {
		buf_append_span(out, buf_span(&plain));
	} else if (code == 0) {
		code = mutf7_encode(buf_span(&plain), out, err);
	}
	buf_finish(&plain);
	return code;
}

static int components_to_wire(const struct mbname_wire *wire, struct span name, struct buf *out,
			      struct err *err)
{
	struct span rest = name;
	struct span component;
	buf_append_cstr(out, wire->prefix);
	bool is_first = true;
	while (mbname_component_next(&rest, '/', &component)) {
		if (!is_first && wire->separator == '\0') {
			return mbname_refuse(name, "has a parent, which this server has not", err);
		}
		if (!is_first) {
			buf_append_char(out, wire->separator);
		}
		int code = component_to_wire(wire, component, out, err);
		if (code != 0) {
			return code;
		}
		is_first = false;
	}
	return buf_status(out, "a mailbox name", err);
}

int mbname_to_wire(const struct mbname_wire *wire, const char *name, struct buf *out,
		   struct err *err)
{
	struct span canonical = span_of(name);
	int code = mbname_check(canonical, err);
	if (code != 0) {
		return code;
	}
	if (mbname_is_inbox(canonical)) {
		buf_append_cstr(out, "INBOX");
		return buf_status(out, "a mailbox name", err);
	}
	size_t start = out->len;
	code = components_to_wire(wire, canonical, out, err);
	if (code == 0 && out->len - start > MBNAME_MAX) {
		code = mbname_refuse(canonical, "is too long", err);
	}
	if (code != 0) {
		buf_truncate(out, start);
	}
	return code;
}
