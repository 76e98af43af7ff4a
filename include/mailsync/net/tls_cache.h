/*
 * TLS sessions that the connections of a run take up again (RFC 8446 2.2, RFC 5077): the server
 * shows and signs nothing anew, and its certificates are not checked anew. Only connections for
 * which everything that TLS goes by is the same share one: server, way to it, authorities,
 * certificate of ours, pin, least version. The host name and the pin are compared each time; when
 * a certificate ends, is not: so it is for what lives a run long.
 *
 *     tls_cache_create(&cache, &err);  conn_params.tls_cache = cache;  tls_cache_destroy(&cache);
 *
 * Any threads at once, but for creating and destroying. Outlives the connections that use it.
 */
#ifndef MAILSYNC_NET_TLS_CACHE_H
#define MAILSYNC_NET_TLS_CACHE_H

#include "mailsync/base/err.h"

struct tls_cache;

int tls_cache_create(struct tls_cache **cache, struct err *err);
void tls_cache_destroy(struct tls_cache **cache);

#endif
