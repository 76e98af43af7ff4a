/*
 * The remote side over POP3 (RFC 1939): one logged-in connection and what sync asks of a maildrop.
 * It reads and does what it is told; it decides nothing. CAPA and PIPELINING (RFC 2449), SASL
 * (RFC 5034), APOP; STLS and implicit TLS are libcurl's part (net/conn.h).
 *
 *     pop3_open                        connected and logged in
 *     pop3_list                        what is there: numbers, sizes, unique-ids
 *     pop3_queue..., pop3_fetch_next...    bodies (RETR) or headers (TOP n 0)
 *     pop3_queue..., pop3_dele_next...     deletions
 *     pop3_quit, pop3_close            QUIT is what deletes
 *
 * Commands are pipelined where the server offers PIPELINING, else one is in flight: ask
 * pop3_has_room before each `queue`. Answers come in the order queued; bodies and deletions are
 * not mixed. One thread a handle.
 */
#ifndef MAILSYNC_STORE_POP3_H
#define MAILSYNC_STORE_POP3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/log.h"
#include "mailsync/base/span.h"
#include "mailsync/base/stop.h"
#include "mailsync/base/strlist.h"
#include "mailsync/model/identity.h"
#include "mailsync/model/server.h"
#include "mailsync/store/remote.h"

struct pop3;

struct pop3_params {
	const struct server *server;
	struct log *log;
	const char *label; /* for the log: "work" */
	bool wants_utf8;   /* UTF8 (RFC 6856), where it is offered */
	const stop_flag *stop;
};

/* Connects and logs in; the strongest mechanism first. Errors as conn_open, and -ERR_LOGIN or
 * -ERR_TEMPORARY ([IN-USE], [LOGIN-DELAY], [SYS/TEMP], or words like them) with the server's
 * words. */
int pop3_open(struct pop3 **pop3, const struct pop3_params *params, struct err *err);
/* Drops the connection; sends nothing, so nothing is deleted. */
void pop3_close(struct pop3 **pop3);
/* QUIT and its answer. 0: what DELE named is gone. -ERR_REFUSED: some of it may not be. Any other
 * failure: unknown. */
int pop3_quit(struct pop3 *pop3, struct err *err);
/* QUIT where DELE named nothing: its answer is waited for two seconds at most. */
void pop3_leave(struct pop3 *pop3);

/* Where the server knows no CAPA it is tried. */
bool pop3_has_top(const struct pop3 *pop3);
/* For `check`: appends a line for people on each ability, and what is done without it. HAS_UIDL:
 * the listing's. */
int pop3_explain(const struct pop3 *pop3, bool has_uidl, struct strlist *lines, struct err *err);
/* True where the server greets as Gmail does, which lists only some messages a session. */
bool pop3_is_gmail(const struct pop3 *pop3);
/* So long after a login the server wants none (LOGIN-DELAY); 0: it does not say so. */
int64_t pop3_login_delay_s(const struct pop3 *pop3);
void pop3_get_totals(const struct pop3 *pop3, struct remote_totals *totals);

/* A message of a listing. Server's claims, all of it. */
struct pop3_entry {
	uint32_t number;
	uint32_t uidl_at;   /* in the listing's `uidls` */
	struct told size;   /* bytes */
	bool has_two_uidls; /* it was told another one, too, which is as if none was; */
	bool has_two_sizes; /* likewise */
};

#define POP3_LISTING_MAX (1u << 20) /* messages */
#define POP3_UIDL_MAX    128        /* longer or odd unique-ids are held as their digest */

struct pop3_listing {
	struct pop3_entry *items; /* by number, each once */
	size_t count;
	size_t cap;
	char *uidls; /* NUL-terminated strings; the first one is "" */
	size_t uidls_len;
	size_t uidls_cap;
	bool has_uidl; /* the server answered UIDL */
};

/* UIDL and LIST, both complete, or an error. Memory: 24 bytes and the unique-id a message. */
int pop3_list(struct pop3 *pop3, struct pop3_listing *listing, struct err *err);
void pop3_listing_finish(struct pop3_listing *listing);
/* The unique-id, or "" where the server gave none. "digest " and hexadecimal for one that RFC
 * 1939 does not allow (blanks cannot occur in others). */
const char *pop3_entry_uidl(const struct pop3_listing *listing, const struct pop3_entry *entry);

/* True when another command may be queued now. */
bool pop3_has_room(struct pop3 *pop3);
/* From now on so many commands at most are in flight; 0: as many as ever. */
void pop3_limit(struct pop3 *pop3, size_t window);

enum pop3_want {
	POP3_WANT_MESSAGE, /* RETR n */
	POP3_WANT_HEADER,  /* TOP n 0 */
	POP3_WANT_DELETION /* DELE n */
};
int pop3_queue(struct pop3 *pop3, enum pop3_want want, uint32_t number, struct err *err);

enum pop3_piece_kind {
	PIECE_BEGIN,   /* the server agreed: the body of `number` follows */
	PIECE_DATA,    /* data: valid until the next call */
	PIECE_END,     /* the body is whole; size_bytes: its length, with the server's line ends */
	PIECE_REFUSED, /* -ERR: the body does not come; data: the server's words */
	PIECE_NONE     /* nothing is in flight any more */
};
struct pop3_piece {
	enum pop3_piece_kind kind;
	uint32_t number;
	struct span data;
	uint64_t size_bytes;
	/* END: it has a line of a single dot that the server failed to stuff. Only a size that is
	 * LIST's proves it whole. */
	bool has_lone_dot;
	bool is_passing; /* REFUSED: for now ([SYS/TEMP], [IN-USE], [LOGIN-DELAY]) */
	/* END: by how much LIST may have told more without having meant another body. */
	uint64_t slack_bytes;
};
/*
 * Blocks. -ERR_PROTOCOL when what follows a body is no status line: then the body before it was cut
 * by a lone dot that the server failed to stuff, and the connection is of no more use.
 */
int pop3_fetch_next(struct pop3 *pop3, struct pop3_piece *piece, struct err *err);
/* The same where only the header matters: no PIECE_DATA comes, and with PIECE_END, IDENTITY. */
int pop3_identity_next(struct pop3 *pop3, struct pop3_piece *piece,
		       struct header_identity *identity, struct err *err);

/* Says that no more bodies are going to be queued. Where commands are pipelined this queues NOOP,
 * so that something follows the last body, too; there has to be room for it. */
int pop3_fetch_end(struct pop3 *pop3, struct err *err);
/* Proves that the last body was whole (see pop3_fetch_next), or that the server did not hang up on
 * what it refused last: by NOOP, unless pop3_fetch_end queued one. Nothing may be in flight. */
int pop3_confirm(struct pop3 *pop3, struct err *err);

/* Of DELE. *IS_OK false: refused, WORDS tell why (valid until the next call). */
int pop3_dele_next(struct pop3 *pop3, bool *is_ok, struct span *words, struct err *err);

#endif
