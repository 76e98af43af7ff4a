/*
 * Whose Maildir is it? `mailsync-id` in its root names account, database and generation; the
 * database knows the same. Pure: guard/ownership.c gathers the facts. Tried in this order:
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
 *   O8 power was lost when rows were committed before their files were durable, and the system was
 *      started anew since
 *   O9 the last run that changed things was cut when it did not say that it ended, or by O8
 */
#ifndef SYNC_RULES_OWNERSHIP_RULES_H
#define SYNC_RULES_OWNERSHIP_RULES_H

#include <stdbool.h>
#include <stdint.h>

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

#endif
