/*
 * A connection that waits: between two runs (rest and wake), or for what the server tells by itself
 * (remote_watch.h): NOTIFY (RFC 5465, with errata 1804 and 2318) and IDLE (RFC 2177).
 *
 * Servers say EXISTS before "+", end an IDLE by themselves, or never answer DONE; Dovecot tells of
 * changed flags only when CONDSTORE or QRESYNC is enabled, which imap_list did.
 */
#include "mailsync/store/remote_watch.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "imap_private.h"

#define WAKE_MS 10000

/* FlagChange goes with the first two only, and these only together. */
#define EVENTS      "MessageNew MessageExpunge FlagChange"
#define EVENTS_MORE EVENTS " MailboxName SubscriptionChange"

static int send_plain(struct imap *imap, const char *command, struct err *err)
{
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, command);
	return imap_line_end(imap, IMAP_COMMAND_SIMPLE, 0, err);
}

static int ask_plain(struct imap *imap, const char *command, struct err *err)
{
	int code = send_plain(imap, command, err);
	return code < 0 ? code : imap_wait_simple(imap, command, err);
}

int imap_rest(struct remote *remote, struct err *err)
{
	struct imap *imap = imap_of(remote);
	int code = 0;
	if (imap->queue_len > 0 || imap->views != NULL || imap->append_no != NULL) {
		return err_set(err, ERR_REFUSED, SCOPE_ACCOUNT, "something is outstanding");
	}
	if (imap->may_be_open || imap->selected != NULL) {
		if ((imap->caps & IMAP_CAP_UNSELECT) == 0) {
			return err_set(err, ERR_REFUSED, SCOPE_ACCOUNT,
				       "the server has no UNSELECT");
		}
		if ((code = ask_plain(imap, "UNSELECT", err)) < 0) {
			return code;
		}
	}
	imap->may_be_open = false;
	imap->exists = UNTOLD;
	imap->rate_since_ms = 0;
	imap->backoff_is_due = false;
	imap->backoff_ms = 0;
	return imap_set_selected(imap, NULL, false, err);
}

int imap_wake(struct remote *remote, struct err *err)
{
	struct imap *imap = imap_of(remote);
	conn_set_limit(imap->conn, WAKE_MS);
	int code = ask_plain(imap, "NOOP", err);
	conn_set_limit(imap->conn, 0);
	return code;
}

bool remote_watch_can(const struct remote *remote, enum remote_watch how)
{
	unsigned cap = how == REMOTE_WATCH_NOTIFY ? IMAP_CAP_NOTIFY : IMAP_CAP_IDLE;
	return (imap_of(remote)->caps & cap) != 0;
}

static int told_add(struct remote_mailboxes *told, size_t *cap, struct span wire,
		    const struct numbers *numbers, struct err *err)
{
	if (ARRAY_RESERVE(&told->items, told->count + 1, cap, err) < 0) {
		return -ERR_NOMEM;
	}
	char *copy = span_dup(wire);
	if (copy == NULL) {
		return err_nomem(err);
	}
	told->items[told->count++] =
		(struct remote_mailbox){.wire = copy, .counts.numbers = *numbers};
	return 0;
}

static struct numbers numbers_of(const struct imap_counts *counts)
{
	return (struct numbers){
		.messages = counts->messages,
		.uidnext = counts->uidnext,
		.uidvalidity = counts->uidvalidity,
		.modseq = counts->highestmodseq,
	};
}

/* The STATUS of each mailbox that NOTIFY begins with, up to its answer. */
static int await_notify(struct imap *imap, struct remote_mailboxes *told, size_t *cap,
			struct err *err)
{
	for (;;) {
		struct imap_event event;
		struct imap_command command;
		int code = imap_event_next(imap, &event, err);
		if (code == 0 && event.type == IMAP_STATUS) {
			struct numbers numbers = numbers_of(&event.counts);
			code = told_add(told, cap, event.mailbox, &numbers, err);
		}
		if (code < 0) {
			return code;
		}
		if (event.type == IMAP_TAGGED && imap_command_answered(imap, &event, &command)) {
			return imap_status_error(&event, "NOTIFY", err);
		}
	}
}

static int begin_notify(struct imap *imap, struct remote_mailboxes *told, struct err *err)
{
	static const char *const commands[] = {
		"NOTIFY SET STATUS (personal (" EVENTS_MORE "))",
		"NOTIFY SET STATUS (personal (" EVENTS "))",
	};
	size_t cap = 0;
	int code = -ERR_REFUSED;
	for (size_t i = 0; code == -ERR_REFUSED && i < sizeof(commands) / sizeof(commands[0]);
	     i++) {
		code = send_plain(imap, commands[i], err);
		code = code < 0 ? code : await_notify(imap, told, &cap, err);
	}
	if (code == 0) {
		imap->watching = IMAP_WATCHING_NOTIFY;
	}
	return code;
}

static int send_idle(struct imap *imap, struct err *err)
{
	imap->watching = IMAP_WATCHING_ASKED;
	return send_plain(imap, "IDLE", err);
}

static int begin_idle(struct imap *imap, const char *wire, struct remote_mailboxes *told,
		      struct err *err)
{
	struct remote_opened opened = {0};
	size_t cap = 0;
	int code;
	if ((code = imap_select(&imap->remote, wire, false, &opened, err)) < 0 ||
	    (code = told_add(told, &cap, span_of(wire), &opened.numbers, err)) < 0 ||
	    (code = send_idle(imap, err)) < 0) {
		goto finish;
	}
	imap->watched_exists = imap->exists;
	/* What it says to IDLE decides whether it is watched so. */
	while (imap->watching == IMAP_WATCHING_ASKED) {
		struct imap_event event;
		struct imap_command command;
		if ((code = imap_event_next(imap, &event, err)) < 0) {
			break;
		}
		if (event.type == IMAP_CONTINUE) {
			imap->watching = IMAP_WATCHING_IDLE;
		} else if (event.type == IMAP_TAGGED &&
			   imap_command_answered(imap, &event, &command)) {
			code = imap_status_error(&event, "IDLE", err);
			code = code < 0 ? code
					: err_set(err, ERR_REFUSED, SCOPE_MAILBOX,
						  "the server ended IDLE at once");
			break;
		}
	}
	/* Some say EXISTS before "+": that is told with the first numbers. */
	if (code == 0 && told->count > 0) {
		told->items[told->count - 1].counts.numbers.messages = imap->exists;
		imap->watched_exists = imap->exists;
	}
finish:
	remote_opened_finish(&opened);
	return code;
}

int remote_watch_begin(struct remote *remote, enum remote_watch how, const char *wire,
		       struct remote_mailboxes *told, struct err *err)
{
	struct imap *imap = imap_of(remote);
	int code = how == REMOTE_WATCH_NOTIFY ? begin_notify(imap, told, err)
					      : begin_idle(imap, wire, told, err);
	if (code < 0) {
		imap->watching = IMAP_WATCHING_NOT;
	}
	return code;
}

bool remote_watch_is_asking(const struct remote *remote)
{
	const struct imap *imap = imap_of(remote);
	return imap->watching == IMAP_WATCHING_ASKED || imap->watching == IMAP_WATCHING_DONE ||
	       (imap->watching == IMAP_WATCHING_NOTIFY && imap->queue_len > 0);
}

int remote_watch_fd(const struct remote *remote)
{
	return conn_fd(imap_of(remote)->conn);
}

int remote_watch_renew(struct remote *remote, struct err *err)
{
	struct imap *imap = imap_of(remote);
	if (remote_watch_is_asking(remote)) {
		return 0;
	}
	if (imap->watching == IMAP_WATCHING_NOTIFY) {
		return send_plain(imap, "NOOP", err);
	}
	imap->watching = IMAP_WATCHING_DONE;
	log_wire(imap->log, imap->label, SPAN_LIT("> DONE"), NULL);
	return conn_queue(imap->conn, SPAN_LIT("DONE\r\n"), false, err);
}

/* A tagged answer: to IDLE, which DONE ended or the server did, or to NOOP. */
static int hear_answer(struct imap *imap, const struct imap_event *event,
		       struct remote_heard *heard, struct err *err)
{
	struct imap_command command;
	bool was_asked = imap->watching == IMAP_WATCHING_ASKED;
	if (!imap_command_answered(imap, event, &command) ||
	    imap->watching == IMAP_WATCHING_NOTIFY) {
		return 0;
	}
	/* One that is refused, or ended before it began, would be so again at once. */
	if (event->status != IMAP_OK || was_asked) {
		imap->watching = IMAP_WATCHING_NOT;
		heard->kind = REMOTE_HEARD_OVER;
		return 0;
	}
	return send_idle(imap, err);
}

static void hear_status(struct imap *imap, const struct imap_event *event,
			struct remote_heard *heard)
{
	free(imap->watched);
	imap->watched = span_dup(event->mailbox);
	heard->kind = imap->watched == NULL ? REMOTE_HEARD_LOST : REMOTE_HEARD_MAILBOX;
	heard->wire = imap->watched;
	heard->numbers = numbers_of(&event->counts);
}

/* "* OK [NOTIFICATIONOVERFLOW]" switches it off; "* NO NOTIFY error, some events may have got
 * lost" does not. */
static void hear_untagged(struct imap *imap, const struct imap_event *event,
			  struct remote_heard *heard)
{
	if (span_equal_nocase(event->code.name, "NOTIFICATIONOVERFLOW")) {
		imap->watching = IMAP_WATCHING_NOT;
		heard->kind = REMOTE_HEARD_OVER;
	} else if (event->status != IMAP_OK) {
		heard->kind = REMOTE_HEARD_LOST;
	}
}

static void hear_selected(struct imap *imap, struct remote_heard *heard)
{
	heard->kind = imap->selected == NULL ? REMOTE_HEARD_LOST : REMOTE_HEARD_MAILBOX;
	heard->wire = imap->selected;
}

/* Some say the same count again whenever an IDLE begins. */
static void hear_exists(struct imap *imap, struct remote_heard *heard)
{
	if (!told_equal(imap->watched_exists, imap->exists)) {
		hear_selected(imap, heard);
	}
	imap->watched_exists = imap->exists;
}

static int hear_event(struct imap *imap, const struct imap_event *event, struct remote_heard *heard,
		      struct err *err)
{
	switch ((int)event->type) {
	case IMAP_TAGGED:
		return hear_answer(imap, event, heard, err);
	case IMAP_CONTINUE:
		if (imap->watching == IMAP_WATCHING_ASKED) {
			imap->watching = IMAP_WATCHING_IDLE;
		}
		break;
	case IMAP_UNTAGGED:
		hear_untagged(imap, event, heard);
		break;
	case IMAP_STATUS:
		hear_status(imap, event, heard);
		break;
	case IMAP_LIST:
		heard->kind = REMOTE_HEARD_MAILBOXES;
		break;
	case IMAP_EXISTS:
		hear_exists(imap, heard);
		break;
	case IMAP_EXPUNGE:
	case IMAP_VANISHED_END:
		imap->watched_exists = imap->exists;
		hear_selected(imap, heard);
		break;
	case IMAP_FETCH:
		hear_selected(imap, heard);
		break;
	default:
		/* What cannot be read may have told of anything. */
		if (event->is_broken && event->meant != IMAP_FLAGS) {
			heard->kind = REMOTE_HEARD_LOST;
		}
		break;
	}
	return 0;
}

int remote_watch_next(struct remote *remote, struct remote_heard *heard, struct err *err)
{
	struct imap *imap = imap_of(remote);
	struct imap_event event;
	int code = imap_event_try(imap, &event, err);
	if (code < 0 || event.type == IMAP_MORE) {
		return code;
	}
	*heard = (struct remote_heard){.kind = REMOTE_HEARD_SIGN};
	code = hear_event(imap, &event, heard, err);
	return code < 0 ? code : 1;
}
