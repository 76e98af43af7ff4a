/*
 * What becomes of mailboxes. Pure.
 *
 * A mailbox that takes part (mailbox_decide). The first rule that fits decides:
 *   M1  on both sides                                    -> sync
 *   M2  gone here, base had it here, power was lost: its making did not reach the disk
 *                                                        -> forget base, then as new (M7 to M9)
 *   M26 as M3, but the brake holds that, and --bring-back is given: as new (B13)
 *   M3  gone from one side that base had it on; `remove_mailboxes` covers the other; not INBOX
 *                                                        -> remove it there (the brake counts it)
 *   M4  the same, but only --pull or --push keeps this run from it  -> leave it, WAITING
 *   M5  gone from one side that base had it on, else     -> forget base, say that its messages are
 *       kept, then as new
 *   M6  gone from both                                   -> forget base; leave it, GONE
 *   M7  one side lacks it and `create` covers that side  -> create it there
 *   M8  the same, but the server has it, only unsubscribed -> subscribe it
 *   M9  `create` does not cover the side that lacks it   -> leave it, NOT_CREATED
 *
 * One that was renamed on one side (rename_decide), by the old name, parents first:
 *   M14 its parent is renamed, and it with it as wanted  -> goes along
 *   M50 whether the old one is there is untold           -> both names wait
 *   M10 `create` and `direction` never cover the other side -> no rename: one gone, one new
 *   M11 the new name lies below the old one              -> no rename
 *   M12 either name takes no part in this run, or only --pull or --push keeps this run from it
 *                                                        -> both names wait
 *   M13 the other side has the new name, or cannot have such a name -> no rename
 *   M54 but where the new name is still that of one which is to be renamed itself (M53, M57) it is
 *       done once that is gone; where folders here are a circle, one of them is put aside first
 *   M56 and where it is that of one which is not, both names wait: the user has to say
 *   M15 else                                             -> rename
 *   M59 renamed on both sides, to two names: the server's wins, and the folder is renamed; where
 *       only the server may be changed so, the folder's
 * And after a run that was cut in it (rename_was_done):
 *   M16 both sides have the new name and neither the old one -> base follows
 *   M52 so it is where the server said that it was done, and has the old name alone afterwards
 *   M55 of a rename of one whose name the other side has still, for another (M53, M57): the side
 *       that was to be renamed has only the new name -> base follows
 *   M17 else                                             -> looked at as if nothing had been tried
 *
 *   M45 but before all: whether it is there on either side cannot be told -> leave it, UNTOLD:
 *       base stands, nothing is forgotten, renamed or removed
 *
 * Whether one that the server does not list is gone there (mailbox_absence); so it is asked before
 * base is dropped (M3 to M6) or a rename looked for (M18), and again just before a removal:
 *   M20 the server answers for it                        -> THERE
 *   M21 it neither says NONEXISTENT, nor NO without a code in a run whose listing was whole and in
 *       which it tells all that was asked of INBOX       -> UNTOLD
 *   M60 it takes part for its special use alone, these are not told now, and one that takes no part
 *       may have that use, under the new name of this one -> UNTOLD
 *   M46 INBOX is there by definition: if it answers it is as if it were listed, else UNTOLD
 *
 * Just before a removal (removal_here, removal_there):
 *   M22 a file of the folder is not a message that base has on both sides, by name and content
 *       (content_rules.h), or is no message at all, or somebody was at work in the folder -> keep
 *   M23 else                                             -> remove it here
 *   M24 base knows of messages that only the server has; or the server's counts are untold, are of
 *       other numbers than base's, or more than base has on both sides -> keep
 *   M25 else                                             -> remove it on the server
 *
 * Which may be one that was renamed on a side (mailbox_is_lost, mailbox_is_new); INBOX never, since
 * RENAME moves its messages and leaves it where it is:
 *   M18 the lost one: base had it on both sides, that side lacks it, the other has it, and both
 *       of that is told
 *   M50 or that side does not show it, and of one side at least it is untold; what looks like it
 *       under a new name then waits (rename_decide), or it would be copied to the other side, which
 *       may have it under the old name still
 *   M19 the new one: that side has it, the other does not and did not when base was written; told,
 *       too
 *   M53 on the server also one whose name another mailbox bears now (mailbox_is_another):
 *       MAILBOXIDs are told and differ; where one is untold, UIDVALIDITYs do. That is the lost one,
 *       if it has its folder, and the other one a new one of that name
 *   M57 here likewise, where any folder is missing: another directory that has less than half of
 *       base's sample
 * Whether these are the same (folder_likeness, mailbox_likeness):
 *   M30 a folder, no sample to go by: the same directory with the same `cur`
 *   M31 the same directory: at least half of the sample is in it, by name, and of one at least the
 *       file holds the message (content_rules.h)
 *   M32 another directory: all of the sample is in it, likewise
 *   M33 on the server, both MAILBOXIDs told: they are equal
 *   M37 one that two mailboxes bear, in base or on the server, is untold
 *   M38 UIDVALIDITY is not told, or what was to be looked at could not be; or it is untold whether
 *       the other side has one that may be new; or the listing of that side is not whole, so that
 *       the new one may not even be in it -> cannot be told: the new one and all that are lost
 *       wait, UNTOLD
 *   M58 what is lost on the server and not found is believed of two listings that have the same
 *       names; else, or where the second one is refused, it waits likewise
 *   M34 another UIDVALIDITY, or a smaller UIDNEXT        -> another one
 *   M35 no sample to go by: it is the only one lost and the only one new with that UIDVALIDITY
 *   M36 else at least one, and half, of the sample's UIDs are the messages that base knows; while
 *       those of which that cannot be told may yet make it so many, it cannot be told (M38). Those
 *       whose files are gone meanwhile, where no digest is noted, are left out
 *
 * Whether one that is new on the server is one that is known, under another name that the server
 * takes for the same (mailbox_is_folded): it is left alone, which is told
 *   M47 equal MAILBOXIDs; where one is untold, equal numbers, some messages, and a sample (M36).
 *       Where the UIDVALIDITY is other mailboxes', too, it says nothing, and a copy of all messages
 *       looks the same: then the names have to be alike, too, but for case, blanks and what is not
 *       ASCII
 * Nor is one made there
 *   M48 that the server answers for, though it does not list it
 *   M49 that was made once and was not listed then
 * but
 *   M51 if the server answered that it made it, and then, or NONEXISTENT in a later run, that it is
 *       not there, it was not made: that is told, it waits, and the next run asks for it again
 *
 * Which mailboxes take part (mailbox_exclusion, mailbox_is_flat), in this order:
 *   M40 the command line names others                    -> BY_NAME
 *   M41 no folder here, and a link or a file lies in its place -> BARRED
 *   M42 base had it here and the server has it, and here is an empty directory: perhaps a disk is
 *       not mounted; unless mass deletion is allowed     -> HOLLOW (stops like the brake)
 *   M43 unsubscribed, and base had it there, or it is not here -> UNSUBSCRIBED
 *   M44 a folder a.b that nobody else knows is a/b as offlineimap keeps it, where the server has or
 *       base knows that one, and it has no folder        -> ADOPTED
 */
#ifndef SYNC_RULES_MAILBOX_RULES_H
#define SYNC_RULES_MAILBOX_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/side.h"
#include "mailsync/base/there.h"
#include "mailsync/store/remote.h" /* enums only */

#include "remote_rules.h"

/* Why a mailbox takes no part in a run, or no further part. */
enum exclusion {
	EXCLUDED_NOT = 0,      /* it takes part */
	EXCLUDED_BY_NAME,      /* the command line names others */
	EXCLUDED_UNSUBSCRIBED, /* on the server, but `subscribed_only` leaves it out */
	EXCLUDED_BARRED,       /* a link or a file lies in the place of its folder */
	EXCLUDED_HOLLOW,       /* its directory is empty: a disk may not be mounted there */
	EXCLUDED_ADOPTED,      /* its folder is that of another mailbox (M44) */
	EXCLUDED_GONE,         /* from both sides */
	EXCLUDED_NOT_CREATED,  /* `create` does not cover the side that lacks it */
	EXCLUDED_WAITING,      /* for a rename or a removal that a later run may carry out */
	EXCLUDED_UNTOLD,       /* reported: whether it is there cannot be told */
	EXCLUDED_SUSPECT,      /* set aside, for the connection ended on it (suspect_rules.h) */
	EXCLUDED_FAILED        /* reported: nothing of it can be believed or done now */
};

/* Policy: what the keys let be done by this run, and by any run (--pull and --push left aside). */
struct mailbox_policy {
	enum side create;
	enum side create_ever;
	enum side remove;
	enum side remove_ever;
	enum side copy;   /* of messages */
	bool brings_back; /* --bring-back */
};

struct mailbox_facts {
	bool is_inbox;
	bool in_base;
	enum side had; /* where it was when base was written; SIDE_NONE where it is not in base */
	enum side in;  /* where it is now, and can be worked on */
	enum side untold;     /* where it cannot be told whether it is there */
	enum side replaced;   /* M53, M57 */
	bool is_unsubscribed; /* on the server nevertheless */
	bool is_named;        /* by the command line, or that names none */
	bool may_lose_many;   /* mass deletion is allowed */
	bool lost_power;      /* since rows were committed whose files were not durable */
	bool is_barred;       /* asked only where there is no folder, as is this: */
	bool is_hollow;
	enum side held; /* where the brake holds its removal */
};

enum mailbox_op_kind {
	MAILBOX_SYNC,
	MAILBOX_CREATE,
	MAILBOX_SUBSCRIBE,
	MAILBOX_REMOVE,
	MAILBOX_LEAVE
};

struct mailbox_decision {
	enum mailbox_op_kind kind;
	enum side side; /* where it is to be created or removed */
	bool forgets;   /* what base knows of it goes first */
	enum side kept; /* M5: where its messages are kept, which is to be said */
	enum exclusion exclusion;
};
struct mailbox_decision mailbox_decide(const struct mailbox_facts *facts,
				       const struct mailbox_policy *policy);

enum exclusion mailbox_exclusion(const struct mailbox_facts *facts);
/* M44: FLAT is the folder of MAILBOX, whose name has / for the dots of its own. */
bool mailbox_is_flat(const struct mailbox_facts *flat, const struct mailbox_facts *mailbox);

bool mailbox_is_lost(const struct mailbox_facts *facts, enum side side);
bool mailbox_is_lost_twice(const struct mailbox_facts *facts);               /* M59 */
bool mailbox_may_be_lost(const struct mailbox_facts *facts, enum side side); /* M50 */
bool mailbox_is_new(const struct mailbox_facts *facts, enum side side);
bool mailbox_may_be_new(const struct mailbox_facts *facts, enum side side); /* M38 */

struct rename_facts {
	enum side side;      /* where it is still to be renamed */
	bool is_along;       /* a parent of it is renamed there, and gives it the wanted name */
	bool is_untold;      /* whether a side has the old name */
	bool is_below;       /* the new name lies below the old one */
	bool is_left_out;    /* either name takes no part in this run */
	bool is_unavailable; /* the new name is taken on that side, or cannot be one there */
	bool is_occupied;    /* M54, M56: by a folder that base knows as another one's, which: */
	bool is_leaving;     /* is to be renamed itself */
	bool is_along_later; /* a parent of it is, once that has gone */
};
enum rename_kind {
	RENAME_NOT, /* one mailbox is gone, another one new */
	RENAME_WAITS,
	RENAME_LATER, /* M54 */
	RENAME_ALONG,
	RENAME_ITSELF
};
enum rename_kind rename_decide(const struct rename_facts *facts,
			       const struct mailbox_policy *policy);

/* M59: on which side; SIDE_NONE: on none. */
enum side rename_twice(const struct mailbox_policy *policy);

/* Which side has the old name and which the new one, after a run that was cut in a rename. */
bool rename_was_done(enum side old_name, enum side new_name);
/* M55. */
bool rename_was_done_on(enum side side, enum side old_name, enum side new_name);

enum removal_verdict {
	REMOVAL_DUE,
	REMOVAL_STILL_THERE, /* M20 */
	REMOVAL_UNTOLD,      /* M21 */
	REMOVAL_HOLDS_MAIL   /* M22, M24: mail that the other side may never have had */
};
/* What the server says of a mailbox that it does not list, and of INBOX; then what its folder here
 * holds. */
struct vanished_facts {
	bool is_inbox;
	struct numbers told;
	enum remote_refusal refusal;
	struct numbers inbox_told;
	bool is_list_whole;   /* the listing that it is not in */
	bool may_be_left_out; /* M60 */
};
struct folder_facts {
	bool is_still; /* nobody changed it while it was read */
	size_t files;
	size_t agreed; /* of them: base has them on both sides, and their content is as it was */
	size_t others; /* what lies among them and is no message */
};
enum there mailbox_absence(const struct vanished_facts *facts);
/* M46 */
bool mailbox_is_always_there(const struct vanished_facts *facts);
enum removal_verdict removal_of_vanished(const struct vanished_facts *facts);
enum removal_verdict removal_here(const struct folder_facts *facts);

struct held_there_facts {
	uint64_t agreed;     /* rows of base on both sides */
	uint64_t only_there; /* rows of base on the server alone */
	bool is_told;        /* what the server says now: */
	struct numbers now;
	struct numbers base;
};
enum removal_verdict removal_there(const struct held_there_facts *facts);

/* Of a sample of base's messages, how many were found. */
struct sample_found {
	size_t count;
	size_t found;
	size_t untold; /* of the others: they may be there, too */
	size_t proven; /* of those found, by what the file holds; no more than one need be */
};
struct folder_evidence {
	bool is_same_directory; /* by device and inode, as is `cur`: */
	bool is_same_cur;
	struct sample_found sample;
};
bool folder_likeness(const struct folder_evidence *evidence);
/* M57. OWN: what base knows, looked for in another directory of that name. */
bool folder_is_another(const struct sample_found *own);

enum likeness {
	LIKENESS_NO,
	LIKENESS_YES,
	LIKENESS_BY_SAMPLE, /* the sample decides, which is still to be looked for */
	LIKENESS_UNTOLD     /* M38 */
};
struct mailbox_evidence {
	bool has_ids;      /* both are told: */
	bool is_shared_id; /* M37 */
	bool is_same_id;
	struct numbers base;
	struct numbers now;
	bool is_only_one; /* M35 */
	bool has_looked;  /* sample.found is known */
	struct sample_found sample;
};

/* M53. Both are of one name. */
bool mailbox_is_another(const struct mailbox_evidence *evidence);

struct folded_facts {
	bool has_ids; /* both are told: */
	bool is_same_id;
	bool has_counts; /* of both */
	struct numbers known;
	struct numbers now;
	bool is_usual; /* others have that UIDVALIDITY, too: */
	bool is_alike; /* names_are_alike */
};
/* Whether a server may take the one for the other. */
bool names_are_alike(const char *one, const char *other);
enum likeness mailbox_is_folded(const struct folded_facts *facts);

enum likeness mailbox_likeness(const struct mailbox_evidence *evidence);

#endif
