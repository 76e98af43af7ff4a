#include "preamble.h"

#include <string.h>
#include <strings.h>

void preamble_init(struct preamble *pre, enum conn_protocol protocol, bool is_starttls)
{
	*pre = (struct preamble){.protocol = protocol, .is_starttls = is_starttls};
	buf_init(&pre->lines, PREAMBLE_MAX);
}

void preamble_finish(struct preamble *pre)
{
	buf_finish(&pre->lines);
}

static struct span span_chomp(struct span line)
{
	while (line.len > 0 &&
	       (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r')) {
		line.len--;
	}
	return line;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* libcurl's tags: a letter, three or more digits, a space. 0 where LINE does not begin so. */
static size_t tag_len(struct span line)
{
	size_t i = 1;

	if (line.len == 0 || line.data[0] < 'A' || line.data[0] > 'Z') {
		return 0;
	}
	while (i < line.len && is_digit(line.data[i])) {
		i++;
	}
	return i >= 4 && i < line.len && line.data[i] == ' ' ? i + 1 : 0;
}

/* STARTTLS is the second command, where it was asked for; all others asked for capabilities. */
static void command_answered(struct preamble *pre, size_t tag, size_t line_end)
{
	bool is_starttls;

	pre->commands++;
	pre->turns++;
	is_starttls = pre->is_starttls && pre->commands == 2;
	if (is_starttls) {
		pre->cleartext_len = line_end;
	}
	if (pre->protocol == CONN_POP3) {
		pre->bytes_out += strlen("CAPA\r\n");
	} else {
		pre->bytes_out += tag + strlen(is_starttls ? "STARTTLS\r\n" : "CAPABILITY\r\n");
	}
}

static void complaint_at(struct preamble *pre, size_t at, size_t len)
{
	pre->words_at = at;
	pre->words_len = len;
}

static void imap_line(struct preamble *pre, size_t at, struct span line, size_t line_end)
{
	size_t tag = tag_len(line);
	struct span rest = {line.data + tag, line.len - tag};

	if (span_starts_nocase(line, "* BYE")) {
		complaint_at(pre, at + 2, line.len - 2);
	} else if (line.len > 0 && line.data[0] == '+') {
		pre->turns++;
	}
	if (tag == 0) {
		return;
	}
	if (span_starts_nocase(rest, "NO") || span_starts_nocase(rest, "BAD")) {
		complaint_at(pre, at + tag, rest.len);
	}
	command_answered(pre, tag, line_end);
}

static void pop3_line(struct preamble *pre, size_t at, struct span line, size_t line_end)
{
	bool is_starttls = pre->is_starttls && pre->commands == 1;

	if (pre->in_list) {
		if (span_equal_cstr(line, ".")) {
			pre->in_list = false;
			command_answered(pre, 0, line_end);
		}
	} else if (span_starts_nocase(line, "-ERR")) {
		complaint_at(pre, at, line.len);
		command_answered(pre, 0, line_end);
	} else if (span_starts_nocase(line, "+OK")) {
		if (is_starttls || pre->commands > (pre->is_starttls ? 2 : 0)) {
			command_answered(pre, 0, line_end);
		} else {
			pre->in_list = true;
		}
	} else if (line.len > 0 && line.data[0] == '+') {
		pre->turns++;
	}
}

static void greeting_line(struct preamble *pre, struct span line, size_t line_end)
{
	pre->greeting_len = line_end;
	if (span_starts_nocase(line, "* BYE")) {
		complaint_at(pre, 2, line.len - 2);
	} else if (span_starts_nocase(line, "-ERR")) {
		complaint_at(pre, 0, line.len);
	}
}

static void line_parsed(struct preamble *pre, size_t at, size_t line_end, int64_t now_us)
{
	struct span line = span_chomp((struct span){pre->lines.data + at, line_end - at});
	unsigned commands = pre->commands;

	if (pre->answered_us != 0) {
		int64_t elapsed = now_us - pre->answered_us;

		if (elapsed > 0 && (pre->rtt_us == 0 || elapsed < pre->rtt_us)) {
			pre->rtt_us = elapsed;
		}
		pre->answered_us = 0;
	}
	if (pre->greeting_len == 0) {
		greeting_line(pre, line, line_end);
		pre->answered_us = now_us;
		return;
	}
	if (pre->protocol == CONN_IMAP) {
		imap_line(pre, at, line, line_end);
	} else {
		pop3_line(pre, at, line, line_end);
	}
	/* Behind the answer to STARTTLS comes the handshake, which is no measure. */
	if (pre->commands != commands && pre->cleartext_len != line_end) {
		pre->answered_us = now_us;
	}
}

bool preamble_feed(struct preamble *pre, struct span bytes, int64_t now_us)
{
	buf_append_span(&pre->lines, bytes);
	if (pre->lines.failed != 0) {
		return false;
	}
	pre->bytes_in += bytes.len;
	while (pre->parsed < pre->lines.len) {
		size_t at = pre->parsed;
		const char *end = memchr(pre->lines.data + at, '\n', pre->lines.len - at);

		if (end == NULL) {
			break;
		}
		pre->parsed = (size_t)(end + 1 - pre->lines.data);
		line_parsed(pre, at, pre->parsed, now_us);
	}
	return true;
}

void preamble_seal(struct preamble *pre)
{
	struct buf *lines = &pre->lines;

	if (pre->cleartext_len <= pre->greeting_len) {
		return;
	}
	memmove(lines->data + pre->greeting_len, lines->data + pre->cleartext_len,
		lines->len - pre->cleartext_len);
	buf_truncate(lines, lines->len - (pre->cleartext_len - pre->greeting_len));
	pre->cleartext_len = 0;
	pre->parsed = lines->len;
	pre->words_len = 0;
}

struct span preamble_lines(const struct preamble *pre)
{
	return buf_span(&pre->lines);
}

struct span preamble_greeting(const struct preamble *pre)
{
	size_t len = pre->greeting_len != 0 ? pre->greeting_len : pre->lines.len;

	return span_chomp((struct span){pre->lines.data, len});
}

bool preamble_is_odd(const struct preamble *pre)
{
	struct span line = preamble_greeting(pre);

	if (pre->greeting_len == 0) {
		return false;
	}
	if (pre->protocol == CONN_POP3) {
		return !span_starts_nocase(line, "+OK") && !span_starts_nocase(line, "-ERR");
	}
	return !span_starts_nocase(line, "* OK") && !span_starts_nocase(line, "* PREAUTH") &&
	       !span_starts_nocase(line, "* BYE");
}

struct span preamble_complaint(const struct preamble *pre)
{
	if (pre->words_len == 0) {
		return SPAN_LIT("");
	}
	return (struct span){pre->lines.data + pre->words_at, pre->words_len};
}

/* Response codes of RFC 5530, 2449 and 3206, and what servers say in plain words. */
static const char *const passing_words[] = {
	"UNAVAILABLE",    "[INUSE]",  "[IN-USE]",      "[LOGIN-DELAY]", "[SYS/TEMP]",
	"[LIMIT]",        "too many", "try again",     "try later",     "later",
	"temporar",       "busy",     "overload",      "shutting down", "shutdown",
	"maintenance",    "exceeded", "timeout",       "timed out",     "at this time",
	"already locked", "in use",   "limit reached", "not available", "not ready",
	"restart",
};

static bool span_has_word(struct span text, const char *word)
{
	size_t len = strlen(word);
	size_t i;

	for (i = 0; i + len <= text.len; i++) {
		if (strncasecmp(text.data + i, word, len) == 0) {
			return true;
		}
	}
	return false;
}

bool preamble_is_passing(struct span words)
{
	size_t i;

	for (i = 0; i < sizeof(passing_words) / sizeof(passing_words[0]); i++) {
		if (span_has_word(words, passing_words[i])) {
			return true;
		}
	}
	return false;
}
