/*
 * The few header fields of a message (RFC 5322) that identify it, taken from a stream of bytes
 * without holding it: Message-ID, Date, and a digest of the whole header that is equal for the
 * copies that servers and other sync tools keep: line ends are folded to LF, trailing white space
 * of lines is dropped, and the fields X-TUID and X-OfflineIMAP (which mbsync and offlineimap add)
 * are left out. The header ends at the first empty line or at the end of the data. Broken mail is
 * the rule: NUL, bare CR, 8-bit, no header at all, headers of 64 KiB and more.
 */
#ifndef MAILSYNC_PROTO_HEADER_H
#define MAILSYNC_PROTO_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"
#include "mailsync/model/identity.h"

struct header_scan;

int header_scan_create(struct header_scan **scan, struct err *err);
void header_scan_destroy(struct header_scan **scan);
/* From now on what writers of mbox files and Google's export add is left out, too: Status,
 * X-Status, X-Keywords, Content-Length, X-GM-..., X-Gmail-... */
void header_scan_set_mbox(struct header_scan *scan);
/* Feeds the next bytes, with CRLF or LF line ends, in pieces of any size. Cheap once the header
 * has ended. */
int header_scan_feed(struct header_scan *scan, struct span data, struct err *err);
/* The result so far, as if the data ended here; makes the scan ready for the next message. */
int header_scan_result(struct header_scan *scan, struct header_identity *identity, struct err *err);

/* A Date: value in its many forms (RFC 5322 3.3 and 4.3); false when there is no reading it. */
bool header_parse_date(struct span value, int64_t *seconds);

#endif
