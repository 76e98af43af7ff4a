/*
 * Reading a directory: names with what they are, where the file system tells it without a stat
 * call a file (d_type), else with one. Symbolic links are neither files nor directories.
 */
#ifndef MAILSYNC_STORE_MAILDIR_DIR_H
#define MAILSYNC_STORE_MAILDIR_DIR_H

#include <stdbool.h>

#include "mailsync/base/err.h"

enum dir_kind {
	DIR_KIND_FILE,
	DIR_KIND_DIR,
	DIR_KIND_OTHER,
	DIR_KIND_UNKNOWN /* it could not be looked at: errnum tells why */
};

struct dir_stream {
	void *handle;
	int fd;
	const char *label;
	int errnum;
};

/* Reads DIRFD, which stays the caller's, from its beginning. LABEL names it in errors. */
int dir_stream_open(struct dir_stream *stream, int dirfd, const char *label, struct err *err);
/* The same of a descriptor just opened, which is closed with the stream, or on failure. */
int dir_stream_adopt(struct dir_stream *stream, int fd, const char *label, struct err *err);
/* 1 with *NAME (valid until the next call) and *KIND; 0 at the end; negative on failure. "." and
 * ".." are left out, and what vanished while it was looked at. */
int dir_stream_next(struct dir_stream *stream, const char **name, enum dir_kind *kind,
		    struct err *err);
void dir_stream_close(struct dir_stream *stream);

/* 1 when DIRFD has an entry of exactly these bytes, 0 when not. */
int dir_has_entry(int dirfd, const char *name, struct err *err);

#endif
