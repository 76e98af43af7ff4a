/*
 * POP3: which message of a listing is which row of the state, and what is to be done. Pure.
 *
 * A message is known by its key: the unique-id (UIDL), or a digest of its header where there is
 * none. Keys are not trusted to be unique, stable or never reused:
 *
 *   K1  one message and one row of a key belong together. A size that changed, a row that was
 *       missing for a while or that we deleted make it a doubt: the header decides.
 *   K2  several of a key are joined by equal size, then in order, rows that were deleted last, and
 *       are a doubt, each of them.
 *   K3  a message of an unknown key whose size and header are those of a row that is not listed
 *       any more is that row (the server changed its keys); with a Message-ID the size may be
 *       another, too, which is looked at where all rows are missing at once, or where one of the
 *       two sizes was not told.
 *   K18 a header without a Message-ID does not tell that a message is a row that we downloaded and
 *       that was deleted, missing or another server's (K1), or has another key (K3): it is
 *       fetched, and is the row whose content it has; of none it is new
 *   K4  what is left is new. In doubt a message is new: never lost before never doubled.
 *   K5  behind another server or user, no key is trusted: all that were joined are a doubt.
 *
 *   K14 a header was told if it holds something and its last, empty line came, or if it came with
 *       the whole message (as large as was listed). TOP's that was not told is asked of RETR.
 *   K15 a header that would decide and is not told by either -> the message waits: it is neither
 *       known nor new, nothing is done with it and nothing learnt of its row
 *   K16 a message without a unique-id, though rows have them, that is as large as a row that is not
 *       listed and has no header (another program fetched it) -> it waits
 *
 * Messages that are new to the rows, and not to the Maildir:
 *
 *   K6  the first run: the database is new or not this Maildir's, or does not tell whose its rows
 *       are. K8 and K9 are for it only.
 *   K7  the first run, or after one that did not end properly: a file of ours is named after the
 *       message's key, size and occurrence             -> it is the message's
 *   K8  INBOX holds other programs' files, and a list of what they fetched names the key -> known
 *   K17 after a run that did not end properly: its header, with a Message-ID, is that of a file of
 *       ours, delivered since one did, that no row is of and no key names (its unique-id or its
 *       size was told in one of the two runs only)     -> it is the message's
 *   K9  paired with a file of INBOX that no row is of, one to one: by header digest, then by
 *       Message-ID and Date (match.h)                  -> known
 *
 * What a listing makes of the rows:
 *
 *   K10 listed: it is there, whatever QUIT or listings before told; its key, its size and, where
 *       that was unknown, its header are this listing's
 *   K11 not listed, by a server that lists only some messages, or while one that is listed has no
 *       key (it may be that one)                       -> as it was
 *   K12 not listed, and remembered as too old, or missing for 30 days -> dropped
 *   K13 not listed                                     -> missing from now on
 *
 * What is done with a message:
 *
 *   A1  known and not downloaded by us (K8, K9)        -> nothing, never deleted
 *   A2  known as too old: young enough for today's max_age -> download, else nothing
 *   A3  downloaded                                     -> nothing; deleted when it is due
 *   A4  new, but downloads are not covered, or it failed in this run -> nothing. So of any that is
 *       set aside in this pass (suspect_rules.h), which is not deleted either
 *   A5  new, larger than max_message_size              -> skip
 *   A6  new, Date before max_age's cut                 -> remember as too old
 *   A7  new                                            -> download
 *   A8  downloaded by this state (I1: durable and committed) and proven (A16), with
 *       leave_on_server = no, or an age that has passed since the download, where this run may
 *       delete on the server                           -> due
 *
 * What came of a download:
 *
 *   A9  it holds a line of a single dot that the server failed to escape, and has another size than
 *       was listed: two messages may have run into each other -> not stored
 *   A10 nothing, where something was listed or no size was -> not stored: leave_on_server might
 *       delete the message that it stands for
 *   A11 less than was listed, or no size was: such a dot may have ended it -> stored once the
 *       server has answered something else, which can only follow a whole message
 *   A12 else                                           -> stored
 *   A16 stored, and it is not empty and as large as the listing told, but for what dot-stuffing,
 *       line ends and the terminator explain, or as A18 says -> proven; else, and where no size was
 *       told, not proven (and not due)
 *
 * A body that is not proven, once in a later run, where leave_on_server and the run's sides want
 * messages deleted on the server, now or by their age:
 *
 *   A17 it is fetched again (A9 to A11 as before):
 *       the same content came, or that of another file of ours of this message, or one that came
 *         earlier, whose file was deleted here since -> proven
 *       another content, and one file of it is known   -> stored, too, as what the message is from
 *         now on, proven by A16 or fetched again; told. After POP3_DOUBTS_MAX it is let be.
 *       of an adopted file (K7) that is not there any more -> nothing is stored, it is let be
 *   A18 the server tells sizes too large: POP3_SHORT_MIN bodies that were short were proven by A17
 *       and none came otherwise since -> one that is short by no more bytes, or by no larger
 *       share, is proven at once
 *
 * When another session follows:
 *
 *   A13 this one broke off by a message that is left out of the next
 *   A14 the server lists only some messages, and this one brought some
 *   A15 the server held a message back from a session without UTF8
 */
#ifndef SYNC_RULES_POP3_RULES_H
#define SYNC_RULES_POP3_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/state/state.h"
#include "mailsync/sync/account.h"
#include "mailsync/sync/sync.h"

#include "guard_rules.h"
#include "match.h"

/* How long a row outlives its message, in case a listing was short (K12). */
#define POP3_GONE_KEPT_S (INT64_C(30) * 86400)

struct pop3_policy {
	int64_t now;
	enum account_leave leave;
	int64_t leave_age_s;
	bool may_delete; /* on the server */
	bool may_download;
	uint64_t max_size_bytes; /* 0: none */
	int64_t oldest;          /* INT64_MIN: none */
	int64_t known_id;        /* rows up to this one were there when the run began (A17) */
};

/* What a server's sizes were worth (A18). */
struct pop3_sizes {
	uint32_t short_count; /* bodies proven to be whole that were smaller than listed */
	uint64_t short_bytes; /* by how much at most, */
	uint32_t short_share; /* and in thousandths of what was listed */
};

enum pop3_act {
	POP3_ACT_NONE,
	POP3_ACT_DOWNLOAD,
	POP3_ACT_PROVE, /* fetch it again (A17) */
	POP3_ACT_SKIP,  /* too large */
	POP3_ACT_OLD,   /* remember it as too old */
	POP3_ACT_KNOWN, /* remember it as fetched by another program */
	POP3_ACT_ADOPT  /* its file is there, its row is not */
};

#define POP3_NO_ROW UINT32_MAX

/* One message of a listing. */
struct pop3_item {
	uint32_t number;
	uint32_t row;        /* index, or POP3_NO_ROW */
	uint32_t occurrence; /* of its key, for a new row */
	uint32_t header;     /* index, or POP3_NO_ROW */
	struct told size;    /* bytes, as listed */
	const char *key;     /* borrowed; "": not known yet */
	const char *unique;  /* ADOPT: the name of its file, borrowed; else "" */
	bool is_doubtful;
	bool is_renamed;    /* the row takes this key */
	bool wants_content; /* K18: its body tells whether it is new */
	bool wants_header;
	bool is_failed;
	bool waits;       /* K15, K16 */
	bool is_accepted; /* DELE was answered with +OK */
	bool is_aside;    /* not tried in this pass (suspect_rules.h) */
	enum pop3_act act;
	uint8_t state; /* of its download: enum want_state */
};

/* What a listing tells of a row. */
enum pop3_news {
	POP3_NO_NEWS,  /* K11, or as the row has it */
	POP3_NEWS,     /* K10, K13: the row has changed */
	POP3_NEWS_OVER /* K12: it is dropped */
};

struct pop3_view {
	struct pop3_item *items;
	size_t count;
	struct pair_candidate *headers; /* sizes are LIST's */
	size_t header_count, header_cap;
	struct pop3_row *rows;
	size_t row_count;
	bool *is_listed;      /* of each row: some item is it */
	enum pop3_news *news; /* of each row */
	bool is_partial;      /* the server lists only some messages */
	enum whose whose;     /* the rows are (K5, K6) */
};

/* The header of ITEM, or NULL where it was not read. */
static inline const struct pair_candidate *pop3_header_of(const struct pop3_view *view,
							  const struct pop3_item *item)
{
	return item->header == POP3_NO_ROW ? NULL : &view->headers[item->header];
}

/* --- pop3_match.c --- */
/* K1, K2 and K5. Items without a key are left alone. */
int pop3_match(struct pop3_view *view, struct err *err);
/* What a key begins with that was made of a header. No unique-id holds a blank. */
#define POP3_HEADER_KEY "header "
/* K14: of CAME bytes, with the empty line (IS_COMPLETE); IS_ALL: they are the message. */
struct pop3_header_facts {
	bool is_complete;
	bool is_all;
	uint64_t came_bytes, slack_bytes;
	struct told listed; /* bytes */
};
bool pop3_header_is_told(const struct pop3_header_facts *facts);
/* Marks the items whose header decides K1 and K3 or, ALL_UNKNOWN, what the others are. */
int pop3_mark_doubts(struct pop3_view *view, bool all_unknown, struct err *err);
/* K1 and K3 by the headers that came; K15 and K16 for the others. */
int pop3_settle_doubts(struct pop3_view *view, struct err *err);
/* K18: the row of which a message of CONTENT is, or POP3_NO_ROW. */
uint32_t pop3_row_of_content(const struct pop3_view *view, const uint8_t *content);

/* --- pop3_known.c --- */
/* K6 */
bool pop3_is_first_run(bool pair_all, enum whose whose);
/* K7, K8 and K9 are for such items: of no row, nothing decided. */
bool pop3_is_unknown(const struct pop3_item *item);
/* K17: whether FILE, whose header is a message's, is that message's. */
bool pop3_is_orphans(const struct pair_candidate *file);
/* K9. LOCALS: files of INBOX; they are reordered. The items that pair become POP3_ACT_KNOWN. */
int pop3_pair(struct pop3_view *view, struct pair_candidate *locals, size_t local_count,
	      struct err *err);
/* K10 to K13, into the rows and `news`; but for keys, which are their owner's to copy. Returns
 * whether there is anything to be written down, for messages without a row too. */
bool pop3_learn(struct pop3_view *view, int64_t now);
/* True for what is not downloaded and gets a row: A6, K7, K8 and K9. */
bool pop3_is_remembered(const struct pop3_item *item);
/* Fills the row of such an ITEM, which was made for it; but for key and name. */
void pop3_remember_as(const struct pop3_view *view, const struct pop3_item *item, int64_t now);

/* --- pop3_act.c --- */
/* A POP3 account as a run uses it: with `durability = none` a power cut could lose what DELE has
 * removed, so it is `batch`. */
struct account pop3_account_of(const struct account *account);
/* NOW in seconds. */
struct pop3_policy pop3_policy_of(const struct account *account, const struct sync_options *options,
				  int64_t now);
/* A1 to A7, for items without an act yet. Returns how many A5 leaves out. */
size_t pop3_decide(struct pop3_view *view, const struct pop3_policy *policy);
/* How much less a file of ours may be than was listed, where nothing else tells: the terminator. */
#define POP3_FILE_SLACK 5
/* Whether messages are to be deleted on the server, now or later: only then proofs are of use. */
bool pop3_is_deleting(const struct pop3_policy *policy);
/* A17: whether its body is to be proven. */
bool pop3_is_to_prove(const struct pop3_row *row, const struct pop3_policy *policy);
/* A8. */
bool pop3_is_due(const struct pop3_row *row, const struct pop3_policy *policy);
/* For --dry-run, of a message that is going to be downloaded: whether it is due at once. */
bool pop3_is_due_at_once(const struct pop3_policy *policy);

/* A9 to A12. Sizes in bytes on the wire. */
enum pop3_body {
	POP3_BODY_TORN,
	POP3_BODY_EMPTY,
	POP3_BODY_SHORT,
	POP3_BODY_WHOLE
};
enum pop3_body pop3_judge_body(struct told listed, uint64_t came, bool has_lone_dot);

#define POP3_SHORT_MIN  8
#define POP3_DOUBTS_MAX 3

/* A16 and A18. SLACK: what explains that more was listed than came. */
bool pop3_is_proven(struct told listed, uint64_t came, uint64_t slack,
		    const struct pop3_sizes *sizes);

/* A17: what a body that came again is. */
enum pop3_proof {
	POP3_PROOF_SAME,
	POP3_PROOF_OTHER_FILE, /* the content of another file of ours, there or not any more */
	POP3_PROOF_STORE,
	POP3_PROOF_LET_BE
};
struct pop3_proof_facts {
	bool has_content; /* what came first is known */
	bool is_same;     /* and is the same */
	bool has_files;  /* of ours, of this message, are there; asked only if it is not the same */
	bool is_in_file; /* one of them has this content */
	bool is_earlier; /* it came before what the row has; asked only if it is in no file */
};
enum pop3_proof pop3_judge_proof(const struct pop3_proof_facts *facts);
/* What that makes of the row's doubts. IS_PROVEN: what came, by itself (A16). */
uint32_t pop3_doubts_after(uint32_t doubts, enum pop3_proof proof, bool is_proven);
/* A18: SIZES after such a PROOF of CAME bytes where LISTED were told. */
void pop3_sizes_learn(struct pop3_sizes *sizes, enum pop3_proof proof, struct told listed,
		      uint64_t came);

/* A13 to A15. */
struct pop3_outcome {
	bool is_broken;    /* the server's answers made no sense any more */
	bool has_failures; /* of messages, in this session */
	bool is_partial;
	uint64_t downloaded;
	bool lacked_utf8;
};
bool pop3_goes_on(const struct pop3_outcome *outcome);
/* Whether the server lists only some messages a session: Gmail, asked by any name. */
bool pop3_lists_some(bool is_gmail, const char *user);

#endif
