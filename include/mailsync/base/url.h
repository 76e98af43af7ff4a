/*
 * Addresses of the web (RFC 3986): their parts, which of them may be asked, and the fields of their
 * queries, which are those of forms, too. Pure; everything borrowed points into the text that was
 * read.
 */
#ifndef MAILSYNC_BASE_URL_H
#define MAILSYNC_BASE_URL_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/span.h"

struct url {
	struct span scheme;
	struct span host; /* without the brackets of an IPv6 address */
	struct span port; /* digits, 1 to 65535; empty where none is given */
	struct span path; /* from its "/" on; may be empty */
	struct span query;
};

/* False for what is no absolute address: characters other than printable ASCII or quotes in it, no
 * host, a user's name, a fragment. */
bool url_read(struct span text, struct url *url);
/* True when secrets may be sent there: https, or http to this machine. */
bool url_is_safe(struct span text);
/* True when HOST can be no other machine: localhost, 127.0.0.0/8, ::1. */
bool url_host_is_loopback(struct span host);
/* True when HOST is DOMAIN, or a name below it. Case does not count, nor a last dot of HOST. */
bool url_host_is_below(struct span host, struct span domain);

/* Appends NAME=VALUE with what is not unreserved percent-encoded, behind an "&" where OUT does not
 * end with "?" or is empty. */
void url_append_field(struct buf *out, const char *name, struct span value);
/* VALUE alone, encoded likewise. */
void url_append_encoded(struct buf *out, struct span value);
/* Takes the next field off the query *REST; NAME and VALUE are still encoded. False at its end. */
bool url_field_next(struct span *rest, struct span *name, struct span *value);
/* Appends VALUE decoded; false where it is not well encoded, or a NUL. */
bool url_append_decoded(struct buf *out, struct span value);

#endif
