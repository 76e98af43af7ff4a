/*
 * JSON objects, one a line (RFC 8259). Text that is not UTF-8 gets U+FFFD for each bad byte. No
 * name is one of a library's: ours might be called in place of the library's own.
 *
 *     event_begin(out, "error");  event_text(out, "account", name);  ...  event_end(out);
 */
#ifndef MAILSYNC_CLI_JSON_H
#define MAILSYNC_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/buf.h"

void event_begin(struct buf *out, const char *event);
/* NULL becomes null. */
void event_text(struct buf *out, const char *key, const char *value);
void event_number(struct buf *out, const char *key, uint64_t value);
void event_null(struct buf *out, const char *key);
void event_bool(struct buf *out, const char *key, bool value);
/* With three decimals. */
void event_seconds(struct buf *out, const char *key, double value);
void event_end(struct buf *out);

#endif
