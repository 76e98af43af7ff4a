/*
 * JSON objects, one a line (RFC 8259). Text that is not UTF-8 gets U+FFFD for each bad byte.
 *
 *     json_begin(out, "error");  json_text(out, "account", name);  ...  json_end(out);
 */
#ifndef MAILSYNC_CLI_JSON_H
#define MAILSYNC_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/buf.h"

void json_begin(struct buf *out, const char *event);
/* NULL becomes null. */
void json_text(struct buf *out, const char *key, const char *value);
void json_number(struct buf *out, const char *key, uint64_t value);
void json_null(struct buf *out, const char *key);
void json_bool(struct buf *out, const char *key, bool value);
/* With three decimals. */
void json_seconds(struct buf *out, const char *key, double value);
void json_end(struct buf *out);

#endif
