/* What the kinds of sources share. */
#ifndef STORE_MAIL_SOURCE_PRIVATE_H
#define STORE_MAIL_SOURCE_PRIVATE_H

#include "mailsync/base/strlist.h"
#include "mailsync/proto/mbox.h"
#include "mailsync/store/mail_source.h"
#include "mailsync/store/maildir.h"

#define SOURCE_CHUNK 65536

/* Whether the Content-Length of an mbox's messages is to be believed (mail_source_mbox.c). */
enum length_trust {
	LENGTH_UNSURE, /* no message with a body was seen */
	LENGTH_TRUSTED,
	LENGTH_NEVER
};

struct source_mbox {
	struct mbox *mbox;
	enum length_trust trust;
	bool is_unquoted; /* mboxcl2: "From " stands in bodies as it is */
	bool is_short;    /* the message is longer than the file */
};

struct mail_source {
	char *path;
	int fd;        /* -1: none is open */
	bool is_ended; /* it was read to its end; a terminal would be asked for more */
	int64_t mtime;
	uint64_t size;
	bool is_file; /* a regular one: it can be looked at ahead */
	char *chunk;  /* SOURCE_CHUNK */
	size_t first; /* bytes in it that were read to find out what it is */
	struct mail_source_message message;
	bool is_inside;          /* of a message */
	struct source_mbox mbox; /* .mbox NULL: it is none */
	/* Of a folder: */
	bool is_folder;
	struct strlist files;    /* messages by themselves, sorted */
	size_t next;             /* of `files`, or of `scan` */
	struct maildir *maildir; /* NULL: it is none */
	struct maildir_folder *folder;
	struct maildir_scan scan;
	struct keywords keywords;
};

/* Opens NAME below the source's path ("": that itself), as `fd`. */
int source_open_file(struct mail_source *source, const char *name, struct err *err);
/* 0 at its end. */
int source_read_chunk(struct mail_source *source, void *data, size_t size, size_t *len,
		      struct err *err);

int source_mbox_next(struct mail_source *source, struct err *err);
int source_mbox_read(struct mail_source *source, struct span *piece, struct err *err);

int source_folder_open(struct mail_source *source, struct err *err);
int source_folder_next(struct mail_source *source, struct err *err);
void source_folder_finish(struct mail_source *source);

#endif
