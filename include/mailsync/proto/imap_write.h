/* What an IMAP client sends: the forms of its arguments (RFC 9051 9). Pure text, no I/O. */
#ifndef MAILSYNC_PROTO_IMAP_WRITE_H
#define MAILSYNC_PROTO_IMAP_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/span.h"

/* A quoted string when TEXT has only 7-bit characters without CR, LF and NUL: true. Else nothing is
 * appended and the caller has to send a literal: false. */
bool imap_write_quoted(struct buf *out, struct span text);

/* " 1-Feb-2024 03:04:05 +0000" in quotes (RFC 9051 date-time), always UTC. SECONDS out of the
 * years 1 to 9999 are clamped. */
void imap_write_date_time(struct buf *out, int64_t seconds);

#endif
