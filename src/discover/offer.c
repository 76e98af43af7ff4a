/* What stands in the lines that a server says while it is connected to. Pure. */
#include <string.h>

#include "mailsync/proto/imap_parse.h"
#include "mailsync/proto/sasl.h"
#include "discover_private.h"

/* The first line of *LINES, without its end, which is taken off them. */
static bool line_next(struct span *lines, struct span *line)
{
	if (lines->len == 0) {
		return false;
	}
	const char *end = memchr(lines->data, '\n', lines->len);
	size_t len = end ? (size_t)(end - lines->data) : lines->len;
	size_t taken = len + (end != NULL);
	*line = (struct span){lines->data, len};
	line->len -= len > 0 && line->data[len - 1] == '\r';
	lines->data += taken;
	lines->len -= taken;
	return true;
}

static void add_mech(struct discover_offer *offer, struct span name)
{
	enum auth mech = sasl_by_name(name);

	offer->mechs |= mech == AUTH_NONE ? 0 : AUTH_BIT(mech);
}

static void read_imap(struct span line, struct discover_offer *offer)
{
	struct span word;

	if (!imap_next_word(&line, &word) || !span_equal_cstr(word, "*") ||
	    !imap_next_word(&line, &word) || !span_equal_nocase(word, "CAPABILITY")) {
		return;
	}
	offer->is_told = true;
	offer->mechs = AUTH_BIT(AUTH_COMMAND);
	bool is_disabled = false;
	while (imap_next_word(&line, &word)) {
		is_disabled = is_disabled || span_equal_nocase(word, "LOGINDISABLED");
		if (span_starts_nocase(word, "AUTH=")) {
			add_mech(offer, (struct span){word.data + 5, word.len - 5});
		}
	}
	offer->mechs &= is_disabled ? ~AUTH_BIT(AUTH_COMMAND) : ~0U;
}

static void read_pop3(struct span line, struct discover_offer *offer)
{
	struct span word;

	if (!imap_next_word(&line, &word)) {
		return;
	}
	if (span_equal_nocase(word, "USER")) {
		offer->is_told = true;
		offer->mechs |= AUTH_BIT(AUTH_COMMAND);
	}
	if (span_equal_nocase(word, "SASL")) {
		offer->is_told = true;
		while (imap_next_word(&line, &word)) {
			add_mech(offer, word);
		}
	}
}

void offer_read(enum conn_protocol protocol, struct span lines, struct discover_offer *offer)
{
	struct span line;

	*offer = (struct discover_offer){0};
	while (line_next(&lines, &line)) {
		if (protocol == CONN_IMAP) {
			read_imap(line, offer);
		} else {
			read_pop3(line, offer);
		}
	}
}
