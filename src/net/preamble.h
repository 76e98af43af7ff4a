/*
 * The lines that libcurl reads from the server before it hands the connection over: greeting,
 * capabilities, the tagged ends of its own commands. Pure: lines and the time come in. What the
 * lines say is untrusted.
 *
 *     preamble_init(&pre, protocol, is_starttls)
 *     preamble_feed(&pre, bytes, now_us)      as they come
 *     preamble_seal(&pre)                     the connection stands: cut what came before TLS
 *     preamble_lines(&pre)
 */
#ifndef MAILSYNC_NET_PREAMBLE_H
#define MAILSYNC_NET_PREAMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/span.h"
#include "mailsync/net/conn.h"

#define PREAMBLE_MAX 131072

struct preamble {
	enum conn_protocol protocol;
	bool is_starttls;
	struct buf lines;
	size_t parsed; /* bytes of whole lines that were looked at */
	size_t greeting_len;
	size_t cleartext_len; /* bytes up to the end of the answer to STARTTLS */
	size_t words_at;      /* the last line that is a BYE, NO, BAD or -ERR */
	size_t words_len;
	bool in_list;      /* POP3: inside the lines of CAPA's answer */
	unsigned commands; /* that libcurl has had answered */
	unsigned turns;
	uint64_t bytes_in;   /* all lines, those that sealing cuts too */
	uint64_t bytes_out;  /* what these commands are known to be */
	int64_t answered_us; /* when the last answer came, which libcurl replied to at once */
	int64_t rtt_us;      /* smallest time from there to the next line; 0: unknown */
};

void preamble_init(struct preamble *pre, enum conn_protocol protocol, bool is_starttls);
void preamble_finish(struct preamble *pre);
/* False when there is more than PREAMBLE_MAX, or no memory. */
bool preamble_feed(struct preamble *pre, struct span bytes, int64_t now_us);
/* After STARTTLS only the greeting and what came inside TLS stay. */
void preamble_seal(struct preamble *pre);
struct span preamble_lines(const struct preamble *pre);
/* The first line without its line end. */
struct span preamble_greeting(const struct preamble *pre);
/* True when the first line is one that no server of the protocol greets with. */
bool preamble_is_odd(const struct preamble *pre);
/* The server's last complaint, without tag and line end; empty where it made none. */
struct span preamble_complaint(const struct preamble *pre);
/* True when the words tell of something that passes: busy, too many connections, later. */
bool preamble_is_passing(struct span words);

#endif
