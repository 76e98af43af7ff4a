/*
 * Which channel binding a login with SCRAM-...-PLUS goes by. Servers do not tell which kinds they
 * take, so the likeliest is tried first, and the next one where the server refuses the kind.
 *
 *     binding_init(&binding)                     nothing to bind to
 *     binding_begin(&binding, conn)              CONN, once it is open
 *     binding_can(&binding)                      one is left to try
 *     binding_take(&binding, err)                `data` and `name` for sasl_create
 *     binding_refused(&binding)                  the server does not take that kind
 *     binding_finish(&binding)
 */
#ifndef STORE_LOGIN_BINDING_H
#define STORE_LOGIN_BINDING_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/channel_binding.h"
#include "mailsync/net/conn.h"

struct login_binding {
	const enum channel_binding
		*order; /* CHANNEL_BINDING_COUNT ends it; NULL: nothing to bind to */
	void *session;  /* TLS's */
	struct buf data;
	bool was_refused; /* one was, because of its kind */
};

void binding_init(struct login_binding *binding);
void binding_begin(struct login_binding *binding, const struct conn *conn);
void binding_finish(struct login_binding *binding);
bool binding_can(const struct login_binding *binding);
/* The data of the kind in turn, into `data`; kinds that the session has nothing of are passed over.
 * Empty where none is left. -ERR_INTERNAL, -ERR_NOMEM. */
int binding_take(struct login_binding *binding, struct err *err);
const char *binding_name(const struct login_binding *binding);
void binding_refused(struct login_binding *binding);

#endif
