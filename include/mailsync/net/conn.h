/*
 * A connection: libcurl (the one user of it) or a tunnel command; TLS, proxies, deadlines, and
 * DEFLATE on top (RFC 4978). Bytes only: it does not know IMAP. Every wait of a worker happens in
 * conn_wait(). One thread a connection; nothing here is shared between connections.
 *
 *     conn_open(&conn, &params, &err)          the server has greeted (and STARTTLS is done)
 *     conn_preamble(conn)                      the lines that libcurl read on the way
 *     conn_queue(conn, bytes)                  as often as wanted
 *     conn_wait(conn, CONN_INPUT, room, size, &got, &err)   sends, receives, blocks
 *     conn_destroy(&conn)                      sends nothing, does not block
 */
#ifndef MAILSYNC_NET_CONN_H
#define MAILSYNC_NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/blot.h"
#include "mailsync/base/err.h"
#include "mailsync/base/log.h"
#include "mailsync/base/progress.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/span.h"
#include "mailsync/base/stop.h"

enum conn_protocol {
	CONN_IMAP,
	CONN_POP3
};
enum conn_tls {
	CONN_TLS_IMPLICIT,
	CONN_TLS_STARTTLS,
	CONN_TLS_NONE
};

struct tls_cache;
struct trust;

struct conn_params {
	enum conn_protocol protocol;
	const char *host;
	unsigned port;
	enum conn_tls tls;
	const char *ca_file;         /* NULL: the system's */
	const struct trust *trust;   /* that file, read before (base/trust.h); or NULL */
	struct tls_cache *tls_cache; /* net/tls_cache.h; NULL: each handshake is a whole one */
	const char *cert_file;       /* NULL: none */
	const char *key_file;
	const char *pin_sha256; /* base64, NULL: none; without ca_file it is the whole proof */
	int tls_min;            /* 12 or 13 */
	const char *proxy;      /* NULL: none, whatever the environment says */
	const char *tunnel;     /* NULL: none; else a command for /bin/sh -c */
	int timeout_s;          /* without progress */
	/* GSSAPI and NTLM only: libcurl logs in. */
	const char *login_mech; /* "GSSAPI", "NTLM"; NULL otherwise */
	const char *user;
	const struct secret *password; /* until conn_open returns */
	const struct blot *blot;       /* what no words of the server are to show; or NULL */
	struct log *log;
	const char *label;         /* for the log: "work#1"; outlives the connection, as these do */
	const stop_flag *stop;     /* non-zero: give up soon, -ERR_INTERRUPTED; or NULL */
	struct progress *progress; /* its bytes are counted; NULL: nobody looks */
};

struct conn_stats {
	/* Connect phase included. Bytes are those inside TLS, compressed where DEFLATE is on. */
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t round_trips; /* how often we had sent something and had to wait for an answer */
	uint64_t commands;    /* the connect phase only: libcurl's CAPABILITY, STARTTLS */
	int64_t waited_ms;    /* how long it was waited for bytes, the connect phase left aside */
};

struct conn;

/* Once before any thread starts, and at the end. */
int conn_global_init(struct err *err);
/* The file that each connection without a CA file would read; NULL: it is none, or the system has
 * them one by one. */
const char *conn_system_bundle(void);
void conn_global_finish(void);

/*
 * Connects, does TLS, reads greeting and capabilities. Errors carry one sentence that says what
 * to do and the server's words: -ERR_TEMPORARY (name, refused, timeout, cut, a BYE or -ERR whose
 * words sound passing: [UNAVAILABLE], "too many connections", "try again", [IN-USE], [SYS/TEMP],
 * ...), -ERR_SERVER (certificate, host name, pin, no STARTTLS, TLS version, odd greeting, BYE for
 * good), -ERR_LOGIN (libcurl's own login), -ERR_CONFIG (unreadable CA or key file, bad proxy),
 * -ERR_LOCAL (tunnel cannot start).
 */
int conn_open(struct conn **conn, const struct conn_params *params, struct err *err);
void conn_destroy(struct conn **conn);

/* The server's lines seen while connecting, each with CRLF: greeting, CAPABILITY, tagged lines of
 * libcurl's commands. Empty for a tunnel, where the greeting is still to come. Of the lines before
 * STARTTLS only the greeting is here, and its capabilities must not be used then. */
struct span conn_preamble(const struct conn *conn);
/* True when bytes are protected by TLS. */
bool conn_is_tls(const struct conn *conn);
/* True when the peer is this machine or a tunnel: cleartext passwords may pass. */
bool conn_is_local(const struct conn *conn);
/* OpenSSL's session of the TLS connection (an `SSL *`), for base/channel_binding.h; NULL where
 * there is none, or libcurl uses another library, or another OpenSSL, than we do. Lives with
 * CONN. */
void *conn_tls_session(const struct conn *conn);

/* Copies DATA to the send queue. IS_SECRET: wiped after sending. -ERR_NOMEM only. */
int conn_queue(struct conn *conn, struct span data, bool is_secret, struct err *err);
/* Bytes queued and not yet sent. Keep it below some 256 KiB when streaming. */
size_t conn_queued(const struct conn *conn);

enum conn_goal {
	CONN_INPUT,  /* until at least one byte was received */
	CONN_OUTPUT, /* until the queue is below CONN_LOW_WATER, or a byte was received */
	CONN_POLL    /* send and receive what goes without waiting */
};
#define CONN_LOW_WATER 65536

/* A server that sends a byte now and then makes progress, and holds a run for ever: of so many
 * times timeout_s of waiting, CONN_DRIP_BYTES either way are the least. */
#define CONN_DRIP_TIMES 15
#define CONN_DRIP_BYTES 1024

/* Sends what is queued while receiving into IN (full duplex: never blocks on sending while the
 * server sends). *RECEIVED may be 0 but for CONN_INPUT. The end of the stream is -ERR_TEMPORARY
 * ("connection closed by the server"), as is timeout_s without a byte either way, or
 * CONN_DRIP_TIMES that with next to none; all tell how the connection was lost (err.h). `stop` ends
 * a wait, but lets what needs none go out (CONN_POLL), such as a LOGOUT. */
int conn_wait(struct conn *conn, enum conn_goal goal, char *in, size_t size, size_t *received,
	      struct err *err);

/* Waits end within MS from now on, in all, however much comes in; 0: no more than by timeout_s. */
void conn_set_limit(struct conn *conn, int64_t ms);
/* To be polled for reading, when conn_wait has found nothing more to receive. */
int conn_fd(const struct conn *conn);

/* From here on both directions are raw DEFLATE. ALREADY: bytes received behind the server's OK.
 * The send queue must be empty. */
int conn_start_deflate(struct conn *conn, struct span already, struct err *err);

/* The smallest time between sending and receiving seen so far on this connection, in
 * microseconds; 0 when unknown. */
int64_t conn_rtt_us(const struct conn *conn);
void conn_get_stats(const struct conn *conn, struct conn_stats *stats);

#endif
