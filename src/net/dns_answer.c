/*
 * Invariants:
 * 1. Every read goes through take_*(), which refuse what lies beyond the packet's end.
 * 2. A compressed name only ever jumps back, before the place it jumped from: it ends.
 */
#include "dns_answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#define HEADER_SIZE    12
#define FLAG_ANSWER    0x8000U
#define FLAG_CUT       0x0200U
#define CODE_MASK      0x000FU
#define CODE_SERVFAIL  2
#define CODE_NXDOMAIN  3
#define CLASS_INTERNET 1
#define NAME_TEXT_MAX  1024 /* of any name, as text */

static const unsigned numbers[] = {[DNS_MX] = 15, [DNS_TXT] = 16, [DNS_SRV] = 33};

/* A place in the packet; what lies behind END is not to be read. */
struct cursor {
	struct span packet;
	size_t at;
	size_t end;
};

void dns_answer_init(struct dns_answer *answer)
{
	*answer = (struct dns_answer){0};
}

void dns_answer_finish(struct dns_answer *answer)
{
	free(answer->items);
	dns_answer_init(answer);
}

/* --- bytes --- */

static bool take_byte(struct cursor *cursor, unsigned *value)
{
	if (cursor->at >= cursor->end) {
		return false;
	}
	*value = (unsigned char)cursor->packet.data[cursor->at++];
	return true;
}

static bool take_number(struct cursor *cursor, unsigned *value)
{
	unsigned high, low;

	if (!take_byte(cursor, &high) || !take_byte(cursor, &low)) {
		return false;
	}
	*value = high << 8 | low;
	return true;
}

static bool skip(struct cursor *cursor, size_t count)
{
	if (count > cursor->end - cursor->at) {
		return false;
	}
	cursor->at += count;
	return true;
}

/* --- names --- */

/* The name at CURSOR as text with dots into NAME (NULL: it is only passed over), cut at its size.
 * Names may be compressed: a jump leads back into the packet, and ends the name here. */
static bool take_name(struct cursor *cursor, struct buf *name)
{
	struct cursor look = {cursor->packet, cursor->at, cursor->end};
	size_t floor = cursor->at;
	bool has_jumped = false;
	unsigned len, low;

	for (;;) {
		if (!take_byte(&look, &len)) {
			return false;
		}
		if (len >= 0xC0) {
			if (!take_byte(&look, &low)) {
				return false;
			}
			size_t target = (size_t)(len & 0x3FU) << 8 | low;
			cursor->at = has_jumped ? cursor->at : look.at;
			has_jumped = true;
			if (target >= floor || target < HEADER_SIZE) {
				return false;
			}
			floor = look.at = target;
			look.end = look.packet.len;
			continue;
		}
		const char *label = look.packet.data + look.at;
		if (len >= 0x40 || !skip(&look, len)) {
			return false;
		}
		if (len == 0) {
			cursor->at = has_jumped ? cursor->at : look.at;
			return true;
		}
		if (name) {
			/* A dot inside a label must not pass for one between two. */
			buf_append_cstr(name, memchr(label, '.', len) ? "\\"
					      : name->len > 0         ? "."
								      : "");
			buf_append(name, label, len);
		}
	}
}

/* Copies a host's name in lower case; false for one that is none. */
static bool copy_host(struct span name, char host[DNS_NAME_MAX + 1])
{
	if (name.len > DNS_NAME_MAX) {
		return false;
	}
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.data[i]);
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
				c == '_' || c == '.';
		if (!is_plain) {
			return false;
		}
		host[i] = c;
	}
	host[name.len] = '\0';
	return host[0] != '.' && host[0] != '-' && !strstr(host, "..");
}

static bool take_host(struct cursor *cursor, char host[DNS_NAME_MAX + 1])
{
	struct buf name;

	buf_init(&name, NAME_TEXT_MAX);
	bool is_host =
		take_name(cursor, &name) && name.failed == 0 && copy_host(buf_span(&name), host);
	buf_finish(&name);
	return is_host;
}

/* --- records --- */

/* The strings of a TXT record in one. */
static bool take_text(struct cursor *cursor, char text[DNS_TEXT_MAX + 1])
{
	size_t len = 0;
	unsigned count, c;

	while (cursor->at < cursor->end) {
		if (!take_byte(cursor, &count) || count > DNS_TEXT_MAX - len) {
			return false;
		}
		for (; count > 0; count--) {
			if (!take_byte(cursor, &c) || c < ' ' || c > '~') {
				return false;
			}
			text[len++] = (char)c;
		}
	}
	text[len] = '\0';
	return true;
}

/* The data of a record, which ends where CURSOR does. */
static bool take_data(struct cursor *cursor, enum dns_type type, struct dns_record *record)
{
	switch (type) {
	case DNS_TXT:
		return take_text(cursor, record->text);
	case DNS_MX:
		return take_number(cursor, &record->priority) && take_host(cursor, record->host);
	case DNS_SRV:
		return take_number(cursor, &record->priority) &&
		       take_number(cursor, &record->weight) && take_number(cursor, &record->port) &&
		       take_host(cursor, record->host);
	}
	return false;
}

static int add_record(struct dns_answer *answer, enum dns_type type, struct cursor data,
		      struct err *err)
{
	struct dns_record record = {0};

	/* One that says nonsense is none; the others may be good. */
	if (answer->count == DNS_RECORDS_MAX || !take_data(&data, type, &record)) {
		return 0;
	}
	if (ARRAY_RESERVE(&answer->items, answer->count + 1, &answer->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	answer->items[answer->count++] = record;
	return 0;
}

static int broken(struct err *err)
{
	return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT, "the name server's answer is broken");
}

/* What stands in the answer's COUNT records; those behind an alias count, too. */
static int read_records(struct dns_answer *answer, enum dns_type type, struct cursor *cursor,
			unsigned count, struct err *err)
{
	unsigned number, kind, size;
	int code = 0;

	for (; count > 0 && code == 0; count--) {
		if (!take_name(cursor, NULL) || !take_number(cursor, &number) ||
		    !take_number(cursor, &kind) || !skip(cursor, 4) ||
		    !take_number(cursor, &size)) {
			return broken(err);
		}
		struct cursor data = {cursor->packet, cursor->at, cursor->at + size};
		if (!skip(cursor, size)) {
			return broken(err);
		}
		if (number == numbers[type] && kind == CLASS_INTERNET) {
			code = add_record(answer, type, data, err);
		}
	}
	return code;
}

/* The lowest priority first, and in it the largest weight: RFC 2782 draws lots for each
 * connection, but what is written down once is to be the same each time. */
static int compare_records(const void *one, const void *other)
{
	const struct dns_record *x = one, *y = other;

	if (x->priority != y->priority) {
		return x->priority < y->priority ? -1 : 1;
	}
	if (x->weight != y->weight) {
		return x->weight > y->weight ? -1 : 1;
	}
	int order = strcmp(x->host, y->host);
	return order != 0 ? order : (x->port > y->port) - (x->port < y->port);
}

int dns_answer_read(struct dns_answer *answer, enum dns_type type, struct span packet,
		    struct err *err)
{
	struct cursor cursor = {packet, 0, packet.len};
	unsigned flags, questions, answers;

	if (!skip(&cursor, 2) || !take_number(&cursor, &flags) ||
	    !take_number(&cursor, &questions) || !take_number(&cursor, &answers) ||
	    !skip(&cursor, 4) || !(flags & FLAG_ANSWER)) {
		return broken(err);
	}
	answer->is_no_name = (flags & CODE_MASK) == CODE_NXDOMAIN;
	if (answer->is_no_name) {
		return 0;
	}
	if ((flags & CODE_MASK) != 0) {
		return err_set(err,
			       (flags & CODE_MASK) == CODE_SERVFAIL ? ERR_TEMPORARY : ERR_PROTOCOL,
			       SCOPE_ACCOUNT, "the name server says that it failed (code %u)",
			       flags & CODE_MASK);
	}
	if (flags & FLAG_CUT) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the name server's answer was cut short");
	}
	for (; questions > 0; questions--) {
		if (!take_name(&cursor, NULL) || !skip(&cursor, 4)) {
			return broken(err);
		}
	}
	int code = read_records(answer, type, &cursor, answers, err);
	if (code == 0 && type != DNS_TXT) {
		array_sort(answer->items, answer->count, sizeof(*answer->items), compare_records);
	}
	return code;
}
