/*
 * The few HTTPS requests that signing in takes, one connection each (libcurl). Not a client of the
 * web: no redirects are followed, no cookies kept, nothing of the environment counts (proxies,
 * .netrc), and a reply larger than HTTP_BODY_MAX is refused. Any thread.
 *
 *     http_reply_init(&reply)
 *     http_ask(&params, &request, &reply, &err)     blocks; then reply.status and reply.body
 *     http_reply_finish(&reply)                     wipes what came
 */
#ifndef MAILSYNC_NET_HTTP_H
#define MAILSYNC_NET_HTTP_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/log.h"
#include "mailsync/base/span.h"
#include "mailsync/base/stop.h"

#define HTTP_BODY_MAX 65536 /* bytes of a reply */
#define HTTP_ACT_MS   5000

/* Borrowed, but for the reply. */
struct http_params {
	const char *ca_file;   /* NULL: the system's */
	const char *proxy;     /* NULL: none; never used for this machine */
	int timeout_s;         /* of the whole request */
	const stop_flag *stop; /* non-zero: -ERR_INTERRUPTED soon; or NULL */
	struct log *log;
	const char *label; /* for the log */
};

struct http_request {
	const char *url;           /* https, or http to this machine */
	const char *content_type;  /* NULL: GET, without a body; else POST */
	struct span body;          /* a secret */
	struct span authorization; /* of that header, a secret; empty: none */
	bool is_act; /* its answer is not to be lost: a stop leaves it HTTP_ACT_MS to come, and what
		      * came of one that broke off is in the reply */
};

struct http_reply {
	long status;  /* 0: none came */
	long retry_s; /* Retry-After; 0: none */
	struct buf body;
};

void http_reply_init(struct http_reply *reply);
void http_reply_finish(struct http_reply *reply);

/* Any status is a success. -ERR_TEMPORARY (name, network, timeout), -ERR_SERVER (certificate),
 * -ERR_PROTOCOL (no HTTP, or too large), -ERR_CONFIG (CA file, proxy, address). The log tells
 * addresses and sizes only. */
int http_ask(const struct http_params *params, const struct http_request *request,
	     struct http_reply *reply, struct err *err);

#endif
