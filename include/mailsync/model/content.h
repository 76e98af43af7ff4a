/*
 * The digest of a message's content: SHA-256 of all its bytes with LF line ends, taken from a
 * stream without holding it. CRs right before a LF are part of the line end and do not count,
 * however many they are: so the file, the bytes on the wire and what was made of either give one
 * digest (each CRLF that becomes LF takes one CR off).
 *
 *     content_scan_create, content_scan_feed ..., content_scan_result     and the next message
 *     content_scan_destroy
 *
 * Threads: one at a time.
 */
#ifndef MAILSYNC_MODEL_CONTENT_H
#define MAILSYNC_MODEL_CONTENT_H

#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

#define CONTENT_DIGEST_SIZE 32

struct content_scan;

int content_scan_create(struct content_scan **scan, struct err *err);
/* *SCAN may be NULL. */
void content_scan_destroy(struct content_scan **scan);
/* In pieces of any size; cheapest in large ones without CRs. */
int content_scan_feed(struct content_scan *scan, struct span data, struct err *err);
/* As if the data ended here; makes the scan ready for the next message. */
int content_scan_result(struct content_scan *scan, uint8_t digest[CONTENT_DIGEST_SIZE],
			struct err *err);

#endif
