/*
 * Mail that comes in from files: an mbox of whatever flavour, a message by itself, a folder of
 * such, or a Maildir; standard input ("-"), too, but no folder. One message after the other, each
 * as a stream: memory does not grow with the file.
 *
 *     mail_source_open(&source, path, &err)
 *     while ((code = mail_source_next(source, &err)) > 0) {
 *             do { mail_source_read(source, &piece, &err) } while (piece.len > 0)
 *             mail_source_message(source)
 *     }
 *     mail_source_close(&source)
 *
 * Threads: one at a time. The files are only read.
 */
#ifndef MAILSYNC_STORE_MAIL_SOURCE_H
#define MAILSYNC_STORE_MAIL_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"
#include "mailsync/model/keywords.h"

/* Known at the message's end. */
struct mail_source_message {
	uint64_t number;     /* in PATH, from 1 */
	bool is_cut;         /* the file ends in the middle of it */
	bool has_date;       /* that it was exported with, which comes before its own */
	bool has_other_date; /* where it has none of its own: */
	int64_t date;        /* either */
	uint64_t flags;      /* in terms of mail_source_keywords */
};

struct mail_source;

/* "-", of which there is one look only. */
bool mail_source_is_stdin(const char *path);
/* -ERR_LOCAL: it is not there, or cannot be read. Standard input is not looked at. */
int mail_source_check(const char *path, struct err *err);
/* -ERR_LOCAL for what cannot be read, -ERR_PARTIAL for what is no mail. PATH is copied. */
int mail_source_open(struct mail_source **source, const char *path, struct err *err);
void mail_source_close(struct mail_source **source);
/* 1: a message begins; 0: there is no other. What is left of the one before is skipped. */
int mail_source_next(struct mail_source *source, struct err *err);
/* Some of it, until the next call; empty at its end. */
int mail_source_read(struct mail_source *source, struct span *piece, struct err *err);
const struct mail_source_message *mail_source_message(const struct mail_source *source);
/* What of a Maildir is passed over: files that are none, as links are, and folders below it. */
struct mail_source_rest {
	size_t others;
	size_t folders;
};
int mail_source_rest(struct mail_source *source, struct mail_source_rest *rest, struct err *err);
/* The words of Maildirs' letters; the source's. */
const struct keywords *mail_source_keywords(const struct mail_source *source);

#endif
