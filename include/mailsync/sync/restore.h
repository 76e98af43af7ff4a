/*
 * `restore`: appends to the server what the Maildir holds and the server lacks. It is a sync that
 * carries new files there and nothing else, whatever `direction` says.
 */
#ifndef MAILSYNC_SYNC_RESTORE_H
#define MAILSYNC_SYNC_RESTORE_H

#include "mailsync/sync/sync.h"

struct restore_options {
	bool all;
	int64_t since;    /* seconds; 0: not given */
	const char *from; /* another Maildir tree, of the same layout; NULL: the account's own */
};

/* As sync_account; what is going to be sent is said in the log before it is. */
int sync_restore(const struct account *account, const struct sync_options *options,
		 const struct restore_options *restore, struct report *report, struct err *err);

/* What the server lacks, by mailbox and day, as base knows it. */
struct restore_day {
	char *mailbox;
	char *day; /* "2026-11-01"; NULL: it was lost under an older version */
	uint64_t messages;
	uint64_t bytes;
};
struct restore_days { /* zeroed there are none */
	struct restore_day *items;
	size_t count;
};
void restore_days_finish(struct restore_days *days);
/* -ERR_CHANGED when the account was never synced. */
int sync_missed(const struct account *account, const struct sync_options *options,
		struct restore_days *days, struct err *err);

#endif
