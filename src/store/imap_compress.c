/*
 * COMPRESS=DEFLATE (RFC 4978): off unless asked for. With `auto` only where the wire is the brake:
 * compressing costs a server several times what sending costs it on a fast line.
 */
#include "mailsync/base/clock.h"

#include "imap_private.h"

/* A server's deflate gives some 30 MB/s of mail, 12 MB/s on the wire; a line of half that rate is
 * the brake. */
#define SLOW_BYTES_PER_MS 6000

static bool can_compress(const struct imap *imap)
{
	return (imap->caps & IMAP_CAP_COMPRESS) && !imap->is_compressed;
}

int imap_compress(struct imap *imap, struct err *err)
{
	struct buf rest;
	if (!can_compress(imap)) {
		return 0;
	}
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "COMPRESS DEFLATE");
	int code = imap_line_end(imap, IMAP_COMMAND_SIMPLE, 0, err);
	if (code == 0) {
		code = imap_wait_simple(imap, "COMPRESS", err);
	}
	if (code == -ERR_REFUSED) {
		log_line(imap->log, LOG_INFO, "%s: %s; going on without it", imap->label,
			 err->text);
		imap->caps &= ~(unsigned)IMAP_CAP_COMPRESS;
		return 0;
	}
	if (code < 0) {
		return code;
	}
	buf_init(&rest, IMAP_ITEM_MAX);
	code = imap_parser_take_rest(imap->parser, &rest, err);
	if (code == 0) {
		code = conn_start_deflate(imap->conn, buf_span(&rest), err);
	}
	imap->is_compressed = code == 0;
	buf_finish(&rest);
	return code;
}

void imap_pace_begin(struct imap *imap)
{
	struct conn_stats stats;
	if (imap->rate_since_ms != 0) {
		return;
	}
	conn_get_stats(imap->conn, &stats);
	imap->rate_since_ms = clock_monotonic_ms();
	imap->rate_from = stats.bytes_in;
}

/* What came since the first body began. */
static uint64_t pace_bytes(const struct imap *imap)
{
	struct conn_stats stats;
	conn_get_stats(imap->conn, &stats);
	return imap->rate_since_ms == 0 ? 0 : stats.bytes_in - imap->rate_from;
}

static bool may_compress(const struct imap *imap)
{
	return imap->server->compress == SERVER_COMPRESS_AUTO && can_compress(imap);
}

static bool should_compress(const struct imap *imap)
{
	uint64_t bytes = pace_bytes(imap);
	int64_t elapsed_ms = clock_monotonic_ms() - imap->rate_since_ms;
	return may_compress(imap) && bytes >= REMOTE_PACE_BYTES && elapsed_ms > 0 &&
	       bytes / (uint64_t)elapsed_ms < SLOW_BYTES_PER_MS;
}

int imap_compress_if_due(struct imap *imap, struct err *err)
{
	return imap->queue_len == 0 && should_compress(imap) ? imap_compress(imap, err) : 0;
}

enum remote_pace imap_pace(const struct remote *remote)
{
	const struct imap *imap = imap_of(remote);
	if (should_compress(imap)) {
		return REMOTE_PACE_HOLD;
	}
	return may_compress(imap) && pace_bytes(imap) < REMOTE_PACE_BYTES ? REMOTE_PACE_SLOW
									  : REMOTE_PACE_FREE;
}
