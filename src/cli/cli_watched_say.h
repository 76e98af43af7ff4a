/* What `watch` says of an account, beside what its syncs say. */
#ifndef MAILSYNC_CLI_WATCHED_SAY_H
#define MAILSYNC_CLI_WATCHED_SAY_H

#include "cli_watched.h"

/* Where it stands now, and a MESSAGE for people. The job is left alone: its thread may be at work.
 */
void watched_say(struct watched *watched, enum watched_state state, const char *message);
/* The same with how long it is until the next try of something, which is due at DUE_MS. */
void watched_say_why(struct watched *watched, enum watched_state state, const char *why,
		     int64_t due_ms);
/* A sync begins: names what changed here, if something did, and forgets it. */
void watched_say_syncing(struct watched *watched);

#endif
