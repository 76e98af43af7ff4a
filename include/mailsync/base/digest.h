/* Digests, HMAC, base64 and random bytes: the one user of OpenSSL's libcrypto. */
#ifndef MAILSYNC_BASE_DIGEST_H
#define MAILSYNC_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

#define DIGEST_MAX_SIZE 32 /* SHA-256 */

enum digest_kind {
	DIGEST_MD5,
	DIGEST_SHA1,
	DIGEST_SHA256
};

size_t digest_size(enum digest_kind kind);

/* Incremental hashing. */
struct digest;
int digest_create(struct digest **digest, enum digest_kind kind, struct err *err);
int digest_update(struct digest *digest, struct span data, struct err *err);
/* Writes digest_size() bytes and makes it ready for the next message. */
int digest_result(struct digest *digest, uint8_t out[DIGEST_MAX_SIZE], struct err *err);
void digest_destroy(struct digest **digest);

/* One shot. OUT has room for digest_size(KIND). */
int digest_of(enum digest_kind kind, struct span data, uint8_t *out, struct err *err);
int digest_hmac(enum digest_kind kind, struct span key, struct span data, uint8_t *out,
		struct err *err);
/* PBKDF2 with HMAC (RFC 8018), the Hi() of SCRAM (RFC 5802). */
int digest_pbkdf2(enum digest_kind kind, struct span password, struct span salt,
		  uint32_t iterations, uint8_t *out, struct err *err);

/* Lower-case hexadecimal with a terminator; OUT holds 2 * LEN + 1. */
void hex_encode(const uint8_t *data, size_t len, char *out);

/* RFC 4648 base64, with padding, without line breaks. */
void base64_encode(struct span data, struct buf *out);
/* The same with the alphabet for addresses, and without padding (RFC 4648 5). */
void base64url_encode(struct span data, struct buf *out);
/* -ERR_PROTOCOL when DATA is not valid base64 with its padding; OUT is then as before. */
int base64_decode(struct span data, struct buf *out, struct err *err);

int random_bytes(uint8_t *out, size_t len, struct err *err);

#endif
