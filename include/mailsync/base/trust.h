/*
 * Whom to trust, read once for many connections: a file of certificate authorities. Each connection
 * that reads it by itself takes 10 ms, and keeps 1 MB of Debian's bundle as long as it lives.
 *
 *     trust_create(&trust, path, &err);  trust_use(trust, ssl_ctx);  trust_destroy(&trust);
 *
 * Any threads at once, but for creating and destroying. A connection that uses it may outlive it.
 */
#ifndef MAILSYNC_BASE_TRUST_H
#define MAILSYNC_BASE_TRUST_H

#include <stdbool.h>

#include "mailsync/base/err.h"

struct trust;

/* PATH: PEM. -ERR_CONFIG where it cannot be read, or there is none in it. */
int trust_create(struct trust **trust, const char *path, struct err *err);
void trust_destroy(struct trust **trust);
/* Whether both have the same authorities; NULL is none. */
bool trust_same(const struct trust *one, const struct trust *two);
/* A handshake of SSL_CTX (an `SSL_CTX *` of the OpenSSL that channel_binding_library names) trusts
 * these, and no others. */
void trust_use(const struct trust *trust, void *ssl_ctx);

#define TRUST_PIN_SIZE 48 /* 44 characters and the end */
/* Whatever a handshake of SSL_CTX makes of the server's certificate, PIN, which outlives SSL_CTX,
 * then holds the base64 SHA-256 of its public key, "" where there is none. */
void trust_note_pin(void *ssl_ctx, char pin[TRUST_PIN_SIZE]);

#endif
