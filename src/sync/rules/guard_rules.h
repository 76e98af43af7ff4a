/*
 * Whether base and what is there belong together: Maildir and server. Pure.
 *
 * Whose Maildir it is: `mailsync-id` in its root names account, database and generation; the
 * database knows the same. Tried in this order:
 *
 *   O1 the root is another account's                     -> refused
 *   O2 the database never claimed a Maildir              -> first run: pair, delete nothing
 *   O3 no id in a root that holds mailboxes, though the database has claimed one (and was not cut
 *      in that): it is another tree                      -> forget base, pair, delete nothing
 *   O4 no id otherwise: the disk may not be mounted, or a run was cut before it wrote its id
 *                                                        -> base stands; the brake will tell
 *   O5 another database's id, or another generation: one of both was put back from a backup. One
 *      that is ahead because a run was cut while it claimed is no contradiction, as no row was
 *      written yet                                       -> forget base, pair, delete nothing
 *   O6 the last run was by the other protocol: what that fetched or deleted base does not tell
 *                                                        -> forget base, pair, delete nothing
 *   O7 else                                              -> it is ours
 *
 *   O8 power was lost: rows were committed whose files were not durable yet, and the system was
 *      started anew since
 *   O9 the last run that changed things was cut: it claimed and never said that it ended, or O8
 *
 * Whether what is there can be the account that base knows (accident_of):
 *   S1  base had folders, and there is none              -> NO_FOLDER
 *   S2  base had mailboxes on the server, and it lists none -> NO_MAILBOX
 *       (A folder of which it cannot be told counts as there. Both only where messages were
 *       synced, and not with leave to delete many.)
 *
 * A mailbox that base had on the server (server_sign):
 *   S3  the same UIDVALIDITY, and UIDNEXT (where told) not gone back (RFC 9051, 2.3.1.1) -> SAME
 *   S4  gone, or with other numbers                      -> STRANGE
 *       (Where it cannot be told whether it is gone, it gives no sign.)
 *   S5  there, but its numbers are not told              -> UNTOLD
 *
 * The server (server_judge):
 *   S6  a mailbox is SAME                                -> it is the server
 *   S7  none is STRANGE                                  -> nothing to go by
 *   S8  some are UNTOLD                                  -> ask them
 *   S9  else                                             -> a message has to be found again
 *
 * When a message was looked for (server_judge_search):
 *   S10 one was found                                    -> it is the server
 *   S11 base has no message on both sides, or there is leave to delete many -> go on. Where host,
 *       user or tunnel changed, base is forgotten first: nothing is deleted, all is paired.
 *   S16 a mailbox that base had there was not asked (the connection ended on it, it was refused),
 *       or did not tell all: there may be one            -> it cannot be told; all waits
 *   S12 else                                             -> another server: stop
 *
 * The fingerprint of host, user and tunnel that the rows came from (server_whose):
 *   S13 none is noted                                    -> NOBODYS
 *   S14 it is this account's                             -> OURS
 *   S15 else                                             -> OTHERS: equal UIDs, UIDVALIDITY and
 *       unique-ids prove nothing
 */
#ifndef SYNC_RULES_GUARD_RULES_H
#define SYNC_RULES_GUARD_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/span.h"

#include "remote_rules.h"

/* What the database says of the last run that changed something. */
enum run_end {
	RUN_END_NONE, /* there was none */
	RUN_END_PROPER,
	RUN_END_CUT,     /* it is under way, or was cut */
	RUN_END_CLAIMING /* cut while it claimed: the file may not have the generation yet */
};

struct ownership_facts {
	uint64_t generation;   /* the database's; 0: none */
	bool has_id;           /* of the root, that: */
	bool is_other_account; /* it is of another account */
	bool is_other_database;
	uint64_t id_generation;
	bool has_mailboxes; /* the root; asked only without an id */
	bool is_other_protocol;
	enum run_end last_run;
	bool has_unsynced; /* rows whose files are not known to be durable, that: */
	bool is_same_boot; /* were committed since the system was started */
};

enum ownership_verdict {
	OWNERSHIP_OURS,
	OWNERSHIP_NEW,
	OWNERSHIP_FORGET,
	OWNERSHIP_FORGET_PROTOCOL, /* likewise, by O6 */
	OWNERSHIP_REFUSED
};

/* O1 to O7 */
enum ownership_verdict ownership_verdict(const struct ownership_facts *facts);
/* O8 */
bool ownership_lost_power(const struct ownership_facts *facts);
/* O9 */
bool ownership_was_unclean(const struct ownership_facts *facts);

/* Numbers of mailboxes that take part. */
struct census {
	size_t here;
	size_t there;
	size_t had_here;
	size_t had_there;
};
enum accident {
	ACCIDENT_NONE,
	ACCIDENT_NO_FOLDER,
	ACCIDENT_NO_MAILBOX
};
enum accident accident_of(const struct census *census);

struct server_facts {
	bool was_known; /* base had it there, and its numbers */
	bool is_there;
	bool is_untold; /* whether it is there */
	bool has_numbers;
	struct numbers now;
	struct numbers base;
};
enum server_sign {
	SIGN_NONE, /* base did not have it there */
	SIGN_SAME,
	SIGN_STRANGE,
	SIGN_UNTOLD
};
enum server_sign server_sign(const struct server_facts *facts);

enum server_verdict {
	SERVER_SAME,
	SERVER_NO_SIGN,
	SERVER_ASK,
	SERVER_SEARCH,
	SERVER_OTHER,
	SERVER_UNTOLD
};
/* How many mailboxes gave which sign. */
enum server_verdict server_judge(const size_t signs[SIGN_UNTOLD + 1]);

struct search_facts {
	bool is_found;
	bool is_short;   /* not all that base had there was told */
	uint64_t agreed; /* rows of base on both sides */
	bool has_leave;
};
/* SERVER_SAME, SERVER_OTHER or SERVER_UNTOLD. */
enum server_verdict server_judge_search(const struct search_facts *facts);

enum whose {
	WHOSE_NOBODYS,
	WHOSE_OURS,
	WHOSE_OTHERS
};
/* NOTED is empty where nothing is. */
enum whose server_whose(struct span noted, const char *now);

#endif
