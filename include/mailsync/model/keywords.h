/*
 * The keywords that a mailbox is known to use: a small table that gives each a stable index,
 * so that a set of them fits in the flag word (flags.h). Names compare without ASCII case
 * (RFC 9051: keywords are case-insensitive); the first spelling seen is kept.
 */
#ifndef MAILSYNC_MODEL_KEYWORDS_H
#define MAILSYNC_MODEL_KEYWORDS_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/span.h"

#define KEYWORDS_MAX 58

struct keywords {
	char *names[KEYWORDS_MAX]; /* owned */
	int count;
};

void keywords_init(struct keywords *keywords);
void keywords_finish(struct keywords *keywords);
/* Whether NAME can be a keyword at all. */
bool keyword_is_atom(struct span name);
/* The index of NAME, or -1. */
int keywords_find(const struct keywords *keywords, struct span name);
/* The index of NAME, which is added where it is new; -1 when the table is full, memory is
 * short, or NAME is no IMAP atom (RFC 9051 flag-keyword). */
int keywords_intern(struct keywords *keywords, struct span name);
/* Text form for the state database: names separated by single spaces, in index order. */
void keywords_format(const struct keywords *keywords, struct buf *out);
/* Adds every name of such a text, in order. */
void keywords_parse(struct keywords *keywords, struct span text);

/* FLAGS of FROM's table in the words of TO, which learns those that it does not have; a keyword
 * that does not fit in there is lost. */
uint64_t keywords_translate(uint64_t flags, const struct keywords *from, struct keywords *to);

#endif
