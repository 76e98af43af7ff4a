/* Text of unknown origin, made fit for a terminal. Pure. */
#ifndef MAILSYNC_BASE_TEXT_H
#define MAILSYNC_BASE_TEXT_H

#include <stddef.h>

/* Rewrites LEN bytes at TEXT in place: control characters (C0, DEL, and C1 as UTF-8), ends of
 * lines, what changes the direction of text (U+202E and its like) and bytes that are not UTF-8
 * become '?'; a character cut short by the end is dropped.
 * Returns the new length, at most LEN. No terminator is read or written. */
size_t text_clean(char *text, size_t len);

#endif
