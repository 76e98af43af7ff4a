/*
 * What ties a login to the TLS connection that it goes over (RFC 5056), from OpenSSL's session: a
 * login that somebody in the middle passes on to the server does not fit that one's connection.
 * Used once the handshake is done, by the thread whose connection it is.
 */
#ifndef MAILSYNC_BASE_CHANNEL_BINDING_H
#define MAILSYNC_BASE_CHANNEL_BINDING_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"

enum channel_binding {
	CHANNEL_BINDING_EXPORTER,  /* RFC 9266; TLS 1.3 and later */
	CHANNEL_BINDING_END_POINT, /* RFC 5929 4: the server's certificate */
	CHANNEL_BINDING_UNIQUE,    /* RFC 5929 3: the first Finished message. Not defined for TLS
				    * 1.3, where some servers use it all the same */
	CHANNEL_BINDING_COUNT
};

/* "tls-exporter". */
const char *channel_binding_name(enum channel_binding kind);
/* The version of the OpenSSL that looks into sessions here: "3.0.19". */
const char *channel_binding_library(void);
/* Whether the session SSL (an `SSL *`) speaks TLS 1.3 or later. */
bool channel_binding_is_tls13(void *ssl);
/* Whether it took up an earlier one. */
bool channel_binding_is_resumed(void *ssl);
/* The data of KIND is appended to OUT; nothing where the session has none: a handshake without the
 * extended master secret (RFC 7627), no certificate, or one whose signature names no digest.
 * -ERR_INTERNAL and -ERR_NOMEM. */
int channel_binding_get(void *ssl, enum channel_binding kind, struct buf *out, struct err *err);

#endif
