/*
 * Which accounts a run takes, and how many of them at once: --shard and --jobs.
 *
 * An account's share follows from its name alone: the first 64 bits of the name's SHA-256, most
 * significant byte first, modulo N; 0 is share 1. So it is the same on every machine and in every
 * version, whatever else the file holds.
 */
#ifndef MAILSYNC_CLI_SHARE_H
#define MAILSYNC_CLI_SHARE_H

#include <stdbool.h>
#include <stddef.h>

#include "mailsync/base/err.h"

#define CLI_JOBS_DEFAULT 16
#define CLI_JOBS_MAX     1024
#define CLI_SHARES_MAX   1000000

struct cli_share {
	unsigned index; /* from 1 */
	unsigned count; /* 0: there are no shares */
};

/* A whole number from 1 to MOST; else false, and 0. */
bool cli_read_number(const char *text, size_t len, unsigned most, unsigned *number);
/* "I/N" with 1 <= I <= N; else false. */
bool cli_share_read(const char *text, struct cli_share *share);
/* *IS_HELD: the account NAME falls to SHARE; all do where there are none. */
int cli_share_holds(const struct cli_share *share, const char *name, bool *is_held,
		    struct err *err);

/* An account uses some ten descriptors, a waiting one seven: as many as the system grants. */
void cli_allow_descriptors(void);

#endif
