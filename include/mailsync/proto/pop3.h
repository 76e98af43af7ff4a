/*
 * What a POP3 server sends, without I/O (RFC 1939, CAPA and PIPELINING 2449, response codes 2449
 * and 3206, SASL 5034). Bytes are put in, events are taken out, one at a time:
 *
 *     pop3_parser_expect(parser, POP3_REPLY_UIDL, &err)   for each command, in the order sent
 *     room = pop3_parser_reserve(parser, want, &err);  n = recv(..., room, want);
 *     pop3_parser_commit(parser, n);
 *     while ((code = pop3_parser_next(parser, &event, &err)) == 0 && event.type != POP3_MORE)
 *             ...;
 *
 * POP3 answers carry no tag and look alike, so the parser has to be told which one comes next.
 * Spans in an event point into the parser and are valid until the next call of any of its
 * functions. Broken lines come with `is_broken` and parsing goes on at the next line; a status or
 * listing line over POP3_LINE_MAX bytes is -ERR_PROTOCOL.
 *
 * Bodies are handed on in pieces as they arrive, never held. Dots:
 *   a line of two dots or more loses the first one; a line of one dot and more text is what a
 *   server sends that does not know dot-stuffing, and stays as it is;
 *   dot CR LF ends the body; dot LF ends it where the server ends its lines with bare LF (the
 *   status line did, or no line of this body had CR LF), and is data elsewhere.
 * CR and NUL are ordinary bytes. A server that fails to stuff may send a lone dot in the middle of
 * a body. Where another answer is expected, what follows shows that the dot is not the end:
 * `has_lone_dot`. Else, or where a blank line follows, it ends the body, and the rest shows as a
 * broken status line or as POP3_STRAY.
 *
 * Not a session: it knows nothing of states. One parser a connection; one thread.
 */
#ifndef MAILSYNC_PROTO_POP3_H
#define MAILSYNC_PROTO_POP3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

#define POP3_LINE_MAX      4096
#define POP3_IN_FLIGHT_MAX 512 /* replies expected at a time */

enum pop3_reply {
	POP3_REPLY_STATUS, /* one line; the greeting too */
	POP3_REPLY_AUTH,   /* "+ challenge" lines, then one status line */
	POP3_REPLY_CAPA,
	POP3_REPLY_UIDL,
	POP3_REPLY_LIST,
	POP3_REPLY_BODY /* RETR, TOP */
};

enum pop3_event_type {
	POP3_MORE,     /* feed more bytes */
	POP3_STATUS,   /* is_ok, is_last, code, text; is_broken when neither +OK nor -ERR */
	POP3_CONTINUE, /* text: base64 of a challenge */
	POP3_CAPA,     /* text: one capability with its arguments */
	POP3_UIDL,     /* number, text: the unique-id; is_broken: no number or no id */
	POP3_LIST,     /* number, size_bytes; is_broken likewise */
	POP3_BODY,     /* text: the next piece, unstuffed, with the line ends of the server */
	POP3_END,      /* the terminating dot of a multi-line reply */
	POP3_STRAY /* bytes that nothing was asked for; text: their beginning. They are dropped */
};

enum pop3_code {
	POP3_CODE_NONE,
	POP3_CODE_OTHER,
	POP3_CODE_IN_USE,
	POP3_CODE_LOGIN_DELAY,
	POP3_CODE_SYS_TEMP,
	POP3_CODE_SYS_PERM,
	POP3_CODE_AUTH
};

struct pop3_event {
	enum pop3_event_type type;
	enum pop3_reply reply; /* which of the expected ones it belongs to */
	bool is_ok;
	bool is_last; /* STATUS: the reply ends here (single-line, or -ERR) */
	bool is_broken;
	bool has_lone_dot; /* END */
	/* END of a body: by how much its size on the wire, as a server may count it, can be more
	 * than what came: dots that were dropped, line ends without CR, and the terminator. */
	uint64_t slack_bytes;
	enum pop3_code code;
	uint32_t number;
	uint64_t size_bytes;
	struct span text; /* STATUS: behind "+OK " or "-ERR "; the whole line when broken */
};

struct pop3_parser;

int pop3_parser_create(struct pop3_parser **parser, struct err *err);
void pop3_parser_destroy(struct pop3_parser **parser);

/* One more reply to come. -ERR_LIMIT over POP3_IN_FLIGHT_MAX. */
int pop3_parser_expect(struct pop3_parser *parser, enum pop3_reply reply, struct err *err);

/* Where up to LEN bytes may be written (NULL and ERR when out of memory), and how many were. */
char *pop3_parser_reserve(struct pop3_parser *parser, size_t len, struct err *err);
void pop3_parser_commit(struct pop3_parser *parser, size_t len);

int pop3_parser_next(struct pop3_parser *parser, struct pop3_event *event, struct err *err);

/* True for a unique-id that RFC 1939 allows, but for its length (up to LEN_MAX bytes). */
bool pop3_uidl_is_plain(struct span uidl, size_t len_max);

#endif
