/* What programs that fetch mail into one place have in common. */
#ifndef MAILSYNC_MIGRATE_DELIVERY_H
#define MAILSYNC_MIGRATE_DELIVERY_H

#include "mailsync/base/strlist.h"

#include "facts.h"

/* Opens an account named after HOST, without "imap." and the like. */
void delivery_begin(struct facts *facts, const char *host);
/* INBOX is that Maildir itself. */
void delivery_set_maildir(struct facts *facts, int line, const char *path);
/* Mail went where no Maildir is known, which is told. LINE may be 0. */
void delivery_tell_elsewhere(struct facts *facts, int line, const char *word);
/* Of IMAP, mail only comes here, from INBOX, as all mailboxes went into one place; of POP3, `copy`
 * and the like do not exist. DELETES: what was fetched was deleted there. */
void delivery_set_policy(struct facts *facts, int line, bool is_pop3, bool deletes);
/* Of IMAP, behind that: it was NAMES that went into one place; none: INBOX. Where it was not INBOX
 * alone, that is told. */
void delivery_set_mailboxes(struct facts *facts, int line, const char *word,
			    const struct strlist *names);

#endif
