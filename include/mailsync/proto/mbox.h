/*
 * mbox files, read and written without I/O, in pieces.
 *
 * What we write is mboxrd: before each message a line "From mailsync <date>"; in it each line of
 * the form ">*From " with one ">" more; behind it an empty line. A message whose last line has no
 * end gets that end, and no empty line. So all of it can be had back, byte for byte.
 *
 * What is read may be anyone's. One of ours, told by its line, ends where the next line begins with
 * "From ", and with nothing else. Of others that line has to look like one: behind an empty line
 * with a date in it; elsewhere with a field of a header behind it, too. Where a file's first such
 * line has no date the others need none. A Content-Length is believed where the caller finds that
 * something begins right behind it (mbox_take_body). CRLF as the end of that line means that the
 * message has such ends.
 *
 *     mbox_create(&mbox, &err)
 *     while ((event = mbox_next(mbox, &data)) != MBOX_DONE) {
 *             MBOX_MORE: mbox_feed, or mbox_feed_end
 *             MBOX_BEGIN, MBOX_DATA ..., MBOX_END     a message; MBOX_BODY where its header ended
 *     }
 *     mbox_destroy(&mbox)
 *
 * Threads: one at a time. Memory: MBOX_ROOM twice.
 */
#ifndef MAILSYNC_PROTO_MBOX_H
#define MAILSYNC_PROTO_MBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

#define MBOX_ROOM      65536
#define MBOX_FROM_SIZE 48

/* --- reading --- */

enum mbox_event {
	MBOX_MORE,  /* feed it */
	MBOX_BEGIN, /* of a message */
	MBOX_BODY,  /* its header has ended; may be left unanswered */
	MBOX_DATA,  /* some of it, until the next call */
	MBOX_END,
	MBOX_DONE
};

struct mbox_message {
	bool is_ours;
	bool is_cut; /* the file ends in it: known at its end */
	bool has_date;
	int64_t date;    /* of its From line */
	uint64_t flags;  /* of Status and X-Status, at its end: flags.h */
	bool has_length; /* Content-Length, at MBOX_BODY */
	uint64_t length; /* likewise */
};

struct mbox;

int mbox_create(struct mbox **mbox, struct err *err);
void mbox_destroy(struct mbox **mbox);
/* After MBOX_MORE: where to put at most *ROOM bytes; how many came. */
char *mbox_room(struct mbox *mbox, size_t *room);
void mbox_feed(struct mbox *mbox, size_t len);
void mbox_feed_end(struct mbox *mbox);
enum mbox_event mbox_next(struct mbox *mbox, struct span *data);
/* The one that began last. */
const struct mbox_message *mbox_message(const struct mbox *mbox);
/* How many bytes of the file have been used: at MBOX_BODY where the body begins. */
uint64_t mbox_offset(const struct mbox *mbox);
/* After MBOX_BODY: the next LEN bytes are the body, whatever stands in them; IS_QUOTED: its lines
 * have ">" before "From " as elsewhere. */
void mbox_take_body(struct mbox *mbox, uint64_t len, bool is_quoted);

/* True where LINE, without its end, looks like one that begins a message: a date is in it. */
bool mbox_is_from(struct span line, int64_t *date);

/* --- writing --- */

/* "From mailsync Thu Jan  1 00:00:00 1970\n" */
void mbox_format_from(int64_t date, char line[MBOX_FROM_SIZE]);

/* One message on its way out. */
struct mbox_quote {
	bool is_inside; /* of a line whose beginning is decided */
	size_t arrows;  /* of an undecided one, */
	size_t matched; /* and of "From " behind them */
};
/* Appends DATA as it stands in the file; QUOTE is zeroed at the beginning of a message. */
void mbox_quote(struct mbox_quote *quote, struct span data, struct buf *out);
/* What stands behind the message. */
void mbox_quote_end(struct mbox_quote *quote, struct buf *out);

#endif
