/*
 * Bodies and deletions, many in flight.
 *
 * F1. A body counts as whole only with PIECE_END; one that is shorter than LIST said only once the
 *     next status line has shown that the terminator was not a lone dot of the message.
 */
#include <inttypes.h>
#include <stdio.h>

#include "pop3_private.h"

/* Filled up again only when half empty, so that commands go out many at a time. */
bool pop3_has_room(struct pop3 *pop3)
{
	size_t window = (pop3->caps & POP3_CAP_PIPELINING) ? POP3_WINDOW : 1;

	window = pop3->window > 0 && pop3->window < window ? pop3->window : window;
	if (pop3->in_flight >= window) {
		pop3->is_filling = false;
	} else if (pop3->in_flight <= window / 2) {
		pop3->is_filling = true;
	}
	return pop3->is_filling;
}

void pop3_limit(struct pop3 *pop3, size_t window)
{
	pop3->window = window;
}

static int queue(struct pop3 *pop3, const char *line, enum pop3_reply reply, uint32_t number,
		 struct err *err)
{
	int code = pop3_send(pop3, line, reply, err);

	if (!code) {
		pop3->numbers[(pop3->first + pop3->in_flight) % POP3_WINDOW] = number;
		pop3->in_flight++;
	}
	return code;
}

static void flight_done(struct pop3 *pop3)
{
	pop3->first = (pop3->first + 1) % POP3_WINDOW;
	pop3->in_flight--;
}

int pop3_queue(struct pop3 *pop3, enum pop3_want want, uint32_t number, struct err *err)
{
	static const struct {
		const char *verb, *rest;
		enum pop3_reply reply;
	} commands[] = {
		[POP3_WANT_MESSAGE] = {"RETR", "", POP3_REPLY_BODY},
		[POP3_WANT_HEADER] = {"TOP", " 0", POP3_REPLY_BODY},
		[POP3_WANT_DELETION] = {"DELE", "", POP3_REPLY_STATUS},
	};
	char line[32];

	snprintf(line, sizeof(line), "%s %" PRIu32 "%s", commands[want].verb, number,
		 commands[want].rest);
	return queue(pop3, line, commands[want].reply, number, err);
}

int pop3_fetch_end(struct pop3 *pop3, struct err *err)
{
	return (pop3->caps & POP3_CAP_PIPELINING) ? queue(pop3, "NOOP", POP3_REPLY_STATUS, 0, err)
						  : 0;
}

static int lost_framing(const struct pop3 *pop3, struct span text, struct err *err)
{
	int len = (int)(text.len > 80 ? 80 : text.len);
	const char *data = text.data ? text.data : "";

	if (pop3->last_number == 0) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server sent \"%.*s\" where an answer begins", len, data);
	}
	return err_set(
		err, ERR_PROTOCOL, SCOPE_ACCOUNT,
		"the server sent \"%.*s\" where an answer begins; message %" PRIu32
		" before it may have a line of a single dot that the server failed to escape",
		len, data, pop3->last_number);
}

static int fetch_status(struct pop3 *pop3, const struct pop3_event *event, struct pop3_piece *piece,
			struct err *err)
{
	if (event->is_broken) {
		return lost_framing(pop3, event->text, err);
	}
	if (event->reply == POP3_REPLY_STATUS) {
		pop3->is_confirmed = true;
		flight_done(pop3);
		return 0;
	}
	if (event->is_ok) {
		piece->kind = PIECE_BEGIN;
		pop3->body_size = 0;
		return 0;
	}
	piece->kind = PIECE_REFUSED;
	piece->is_passing = event->code == POP3_CODE_SYS_TEMP || event->code == POP3_CODE_IN_USE ||
			    event->code == POP3_CODE_LOGIN_DELAY;
	piece->data = event->text;
	pop3->is_confirmed = false;
	flight_done(pop3);
	return 0;
}

int pop3_fetch_next(struct pop3 *pop3, struct pop3_piece *piece, struct err *err)
{
	struct pop3_event event;

	*piece = (struct pop3_piece){.kind = PIECE_NONE};
	if (pop3->in_flight == 0) {
		return 0;
	}
	int code = pop3_event_next(pop3, &event, err);
	if (code) {
		return code;
	}
	piece->number = pop3->numbers[pop3->first];
	if (event.type == POP3_STATUS) {
		return fetch_status(pop3, &event, piece, err);
	}
	if (event.type == POP3_BODY) {
		piece->kind = PIECE_DATA;
		piece->data = event.text;
		pop3->body_size += event.text.len;
		return 0;
	}
	piece->kind = PIECE_END;
	piece->size_bytes = pop3->body_size;
	piece->has_lone_dot = event.has_lone_dot;
	piece->slack_bytes = event.slack_bytes;
	pop3->is_confirmed = false;
	pop3->last_number = piece->number;
	flight_done(pop3);
	return 0;
}

int pop3_identity_next(struct pop3 *pop3, struct pop3_piece *piece,
		       struct header_identity *identity, struct err *err)
{
	int code = pop3->scan == NULL ? header_scan_create(&pop3->scan, err) : 0;
	while (code == 0) {
		code = pop3_fetch_next(pop3, piece, err);
		if (code < 0 || piece->kind != PIECE_DATA) {
			break;
		}
		code = header_scan_feed(pop3->scan, piece->data, err);
	}
	return code == 0 && piece->kind == PIECE_END ? header_scan_result(pop3->scan, identity, err)
						     : code;
}

int pop3_confirm(struct pop3 *pop3, struct err *err)
{
	struct pop3_event status;

	if (pop3->is_confirmed) {
		return 0;
	}
	int code = pop3_ask(pop3, "NOOP", POP3_REPLY_STATUS, &status, err);

	if (!code && status.is_broken) {
		code = lost_framing(pop3, status.text, err);
	}
	return code;
}

int pop3_dele_next(struct pop3 *pop3, bool *is_ok, struct span *words, struct err *err)
{
	struct pop3_event event;
	int code = pop3_event_next(pop3, &event, err);

	if (code) {
		return code;
	}
	*is_ok = event.is_ok;
	*words = event.text;
	pop3->is_confirmed = false;
	flight_done(pop3);
	return 0;
}
