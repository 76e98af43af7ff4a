/*
 * An mbox, and what can be told of it by looking ahead: writers of "mboxcl" name the length of each
 * body and need not quote what stands in it; anybody else's Content-Length is a field that came
 * with the message and means nothing. The lengths of a file are believed once that of its first
 * message leads to where something begins, and no message begins before.
 */
#define _DEFAULT_SOURCE /* pread */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mail_source_private.h"

#define LINE_MAX_LEN 1024

/* What stands in the body from OFFSET on. */
struct ahead {
	bool has_from;    /* lines that begin with "From " */
	bool has_message; /* such as would begin one */
};

/* At most SIZE bytes at OFFSET; what can not be read is not there. */
static size_t peek(const struct mail_source *source, uint64_t offset, char *data, size_t size)
{
	ssize_t got;

	do {
		got = pread(source->fd, data, size, (off_t)offset);
	} while (got < 0 && errno == EINTR);
	return got > 0 ? (size_t)got : 0;
}

/* Whether the file, or a message's "From " line, begins at OFFSET, with an empty line before it or
 * not. */
static bool is_end_of_message(const struct mail_source *source, uint64_t offset)
{
	char data[8];
	size_t len = peek(source, offset, data, sizeof(data) - 1), at = 0;

	data[len] = '\0';
	at += at < len && data[at] == '\r';
	at += at < len && data[at] == '\n';
	return at == len || strncmp(data + at, "From ", 5) == 0;
}

static void look_at_line(struct ahead *ahead, struct span line, bool was_empty)
{
	int64_t date;

	if (line.len > 0 && line.data[line.len - 1] == '\r') {
		line.len--;
	}
	if (line.len >= 5 && memcmp(line.data, "From ", 5) == 0) {
		ahead->has_from = true;
		ahead->has_message = ahead->has_message || (was_empty && mbox_is_from(line, &date));
	}
}

/* Reads the LEN bytes at OFFSET for lines that begin with "From ". */
static int look_ahead(const struct mail_source *source, uint64_t offset, uint64_t len,
		      struct ahead *ahead, struct err *err)
{
	char *data = malloc(SOURCE_CHUNK);
	bool was_empty = true, is_inside = false;

	if (!data) {
		return err_nomem(err);
	}
	while (len > 0) {
		size_t size = len < SOURCE_CHUNK ? (size_t)len : SOURCE_CHUNK;
		size_t have = peek(source, offset, data, size), used = 0;
		while (used < have) {
			const char *lf = memchr(data + used, '\n', have - used);
			size_t part = (lf ? (size_t)(lf - data) : have) - used;
			if (!lf && used > 0 && have == size && size < len && part < LINE_MAX_LEN) {
				break; /* it is whole in the next piece */
			}
			if (!is_inside) {
				look_at_line(ahead, (struct span){data + used, part}, was_empty);
			}
			was_empty = lf && !is_inside && part <= (part == 1 && data[used] == '\r');
			is_inside = lf == NULL;
			used += part + (lf != NULL);
		}
		if (used == 0) {
			break;
		}
		offset += used;
		len -= used;
	}
	free(data);
	return 0;
}

/* The header has ended: does the Content-Length tell where the body does? */
static int judge_length(struct mail_source *source, struct err *err)
{
	struct source_mbox *mbox = &source->mbox;
	const struct mbox_message *message = mbox_message(mbox->mbox);
	uint64_t offset = mbox_offset(mbox->mbox);
	struct ahead ahead = {false, false};
	int code;

	if (message->is_ours || !source->is_file || mbox->trust == LENGTH_NEVER) {
		return 0;
	}
	bool is_long = message->has_length &&
		       (offset > source->size || message->length > source->size - offset);
	if (!message->has_length || is_long ||
	    !is_end_of_message(source, offset + message->length)) {
		mbox->is_short = is_long && mbox->trust == LENGTH_TRUSTED;
		mbox->trust = mbox->trust == LENGTH_TRUSTED ? LENGTH_TRUSTED : LENGTH_NEVER;
		return 0;
	}
	if ((code = look_ahead(source, offset, message->length, &ahead, err)) < 0) {
		return code;
	}
	if (mbox->trust == LENGTH_UNSURE && ahead.has_message) {
		mbox->trust = LENGTH_NEVER;
		return 0;
	}
	mbox->trust = LENGTH_TRUSTED;
	mbox->is_unquoted = mbox->is_unquoted || ahead.has_from;
	mbox_take_body(mbox->mbox, message->length, !mbox->is_unquoted);
	return 0;
}

static int feed(struct mail_source *source, struct err *err)
{
	size_t room, len;
	char *data = mbox_room(source->mbox.mbox, &room);
	int code = source_read_chunk(source, data, room, &len, err);

	if (code == 0 && len > 0) {
		mbox_feed(source->mbox.mbox, len);
	} else if (code == 0) {
		mbox_feed_end(source->mbox.mbox);
	}
	return code;
}

/* The next event that is of use to others. */
static int next_event(struct mail_source *source, enum mbox_event *event, struct span *data,
		      struct err *err)
{
	int code = 0;

	do {
		*event = mbox_next(source->mbox.mbox, data);
		if (*event == MBOX_MORE) {
			code = feed(source, err);
		} else if (*event == MBOX_BODY) {
			code = judge_length(source, err);
		}
	} while (code == 0 && (*event == MBOX_MORE || *event == MBOX_BODY));
	return code;
}

int source_mbox_next(struct mail_source *source, struct err *err)
{
	struct span data;
	enum mbox_event event;
	int code = next_event(source, &event, &data, err);

	if (code < 0 || event != MBOX_BEGIN) {
		return code;
	}
	source->message = (struct mail_source_message){.number = source->message.number + 1};
	source->mbox.is_short = false;
	return 1;
}

int source_mbox_read(struct mail_source *source, struct span *piece, struct err *err)
{
	const struct mbox_message *message = mbox_message(source->mbox.mbox);
	struct mail_source_message *told = &source->message;
	enum mbox_event event;
	int code = next_event(source, &event, piece, err);

	if (code < 0 || event == MBOX_DATA) {
		return code;
	}
	*piece = SPAN_LIT("");
	told->is_cut = message->is_cut || source->mbox.is_short;
	told->flags = message->flags;
	told->has_date = message->is_ours;
	told->has_other_date = !message->is_ours;
	told->date = message->has_date ? message->date : source->mtime;
	return 0;
}
