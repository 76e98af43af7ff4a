/* The connection's one loop: commands out, events in, matched by their order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/proto/sasl.h"

#include "pop3_private.h"
#include "login.h"

#define LOGIN_DELAY_MAX_S 86400 /* more is no wish but a mistake */
#define POP3_READ_SIZE    65536
#define WORDS_MAX         300
#define LEAVE_MS          2000
#define POP3_SHOWN_MAX    (2 * POP3_READ_SIZE)

static int open_once(struct pop3 **result, const struct pop3_params *params, struct err *err)
{
	struct pop3 *pop3 = calloc(1, sizeof(*pop3));
	if (!pop3) {
		return err_nomem(err);
	}
	pop3->server = params->server;
	pop3->log = params->log;
	pop3->login_name = "none";
	pop3->label = span_dup(span_of(params->label));
	blot_init(&pop3->blot);
	buf_init(&pop3->shown, POP3_SHOWN_MAX);
	int code = pop3->label ? pop3_parser_create(&pop3->parser, err) : err_nomem(err);
	if (!code) {
		code = pop3_login(pop3, params, err);
	}
	if (code) {
		pop3_close(&pop3);
		return code;
	}
	*result = pop3;
	return 0;
}

int pop3_open(struct pop3 **result, const struct pop3_params *params, struct err *err)
{
	int code = open_once(result, params, err);

	if (code == -ERR_LOGIN && (code = login_again(params->server, params->stop, err)) > 0) {
		log_line(params->log, LOG_INFO, "%s: %s; trying again with another token",
			 params->label, err->text);
		code = open_once(result, params, err);
	}
	return code;
}

void pop3_close(struct pop3 **handle)
{
	struct pop3 *pop3 = *handle;

	if (!pop3) {
		return;
	}
	conn_destroy(&pop3->conn);
	pop3_parser_destroy(&pop3->parser);
	blot_finish(&pop3->blot);
	buf_finish(&pop3->shown);
	header_scan_destroy(&pop3->scan);
	free(pop3->greeting);
	free(pop3->label);
	free(pop3);
	*handle = NULL;
}

bool pop3_has_top(const struct pop3 *pop3)
{
	return (pop3->caps & POP3_CAP_KNOWN) == 0 || (pop3->caps & POP3_CAP_TOP) != 0;
}

int pop3_explain(const struct pop3 *pop3, bool has_uidl, struct strlist *lines, struct err *err)
{
	bool is_piped = (pop3->caps & POP3_CAP_PIPELINING) != 0;
	const char *told[][2] = {
		{"login", pop3->login_name},
		{"connection", conn_is_tls(pop3->conn) ? "TLS" : "without TLS"},
		{"identity of messages",
		 has_uidl ? "UIDL" : "digests of headers, as there is no UIDL"},
		{"commands", is_piped ? "pipelined" : "one at a time (no PIPELINING)"},
		{"headers", pop3_has_top(pop3) ? "TOP" : "RETR, as there is no TOP"},
	};
	char line[256];
	int code = 0;

	for (size_t i = 0; !code && i < sizeof(told) / sizeof(told[0]); i++) {
		snprintf(line, sizeof(line), "%s: %s", told[i][0], told[i][1]);
		code = strlist_add(lines, span_of(line), err);
	}
	return code;
}

bool pop3_is_gmail(const struct pop3 *pop3)
{
	return pop3->greeting && strncmp(pop3->greeting, "Gpop ", 5) == 0;
}

void pop3_get_totals(const struct pop3 *pop3, struct remote_totals *totals)
{
	struct conn_stats stats;

	conn_get_stats(pop3->conn, &stats);
	*totals = (struct remote_totals){
		.commands = pop3->commands + stats.commands,
		.round_trips = stats.round_trips,
		.bytes_in = stats.bytes_in,
		.bytes_out = stats.bytes_out,
	};
}

static void trace(const struct pop3 *pop3, char direction, struct span line)
{
	const struct blot *blot = direction == '<' ? &pop3->blot : NULL;
	char who[80];

	if (pop3->log && log_enabled(pop3->log, LOG_WIRE)) {
		snprintf(who, sizeof(who), "%s %c", pop3->label, direction);
		log_wire(pop3->log, who, line, blot);
	}
}

int pop3_send(struct pop3 *pop3, const char *line, enum pop3_reply reply, struct err *err)
{
	int code = pop3_parser_expect(pop3->parser, reply, err);

	if (!code) {
		trace(pop3, '>', span_of(line));
		pop3->commands++;
		code = conn_queue(pop3->conn, span_of(line), false, err);
	}
	return code ? code : conn_queue(pop3->conn, SPAN_LIT("\r\n"), false, err);
}

static void trace_event(const struct pop3 *pop3, const struct pop3_event *event)
{
	static const char *const prefixes[] = {"-ERR ", "+OK ", ""};
	char line[POP3_LINE_MAX + 8];

	if (event->type != POP3_STATUS || !pop3->log || !log_enabled(pop3->log, LOG_WIRE)) {
		return;
	}
	snprintf(line, sizeof(line), "%s%.*s",
		 prefixes[event->is_broken ? 2
			  : event->is_ok   ? 1
					   : 0],
		 (int)event->text.len, event->text.data);
	trace(pop3, '<', span_of(line));
}

void pop3_blot_words(struct pop3 *pop3, struct pop3_event *event)
{
	bool is_quoted = event->type == POP3_STRAY || event->is_broken ||
			 (event->type == POP3_STATUS && !event->is_ok);
	if (!is_quoted) {
		return;
	}
	buf_clear(&pop3->shown);
	blot_append(&pop3->blot, event->text, &pop3->shown);
	event->text = pop3->shown.failed ? SPAN_LIT("") : buf_span(&pop3->shown);
}

int pop3_event_next(struct pop3 *pop3, struct pop3_event *event, struct err *err)
{
	int code = pop3_event_raw(pop3, event, err);
	if (code < 0) {
		return code;
	}
	pop3_blot_words(pop3, event);
	if (event->type == POP3_STATUS && !event->is_ok && login_is_unconnected(event->text)) {
		pop3->is_unconnected = true;
		return login_unconnected(pop3->server, "POP", err);
	}
	return 0;
}

int pop3_event_raw(struct pop3 *pop3, struct pop3_event *event, struct err *err)
{
	for (;;) {
		int code = pop3_parser_next(pop3->parser, event, err);
		if (code) {
			return code;
		}
		if (event->type == POP3_STRAY) {
			pop3_blot_words(pop3, event);
			return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
				       "the server sent \"%.*s\", which nothing was asked for",
				       (int)(event->text.len > 80 ? 80 : event->text.len),
				       event->text.data);
		}
		if (event->type != POP3_MORE) {
			trace_event(pop3, event);
			return 0;
		}
		char *room = pop3_parser_reserve(pop3->parser, POP3_READ_SIZE, err);
		if (!room) {
			return -(int)err->code;
		}
		size_t received = 0;
		code = conn_wait(pop3->conn, CONN_INPUT, room, POP3_READ_SIZE, &received, err);
		if (code) {
			return code;
		}
		pop3_parser_commit(pop3->parser, received);
	}
}

int pop3_ask(struct pop3 *pop3, const char *line, enum pop3_reply reply, struct pop3_event *status,
	     struct err *err)
{
	int code = pop3_send(pop3, line, reply, err);

	return code ? code : pop3_event_next(pop3, status, err);
}

static bool has_words(struct span text, const char *words)
{
	while (text.len >= strlen(words)) {
		if (span_starts_nocase(text, words)) {
			return true;
		}
		text.data++;
		text.len--;
	}
	return false;
}

bool pop3_is_passing(const struct pop3_event *status)
{
	static const char *const words[] = {"in use",   "locked",   "lock busy", "try again",
					    "temporar", "too many", "rate limit"};

	switch (status->code) {
	case POP3_CODE_IN_USE:
	case POP3_CODE_LOGIN_DELAY:
	case POP3_CODE_SYS_TEMP:
		return true;
	case POP3_CODE_AUTH:
	case POP3_CODE_SYS_PERM:
		return false;
	case POP3_CODE_NONE:
	case POP3_CODE_OTHER:
		break;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (has_words(status->text, words[i])) {
			return true;
		}
	}
	return false;
}

int pop3_refused(const struct pop3_event *status, const char *what, enum err_code code,
		 struct err *err)
{
	int len = (int)(status->text.len > WORDS_MAX ? WORDS_MAX : status->text.len);
	const char *text = status->text.data ? status->text.data : "";

	if (status->is_broken) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server answered %s with \"%.*s\", which POP3 does not have",
			       what, len, text);
	}
	if (pop3_is_passing(status)) {
		(void)err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			      "the server cannot do %s now, saying \"%.*s\"; try again later", what,
			      len, text);
		err_set_patience(err, 0);
		return -ERR_TEMPORARY;
	}
	if (status->code == POP3_CODE_SYS_PERM) {
		code = ERR_SERVER;
	}
	return err_set(err, code, SCOPE_ACCOUNT, "the server refused %s, saying \"%.*s\"", what,
		       len, text);
}

/* " 900", or " 900 USER" where it may be another after the login (RFC 2449 6.5). */
static void note_login_delay(struct pop3 *pop3, struct span rest)
{
	uint32_t seconds = 0;

	while (rest.len > 0 && rest.data[0] == ' ') {
		rest.data++;
		rest.len--;
	}
	const char *blank = memchr(rest.data, ' ', rest.len);
	rest.len = blank ? (size_t)(blank - rest.data) : rest.len;
	if (span_to_u32(rest, &seconds) && seconds <= LOGIN_DELAY_MAX_S) {
		pop3->login_delay_s = seconds;
	}
}

int64_t pop3_login_delay_s(const struct pop3 *pop3)
{
	return pop3->login_delay_s;
}

void pop3_note_cap(struct pop3 *pop3, struct span line)
{
	static const struct {
		const char *name;
		unsigned cap;
	} caps[] = {
		{"TOP", POP3_CAP_TOP},
		{"UIDL", POP3_CAP_UIDL},
		{"PIPELINING", POP3_CAP_PIPELINING},
		{"USER", POP3_CAP_USER},
		{"RESP-CODES", POP3_CAP_RESP_CODES},
		{"AUTH-RESP-CODE", POP3_CAP_AUTH_RESP_CODE},
		{"UTF8", POP3_CAP_UTF8},
	};
	struct span name = line;
	const char *blank = memchr(line.data, ' ', line.len);

	name.len = blank ? (size_t)(blank - line.data) : line.len;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		if (span_equal_nocase(name, caps[i].name)) {
			pop3->caps |= caps[i].cap;
		}
	}
	struct span rest = {line.data + name.len, line.len - name.len};
	if (span_equal_nocase(name, "LOGIN-DELAY")) {
		note_login_delay(pop3, rest);
	}
	if (!span_equal_nocase(name, "SASL")) {
		return;
	}
	while (rest.len > 0) {
		blank = memchr(rest.data, ' ', rest.len);
		size_t len = blank ? (size_t)(blank - rest.data) : rest.len;
		enum auth mech = sasl_by_name((struct span){rest.data, len});
		pop3->mechs |= mech == AUTH_NONE ? 0 : AUTH_BIT(mech);
		len += blank ? 1 : 0;
		rest.data += len;
		rest.len -= len;
	}
}

int pop3_ask_caps(struct pop3 *pop3, struct err *err)
{
	struct pop3_event event;
	int code = pop3_ask(pop3, "CAPA", POP3_REPLY_CAPA, &event, err);

	if (code || !event.is_ok) {
		return code;
	}
	pop3->caps = POP3_CAP_KNOWN;
	pop3->mechs = 0;
	for (;;) {
		code = pop3_event_next(pop3, &event, err);
		if (code || event.type == POP3_END) {
			return code;
		}
		pop3_note_cap(pop3, event.text);
	}
}

int pop3_quit(struct pop3 *pop3, struct err *err)
{
	struct pop3_event status;
	int code = pop3_ask(pop3, "QUIT", POP3_REPLY_STATUS, &status, err);

	if (code || status.is_ok) {
		return code;
	}
	return pop3_refused(&status, "QUIT", ERR_REFUSED, err);
}

void pop3_leave(struct pop3 *pop3)
{
	struct err ignored;

	conn_set_limit(pop3->conn, LEAVE_MS);
	(void)pop3_quit(pop3, &ignored);
}
