/* The sessions of connections that are alike, as a connection of libcurl sees them. */
#ifndef MAILSYNC_NET_TLS_CACHE_PRIVATE_H
#define MAILSYNC_NET_TLS_CACHE_PRIVATE_H

#include <stdbool.h>

#include <curl/curl.h>

#include "mailsync/net/conn.h"
#include "mailsync/net/tls_cache.h"

struct tls_sessions;

/* Those that a connection by PARAMS may take up, whose authorities are the bundle's if USES_BUNDLE
 * (struct dial); NULL: none are kept. They are CACHE's. */
struct tls_sessions *tls_cache_get(struct tls_cache *cache, const struct conn_params *params,
				   bool uses_bundle);
/* EASY takes up one of SESSIONS, and leaves its own there. */
CURLcode tls_sessions_use(struct tls_sessions *sessions, CURL *easy);
/* A connection with them is open. */
void tls_sessions_note(struct tls_sessions *sessions);
/* Whether one was: the next one may take up what it left. */
bool tls_sessions_are_any(struct tls_sessions *sessions);

#endif
