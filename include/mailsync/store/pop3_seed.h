/*
 * The UIDL files of other POP3 tools: which messages they have fetched. Looked for only where
 * each tool keeps them by default, and only for the same user on the same host:
 *
 *   mpop       ~/.mpop_uidls/USER_at_HOST
 *   getmail6   ~/.config/getmail/oldmail-HOST-PORT-USER, else ~/.getmail/...
 *   fetchmail  $FETCHMAILHOME/.fetchids, else ~/.fetchids
 */
#ifndef MAILSYNC_STORE_POP3_SEED_H
#define MAILSYNC_STORE_POP3_SEED_H

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"
#include "mailsync/base/strlist.h"
#include "mailsync/model/server.h"

enum pop3_seed_kind {
	POP3_SEED_MPOP,
	POP3_SEED_GETMAIL,
	POP3_SEED_FETCHMAIL
};

/* Adds the unique-ids that TEXT, a file of that KIND, lists for USER at HOST. Pure. */
int pop3_seed_parse(enum pop3_seed_kind kind, struct span text, const char *user, const char *host,
		    struct strlist *uidls, struct err *err);

/* Reads whatever is there for the user of SERVER; files that are missing or cannot be read are
 * none. UIDLS comes sorted. */
int pop3_seed_load(const struct server *server, struct strlist *uidls, struct err *err);

#endif
