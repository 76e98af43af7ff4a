/*
 * What is remembered of one message in one mailbox: the *base* (what both sides agreed on) and
 * what was last *observed* on each side. A row whose observed sides equal its base is settled;
 * every other row is pending, and stays so until a run settles it, whatever the reason that it
 * could not (I8).
 *
 *   uid != 0 and unique != ""  : base has it on both sides once `is_agreed`
 *   remote / local             : what was last seen there
 *
 *   is_agreed, both PRESENT, all three flags equal  : settled
 *   !is_agreed, remote PRESENT, local ABSENT        : on the server, not (yet) downloaded
 *   !is_agreed, local PRESENT, remote ABSENT        : in the Maildir, not (yet) uploaded
 *   is_agreed, one side GONE                        : removed there, not (yet) on the other side
 */
#ifndef MAILSYNC_MODEL_ROW_H
#define MAILSYNC_MODEL_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/model/told.h"

enum presence {
	MESSAGE_ABSENT, /* never was there as far as base knows */
	MESSAGE_PRESENT,
	MESSAGE_GONE /* was there in base, is not any more */
};

/* Why a pending row was left so by the last run that planned it. */
enum row_reason {
	REASON_NONE = 0,  /* settled, or not planned yet */
	REASON_POLICY,    /* direction, copy, flags, delete, create do not cover it */
	REASON_TOO_LARGE, /* max_message_size */
	REASON_TOO_OLD,   /* max_age */
	REASON_DELETED,   /* carries \Deleted and `expunge` would remove it */
	REASON_BRAKE,
	REASON_FAILED,    /* tried, failed, to be tried again */
	REASON_OBSTACLE,  /* the server has no way to do it (no UIDPLUS, read-only, quota, refused
			  * for good) */
	REASON_AMBIGUOUS, /* pairing found several candidates */
	REASON_UNIDENTIFIED, /* a message that the server does not tell the header of, or a file
			      * that may be that: until pairing knows */
	REASON_UNSEEN,       /* a message that the server lists and does not show */
	REASON_UNPROVEN,     /* none: we put it on the server, as that says, and it was not seen
			      * there yet */
	REASON_SUSPECT       /* the connection ended on it, often: it is tried once a day */
};

/* What the brake holds of a row, whatever else keeps it pending: a mark that stays until the user
 * says what is right, or what was held is not wanted any more. A set; the numbers stand in
 * databases. */
enum row_held {
	HELD_NOT = 0,
	HELD_REMOVAL = 1, /* its removal from the side, or sides, that still have it */
	HELD_FLAGS = 2    /* clearing on the server what its file does not bear any more */
};

#define ROW_DIGEST_SIZE  16
#define ROW_CONTENT_SIZE 32 /* CONTENT_DIGEST_SIZE of model/content.h */

/* A file as it was when its content was last known. What differs now may have another content. */
struct file_mark {
	uint64_t size_bytes;
	int64_t mtime_ns;
	uint64_t inode; /* 0: the mark is not known, and equals none */
};
bool file_mark_equal(const struct file_mark *one, const struct file_mark *other);

struct row {
	int64_t id; /* in the database; 0 for a new one */
	int64_t mailbox;
	uint32_t uid; /* 0: not known on the server */
	char *unique; /* unique part of the file name, owned; "" (never NULL): not known locally */
	bool is_agreed;
	enum presence local;
	enum presence remote;
	uint64_t flags; /* agreed; 0 while not agreed */
	uint64_t local_flags;
	uint64_t remote_flags;
	uint64_t
		unlettered; /* keywords of local_flags that the file's name does not bear: a program
			      * that does not know them dropped them, or they have no letter */
	enum row_reason reason;
	enum row_held held;
	int64_t held_since;    /* seconds; where it is held */
	struct told size;      /* bytes: of the file where it is known, else RFC822.SIZE */
	struct told_time date; /* INTERNALDATE, or mtime; UNSEEN: since when it is */
	bool has_digest;
	uint8_t digest[ROW_DIGEST_SIZE];   /* header digest */
	char *emailid;                     /* owned, NULL: unknown */
	bool has_content;                  /* rows of older databases have none */
	uint8_t content[ROW_CONTENT_SIZE]; /* of the file as it was downloaded or sent */
	struct file_mark mark; /* of that file; where there is no content, of the one whose header
				* the digest is of */
};

void row_init(struct row *row);
void row_finish(struct row *row);
/* What the row's file is from now on. CONTENT: NULL where it was not read. */
void row_set_file(struct row *row, const struct file_mark *mark, const uint8_t *content);
/* `unique` may be the shared empty string: change it only through these. UNIQUE without a NUL
 * in its LEN bytes. */
int row_set_unique(struct row *row, const char *unique, size_t len, struct err *err);
int row_set_emailid(struct row *row, const char *emailid, size_t len, struct err *err);
void row_forget_emailid(struct row *row);
/* True when its observed sides equal its base. */
bool row_is_settled(const struct row *row);
/* True when nothing is left to remember (both sides gone; or never agreed and gone where it
 * was). */
bool row_is_void(const struct row *row);

struct row_list {
	struct row *items;
	size_t count;
	size_t cap;
};
void row_list_init(struct row_list *list);
void row_list_finish(struct row_list *list);
/* A new row_init()ed item at the end; NULL and ERR when out of memory. */
struct row *row_list_add(struct row_list *list, struct err *err);

#endif
