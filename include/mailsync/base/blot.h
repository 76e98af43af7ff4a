/*
 * Blots secrets out of what a server says. A server that refuses a login may well repeat it, in
 * any form that it was sent in or that the server's own program makes of it. Whatever a server (or
 * a tunnel command) says goes through here before it gets into an error, the log or the state.
 *
 *     blot_init(&blot)
 *     blot_add(&blot, secret, &err)        each that a connection sends or is made of one
 *     blot_append(&blot, words, &out)      as often as wanted
 *     blot_finish(&blot)
 *
 * What is found, in any case of letters:
 *   the secret itself, also escaped (by backslashes, percent signs, quoted-printable, HTML, octal
 *   and hexadecimal numbers, doubled quotes) and broken into lines;
 *   its base64, wherever in the encoded bytes it stands, also the URL-safe kind, cut, or wrapped
 *   into lines: all base64 around it goes, too;
 *   its hexadecimal form;
 *   a part of it: of long ones any, of others the beginning at the end of the words and the end at
 *   their beginning, as a server cuts them.
 * A secret of up to four bytes stands in ordinary words: it goes only where it is a word by itself.
 * Bytes are all that is looked at: what a server translates or summarises is not found.
 *
 * One thread a blot.
 */
#ifndef MAILSYNC_BASE_BLOT_H
#define MAILSYNC_BASE_BLOT_H

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

struct blot_form;
struct blot {
	struct blot_form *forms;
	size_t count;
	size_t cap;
};

void blot_init(struct blot *blot);
void blot_finish(struct blot *blot);
/* SECRET is copied; an empty one is none. */
int blot_add(struct blot *blot, struct span secret, struct err *err);
/* Appends WORDS to OUT with "***" in place of each secret. Where memory is short that is all of
 * it. BLOT may be NULL: nothing is secret. */
void blot_append(const struct blot *blot, struct span words, struct buf *out);

#endif
