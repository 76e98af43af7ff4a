/*
 * What is heard of one account's server: by a connection with NOTIFY, or by some with IDLE, one a
 * mailbox.
 *
 *     hearing_open(&hearing, &params, &err)             waits; any thread
 *     hearing_fds(), and when one is readable, or hearing_next_ms() has come:
 *         hearing_take(hearing, now, &err)              never waits
 *     hearing_told(hearing)                             what was heard since it was taken last
 *
 * Where the server has neither, it is opened all the same: it has no connection then, and nothing
 * is ever heard. One thread at a time.
 */
#ifndef MAILSYNC_WATCH_HEARING_H
#define MAILSYNC_WATCH_HEARING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/store/remote.h"
#include "mailsync/sync/sync.h"

#define HEARING_FDS_MAX 64

enum hearing_how {
	HEARS_NOTHING,
	HEARS_BY_IDLE,
	HEARS_BY_NOTIFY
};

struct hearing_params {
	const struct account *account; /* outlives it, as do all others here */
	const struct sync_options *options;
	bool may_notify;
	bool may_idle;
	const char *const *patterns; /* `watch_mailboxes` */
	size_t pattern_count;
	size_t connections; /* at most */
	int64_t renew_ms;
};

struct hearing;

/* Errors as remote_open_imap and remote_list. A server that has no way to tell, or refuses all
 * that it claims to have, is heard by nothing: that is no error. */
int hearing_open(struct hearing **hearing, const struct hearing_params *params, int64_t now,
		 struct err *err);
void hearing_close(struct hearing **hearing);

enum hearing_how hearing_how(const struct hearing *hearing);
/* Whether what happens in the mailbox of canonical NAME is heard. */
bool hearing_is_of(const struct hearing *hearing, const char *name);
/* Fills FDS; how many there are. */
size_t hearing_fds(const struct hearing *hearing, int fds[HEARING_FDS_MAX]);
/* Takes what was told, and asks and renews what is due. 1: there is news; 0: there is none; else a
 * connection is lost or tells no more, and all of it is to be closed and opened anew. */
int hearing_take(struct hearing *hearing, int64_t now, struct err *err);
/* When that is to be called though nothing was told. */
int64_t hearing_next_ms(const struct hearing *hearing);
/* Each connection has to answer within some seconds, or counts as lost. As hearing_take. */
int hearing_probe(struct hearing *hearing, int64_t now, struct err *err);

/* What was told, of each mailbox the last: for sync_is_news. *IS_ALL: something happened that these
 * do not tell. TOLD is the caller's then, and the hearing has none. */
void hearing_told(struct hearing *hearing, struct remote_mailboxes *told, bool *is_all);
/* How often something was heard of mailboxes, at all. */
uint64_t hearing_count(const struct hearing *hearing);

#endif
