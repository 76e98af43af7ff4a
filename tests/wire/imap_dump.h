/*
 * IMAP events as text, one a line, for tests and fuzzers, which are programs of one file each:
 * hence code in a header. Bodies are gathered into one line.
 */
#ifndef TESTS_WIRE_IMAP_DUMP_H
#define TESTS_WIRE_IMAP_DUMP_H

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/span.h"
#include "mailsync/proto/imap_parse.h"

#define SMALL_BODY_MAX (1u << 20)

static void dump_text(struct buf *out, const char *name, struct span text)
{
	buf_printf(out, " %s=\"", name);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c < ' ' || c >= 0x7f || c == '"' || c == '\\') {
			buf_printf(out, "\\%02x", c);
		} else {
			buf_append_char(out, (char)c);
		}
	}
	buf_append_char(out, '"');
}

static void dump_optional(struct buf *out, const char *name, struct span text)
{
	if (text.len > 0) {
		dump_text(out, name, text);
	}
}

static void dump_status(struct buf *out, const struct imap_event *event)
{
	static const char *const names[] = {"OK", "NO", "BAD", "BYE", "PREAUTH"};
	buf_printf(out, " %s", names[event->status]);
	if (event->code.type != IMAP_CODE_NONE) {
		buf_printf(out, " code=%d", (int)event->code.type);
		dump_text(out, "name", event->code.name);
		dump_optional(out, "args", event->code.args);
		if (event->code.number != 0) {
			buf_printf(out, " number=%" PRIu64, event->code.number);
		}
	}
	dump_text(out, "text", event->text);
}

static void dump_list(struct buf *out, const struct imap_list *list)
{
	char separator[2] = {list->separator, '\0'};
	buf_printf(out, " attributes=%x", list->attributes);
	dump_text(out, "separator", span_of(separator));
	if (list->has_name) {
		dump_text(out, "name", list->name);
	}
	buf_append_cstr(out, list->is_lsub ? " lsub" : "");
}

static void dump_counts(struct buf *out, const struct imap_counts *counts)
{
	if (counts->messages.is_told) {
		buf_printf(out, " messages=%" PRIu64, counts->messages.number);
	}
	if (counts->uidnext.is_told) {
		buf_printf(out, " uidnext=%" PRIu64, counts->uidnext.number);
	}
	if (counts->uidvalidity.is_told) {
		buf_printf(out, " uidvalidity=%" PRIu64, counts->uidvalidity.number);
	}
	if (counts->unseen.is_told) {
		buf_printf(out, " unseen=%" PRIu64, counts->unseen.number);
	}
	if (counts->highestmodseq.is_told) {
		buf_printf(out, " highestmodseq=%" PRIu64, counts->highestmodseq.number);
	}
	if (counts->size.is_told) {
		buf_printf(out, " size=%" PRIu64, counts->size.number);
	}
	if (counts->append_limit.is_told) {
		buf_printf(out, " appendlimit=%" PRIu64, counts->append_limit.number);
	}
	if (counts->mailboxid.data != NULL) {
		dump_text(out, "mailboxid", counts->mailboxid);
	}
}

static void dump_fetch(struct buf *out, const struct imap_fetch *fetch)
{
	buf_printf(out, " sequence=%" PRIu32, fetch->sequence);
	if ((fetch->has & IMAP_FETCH_UID) != 0) {
		buf_printf(out, " uid=%" PRIu32, fetch->uid);
	}
	if ((fetch->has & IMAP_FETCH_FLAGS) != 0) {
		dump_text(out, "flags", fetch->flags);
	}
	if (fetch->internaldate.is_told) {
		buf_printf(out, " internaldate=%" PRId64, fetch->internaldate.seconds);
	}
	if (fetch->size.is_told) {
		buf_printf(out, " size=%" PRIu64, fetch->size.number);
	}
	if (fetch->modseq.is_told) {
		buf_printf(out, " modseq=%" PRIu64, fetch->modseq.number);
	}
	if ((fetch->has & IMAP_FETCH_EMAILID) != 0) {
		dump_text(out, "emailid", fetch->emailid);
	}
	buf_append_cstr(out, (fetch->has & IMAP_FETCH_BODY) != 0 ? " body" : "");
	buf_append_cstr(out, (fetch->has & IMAP_FETCH_BODY_NIL) != 0 ? " body-nil" : "");
}

static void dump_numbers(struct buf *out, const struct imap_event *event)
{
	bool is_end = event->type == IMAP_NUMBERS_END || event->type == IMAP_VANISHED_END;
	if (!is_end) {
		buf_printf(out, " %" PRIu32 ":%" PRIu32, event->range.first, event->range.last);
	}
	dump_optional(out, "tag", event->tag);
	if (event->has_count) {
		buf_printf(out, " count=%" PRIu64, event->number);
	}
	buf_append_cstr(out, event->is_uid ? " uid" : "");
	buf_append_cstr(out, event->is_earlier ? " earlier" : "");
}

static const char *const type_names[] = {
	"MORE",      "TAGGED",   "UNTAGGED",    "CONTINUE", "CAPABILITY",   "ENABLED",
	"FLAGS",     "EXISTS",   "EXPUNGE",     "LIST",     "STATUS",       "NAMESPACE",
	"QUOTA",     "NUMBERS",  "NUMBERS_END", "VANISHED", "VANISHED_END", "BODY_BEGIN",
	"BODY_DATA", "BODY_END", "FETCH",       "OTHER",
};

static void dump_limit(struct buf *out, const char *name, struct told used, struct told limit)
{
	if (limit.is_told) {
		buf_printf(out, " %s=%llu/%llu", name, (unsigned long long)used.number,
			   (unsigned long long)limit.number);
	}
}

static void dump_quota(struct buf *out, const struct imap_quota *quota)
{
	dump_limit(out, "storage", quota->storage_used, quota->storage_limit);
	dump_limit(out, "messages", quota->messages_used, quota->messages_limit);
}

static void dump_details(struct buf *out, const struct imap_event *event)
{
	switch (event->type) {
	case IMAP_TAGGED:
		dump_text(out, "tag", event->tag);
		dump_status(out, event);
		break;
	case IMAP_UNTAGGED:
		dump_status(out, event);
		break;
	case IMAP_CAPABILITY:
	case IMAP_ENABLED:
		dump_text(out, "names", event->names);
		break;
	case IMAP_FLAGS:
		dump_text(out, "flags", event->flags);
		break;
	case IMAP_EXISTS:
	case IMAP_EXPUNGE:
		buf_printf(out, " %" PRIu64, event->number);
		break;
	case IMAP_LIST:
	case IMAP_NAMESPACE:
		dump_list(out, &event->list);
		break;
	case IMAP_QUOTA:
		dump_quota(out, &event->quota);
		break;
	case IMAP_STATUS:
		dump_text(out, "mailbox", event->mailbox);
		dump_counts(out, &event->counts);
		break;
	case IMAP_NUMBERS:
	case IMAP_NUMBERS_END:
	case IMAP_VANISHED:
	case IMAP_VANISHED_END:
		dump_numbers(out, event);
		break;
	case IMAP_BODY_BEGIN:
		dump_text(out, "section", event->section);
		buf_printf(out, " size=%" PRIu64, event->number);
		break;
	case IMAP_FETCH:
		dump_fetch(out, &event->fetch);
		break;
	case IMAP_CONTINUE:
	case IMAP_OTHER:
		dump_text(out, "text", event->text);
		break;
	case IMAP_BODY_DATA:
	case IMAP_MORE:
	case IMAP_BODY_END:
		break;
	}
}

struct dumper {
	struct buf *out;
	struct buf body;
	bool is_open; /* a body is being gathered */
};

static void dump_event(struct dumper *dumper, const struct imap_event *event)
{
	if (event->type == IMAP_BODY_DATA) {
		buf_append_span(&dumper->body, event->data);
		dumper->is_open = true;
		return;
	}
	if (dumper->is_open) {
		buf_append_cstr(dumper->out, "BODY_DATA");
		dump_text(dumper->out, "data", buf_span(&dumper->body));
		buf_append_char(dumper->out, '\n');
		buf_clear(&dumper->body);
		dumper->is_open = false;
	}
	if (event->type == IMAP_MORE) {
		return;
	}
	buf_append_cstr(dumper->out, type_names[event->type]);
	dump_details(dumper->out, event);
	buf_append_cstr(dumper->out, event->is_broken ? " broken\n" : "\n");
}

/* Takes all events there are; false after an error, which is dumped. */
static bool dump_events(struct imap_parser *parser, struct dumper *dumper)
{
	struct imap_event event;
	struct err err;
	for (;;) {
		int code = imap_parser_next(parser, &event, &err);
		if (code != 0) {
			struct imap_event more = {.type = IMAP_MORE};
			dump_event(dumper, &more);
			buf_printf(dumper->out, "ERROR %s %s\n", err_code_name(err.code), err.text);
			return false;
		}
		if (event.type == IMAP_MORE) {
			return true;
		}
		dump_event(dumper, &event);
	}
}

static size_t piece_len(size_t piece, unsigned *seed, size_t left)
{
	size_t len = piece;
	if (*seed != 0) {
		*seed = *seed * 1103515245u + 12345u;
		len = 1 + (*seed >> 16) % piece;
		*seed |= 1u;
	}
	return len < left ? len : left;
}

/*
 * Feeds INPUT in pieces and appends every event to OUT, an error as its last line. PIECE: the
 * largest size of a piece; with *SEED not 0 sizes are random up to it, else all are of it.
 */
static void imap_dump(struct span input, size_t piece, unsigned *seed, struct buf *out)
{
	struct imap_parser *parser = NULL;
	struct dumper dumper = {.out = out};
	struct err err;
	if (imap_parser_create(&parser, SMALL_BODY_MAX, &err) != 0) {
		return;
	}
	buf_init(&dumper.body, 64u << 20);
	size_t at = 0;
	bool goes_on = true;
	while (goes_on && at < input.len) {
		size_t len = piece_len(piece, seed, input.len - at);
		char *room = imap_parser_reserve(parser, len, &err);
		if (room == NULL) {
			buf_append_cstr(out, "NO ROOM\n");
			break;
		}
		memcpy(room, input.data + at, len);
		imap_parser_commit(parser, len);
		at += len;
		goes_on = dump_events(parser, &dumper);
	}
	struct imap_event end = {.type = IMAP_BODY_END};
	if (dumper.is_open) {
		dump_event(&dumper, &end);
		buf_append_cstr(out, "CUT\n");
	}
	buf_finish(&dumper.body);
	imap_parser_destroy(&parser);
}

#endif
