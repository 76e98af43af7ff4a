/*
 * What changed in the Maildir since base. Pure: no disk, no clock. The rules look at one file of a
 * scan and one row of base at a time, so memory follows the change and not the folder.
 *
 * Which folders are read:
 *   D1  its stamp is base's and proven, and the last run ended properly -> not read; but where
 *       something can be no message, which is told in each run, it is
 *   D2  read in this run already, and its stamp is the one it was read under -> not read again
 *       (what went from one folder to another while they were read one after the other may be in
 *       neither scan: all are looked at again until they stand as they were read)
 *   D41 its stamp is base's and proven: which letters files bear is known, and where no two share a
 *       unique part a row's file is looked for under the names that it can have; the folder is read
 *       only where it has none of these. (Of two, the second has to be looked at, too)
 *
 * A file and the row of its unique part. *Lost power*: the system went down after rows were
 * committed and before their files were on disk (durability = none); then rows may tell of what
 * never was there, and nobody removed it.
 *   D3  no row; lost power, a name of ours and nothing in the file: a download that only got its
 *       name                                                  -> LOCAL_STUB
 *   D4  no row                                                -> LOCAL_NEW
 *   D5  a row that was not here, and a file                   -> LOCAL_BACK. But one that holds
 *       another message (content_rules.h) is new, and the row has no name any more
 *   D6  no file, and the scan cannot prove it: the folder did not stand still, or what is no
 *       regular file bears the name                           -> LOCAL_SAME
 *   D7  no file; lost power and agreed: not downloaded        -> LOCAL_LOST
 *   D8  no file                                               -> LOCAL_GONE
 *   D9  lost power, agreed, a name of ours, and empty, or shorter than what was downloaded and
 *       not put there since (its inode is that of the download, or that is not known): the same,
 *       and what is there goes                                -> LOCAL_DAMAGED
 *   D10 other flags; lost power: what the file lacks nobody took away -> LOCAL_FLAGS_LOST
 *   D11 other flags                                           -> LOCAL_FLAGS
 *
 * What a name tells of flags. What it does not tell is not "none": it stays what the row says of
 * this side, and so changes nothing on the server (I9).
 *   D12 with `keywords = no` letters are not read: the row's keywords stay what they were
 *   D15 no info part, or a garbled one: in cur, no flag is told. In new without one: it has none of
 *       the system flags (so MUAs mark as unread), and of keywords nothing is told
 *   D16 a keyword that has no letter in the folder's table is not told
 *   D17 all letters a to z went, and other flags changed or the folder did, too, where there is no
 *       dovecot-uidlist: a program that does not know keywords (mu); they stay, and are noted as
 *       unlettered. Where letters alone changed it was the user
 *   D18 what is noted as unlettered stays until the file bears its letter again
 *   D19 with `keywords = pull` keywords stay whatever the letters; and where the last look did not
 *       take letters for the user's, one that is missing now was not taken away by the user
 *
 * Which unknown files have to be paired before anything is planned, or they would be copied:
 *   D13 never viewed on the server, or never synced and something is open -> PAIRING_ALL
 *   D14 a file under a name of ours that base does not know: a run that died delivered it; and
 *       what waits to be known (W19)                          -> PAIRING_NAMED
 */
#ifndef SYNC_RULES_LOCAL_RULES_H
#define SYNC_RULES_LOCAL_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/span.h"
#include "mailsync/model/row.h"
#include "mailsync/model/stamp.h"
#include "mailsync/model/told.h"
#include "mailsync/sync/account.h"

/* D1. BASE is NULL where no scan is known. */
bool local_is_unchanged(const struct stamp *base, const struct stamp *now, bool was_unclean);
/* D41. */
bool local_names_are_known(const struct stamp *base, const struct stamp *now);
/* D2. */
bool local_stands_as_read(const struct stamp *read, const struct stamp *now);

enum local_change {
	LOCAL_SAME,
	LOCAL_NEW,
	LOCAL_STUB,
	LOCAL_FLAGS,
	LOCAL_GONE,
	LOCAL_BACK,
	LOCAL_LOST,
	LOCAL_DAMAGED,
	LOCAL_FLAGS_LOST,
	LOCAL_RENAMED, /* C5 of content_rules.h: found by the observer */
};

struct local_facts {
	bool is_still; /* the scan's: absences are proven */
	bool lost_power;
	enum account_keywords keywords;
	bool trusts_letters; /* the last look took them for the user's */
	bool has_uidlist;    /* Dovecot, which knows letters, is at work on the folder */
	bool is_move;        /* the file came from another folder */
};

/* What bears a name. */
struct local_file {
	bool is_message; /* false: a directory, a link, a device */
	bool is_ours;    /* a name as we give to what we download */
	bool has_size;   /* looked at, where local_needs_size() says so */
	uint64_t size_bytes;
	uint64_t inode;
	uint64_t flags;
	uint64_t known;   /* the flags that its name tells of at all */
	bool has_letters; /* a to z, whatever they mean */
};

/* Whether is_ours, size and inode of ROW's file matter (D9), and ROW's mark: they are not looked at
 * for nothing. */
bool local_needs_size(const struct local_facts *facts, const struct row *row);

/* D3 to D11. ROW or FILE is NULL, not both: there is none of that name. A file without a row needs
 * is_ours and size. */
enum local_change local_change_of(const struct local_facts *facts, const struct local_file *file,
				  const struct row *row);
/* The flags of this side, and those of them that the name does not bear. */
struct local_flags {
	uint64_t flags;
	uint64_t unlettered;
};
/* D12, D15 to D19. What FILE gives to ROW. */
struct local_flags local_flags_of(const struct local_facts *facts, const struct local_file *file,
				  const struct row *row);
/* C9. Whether FILE's name tells what ROW has of its file already. */
bool local_is_as_known(const struct local_facts *facts, const struct local_file *file,
		       const struct row *row);
/* What LOCAL_BACK, _LOST, _DAMAGED and _FLAGS_LOST make of ROW. Its `unique` is left
 * alone: of one that is ABSENT afterwards it is void. */
void local_change_row(enum local_change change, const struct local_flags *flags, struct row *row);

enum pairing_need {
	PAIRING_NONE,
	PAIRING_NAMED, /* files that bear names of ours, and what intents tell of */
	PAIRING_ALL    /* there is no base: every unknown file may be a message of the server */
};

/* D13. What base says of a mailbox. */
bool local_must_pair_all(struct told uidvalidity, int64_t synced_at, uint32_t pending);
/* D14. A row without a message, whose name is ours; or one that waits. */
bool local_is_unjoined(const struct row *row, bool is_ours);

#endif
