/*
 * APPEND, with non-synchronising literals where the server takes them (RFC 7888: LITERAL- up to
 * 4096 bytes) and several messages a command (RFC 3502). Sending is full duplex: conn_wait reads
 * while it writes, so a server that is sending never blocks us; what it says meanwhile stays in the
 * parser until somebody asks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/model/flags.h"

#include "imap_private.h"

#define LITERAL_MINUS_MAX 4096
#define APPEND_QUEUE_HIGH 262144

int imap_append_begin(struct remote *remote, const char *wire, uint64_t number, struct err *err)
{
	struct imap *imap = imap_of(remote);
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "APPEND ");
	int code = imap_line_string(imap, wire, err);
	if (code < 0) {
		return code;
	}
	/* The line goes on with the first message; only its bookkeeping is done here. */
	return imap_command_push(imap, IMAP_COMMAND_CHANGE, number, err);
}

/* Sends what imap->line holds. */
static int flush_line(struct imap *imap, struct err *err)
{
	int code = buf_status(&imap->line, "an APPEND command", err);
	if (code == 0) {
		char who[80];
		snprintf(who, sizeof(who), "%s >", imap->label);
		imap_trace_feed(&imap->trace_out, imap->log, who, buf_span(&imap->line));
		imap->trace_out.literal = 0; /* message data is not traced */
		code = conn_queue(imap->conn, buf_span(&imap->line), false, err);
	}
	buf_clear(&imap->line);
	return code;
}

/* Waits for "+". A tagged answer to this very command instead is kept for imap_done_next. */
static int wait_continue(struct imap *imap, struct err *err)
{
	uint32_t tag = imap->line_tag;
	for (;;) {
		struct imap_event event;
		struct imap_command command;
		int code = imap_event_next(imap, &event, err);
		if (code < 0) {
			return code;
		}
		if (event.type == IMAP_CONTINUE) {
			return 0;
		}
		if (event.type != IMAP_TAGGED || !imap_command_answered(imap, &event, &command) ||
		    command.tag != tag) {
			continue;
		}
		struct remote_done *done = calloc(1, sizeof(*done));
		if (done == NULL) {
			return err_nomem(err);
		}
		imap_done_of_tagged(&event, &command, "the upload", done);
		if (done->status == 0) {
			done->refusal = REMOTE_REFUSAL_OTHER;
			done->status = err_set(&done->err, ERR_PROTOCOL, SCOPE_ACCOUNT,
					       "the server answered APPEND before its data");
		}
		imap->append_no = done;
		*err = done->err;
		return done->status;
	}
}

int imap_append_message(struct remote *remote, const struct remote_append *message, struct err *err)
{
	struct imap *imap = imap_of(remote);
	buf_append_cstr(&imap->line, " (");
	flags_to_imap(message->flags, message->keywords, &imap->line);
	buf_append_cstr(&imap->line, ") ");
	/* Cyrus and Courier refuse what is older, and take second 0 for no date. */
	imap_write_date_time(&imap->line, message->date < 0 ? 1 : message->date);
	bool no_wait =
		!message->asks_first &&
		((imap->caps & IMAP_CAP_LITERAL_PLUS) ||
		 ((imap->caps & IMAP_CAP_LITERAL_MINUS) && message->size <= LITERAL_MINUS_MAX));
	buf_printf(&imap->line, " {%" PRIu64 "%s}\r\n", message->size, no_wait ? "+" : "");
	int code = flush_line(imap, err);
	if (code < 0 || no_wait) {
		return code;
	}
	return wait_continue(imap, err);
}

bool imap_append_was_refused(const struct remote *remote)
{
	return imap_of(remote)->append_no != NULL;
}

int imap_append_data(struct remote *remote, struct span data, struct err *err)
{
	struct imap *imap = imap_of(remote);
	int code = conn_queue(imap->conn, data, false, err);
	while (code == 0 && conn_queued(imap->conn) > APPEND_QUEUE_HIGH) {
		/* What the server says meanwhile is only stored; 64 KiB a turn, and it cannot say
		 * much. */
		size_t received = 0;
		char *room = imap_parser_reserve(imap->parser, 16384, err);
		if (room == NULL) {
			return -(int)err->code;
		}
		code = conn_wait(imap->conn, CONN_OUTPUT, room, 16384, &received, err);
		if (code == 0) {
			imap_parser_commit(imap->parser, received);
		}
	}
	return code;
}

int imap_append_end(struct remote *remote, struct err *err)
{
	struct imap *imap = imap_of(remote);
	buf_append_cstr(&imap->line, "\r\n");
	return flush_line(imap, err);
}
