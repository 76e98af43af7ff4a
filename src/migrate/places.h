/* Each account's Maildir lies apart from all others': else one account's mail is another's. */
#ifndef MAILSYNC_MIGRATE_PLACES_H
#define MAILSYNC_MIGRATE_PLACES_H

#include "facts.h"

/* Where the Maildir of an account is that says nothing of it: of its name. */
#define PLACE_BY_NAME "~/Mail/%s"

/* When all accounts are there: a Maildir that is, holds or lies in that of an account before gets
 * another place, and that is told; where it lies in it, that account leaves its folders out. */
void places_part(struct facts *facts);

#endif
