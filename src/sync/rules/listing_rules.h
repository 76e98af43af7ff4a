/*
 * What the server's listing is read by: the prefix of its personal namespace, the separator, and
 * who is subscribed. Pure. A listing read by a wrong prefix shows mailboxes of other names, and
 * those that are known seem to be gone; so what is known stands until another is told.
 *
 * The prefix (naming_decide). *Told*: a NAMESPACE line was read and its command completed OK, or
 * `disable_extensions` forbids to ask.
 *   L1  told                                             -> it counts
 *   L2  not told (refused, no line, none that can be read; or NIL, or not offered, where a prefix
 *       is known), and one is known      -> the known one stands, and the run ends with 75
 *   L3  not told, and none is known: refused, no line that can be read, or NIL while all that it
 *       lists is INBOX and below INBOX                   -> stop, 75
 *       NIL otherwise, or not offered (in that case asked for all the same, and not known)
 *                                                        -> there is none
 * The separator (naming_decide):
 *   L4  NIL in all lines, where one is known             -> the known one stands
 * With both as decided:
 *   L5  another prefix or separator than is known        -> it is used, and becomes the known one,
 *       if no mailbox that base had is missing by it; else stop, unless there is leave to delete
 *       many
 *
 * Subscriptions, with `subscribed_only` (subscriptions_are_missing):
 *   L6  not told (LSUB or LIST refused, a line that cannot be read), or none at all where base had
 *       mailboxes there -> those count as subscribed that base had there, which is told
 */
#ifndef SYNC_RULES_LISTING_RULES_H
#define SYNC_RULES_LISTING_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "mailsync/model/mbname.h"
#include "mailsync/store/remote.h" /* enums only */

struct naming_facts {
	enum remote_naming told;
	const struct mbname_wire *now;   /* as the listing has it */
	const struct mbname_wire *known; /* NULL: none */
	bool is_all_below_inbox; /* mailboxes are listed beside INBOX, all of them below it */
	bool may_lose_many;
};
struct naming_decision {
	struct mbname_wire wire; /* to read the listing by */
	bool is_unknown;         /* L3: stop */
	bool was_kept;           /* L2: the run ends with 75 */
	bool is_other;           /* L5 */
};
struct naming_decision naming_decide(const struct naming_facts *facts);

struct subscription_facts {
	bool are_told;
	size_t subscribed; /* so many that are listed */
	size_t had;        /* so many base had there, INBOX left aside */
};
/* L6 */
bool subscriptions_are_missing(const struct subscription_facts *facts);

#endif
