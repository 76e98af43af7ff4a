/* What the pop3_*.c files share: one logged-in connection. */
#ifndef STORE_POP3_PRIVATE_H
#define STORE_POP3_PRIVATE_H

#include "mailsync/net/conn.h"
#include "mailsync/proto/header.h"
#include "mailsync/proto/pop3.h"
#include "mailsync/store/pop3.h"

#define POP3_CAP_KNOWN          (1u << 0) /* the server answered CAPA */
#define POP3_CAP_TOP            (1u << 1)
#define POP3_CAP_UIDL           (1u << 2)
#define POP3_CAP_PIPELINING     (1u << 3)
#define POP3_CAP_USER           (1u << 4)
#define POP3_CAP_RESP_CODES     (1u << 5)
#define POP3_CAP_AUTH_RESP_CODE (1u << 6)
#define POP3_CAP_UTF8           (1u << 7)

#define POP3_WINDOW 256 /* commands in flight where the server offers PIPELINING */

struct pop3 {
	struct conn *conn;
	struct pop3_parser *parser;
	const struct server *server;
	struct log *log;
	char *label;
	struct blot blot; /* what no words of the server are to show */
	struct buf shown; /* the words of the last event, without that */
	unsigned caps;
	uint32_t login_delay_s;
	unsigned mechs; /* of CAPA: AUTH_BIT of each that we know */
	char *greeting; /* the text behind +OK */
	const char *login_name;
	bool is_unconnected; /* login_is_unconnected */
	uint64_t commands;
	uint32_t numbers[POP3_WINDOW]; /* of the messages in flight, a ring */
	size_t first;
	size_t in_flight;
	size_t window; /* so many at most; 0: as many as the server and we can */
	bool is_filling;
	bool is_confirmed;        /* the answer to NOOP came behind the last body */
	uint64_t body_size;       /* of the body under way, so far */
	uint32_t last_number;     /* of the last body that ended; 0: none yet */
	struct header_scan *scan; /* for pop3_identity_next */
};

/* --- pop3_session.c --- */

/* Queues LINE (without line end) and expects REPLY. */
int pop3_send(struct pop3 *pop3, const char *line, enum pop3_reply reply, struct err *err);
/* The next event, never POP3_MORE; blocks. Whoever quotes the server's words takes them from it:
 * no secret is in them. */
int pop3_event_next(struct pop3 *pop3, struct pop3_event *event, struct err *err);
/* The same as it came; and what makes the one of the other. */
int pop3_event_raw(struct pop3 *pop3, struct pop3_event *event, struct err *err);
void pop3_blot_words(struct pop3 *pop3, struct pop3_event *event);
/* Sends LINE and waits for its status line. */
int pop3_ask(struct pop3 *pop3, const char *line, enum pop3_reply reply, struct pop3_event *status,
	     struct err *err);
/* Fills ERR for an answer of -ERR to WHAT (or a broken one): what passes is ERR_TEMPORARY, else
 * CODE. */
int pop3_refused(const struct pop3_event *status, const char *what, enum err_code code,
		 struct err *err);
/* True for a refusal that passes by itself: by response code, or by the words of servers that send
 * none. */
bool pop3_is_passing(const struct pop3_event *status);
/* CAPA, into caps and mechs. A server that does not know it is no error. */
int pop3_ask_caps(struct pop3 *pop3, struct err *err);
/* One line of CAPA's answer. */
void pop3_note_cap(struct pop3 *pop3, struct span line);

/* --- pop3_login.c --- */

int pop3_login(struct pop3 *pop3, const struct pop3_params *params, struct err *err);

#endif
