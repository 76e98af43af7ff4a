/*
 * Invariants:
 *
 * C1. The chunk that a send was refused for is offered again unmoved and not shortened.
 * C2. poll() is called only after a receive found nothing: TLS may hold bytes that no poll shows.
 * C3. A failed send does not hide what the server said before: all of that is received first.
 * C4. Every wait ends: by bytes, by timeout_s without any, or soon after `stop`. So do many waits
 *     in a row in which next to nothing comes.
 */
#include "mailsync/net/conn.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrived.h"
#include "deflate.h"
#include "dial.h"
#include "mailsync/base/channel_binding.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/step.h"
#include "sendq.h"
#include "tunnel.h"

#define STOP_SLICE_MS 250
/* How long a poll may last at most: AGAIN from TLS does not always tell what it waits for. */
#define POLL_SLICE_MS 1000
/* After a socket that was writable and still took nothing: do not spin. */
#define STALL_SLICE_MS 20
#define PACKED_SIZE    16384
/* How many turns are looked at for the round-trip time where connecting gave none. */
#define RTT_TURNS 3

struct conn {
	struct conn_params params;
	struct dial *dial; /* or: */
	struct tunnel *tunnel;
	struct deflate *deflate; /* NULL until conn_start_deflate */
	struct sendq queue;
	struct span packed; /* received and not yet expanded: within packed_data */
	char *packed_data;
	size_t packed_size;
	struct conn_stats stats;
	int64_t limit_ms; /* no wait goes on after it; 0: none */
	int64_t rtt_us;
	int64_t sent_us;      /* when the current turn's first bytes left */
	bool has_sent;        /* bytes left since some last came in */
	uint64_t arrived;     /* what had come when they left */
	bool is_send_stalled; /* the last send took nothing */
	bool is_overdue;      /* nothing came for too long */
	int64_t drip_ms;      /* waited since CONN_DRIP_BYTES more last had moved, when */
	uint64_t drip_from;   /* so many had */
	int send_failure;     /* 0, or the negative code of send_err */
	struct err send_err;
};

int conn_global_init(struct err *err)
{
	struct sigaction ignore;

	/* A write to a closed connection must be an error, not the end of the program. */
	memset(&ignore, 0, sizeof(ignore));
	ignore.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &ignore, NULL);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		return err_set(err, ERR_INTERNAL, SCOPE_RUN, "libcurl cannot be initialised");
	}
	return 0;
}

void conn_global_finish(void)
{
	curl_global_cleanup();
}

static const char *tls_words(const struct conn *conn)
{
	void *session = conn_tls_session(conn);

	if (!conn_is_tls(conn)) {
		return ", without TLS";
	}
	return session != NULL && channel_binding_is_resumed(session) ? ", TLS session resumed"
								      : ", TLS";
}

static void conn_log_opened(const struct conn *conn)
{
	struct log *log = conn->params.log;
	struct span lines = conn_preamble(conn);
	char who[80];

	if (log == NULL || !log_enabled(log, LOG_INFO)) {
		return;
	}
	if (conn->tunnel != NULL) {
		log_line(log, LOG_INFO, "%s: tunnel command started", conn->params.label);
		return;
	}
	log_line(log, LOG_INFO, "%s: connected to %s:%u%s", conn->params.label, conn->params.host,
		 conn->params.port, tls_words(conn));
	(void)snprintf(who, sizeof(who), "%s <", conn->params.label);
	while (log_enabled(log, LOG_WIRE) && lines.len > 0) {
		const char *end = memchr(lines.data, '\n', lines.len);
		size_t len = end != NULL ? (size_t)(end - lines.data) : lines.len;
		size_t shown = len > 0 && lines.data[len - 1] == '\r' ? len - 1 : len;

		log_wire(log, who, (struct span){lines.data, shown}, conn->params.blot);
		len += end != NULL ? 1 : 0;
		lines.data += len;
		lines.len -= len;
	}
}

/* The connect phase's share of the figures. */
static void conn_take_figures(struct conn *conn)
{
	const struct preamble *pre = &conn->dial->preamble;

	conn->stats.bytes_in = pre->bytes_in;
	conn->stats.bytes_out = pre->bytes_out;
	conn->stats.round_trips = pre->turns;
	conn->stats.commands = pre->commands;
	conn->rtt_us = pre->rtt_us;
}

int conn_open(struct conn **conn, const struct conn_params *params, struct err *err)
{
	struct conn *new_conn = calloc(1, sizeof(*new_conn));
	int code;

	if (new_conn == NULL) {
		return err_nomem(err);
	}
	new_conn->params = *params;
	if (params->label == NULL) {
		new_conn->params.label = "connection";
	}
	sendq_init(&new_conn->queue);
	if (params->tunnel != NULL) {
		code = tunnel_create(&new_conn->tunnel, &new_conn->params, err);
	} else {
		code = dial_create(&new_conn->dial, &new_conn->params, err);
	}
	new_conn->params.password = NULL; /* the caller wipes it now */
	if (code != 0) {
		conn_destroy(&new_conn);
		return code;
	}
	if (new_conn->dial != NULL) {
		conn_take_figures(new_conn);
	}
	conn_log_opened(new_conn);
	*conn = new_conn;
	return 0;
}

void conn_destroy(struct conn **conn)
{
	struct conn *old = *conn;

	if (old == NULL) {
		return;
	}
	dial_destroy(&old->dial);
	tunnel_destroy(&old->tunnel);
	deflate_destroy(&old->deflate);
	sendq_finish(&old->queue);
	free(old->packed_data);
	free(old);
	*conn = NULL;
}

struct span conn_preamble(const struct conn *conn)
{
	return conn->dial != NULL ? preamble_lines(&conn->dial->preamble) : SPAN_LIT("");
}

bool conn_is_tls(const struct conn *conn)
{
	return conn->dial != NULL && conn->params.tls != CONN_TLS_NONE;
}

bool conn_is_local(const struct conn *conn)
{
	return conn->tunnel != NULL || conn->dial->is_loopback;
}

void *conn_tls_session(const struct conn *conn)
{
	return conn_is_tls(conn) ? conn->dial->tls_session : NULL;
}

int conn_fd(const struct conn *conn)
{
	return conn->tunnel != NULL ? tunnel_fd(conn->tunnel) : (int)conn->dial->fd;
}

int conn_queue(struct conn *conn, struct span data, bool is_secret, struct err *err)
{
	return sendq_add(&conn->queue, data, is_secret, err);
}

size_t conn_queued(const struct conn *conn)
{
	return sendq_len(&conn->queue);
}

int64_t conn_rtt_us(const struct conn *conn)
{
	return conn->rtt_us;
}

void conn_get_stats(const struct conn *conn, struct conn_stats *stats)
{
	*stats = conn->stats;
}

static int carrier_send(struct conn *conn, struct span data, size_t *sent, struct err *err)
{
	int errnum = STEP("send");

	if (errnum != 0) {
		return err_set_errno(err, ERR_TEMPORARY, SCOPE_ACCOUNT, errnum, "cannot send");
	}
	return conn->dial != NULL ? dial_send(conn->dial, data, sent, err)
				  : tunnel_send(conn->tunnel, data, sent, err);
}

/* Receives from the carrier and keeps the figures. */
static int carrier_recv(struct conn *conn, char *data, size_t size, size_t *received,
			struct err *err)
{
	int code = conn->dial != NULL ? dial_recv(conn->dial, data, size, received, err)
				      : tunnel_recv(conn->tunnel, data, size, received, err);

	if (code != 0 || *received == 0) {
		return code;
	}
	conn->stats.bytes_in += *received;
	progress_bytes(conn->params.progress, *received);
	/* Only the first turns of a connection whose opening gave no figure: later ones may be
	 * pipelined, and then the next bytes say nothing about the way there and back. */
	if (conn->has_sent && (conn->dial == NULL || conn->dial->preamble.rtt_us == 0) &&
	    conn->stats.round_trips <= RTT_TURNS) {
		int64_t elapsed = clock_monotonic_us() - conn->sent_us;

		if (elapsed > 0 && (conn->rtt_us == 0 || elapsed < conn->rtt_us)) {
			conn->rtt_us = elapsed;
		}
	}
	conn->has_sent = false;
	return 0;
}

static uint64_t arrived_so_far(const struct conn *conn)
{
	uint64_t bytes;
	return conn->dial != NULL && arrived_at((int)conn->dial->fd, &bytes) ? bytes
									     : conn->stats.bytes_in;
}

/* Makes the next chunk, compressed where that is on. */
static int chunk_fill(struct conn *conn, struct err *err)
{
	struct sendq *queue = &conn->queue;
	struct span waiting = sendq_waiting(queue);
	size_t before = waiting.len;
	int code;

	if (conn->deflate == NULL) {
		sendq_fill(queue);
		return 0;
	}
	if (queue->chunk_len != 0) {
		return 0;
	}
	code = deflate_pack(conn->deflate, &waiting, queue->chunk, sizeof(queue->chunk),
			    &queue->chunk_len, err);
	if (code == 0) {
		sendq_drop(queue, before - waiting.len);
	}
	return code;
}

/* True while something is still to be sent. */
static bool has_output(const struct conn *conn)
{
	return sendq_len(&conn->queue) > 0 ||
	       (conn->deflate != NULL && !deflate_is_flushed(conn->deflate));
}

/* Sends what goes now. A failure is kept for later (C3). */
static int conn_send_some(struct conn *conn, struct err *err)
{
	conn->is_send_stalled = false;
	while (conn->send_failure == 0 && has_output(conn)) {
		size_t sent = 0;
		int code = chunk_fill(conn, err);

		if (code != 0) {
			return code;
		}
		if (conn->queue.chunk_len == 0) {
			continue;
		}
		code = carrier_send(conn, sendq_chunk(&conn->queue), &sent, &conn->send_err);
		if (code != 0) {
			conn->send_failure = code;
			return 0;
		}
		if (sent == 0) {
			conn->is_send_stalled = true;
			return 0;
		}
		if (!conn->has_sent) {
			conn->has_sent = true;
			conn->sent_us = clock_monotonic_us();
			conn->arrived = arrived_so_far(conn);
		}
		conn->stats.bytes_out += sent;
		progress_bytes(conn->params.progress, sent);
		sendq_sent(&conn->queue, sent);
	}
	return 0;
}

/* *RECEIVED is 0 when nothing is there. */
static int conn_receive_some(struct conn *conn, char *in, size_t size, size_t *received,
			     struct err *err)
{
	if (conn->deflate == NULL) {
		return carrier_recv(conn, in, size, received, err);
	}
	for (;;) {
		size_t got = 0;
		int code = deflate_unpack(conn->deflate, &conn->packed, in, size, received, err);

		if (code != 0 || *received > 0) {
			return code;
		}
		code = carrier_recv(conn, conn->packed_data, conn->packed_size, &got, err);
		if (code != 0 || got == 0) {
			return code;
		}
		conn->packed = (struct span){conn->packed_data, got};
	}
}

static const char *peer_name(const struct conn *conn)
{
	return conn->params.host != NULL ? conn->params.host : "the tunnel command";
}

/* MS more were waited. */
static int note_waited(struct conn *conn, int64_t ms, struct err *err)
{
	uint64_t moved = conn->stats.bytes_in + conn->stats.bytes_out;
	int limit_s = conn->params.timeout_s * CONN_DRIP_TIMES;

	conn->stats.waited_ms += ms;
	conn->drip_ms += ms;
	if (moved - conn->drip_from >= CONN_DRIP_BYTES) {
		conn->drip_from = moved;
		conn->drip_ms = 0;
	}
	if (conn->drip_ms <= limit_s * INT64_C(1000)) {
		return 0;
	}
	conn->is_overdue = true;
	return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT, "next to nothing from %s in %d seconds",
		       peer_name(conn), limit_s);
}

static int conn_poll(struct conn *conn, int64_t deadline_ms, bool is_writable_in_vain,
		     struct err *err)
{
	/* poll leaves out what is below 0. */
	struct pollfd pfds[] = {
		{.fd = conn_fd(conn)},
		{.fd = conn->tunnel != NULL ? tunnel_errors_fd(conn->tunnel) : -1,
		 .events = POLLIN},
	};
	int64_t now_ms = clock_monotonic_ms();
	int64_t left_ms = deadline_ms - now_ms;
	int slice_ms = conn->params.stop != NULL ? STOP_SLICE_MS : POLL_SLICE_MS;

	if (left_ms <= 0) {
		conn->is_overdue = true;
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT, "no answer from %s in %d seconds",
			       peer_name(conn), conn->params.timeout_s);
	}
	pfds[0].events = POLLIN;
	if (conn->is_send_stalled && is_writable_in_vain) {
		slice_ms = STALL_SLICE_MS;
	} else if (conn->is_send_stalled) {
		pfds[0].events = (short)(POLLIN | POLLOUT);
	}
	if (poll(pfds, 2, left_ms < slice_ms ? (int)left_ms : slice_ms) < 0 && errno != EINTR) {
		return err_set_errno(err, ERR_INTERNAL, SCOPE_ACCOUNT, errno, "poll failed");
	}
	if (pfds[1].revents != 0) {
		tunnel_take_errors(conn->tunnel);
	}
	int code = note_waited(conn, clock_monotonic_ms() - now_ms, err);
	return code < 0 ? code : (pfds[0].revents & POLLOUT) != 0;
}

static bool is_reached(const struct conn *conn, enum conn_goal goal, size_t received)
{
	switch (goal) {
	case CONN_INPUT:
		return received > 0;
	case CONN_OUTPUT:
		return received > 0 || sendq_len(&conn->queue) < CONN_LOW_WATER;
	case CONN_POLL:
		break;
	}
	return true;
}

void conn_set_limit(struct conn *conn, int64_t ms)
{
	conn->limit_ms = ms == 0 ? 0 : clock_monotonic_ms() + ms;
}

/* Until when the next byte has to come. */
static int64_t deadline_of(const struct conn *conn)
{
	int64_t deadline_ms = clock_monotonic_ms() + (int64_t)conn->params.timeout_s * 1000;
	return conn->limit_ms != 0 && conn->limit_ms < deadline_ms ? conn->limit_ms : deadline_ms;
}

static int wait_for(struct conn *conn, enum conn_goal goal, char *in, size_t size, size_t *received,
		    struct err *err)
{
	int64_t deadline_ms = deadline_of(conn);
	bool was_writable = false;

	assert(size > 0);
	for (;;) {
		uint64_t moved = conn->stats.bytes_in + conn->stats.bytes_out;
		size_t got = 0;
		int code = conn_send_some(conn, err);
		bool is_asking = conn->has_sent;

		if (code == 0) {
			code = conn_receive_some(conn, in, size, &got, err);
		}
		/* Counted when the answer comes, not when poll blocks: a quick server would make it
		 * a matter of luck. */
		if (code == 0 && got > 0 && is_asking && goal == CONN_INPUT) {
			conn->stats.round_trips++;
		}
		if (code != 0) {
			return code;
		}
		if (conn->send_failure != 0 && got == 0) {
			*err = conn->send_err;
			return conn->send_failure;
		}
		if (is_reached(conn, goal, got)) {
			*received = got;
			return 0;
		}
		if (conn->params.stop != NULL && *conn->params.stop != 0) {
			return err_stopped(err);
		}
		if (conn->stats.bytes_in + conn->stats.bytes_out != moved) {
			deadline_ms = deadline_of(conn);
			was_writable = false;
		}
		code = conn_poll(conn, deadline_ms, was_writable, err);
		if (code < 0) {
			return code;
		}
		was_writable = code > 0;
	}
}

int conn_wait(struct conn *conn, enum conn_goal goal, char *in, size_t size, size_t *received,
	      struct err *err)
{
	int code = wait_for(conn, goal, in, size, received, err);
	if (code == -ERR_TEMPORARY) {
		err_set_end(err, conn->is_overdue ? ERR_END_SILENT : ERR_END_CUT,
			    arrived_so_far(conn) - conn->arrived);
	}
	return code;
}

int conn_start_deflate(struct conn *conn, struct span already, struct err *err)
{
	size_t size = already.len > PACKED_SIZE ? already.len : PACKED_SIZE;
	int code;

	assert(conn->deflate == NULL && sendq_len(&conn->queue) == 0);
	conn->packed_data = malloc(size);
	if (conn->packed_data == NULL) {
		return err_nomem(err);
	}
	code = deflate_create(&conn->deflate, err);
	if (code != 0) {
		free(conn->packed_data);
		conn->packed_data = NULL;
		return code;
	}
	conn->packed_size = size;
	if (already.len > 0) {
		memcpy(conn->packed_data, already.data, already.len);
	}
	conn->packed = (struct span){conn->packed_data, already.len};
	return 0;
}
