/* PBKDF2 of one block (RFC 8018, 5.2) in plain memory, for who knows that the digest may be
 * used. */
#ifndef MAILSYNC_BASE_PBKDF2_H
#define MAILSYNC_BASE_PBKDF2_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/digest.h"

/* OUT has room for digest_size(KIND). False: it cannot be done here, OpenSSL's own has to. */
bool pbkdf2_derive(enum digest_kind kind, struct span password, struct span salt,
		   uint32_t iterations, uint8_t *out);

#endif
