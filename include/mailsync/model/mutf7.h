/* Modified UTF-7 of IMAP mailbox names (RFC 3501 5.1.3). */
#ifndef MAILSYNC_MODEL_MUTF7_H
#define MAILSYNC_MODEL_MUTF7_H

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

/* UTF-8 to modified UTF-7. -ERR_LIMIT/-ERR_PARTIAL when TEXT is not valid UTF-8. */
int mutf7_encode(struct span text, struct buf *out, struct err *err);
/* Modified UTF-7 to UTF-8. Refuses what no encoder would make: unpaired surrogates, base64
 * of printable ASCII, non-zero padding bits, unterminated shifts, 8-bit bytes. */
int mutf7_decode(struct span text, struct buf *out, struct err *err);
/* True when TEXT is valid UTF-8 (RFC 3629) without NUL. */
bool utf8_is_valid(struct span text);

#endif
