/*
 * The name that somebody may have meant: of the names offered, the one with the smallest edit
 * distance (insert, delete, replace, swap neighbours; ASCII case ignored, "-" is "_"), if close.
 *
 *     nearest_init(&nearest, "hots");   nearest_offer(&nearest, "host");   ...   nearest.best
 */
#ifndef MAILSYNC_CONF_NEAREST_H
#define MAILSYNC_CONF_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word; /* borrowed */
	const char *best; /* borrowed; NULL: nothing close so far */
	size_t distance;
};

void nearest_init(struct nearest *nearest, const char *word);
void nearest_offer(struct nearest *nearest, const char *name);

#endif
