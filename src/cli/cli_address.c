#include "cli_address.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/net/dns.h"

#define EXAMPLE "an address looks like name@example.org"

static int bad(struct err *err, const char *text, const char *why)
{
	return err_set(err, ERR_USAGE, SCOPE_RUN, "\"%.200s\" is no mail address: %s", text, why);
}

/* Appends the local part without its quotes; false where it is none. */
static bool append_local(struct span local, struct buf *out)
{
	bool is_quoted = local.len > 2 && local.data[0] == '"' && local.data[local.len - 1] == '"';

	if (!is_quoted) {
		for (size_t i = 0; i < local.len; i++) {
			if (strchr(" \"(),:;<>@[\\]", local.data[i])) {
				return false;
			}
		}
		buf_append_span(out, local);
		return local.len > 0;
	}
	for (size_t i = 1; i + 1 < local.len; i++) {
		bool is_escaped = local.data[i] == '\\';
		i += is_escaped;
		if (i + 1 == local.len || (!is_escaped && local.data[i] == '"')) {
			return false;
		}
		buf_append_char(out, local.data[i]);
	}
	return true;
}

static int read_local(struct cli_address *address, struct err *err)
{
	struct buf local;

	buf_init(&local, CLI_ADDRESS_MAX + 1);
	if (!append_local((struct span){address->text, address->at}, &local)) {
		buf_finish(&local);
		return bad(err, address->text, EXAMPLE);
	}
	address->local = buf_steal(&local);
	buf_finish(&local);
	if (!address->local) {
		return err_nomem(err);
	}
	/* The configuration takes blanks at the ends off. */
	size_t len = strlen(address->local);
	if (address->local[0] == ' ' || address->local[len - 1] == ' ') {
		return bad(err, address->text,
			   "a name that begins or ends with a blank cannot "
			   "stand in the configuration");
	}
	return 0;
}

static int read_domain(struct cli_address *address, struct err *err)
{
	char *domain = address->text + address->at + 1;
	struct buf ascii;
	struct err why;

	if (domain[0] == '[') {
		return bad(err, address->text, "what can be found out goes by the domain's name");
	}
	buf_init(&ascii, DNS_NAME_MAX + 1);
	int code = dns_domain(span_of(domain), &ascii, &why);
	if (code < 0) {
		buf_finish(&ascii);
		return code == -ERR_NOMEM ? err_nomem(err) : bad(err, address->text, EXAMPLE);
	}
	address->domain = buf_steal(&ascii);
	buf_finish(&ascii);
	ascii_lower_all(domain);
	return address->domain ? 0 : err_nomem(err);
}

static int read_text(struct cli_address *address, const char *text, struct err *err)
{
	const char *at = strrchr(text, '@');
	size_t len = strlen(text);
	int code;

	if (len > CLI_ADDRESS_MAX) {
		return bad(err, text, "it is too long");
	}
	if (!err_shows(text)) {
		return bad(err, text, "it has characters in it that cannot be seen");
	}
	if (!at || at == text || !at[1]) {
		return bad(err, text, EXAMPLE);
	}
	len -= text[len - 1] == '.';
	address->at = (size_t)(at - text);
	address->text = span_dup((struct span){text, len});
	if (!address->text) {
		return err_nomem(err);
	}
	if ((code = read_local(address, err)) < 0) {
		return code;
	}
	return read_domain(address, err);
}

int cli_address_read(struct cli_address *address, const char *text, struct err *err)
{
	struct cli_address read = {.text = NULL};
	int code = read_text(&read, text, err);

	if (code < 0) {
		cli_address_finish(&read);
	} else {
		*address = read;
	}
	return code;
}

void cli_address_finish(struct cli_address *address)
{
	free(address->text);
	free(address->local);
	free(address->domain);
	*address = (struct cli_address){.text = NULL};
}

/* Labels that registries put below a country's. */
static bool is_registry(struct span label)
{
	static const char *const labels[] = {"co",  "com", "org", "net", "ac",
					     "edu", "gov", "or",  "ne",  "go"};

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (span_equal_cstr(label, labels[i])) {
			return true;
		}
	}
	return false;
}

/* The last label of REST, which is taken off it. */
static struct span take_label(struct span *rest)
{
	size_t start = rest->len;

	while (start > 0 && rest->data[start - 1] != '.') {
		start--;
	}
	struct span label = {rest->data + start, rest->len - start};
	rest->len = start > 0 ? start - 1 : 0;
	return label;
}

void cli_address_append_name(const struct cli_address *address, struct buf *name)
{
	struct span rest = span_of(address->domain);

	(void)take_label(&rest);
	struct span label = take_label(&rest);
	if (is_registry(label) && rest.len > 0) {
		label = take_label(&rest);
	}
	buf_append_span(name, label);
}
