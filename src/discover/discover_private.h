/* What the sources share. */
#ifndef DISCOVER_DISCOVER_PRIVATE_H
#define DISCOVER_DISCOVER_PRIVATE_H

#include "mailsync/discover/discover.h"

/* A failure that took longer is one of waiting. */
#define DISCOVER_DEAF_MS 1500

/* Seconds that are left, LIMIT at most; 0: none. */
int discover_left_s(const struct discover *discover, int limit);
/* -ERR_INTERRUPTED once it is to stop. */
int discover_check(const struct discover *discover, struct err *err);
/* Adds a line to the notes. */
int discover_note(struct discover *discover, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* dns_ask. A failure is a note, and ANSWER then has no records; *WAS_TOLD is false. */
int discover_ask(struct discover *discover, const char *name, enum dns_type type,
		 struct dns_answer *answer, bool *was_told, struct err *err);
/* Adds a server of HOST, where there is room, and tells whether it is outside the domain. */
void discover_add(const struct discover *discover, struct discover_found *found,
		  const struct discover_server *server);

/* offer.c: the lines that a server said before any login. */
void offer_read(enum conn_protocol protocol, struct span lines, struct discover_offer *offer);

#endif
