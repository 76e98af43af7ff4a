/*
 * The one user of libcurl: opens a connection (proxy, TLS, greeting, STARTTLS) and then carries
 * bytes inside it. After dial_create nothing here blocks.
 */
#ifndef MAILSYNC_NET_DIAL_H
#define MAILSYNC_NET_DIAL_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/span.h"
#include "mailsync/base/trust.h"
#include "mailsync/net/conn.h"
#include "preamble.h"
#include "tls_cache_private.h"

/* A server that expects TLS says nothing to who does not begin with it. After so long it is asked
 * whether it is one. */
#define DIAL_SILENCE_MS 1000

struct dial {
	CURL *easy;
	curl_socket_t fd;
	bool is_loopback;              /* the peer is this machine, without a proxy */
	bool use_bundle;               /* the CA bundle, not the directory of hashed names */
	bool has_bundle_left;          /* the bundle was not asked and might trust this server */
	bool is_anew;                  /* takes up no TLS session */
	bool has_anew_left;            /* one that was taken up may be why it failed */
	struct tls_sessions *sessions; /* that it may take up; NULL: none */
	bool is_hasty;   /* no server may be silent for longer than DIAL_SILENCE_MS: */
	bool was_silent; /* one was */
	int64_t began_ms;
	const struct conn_params *params;
	struct preamble preamble;
	void *tls_session;        /* as conn_tls_session */
	char pin[TRUST_PIN_SIZE]; /* of the key that the server showed; "" where it is not known */
	char error[CURL_ERROR_SIZE]; /* libcurl's words for the last failure */
};

/* Errors as conn_open tells. PARAMS must outlive it. */
int dial_create(struct dial **dial, const struct conn_params *params, struct err *err);
/* Sends nothing. */
void dial_destroy(struct dial **dial);
/* *SENT and *RECEIVED are 0 when nothing goes now; the connection may then want either direction.
 * A refused send must be repeated with the same bytes at the same place. */
int dial_send(struct dial *dial, struct span data, size_t *sent, struct err *err);
int dial_recv(struct dial *dial, char *data, size_t size, size_t *received, struct err *err);

/* dial_probe.c: whether the server of DIAL, which was silent, answers to TLS. */
bool dial_speaks_tls(struct dial *dial);
/* The address of the server under SCHEME. */
CURLcode dial_set_url(CURL *easy, const struct conn_params *params, const char *scheme);
curl_socket_t dial_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *addr);

/* dial_error.c: what a failed attempt means, as a sentence that says what to do. */
int dial_error(const struct dial *dial, CURLcode code, struct err *err);
/* The server begins with TLS, and the account does not. */
int dial_needs_tls(const struct dial *dial, struct err *err);

#endif
