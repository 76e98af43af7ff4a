/*
 * Which unknown files are which unknown messages: which rows come into question, how identities
 * are matched, one to one, and what becomes of a file that was sent and is not found. Pure.
 *
 * Matching (match.c), in this order, each step over what the ones before left:
 *   W1 a name that proposes a UID, when header digest, or Message-ID and Date, agree
 *   W2 equal header digests; several of one digest pair off by equal date, then in the order of
 *      date and size
 *   W3 equal Message-ID and Date with other differences in the header (servers rewrite); when they
 *      are not as many on both sides, those left over locally are ambiguous
 *   W4 what was sent and taken, with what came since and has the date that was sent along (some
 *      servers rewrite more than that)
 * And in all of them:
 *   W5 a *nameless* header (no Message-ID and no Date) identifies nothing: it needs the digest of
 *      all of the message; where that is not to be had, equal size on top of the header's digest,
 *      and without a proposed UID equal date too.
 *
 * Which rows may be one half of a pair:
 *   W10 a file whose message is not known: not agreed, here, without a UID
 *   W11 a message whose file is not known: not agreed, on the server, without a file
 *   W12 of the files, without base all; with it those that were sent, those that bear a name of
 *       ours (a run that died delivered them), and those that wait (W19)
 *   W24 and those that were moved here from a mailbox of which the server's message is gone, too:
 *       it may have been moved to the same place on both sides
 *   W13 a name of ours proposes the UID that is in it; without base so does a name of mbsync's or
 *       offlineimap's. What was sent has a new UID, even where its name tells of a former stay
 *       here: only UIDs that came since come into question
 *   W14 a file that was sent and is gone since is known by the header that was noted. Once it has
 *       its UID, its going is carried out as of any other. A header that a nameless message has is
 *       not enough, since there is no file to compare.
 * Which messages are looked at:
 *   W15 those that can be the partner of some file at all; of files that wait, those that wait
 *   W16 of a nameless one the whole, when a nameless file has the same header
 *   W20 of one whose header has no line the whole, which has to begin so; where it does not the
 *       header was not told. The same of one that waited already and is still not told: then the
 *       whole tells it.
 * What became of those whose header, or whole, was asked for and not had:
 *   W19 each waits, if a file is left that it could be (W15), and so does each such file: neither
 *       is copied before a later pairing knows. Where no such file is left it is new mail, and so
 *       is a file that waited, where no such message is left
 * What the server does not show (D37, D31):
 *   W21 a message with REASON_UNSEEN is not asked for and is no half of a pair. For an hour files
 *       wait for it as in W19, and intents stay open: its line may have been left out but once.
 *       From then on only a file waits whose name proposes its UID
 *   W22 where only a window is shown, a file that without base has no partner may have one below
 *       it: it waits as long as there is a window
 *   W23 a file that is there and cannot be read waits, if a message is left that it could be, and
 *       so does each such message
 * A file that was sent and taken under a UID that is not known, and is not paired:
 *   W17 right after it was sent, by the same run, while something that came since is nobody's: the
 *       server made that of it. It is not sent again
 *   W18 else it was not kept, or somebody has removed it since: it is new mail again
 *   W26 one whose UID was told and is not there (D40), and that is not found under another either,
 *       was not kept: the next run sends it again. A run that finds so before it acts sends it
 *       itself, and to that one it is no failure
 *   W25 one that was refused together with others and is not found was not taken (U4): it is sent,
 *       in the same run
 */
#ifndef SYNC_RULES_MATCH_H
#define SYNC_RULES_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/model/identity.h"
#include "mailsync/model/row.h"

struct pair_candidate {
	uint8_t digest[ROW_DIGEST_SIZE]; /* of the header, or of all of it (has_content) */
	uint8_t header[ROW_DIGEST_SIZE];
	uint64_t message_id;   /* a hash; 0: none */
	int64_t header_date;   /* of Date: ; INT64_MIN: none */
	struct told_time date; /* INTERNALDATE or mtime */
	struct told size;      /* on the wire */
	uint32_t uid;          /* remote: its own; local: the one that its name proposes, or 0 */
	uint32_t bound;        /* local: only UIDs from here on come into question */
	int64_t index;         /* the caller's; decides between equals */
	size_t place;          /* the caller's */
	bool has_identity;     /* the fields above are of its header; the caller's */
	bool is_blank;         /* remote: its header is said to have no line (W20) */
	bool has_waited;  /* its row is UNIDENTIFIED: a pairing before this one did not know it */
	bool has_content; /* the digest is of header and body; of a file there is, too: */
	uint8_t content[ROW_CONTENT_SIZE];
	bool was_sent; /* local: the server has taken it, as what is not known */
	bool is_taken;
	bool is_ambiguous; /* local, afterwards */
	int64_t partner;   /* local, when taken: the remote's `index` */
};

/* What a header tells, into CANDIDATE, whose size is then its own. */
void pair_identify(struct pair_candidate *candidate, const struct header_identity *identity);
/* W5 */
bool pair_is_nameless(const struct pair_candidate *candidate);

/* Reorders both arrays. */
void pair_match(struct pair_candidate *locals, size_t local_count, struct pair_candidate *remotes,
		size_t remote_count);

/* W1 alone; how many were taken. Reorders the remotes. */
size_t pair_match_proposed(struct pair_candidate *locals, size_t local_count,
			   struct pair_candidate *remotes, size_t remote_count);

/* W10, W11 */
bool pair_is_lone_file(const struct row *row);
bool pair_is_lone_message(const struct row *row);
/* W21 */
bool pair_is_unseen(const struct row *row);
/* Whether that is so for less than an hour, NOW being in seconds. */
bool pair_is_unseen_lately(const struct row *row, int64_t now);

struct pair_file {
	const struct row *row;
	bool has_base;
	bool was_moved;      /* from where its message is gone, too */
	bool was_sent;       /* and its UID is not known: */
	uint32_t bound;      /* what came since has UIDs from here on; 0: all come into question */
	uint32_t own_uid;    /* in a name that we gave it here, under this UIDVALIDITY; 0: none */
	uint32_t others_uid; /* in a name that another program gave it, likewise */
};
/* W12, W13. False: it takes no part. CANDIDATE becomes all that is known without its header. */
bool pair_begin_local(const struct pair_file *file, struct pair_candidate *candidate);
/* W14. FILE is gone; false where no header was noted. */
bool pair_begin_sent(const struct pair_file *file, struct pair_candidate *candidate);
/* W11's; ROW's UID, date and size. */
void pair_begin_remote(const struct row *row, struct pair_candidate *candidate);
/* W14 */
bool pair_is_nameless_there(const struct pair_candidate *local,
			    const struct pair_candidate *remotes, size_t remote_count);

/* W15 */
bool pair_is_wanted(const struct pair_candidate *remote, bool has_base,
		    const struct pair_candidate *locals, size_t local_count);
/* W19, of what is left after the matching: whether LOCAL, or REMOTE, waits for one of the others.
 * MISSING: what could not be had. */
bool pair_file_waits(const struct pair_candidate *local, bool has_base,
		     const struct pair_candidate *missing, size_t missing_count);
bool pair_message_waits(const struct pair_candidate *remote, bool has_base,
			const struct pair_candidate *locals, size_t local_count);
/* W21, W22. UNSEEN: the messages that are not shown. */
bool pair_file_is_hidden(const struct pair_candidate *local, bool is_below_window,
			 const struct pair_candidate *unseen, size_t unseen_count);
/* W16 */
bool pair_wants_content(const struct pair_candidate *remote, const struct pair_candidate *locals,
			size_t local_count);

/* What is known of a file that was sent, after the matching. */
struct pair_sent {
	const struct row *row;
	bool is_ambiguous;  /* it looks like another one's message */
	bool is_late;       /* an earlier run sent it */
	bool has_strangers; /* something came since that is nobody's */
};
enum pair_fate {
	PAIR_STAYS,    /* paired, or its UID was told, or which one it is is open */
	PAIR_CHANGED,  /* W17 */
	PAIR_NEW,      /* W18 */
	PAIR_UNKEPT,   /* W26 */
	PAIR_NOT_TAKEN /* W25 */
};
enum pair_fate pair_fate(const struct pair_sent *sent);
/* Whether one of them may be what was sent, having a UID from BOUND on. */
bool pair_has_any_from(uint32_t bound, const struct pair_candidate *remotes, size_t remote_count);
/* Whether a remote one from BOUND on is nobody's. */
bool pair_has_strangers(uint32_t bound, const struct pair_candidate *remotes, size_t remote_count);

#endif
