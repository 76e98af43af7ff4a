/*
 * The content of a message whose header identifies nothing (no Message-ID, no Date): such ones are
 * the same only when all of them is. A digest over the header's digest (which leaves out what other
 * programs add) and every byte of the body in wire form.
 */
#ifndef SYNC_RECOVER_CONTENT_H
#define SYNC_RECOVER_CONTENT_H

#include "mailsync/store/remote.h"
#include "mailsync/store/maildir.h"

#include "rules/match.h"

/* Both replace candidate->digest and set has_content. A message that cannot be read stays as it
 * was, which is no error. */
int pair_content_local(struct maildir_reader *reader, struct pair_candidate *candidate,
		       struct err *err);
/* In the mailbox that is open; a round trip, and the whole message. */
int pair_content_remote(struct remote *remote, struct pair_candidate *candidate, struct err *err);

#endif
