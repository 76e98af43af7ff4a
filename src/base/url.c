#include "mailsync/base/url.h"

#include <arpa/inet.h>
#include <string.h>

#define HOST_MAX 255
#define PORT_MAX 65535

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* What may stand in an address at all. Not quotes, so that one can be put between quotes. */
static bool is_text(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c <= ' ' || c >= 0x7F || strchr("\"'\\<>^`{|}", c)) {
			return false;
		}
	}
	return true;
}

/* What stands before the first of ENDS; *REST is what is left, beginning with it. */
static struct span take_until(struct span *rest, const char *ends)
{
	size_t len = 0;

	while (len < rest->len && !strchr(ends, rest->data[len])) {
		len++;
	}
	struct span taken = {rest->data, len};
	*rest = (struct span){rest->data + len, rest->len - len};
	return taken;
}

static bool read_scheme(struct span *rest, struct url *url)
{
	url->scheme = take_until(rest, ":/?");
	if (url->scheme.len == 0 || rest->len < 3 || memcmp(rest->data, "://", 3) != 0) {
		return false;
	}
	*rest = (struct span){rest->data + 3, rest->len - 3};
	return true;
}

static bool read_port(struct span rest, struct url *url)
{
	uint32_t port;

	url->port = SPAN_LIT("");
	if (rest.len == 0) {
		return true;
	}
	url->port = (struct span){rest.data + 1, rest.len - 1};
	return rest.data[0] == ':' && url->port.len <= 5 && span_to_u32(url->port, &port) &&
	       port >= 1 && port <= PORT_MAX;
}

static bool read_authority(struct span authority, struct url *url)
{
	struct span rest = authority;

	if (rest.len > 0 && rest.data[0] == '[') {
		rest = (struct span){rest.data + 1, rest.len - 1};
		url->host = take_until(&rest, "]");
		if (rest.len == 0) {
			return false;
		}
		rest = (struct span){rest.data + 1, rest.len - 1};
		for (size_t i = 0; i < url->host.len; i++) {
			if (!is_alnum(url->host.data[i]) && !strchr(":.", url->host.data[i])) {
				return false;
			}
		}
	} else {
		url->host = take_until(&rest, ":");
		for (size_t i = 0; i < url->host.len; i++) {
			if (!is_alnum(url->host.data[i]) && !strchr("-._", url->host.data[i])) {
				return false;
			}
		}
	}
	return url->host.len > 0 && url->host.len <= HOST_MAX && read_port(rest, url);
}

bool url_read(struct span text, struct url *url)
{
	struct span rest = text;

	if (!is_text(text) || (text.len > 0 && memchr(text.data, '#', text.len)) ||
	    !read_scheme(&rest, url) || !read_authority(take_until(&rest, "/?"), url)) {
		return false;
	}
	url->path = take_until(&rest, "?");
	url->query = rest.len > 0 ? (struct span){rest.data + 1, rest.len - 1} : SPAN_LIT("");
	return true;
}

bool url_host_is_loopback(struct span host)
{
	char text[HOST_MAX + 1];
	struct in_addr ipv4;
	struct in6_addr ipv6;

	if (span_equal_nocase(host, "localhost")) {
		return true;
	}
	if (host.len > HOST_MAX) {
		return false;
	}
	memcpy(text, host.data, host.len);
	text[host.len] = '\0';
	if (inet_pton(AF_INET, text, &ipv4) == 1) {
		return ntohl(ipv4.s_addr) >> 24 == 127;
	}
	return inet_pton(AF_INET6, text, &ipv6) == 1 && IN6_IS_ADDR_LOOPBACK(&ipv6);
}

bool url_host_is_below(struct span host, struct span domain)
{
	host.len -= host.len > 0 && host.data[host.len - 1] == '.';
	if (host.len < domain.len || domain.len == 0) {
		return false;
	}
	size_t above = host.len - domain.len;
	for (size_t i = 0; i < domain.len; i++) {
		if (ascii_lower(host.data[above + i]) != ascii_lower(domain.data[i])) {
			return false;
		}
	}
	return above == 0 || host.data[above - 1] == '.';
}

bool url_is_safe(struct span text)
{
	struct url url;

	if (!url_read(text, &url)) {
		return false;
	}
	return span_equal_nocase(url.scheme, "https") ||
	       (span_equal_nocase(url.scheme, "http") && url_host_is_loopback(url.host));
}

void url_append_encoded(struct buf *out, struct span value)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];
		if (is_alnum((char)c) || (c != '\0' && strchr("-._~", c))) {
			buf_append_char(out, (char)c);
		} else {
			char three[3] = {'%', digits[c >> 4], digits[c & 15]};
			buf_append(out, three, sizeof(three));
		}
	}
}

void url_append_field(struct buf *out, const char *name, struct span value)
{
	if (out->len > 0 && out->data[out->len - 1] != '?') {
		buf_append_char(out, '&');
	}
	url_append_encoded(out, span_of(name));
	buf_append_char(out, '=');
	url_append_encoded(out, value);
}

bool url_field_next(struct span *rest, struct span *name, struct span *value)
{
	if (rest->len == 0) {
		return false;
	}
	struct span field = take_until(rest, "&");
	if (rest->len > 0) {
		*rest = (struct span){rest->data + 1, rest->len - 1};
	}
	*name = take_until(&field, "=");
	*value = field.len > 0 ? (struct span){field.data + 1, field.len - 1} : SPAN_LIT("");
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool url_append_decoded(struct buf *out, struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.data[i];
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			bool is_whole = value.len - i > 2;
			int high = is_whole ? hex_value(value.data[i + 1]) : -1;
			int low = is_whole ? hex_value(value.data[i + 2]) : -1;
			if (high < 0 || low < 0) {
				return false;
			}
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0') {
			return false;
		}
		buf_append_char(out, c);
	}
	return out->failed == 0;
}
