/*
 * The connection's one loop: bytes in, events out, commands and their tags. Answers are matched by
 * tag; everything untagged belongs to what is being asked for.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "imap_private.h"
#include "login.h"

#define IMAP_READ_SIZE 65536
#define IMAP_NOISE_MAX 100000 /* "* OK still here" each 2 minutes for 4 months */
#define LOGOUT_MS      2000
#define ALERT_SHOWN    2000 /* bytes of its words */
/* Times timeout_s of waiting: what tells of messages may come for so long without a command being
 * answered. A listing of a million messages takes some 100 MB. */
#define IMAP_ANSWER_TIMES 240
#define IMAP_ALERTS_MAX   10 /* of a connection; a server may repeat one without end */

/* *RECEIVED: 0 only where it may not wait. */
static int imap_read(struct imap *imap, bool waits, size_t *received, struct err *err)
{
	char *room = imap_parser_reserve(imap->parser, IMAP_READ_SIZE, err);
	if (room == NULL) {
		return -(int)err->code;
	}
	*received = 0;
	int code = conn_wait(imap->conn, waits ? CONN_INPUT : CONN_POLL, room, IMAP_READ_SIZE,
			     received, err);
	if (code < 0 || *received == 0) {
		return code;
	}
	char who[80];
	snprintf(who, sizeof(who), "%s <", imap->label);
	imap_trace_feed(&imap->trace_in, imap->log, who, (struct span){room, *received});
	imap_parser_commit(imap->parser, *received);
	return 0;
}

/* The code says why, whatever the words speak of. */
static bool is_of_message(const struct imap_event *event)
{
	return event->code.type == IMAP_CODE_TOOBIG || event->code.type == IMAP_CODE_CANNOT;
}

/* Refusals that ask for fewer commands: by response code, or by the words of servers without. */
static bool is_throttle(const struct imap_event *event)
{
	static const char *const words[] = {"throttl", "backoff", "rate limit", "too many"};
	if (event->code.type == IMAP_CODE_THROTTLED || event->code.type == IMAP_CODE_LIMIT) {
		return true;
	}
	for (size_t i = 0; !is_of_message(event) && i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_contains_nocase(event->text, words[i])) {
			return true;
		}
	}
	return false;
}

int64_t imap_named_backoff_ms(struct span text)
{
	static const char words[] = "backoff time:";
	while (text.len > 0 && !span_starts_nocase(text, words)) {
		text.data++;
		text.len--;
	}
	if (text.len == 0) {
		return 0;
	}
	int64_t ms = 0;
	for (size_t i = sizeof(words) - 1; i < text.len && ms < INT32_MAX; i++) {
		if (text.data[i] >= '0' && text.data[i] <= '9') {
			ms = ms * 10 + (text.data[i] - '0');
		} else if (text.data[i] != ' ' || ms > 0) {
			break;
		}
	}
	return ms;
}

static int note_bye(struct imap *imap, const struct imap_event *event, struct err *err)
{
	if (imap->is_closing) {
		return 0;
	}
	int code = err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			   "the server ended the connection, saying \"%.*s\"; try again later",
			   (int)(event->text.len > 300 ? 300 : event->text.len), event->text.data);
	if (is_throttle(event)) {
		err_set_patience(err, imap_named_backoff_ms(event->text));
	}
	return code;
}

/* What came before was of the other mailbox. */
static void note_closed(struct imap *imap)
{
	imap->exists = UNTOLD;
	imap->may_be_open = false;
	if (imap->queue_len > 0) {
		imap->queue[0].stale = 0;
	}
}

bool imap_is_alert(const struct imap_event *event)
{
	return event->code.type == IMAP_CODE_ALERT ||
	       (event->code.type == IMAP_CODE_OTHER &&
		span_equal_nocase(event->code.name, "WEBALERT"));
}

void imap_append_alert(const struct imap *imap, const struct imap_event *event, struct buf *out)
{
	size_t len = event->text.len < ALERT_SHOWN ? event->text.len : ALERT_SHOWN;

	buf_append_char(out, '[');
	buf_append_span(out, event->code.name);
	if (event->code.args.len > 0) {
		buf_append_char(out, ' ');
		blot_append(&imap->blot, event->code.args, out);
	}
	buf_append_cstr(out, "] ");
	buf_append(out, event->text.data, len);
}

void imap_tell_alert(struct imap *imap, struct span words)
{
	if (words.len > 0 && imap->alerts < IMAP_ALERTS_MAX) {
		imap->alerts++;
		log_line(imap->log, LOG_WARN, "%s: the server wants you to know: %.*s", imap->label,
			 (int)words.len, words.data);
	}
}

static int note_untagged(struct imap *imap, const struct imap_event *event, struct err *err)
{
	if (event->status == IMAP_BYE) {
		return note_bye(imap, event, err);
	}
	if (event->code.type == IMAP_CODE_CLOSED) {
		note_closed(imap);
	} else if (event->code.type == IMAP_CODE_CAPABILITY) {
		imap_note_caps(imap, event->code.args);
	} else if (imap_is_alert(event) && !imap->holds_alerts && imap->alerts < IMAP_ALERTS_MAX) {
		struct buf words;
		buf_init(&words, IMAP_ALERT_MAX);
		imap_append_alert(imap, event, &words);
		imap_tell_alert(imap, buf_span(&words));
		buf_finish(&words);
	}
	return 0;
}

/* When the turn of a command that opens a mailbox has come, the count is of the one before it. */
static void note_turn(struct imap *imap)
{
	if (imap->queue_len > 0 && imap->queue[0].opens) {
		imap->exists = UNTOLD;
	}
}

/* What tells of messages, by the kind of EVENT or of what it was to be. */
static bool tells_of_messages(const struct imap_event *event)
{
	switch ((int)(event->is_broken ? event->meant : event->type)) {
	case IMAP_FETCH:
	case IMAP_BODY_BEGIN:
	case IMAP_BODY_DATA:
	case IMAP_BODY_END:
	case IMAP_EXPUNGE:
	case IMAP_VANISHED:
	case IMAP_VANISHED_END:
		return true;
	default:
		return false;
	}
}

/* Whether EVENT tells of messages of a mailbox that is being closed, or may do so. */
static bool is_stale(const struct imap *imap, const struct imap_event *event)
{
	return imap->may_be_open && imap->queue_len > 0 && imap->queue[0].opens &&
	       tells_of_messages(event);
}

/* Nothing here relies on the list of flags that a mailbox knows. */
static void note_broken(struct imap *imap, const struct imap_event *event)
{
	if (event->type != IMAP_OTHER || !event->is_broken || event->meant == IMAP_FLAGS) {
		return;
	}
	if (event->meant == IMAP_EXISTS) {
		imap->exists = UNTOLD;
	}
	if (imap->queue_len > 0) {
		imap->queue[0].broken++;
	}
}

/* Sequence numbers mean nothing here, but the count of messages does. */
static void note_count(struct imap *imap, const struct imap_event *event)
{
	if (event->type == IMAP_EXISTS) {
		imap->exists = told(event->number);
	} else if (event->type == IMAP_EXPUNGE) {
		imap->exists.number -= imap->exists.number > 0;
	} else if (event->type == IMAP_VANISHED && !event->is_earlier) {
		uint64_t gone = (uint64_t)event->range.last - event->range.first + 1;
		imap->exists.number -= gone > imap->exists.number ? imap->exists.number : gone;
	}
}

/* What may come at any time, and again and again. */
static bool answers_nothing(const struct imap_event *event)
{
	return event->type == IMAP_UNTAGGED || event->type == IMAP_OTHER ||
	       event->type == IMAP_CONTINUE || event->type == IMAP_TAGGED ||
	       event->type == IMAP_EXISTS || event->type == IMAP_FLAGS ||
	       event->type == IMAP_CAPABILITY;
}

/* A server that talks on and on without ever answering has lost its way, however little memory that
 * takes. */
static int note_noise(struct imap *imap, const struct imap_event *event, struct err *err)
{
	struct conn_stats stats;
	int64_t timeout_ms = imap->server->timeout_s * INT64_C(1000);
	conn_get_stats(imap->conn, &stats);
	if (imap->noise == 0 || !answers_nothing(event)) {
		imap->noise_since_ms = stats.waited_ms;
	}
	if (event->type == IMAP_BODY_DATA || stats.bytes_out != imap->sent) {
		imap->answered_ms = stats.waited_ms;
	}
	imap->sent = stats.bytes_out;
	imap->noise = answers_nothing(event) ? imap->noise + 1 : 0;
	if (imap->noise > IMAP_NOISE_MAX) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server sent %d lines that answer nothing", IMAP_NOISE_MAX);
	}
	if (stats.waited_ms - imap->noise_since_ms > timeout_ms * CONN_DRIP_TIMES ||
	    stats.waited_ms - imap->answered_ms > timeout_ms * IMAP_ANSWER_TIMES) {
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "the server goes on sending lines and answers nothing");
	}
	return 0;
}

/* Whatever quotes the server's words takes them from an event: here secrets go from them. (Those
 * with OK are quoted by nobody but for alerts.) */
static void blot_words(struct imap *imap, struct imap_event *event)
{
	bool has_words = event->type == IMAP_UNTAGGED || event->type == IMAP_TAGGED;
	if (!has_words || (event->status == IMAP_OK && !imap_is_alert(event))) {
		return;
	}
	buf_clear(&imap->shown);
	blot_append(&imap->blot, event->code.name, &imap->shown);
	size_t at = imap->shown.len;
	blot_append(&imap->blot, event->text, &imap->shown);
	if (imap->shown.failed != 0) {
		event->code.name = event->text = SPAN_LIT("");
		return;
	}
	event->code.name = (struct span){imap->shown.data, at};
	event->text = (struct span){imap->shown.data + at, imap->shown.len - at};
}

static bool is_unconnected(const struct imap *imap, const struct imap_event *event)
{
	bool is_refusal = event->type == IMAP_TAGGED ||
			  (event->type == IMAP_UNTAGGED && event->status == IMAP_BYE);
	return is_refusal && event->status != IMAP_OK && !imap->is_closing &&
	       login_is_unconnected(event->text);
}

/* What the session itself learns from an event. */
static int note_event(struct imap *imap, const struct imap_event *event, struct err *err)
{
	int code = 0;
	if (is_unconnected(imap, event)) {
		imap->is_unconnected = true;
		return login_unconnected(imap->server, "IMAP", err);
	}
	if (event->type == IMAP_UNTAGGED) {
		code = note_untagged(imap, event, err);
	} else if (event->type == IMAP_CAPABILITY) {
		imap_note_caps(imap, event->names);
	} else if (event->type == IMAP_TAGGED && event->code.type == IMAP_CODE_CAPABILITY) {
		imap_note_caps(imap, event->code.args);
	}
	note_broken(imap, event);
	note_count(imap, event);
	return code < 0 ? code : note_noise(imap, event, err);
}

static int take_event(struct imap *imap, bool waits, struct imap_event *event, struct err *err)
{
	for (;;) {
		size_t received = 0;
		int code = imap_parser_next(imap->parser, event, err);
		if (code == 0 && event->type != IMAP_MORE) {
			blot_words(imap, event);
			if (!is_stale(imap, event)) {
				return note_event(imap, event, err);
			}
			imap->queue[0].stale++;
			continue;
		}
		if (code < 0 || (code = imap_read(imap, waits, &received, err)) < 0 ||
		    received == 0) {
			return code;
		}
	}
}

int imap_event_next(struct imap *imap, struct imap_event *event, struct err *err)
{
	return take_event(imap, true, event, err);
}

int imap_event_try(struct imap *imap, struct imap_event *event, struct err *err)
{
	return take_event(imap, false, event, err);
}

void imap_line_begin(struct imap *imap)
{
	imap->line_tag = ++imap->last_tag;
	buf_clear(&imap->line);
	buf_printf(&imap->line, "m%" PRIu32 " ", imap->line_tag);
}

int imap_command_push(struct imap *imap, enum imap_command_kind kind, uint64_t cookie,
		      struct err *err)
{
	if (ARRAY_RESERVE(&imap->queue, imap->queue_len + 1, &imap->queue_cap, err) < 0) {
		return -ERR_NOMEM;
	}
	imap->queue[imap->queue_len++] =
		(struct imap_command){.tag = imap->line_tag, .kind = kind, .cookie = cookie};
	imap->commands++;
	return 0;
}

int imap_line_end_opening(struct imap *imap, enum imap_command_kind kind, uint64_t cookie,
			  struct err *err)
{
	int code = imap_line_end(imap, kind, cookie, err);
	if (imap->queue_len > 0 && imap->queue[imap->queue_len - 1].tag == imap->line_tag) {
		imap->queue[imap->queue_len - 1].opens = true;
		if (imap->queue_len == 1) {
			note_turn(imap);
		}
	}
	return code;
}

int imap_line_end(struct imap *imap, enum imap_command_kind kind, uint64_t cookie, struct err *err)
{
	buf_append_cstr(&imap->line, "\r\n");
	int code = buf_status(&imap->line, "an IMAP command", err);
	if (code == 0) {
		code = imap_command_push(imap, kind, cookie, err);
	}
	if (code == 0) {
		char who[80];
		snprintf(who, sizeof(who), "%s >", imap->label);
		imap_trace_feed(&imap->trace_out, imap->log, who, buf_span(&imap->line));
		code = conn_queue(imap->conn, buf_span(&imap->line), false, err);
	}
	return code;
}

int imap_line_string(struct imap *imap, const char *text, struct err *err)
{
	if (imap_write_quoted(&imap->line, span_of(text))) {
		return 0;
	}
	if ((imap->caps & (IMAP_CAP_LITERAL_PLUS | IMAP_CAP_LITERAL_MINUS)) == 0) {
		return err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
			       "the name \"%s\" has characters that this server cannot be sent",
			       text);
	}
	buf_printf(&imap->line, "{%zu+}\r\n%s", strlen(text), text);
	return 0;
}

void imap_line_uids(struct imap *imap, const struct uidset *uids)
{
	/* A set that ends at the last UID that there can be is one up to the last that there is. */
	struct uidset closed = *uids;
	const struct uidrange *last = uids->count == 0 ? NULL : &uids->ranges[uids->count - 1];
	bool is_open = last != NULL && last->last == UINT32_MAX && last->first != UINT32_MAX;
	closed.count -= is_open;
	uidset_format(&closed, &imap->line);
	if (is_open) {
		buf_printf(&imap->line, "%s%" PRIu32 ":*", closed.count > 0 ? "," : "",
			   last->first);
	}
}

/* The number of a tag of ours ("m12"), or 0. */
static uint32_t tag_number(struct span tag)
{
	uint32_t number = 0;
	if (tag.len < 2 || tag.data[0] != 'm' ||
	    !span_to_u32((struct span){tag.data + 1, tag.len - 1}, &number)) {
		return 0;
	}
	return number;
}

/* Refusals that pass by themselves. */
bool imap_status_is_passing(const struct imap_event *event)
{
	if (is_of_message(event)) {
		return false;
	}
	return is_throttle(event) || event->code.type == IMAP_CODE_UNAVAILABLE ||
	       event->code.type == IMAP_CODE_INUSE || event->code.type == IMAP_CODE_SERVERBUG ||
	       span_contains_nocase(event->text, "try again") ||
	       span_contains_nocase(event->text, "temporar");
}

static void note_backoff(struct imap *imap, const struct imap_event *event,
			 enum imap_command_kind kind)
{
	bool is_fetch = kind == IMAP_COMMAND_FETCH || kind == IMAP_COMMAND_HEADERS;
	bool is_due = is_fetch ? is_throttle(event) : imap_status_is_passing(event);
	if (event->status == IMAP_OK || !is_due) {
		return;
	}
	int64_t ms = imap_named_backoff_ms(event->text);
	imap->backoff_is_due = true;
	imap->backoff_ms = ms > imap->backoff_ms ? ms : imap->backoff_ms;
}

bool imap_busy_is_due(const struct remote *remote)
{
	return imap_of(remote)->backoff_is_due;
}

bool imap_busy_take(struct remote *remote, int64_t *wanted_ms)
{
	struct imap *imap = imap_of(remote);
	bool is_due = imap->backoff_is_due;
	*wanted_ms = imap->backoff_ms;
	imap->backoff_is_due = false;
	imap->backoff_ms = 0;
	return is_due;
}

bool imap_command_answered(struct imap *imap, const struct imap_event *event,
			   struct imap_command *command)
{
	uint32_t number = tag_number(event->tag);
	for (size_t i = 0; number != 0 && i < imap->queue_len; i++) {
		if (imap->queue[i].tag == number) {
			*command = imap->queue[i];
			command->exists = imap->exists;
			imap->queue_len--;
			memmove(imap->queue + i, imap->queue + i + 1,
				(imap->queue_len - i) * sizeof(*imap->queue));
			imap->noise = 0;
			imap->sent = 0; /* and the time without an answer begins anew */
			imap->may_be_open |= command->opens && event->status == IMAP_OK;
			if (i == 0) {
				note_turn(imap);
			}
			note_backoff(imap, event, command->kind);
			return true;
		}
	}
	return false;
}

int imap_status_error(const struct imap_event *event, const char *what, struct err *err)
{
	if (event->status == IMAP_OK) {
		return 0;
	}
	int words = (int)(event->text.len > 300 ? 300 : event->text.len);
	const char *verb = event->status == IMAP_BAD ? "could not make sense of" : "refused";
	char name[48] = "";
	if (event->code.name.len > 0 && event->code.name.len < 40) {
		snprintf(name, sizeof(name), "[%.*s] ", (int)event->code.name.len,
			 event->code.name.data);
	}
	return err_set(err, imap_status_is_passing(event) ? ERR_TEMPORARY : ERR_REFUSED,
		       SCOPE_MAILBOX, "the server %s %s, saying \"%s%.*s\"", verb, what, name,
		       words, event->text.data == NULL ? "" : event->text.data);
}

int imap_answer_error(const struct imap_event *event, const struct imap_command *command,
		      const char *what, struct err *err)
{
	int code = imap_status_error(event, what, err);
	if (code < 0 || command->broken == 0) {
		return code;
	}
	return err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
		       "the server's answer to %s has %u line%s that cannot be read", what,
		       command->broken, command->broken == 1 ? "" : "s");
}

enum remote_refusal imap_refusal(const struct imap_event *event)
{
	if (event->status == IMAP_OK) {
		return REMOTE_REFUSAL_NONE;
	}
	switch ((int)event->code.type) {
	case IMAP_CODE_ALREADYEXISTS:
		return REMOTE_REFUSAL_ALREADY_EXISTS;
	case IMAP_CODE_NONEXISTENT:
		return REMOTE_REFUSAL_NONEXISTENT;
	case IMAP_CODE_TRYCREATE:
		return REMOTE_REFUSAL_TRYCREATE;
	case IMAP_CODE_OVERQUOTA:
		return REMOTE_REFUSAL_OVERQUOTA;
	case IMAP_CODE_TOOBIG:
		return REMOTE_REFUSAL_TOOBIG;
	case IMAP_CODE_CANNOT:
		return REMOTE_REFUSAL_CANNOT;
	case IMAP_CODE_AUTHENTICATIONFAILED:
	case IMAP_CODE_AUTHORIZATIONFAILED:
	case IMAP_CODE_CONTACTADMIN:
	case IMAP_CODE_EXPIRED:
	case IMAP_CODE_NOPERM:
	case IMAP_CODE_PRIVACYREQUIRED:
	case IMAP_CODE_READ_ONLY:
		return REMOTE_REFUSAL_NOPERM;
	default:
		break;
	}
	if (imap_status_is_passing(event)) {
		return is_throttle(event) ? REMOTE_REFUSAL_BUSY : REMOTE_REFUSAL_PASSING;
	}
	bool is_plain_no = event->status == IMAP_NO && event->code.type == IMAP_CODE_NONE;
	return is_plain_no ? REMOTE_REFUSAL_UNCODED : REMOTE_REFUSAL_OTHER;
}

int imap_wait_simple(struct imap *imap, const char *what, struct err *err)
{
	for (;;) {
		struct imap_event event;
		int code = imap_event_next(imap, &event, err);
		if (code < 0) {
			return code;
		}
		struct imap_command command;
		if (event.type == IMAP_TAGGED && imap_command_answered(imap, &event, &command)) {
			return imap_status_error(&event, what, err);
		}
	}
}

int imap_logout(struct remote *remote, struct err *err)
{
	struct imap *imap = imap_of(remote);
	imap->is_closing = true;
	conn_set_limit(imap->conn, LOGOUT_MS);
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "LOGOUT");
	int code = imap_line_end(imap, IMAP_COMMAND_SIMPLE, 0, err);
	return code < 0 ? code : imap_wait_simple(imap, "LOGOUT", err);
}

int imap_set_selected(struct imap *imap, const char *wire, bool is_writable, struct err *err)
{
	char *copy = NULL;
	if (wire != NULL) {
		copy = span_dup(span_of(wire));
		if (copy == NULL) {
			return err_nomem(err);
		}
	}
	free(imap->selected);
	imap->selected = copy;
	imap->selected_writable = is_writable;
	imap->selected_uidvalidity = UNTOLD;
	return 0;
}

struct told imap_selected(const struct remote *remote, const char *wire, bool is_writable)
{
	const struct imap *imap = imap_of(remote);
	if (imap->selected == NULL || strcmp(imap->selected, wire) != 0 ||
	    (is_writable && !imap->selected_writable)) {
		return UNTOLD;
	}
	return imap->selected_uidvalidity;
}
