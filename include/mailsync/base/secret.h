/*
 * A password or token: the one type that holds secrets. Zeroed when finished; kept out of
 * core dumps where the system allows (MADV_DONTDUMP); never logged or put in an error.
 */
#ifndef MAILSYNC_BASE_SECRET_H
#define MAILSYNC_BASE_SECRET_H

#include <stdbool.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

#define SECRET_MAX 65536 /* bytes; OAuth tokens run to several KiB */

struct secret {
	char *data; /* NULL when not set; NUL-terminated, but may hold NUL too */
	size_t len;
};

void secret_init(struct secret *secret);
void secret_finish(struct secret *secret);
/* Copies DATA in; what was held before is wiped. */
int secret_set(struct secret *secret, struct span data, struct err *err);
struct span secret_span(const struct secret *secret);
/* Whether two secrets are the same; how long that takes does not tell where they differ. */
bool secret_same(struct span x, struct span y);
/* Zeroes LEN bytes in a way that the compiler keeps. */
void secret_wipe(void *data, size_t len);
/* Makes this process's core dumps impossible or at least leaves secrets out. */
void secret_protect_process(void);

#endif
