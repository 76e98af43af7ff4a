/*
 * The state database of one account (the one user of SQLite): mailboxes, rows (model/row.h),
 * intents and a few values.
 *
 * Invariants kept here: a commit returns only when durable (synchronous = FULL); a schema from
 * the future is refused (-ERR_CONFIG with what to do), a corrupt file is moved aside
 * (NAME.corrupt-<time>) and an empty one made, told by state_was_reset(); the file is 0600 in a
 * 0700 directory.
 *
 * Threads: one handle may be used from several; state_begin() takes its lock and
 * state_commit()/state_rollback() give it back, so a transaction is one thread's from begin to
 * end, and must be short (no network inside). Other calls outside a transaction lock for
 * themselves. Statements are prepared once. Cursors must be finished before commit.
 */
#ifndef MAILSYNC_STATE_STATE_H
#define MAILSYNC_STATE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/side.h"
#include "mailsync/base/strlist.h"
#include "mailsync/model/keywords.h"
#include "mailsync/model/refusal.h"
#include "mailsync/model/row.h"
#include "mailsync/model/stamp.h"
#include "mailsync/model/suspect.h"
#include "mailsync/model/told.h"

struct state;

enum state_mode {
	STATE_WRITE,  /* created where missing */
	STATE_READ,   /* `status`: -ERR_CHANGED when there is none; nothing is written */
	STATE_SCRATCH /* dry run: a private copy (backup into memory or a temporary database) of
		       * PATH; whatever is done to it is forgotten */
};
int state_open(struct state **state, const char *path, enum state_mode mode, struct err *err);
void state_close(struct state **state);
/* True when there was no (usable) database before. */
bool state_was_reset(const struct state *state);
/* True when there was one and it was moved aside. */
bool state_was_damaged(const struct state *state);
/* True once a call found damage that opening did not; closing then moves the file aside. */
bool state_is_damaged(const struct state *state);

int state_begin(struct state *state, struct err *err);
int state_commit(struct state *state, struct err *err);
/* Without a transaction it does nothing, so that a ladder may call it after a failed commit
 * (which has rolled back). */
void state_rollback(struct state *state);
/* The one way to end a transaction of several steps: commits where CODE, theirs, is 0; else takes
 * everything back and returns CODE. CODE may be that of a state_begin() that failed. */
int state_end(struct state *state, int code, struct err *err);

/*
 * Until state_let_go(), reads share one transaction: for each by itself SQLite takes four locks and
 * looks three times for what others have written, which is most of what a small read costs. A
 * transaction that writes ends it for as long as it lasts. Meanwhile no other process can write, so
 * nothing that takes its time, and no network, may lie between the two. Where it fails, or is done
 * already, each reads by itself. Only one thread holds.
 */
void state_hold(struct state *state);
void state_let_go(struct state *state);

/* Small named values: "database" (random id), "generation", "account", "clean" ("1" after a
 * run that ended properly), "boot", "keywords" (the key's value in the last run), "times"
 * ("refused": it was told that no file's time can be set here), "refused" (a login that the server
 * refused: guard/refused_login.c), "surplus" with a mailbox's id (observe/surplus.c),
 * "failures" and "held" (run/silence.c).
 * VALUE has room for SIZE bytes; "" when unset. */
int state_get(struct state *state, const char *key, char *value, size_t size, struct err *err);
int state_set(struct state *state, const char *key, const char *value, struct err *err);

/* Forgets everything but the named values: rows, mailboxes, intents. For a database that does
 * not belong to its Maildir any more. */
int state_forget_all(struct state *state, struct err *err);

/* What the names in a folder were like when it was last read whole. */
struct state_names {
	bool are_known;
	bool has_doubles; /* several files shared a unique part */
	bool has_strays;  /* something in it can be no message */
	uint32_t borne;   /* keyword letters that files bore, by bits */
};
struct state_mailbox {
	int64_t id;     /* 0 for a new one */
	char *name;     /* canonical, owned */
	bool had_local; /* the mailbox existed there when last seen */
	bool had_remote;
	/* Up to which every change was observed; UIDVALIDITY untold: it was never selected. */
	struct numbers numbers;
	char *mailboxid;          /* RFC 8474, owned, NULL unknown */
	bool has_permanent;       /* PERMANENTFLAGS was told, in a mailbox opened for writing: */
	uint64_t permanent_flags; /* what PERMANENTFLAGS allows, system bits and known keywords */
	bool permanent_any;       /* "\*": new keywords may be made */
	struct keywords keywords;
	char *letters; /* what letters mean in its folder (maildir_remember), owned; NULL: nothing
			* is known */
	bool trusts_letters; /* the last look took letters for the user's (`keywords = yes`) */
	bool has_stamp;
	struct stamp stamp; /* of the last complete scan, as is: */
	struct state_names names;
	uint32_t pending;     /* rows not settled */
	uint32_t skipped;     /* of these, TOO_LARGE, OBSTACLE, UNSEEN or SUSPECT */
	uint64_t held_policy; /* all pending rows were planned under the policy of this hash and
			      * nothing was left to do; 0: look again */
	enum side held;       /* where the brake holds its removal; SIDE_NONE: nowhere */
	int64_t held_since;   /* seconds; where it is held */
	bool has_folder;      /* known is, of the last complete scan: */
	struct stamp_folder folder;
	int64_t synced_at; /* seconds; 0 never */
	char *trouble;     /* last error sentence, owned, NULL none */
};
struct state_mailboxes {
	struct state_mailbox *items;
	size_t count;
};
void state_mailbox_init(struct state_mailbox *mailbox);
void state_mailbox_finish(struct state_mailbox *mailbox);
/* All, sorted by name. */
int state_mailboxes_load(struct state *state, struct state_mailboxes *mailboxes, struct err *err);
void state_mailboxes_finish(struct state_mailboxes *mailboxes);
/* Inserts (id 0: it is set) or updates all of it but `pending` and `skipped`, which
 * state_mailbox_count() computes. */
int state_mailbox_put(struct state *state, struct state_mailbox *mailbox, struct err *err);
/* Recounts and stores `pending` and `skipped` from its rows. */
int state_mailbox_count(struct state *state, struct state_mailbox *mailbox, struct err *err);
/* For `status`: what kept a mailbox (0: every one) from being in sync; NULL: nothing. */
int state_mailbox_set_trouble(struct state *state, int64_t mailbox, const char *trouble,
			      struct err *err);
/* All mailboxes: the flags of all messages are to be looked at again, on both sides. */
int state_look_again(struct state *state, struct err *err);
/* Drops it with its rows and intents. */
int state_mailbox_drop(struct state *state, int64_t mailbox, struct err *err);
/* Forgets its rows and intents, uidvalidity and numbers, and that it was ever synced (where a run
 * dies before it is paired, the next one has to), not itself. */
int state_mailbox_clear(struct state *state, int64_t mailbox, struct err *err);

/* Rows. put: inserts (id 0: it is set) or updates by id; a row that is void (row_is_void) is
 * removed instead (its id becomes 0); ids are never reused; `pending` (not settled) is kept as
 * a column with a partial index. */
int state_row_put(struct state *state, struct row *row, struct err *err);
int state_row_drop(struct state *state, int64_t id, struct err *err);
/* *FOUND false and ROW untouched when there is none. ROW is row_init()ed by the caller and its
 * strings are replaced. */
int state_row_by_id(struct state *state, int64_t id, struct row *row, bool *found, struct err *err);
int state_row_by_uid(struct state *state, int64_t mailbox, uint32_t uid, struct row *row,
		     bool *found, struct err *err);
int state_row_by_unique(struct state *state, int64_t mailbox, const char *unique, struct row *row,
			bool *found, struct err *err);
/* Whether there is one. */
int state_has_unique(struct state *state, int64_t mailbox, const char *unique, bool *found,
		     struct err *err);

/* One more of the brake's marks for ROW, with the time where it is the first. */
int state_row_hold(struct state *state, int64_t row, enum row_held held, int64_t now,
		   struct err *err);
/* The rows of MAILBOX that bear it, in id order; how many there are. */
int state_rows_held(struct state *state, int64_t mailbox, struct row_list *rows, struct err *err);
int state_count_held(struct state *state, int64_t mailbox, uint64_t *count, struct err *err);

/* What the server did not take of MAILBOX (0: of all), as long as it is not there; it goes with its
 * row. put: that of its `row`. say: a report tells that it is for good; hear: the report was read,
 * and is_told of all that were said; unsay: it was not. */
int state_refusals_load(struct state *state, int64_t mailbox, struct refusals *refusals,
			struct err *err);
int state_refusal_put(struct state *state, const struct refusal *refusal, struct err *err);
int state_refusal_drop(struct state *state, int64_t row, struct err *err);
int state_refusal_say(struct state *state, int64_t row, struct err *err);
int state_refusals_unsay(struct state *state, struct err *err);
int state_refusals_hear(struct state *state, struct err *err);

/* What was deleted, for the brake: COUNT messages of MAILBOX (0: of one that is no more) on SIDE at
 * NOW, in seconds. Of a mailbox that is dropped it stays known for the account. Forgotten after an
 * hour. */
struct state_deleted {
	int64_t mailbox;
	enum side side;
	int64_t now;
	uint64_t count;
};
int state_deleted_add(struct state *state, const struct state_deleted *deleted, struct err *err);
/* How many since then, in MAILBOX (0: in all). What was deleted after NOW, for the clock went back,
 * counts as deleted now, and is noted so. */
struct state_recent {
	uint64_t local;
	uint64_t remote;
};
int state_deleted_recent(struct state *state, int64_t mailbox, int64_t since, int64_t now,
			 struct state_recent *recent, struct err *err);

/* Whether a row of that mailbox has that header digest. Reads all of its rows. */
int state_has_digest(struct state *state, int64_t mailbox, const uint8_t digest[ROW_DIGEST_SIZE],
		     bool *found, struct err *err);

/* The rows to plan, in id order, a slice at a time: a mailbox may have more than memory is to hold.
 * Pending ones; with DELETED_TOO also settled ones whose agreed flags hold \Deleted. SLICE goes on
 * to the next one. */
#define STATE_SLICE_ROWS 10000
struct state_slice { /* zeroed it is before the first */
	bool deleted_too;
	size_t most;   /* rows at a time; 0: STATE_SLICE_ROWS */
	int64_t after; /* the id of the last row that was given */
	bool is_last;  /* there are no more */
};
int state_rows_pending(struct state *state, int64_t mailbox, struct state_slice *slice,
		       struct row_list *rows, struct err *err);

/* MOST rows of MAILBOX whose unique part lies behind AFTER, in its order. */
int state_rows_named(struct state *state, int64_t mailbox, const char *after, size_t most,
		     struct row_list *rows, struct err *err);
/* The same by UID. */
int state_rows_numbered(struct state *state, int64_t mailbox, uint32_t after, size_t most,
			struct row_list *rows, struct err *err);

/*
 * What `verify` has shown. prove: the file of row ID was whole at NOW; CONTENT and MARK, unless
 * NULL, are what it is, and are kept where base had no content. Both of a row, or (IS_POP3) of a
 * POP3 row. oldest: of the messages that both sides held, how many were ever shown to be whole, and
 * the oldest of these proofs.
 */
struct state_proof {
	int64_t id;
	bool is_pop3;
	int64_t now;
	const uint8_t *content; /* ROW_CONTENT_SIZE bytes */
	const struct file_mark *mark;
};
int state_prove(struct state *state, const struct state_proof *proof, struct err *err);
struct state_proofs {
	uint64_t messages;
	uint64_t unproven;
	int64_t oldest; /* seconds; 0: there is none */
};
int state_proofs_count(struct state *state, struct state_proofs *proofs, struct err *err);

/* Since when the server lacks ROW's message, in seconds; untold: it lost it under an older version.
 * Of the files that it lacks: how many by mailbox and day. MISSED is zeroed before. */
int state_missed_at(struct state *state, int64_t row, struct told_time *at, struct err *err);
struct state_missed_day {
	char *mailbox;
	char *day; /* "2026-11-01"; NULL: it is not known */
	uint64_t messages;
	uint64_t bytes;
};
struct state_missed {
	struct state_missed_day *items;
	size_t count, cap;
};
int state_missed_load(struct state *state, struct state_missed *missed, struct err *err);
void state_missed_finish(struct state_missed *missed);
/* What the server has of MAILBOX, as base knows it, by content, sorted; and when the last such was
 * delivered here, as the name of its file says (0: it does not). CONTENTS is zeroed before. */
struct state_content {
	uint8_t content[ROW_CONTENT_SIZE];
	int64_t since; /* seconds */
};
struct state_contents {
	struct state_content *items;
	size_t count, cap;
};
int state_contents_load(struct state *state, int64_t mailbox, struct state_contents *contents,
			struct err *err);
void state_contents_finish(struct state_contents *contents);
/*
 * Files that are to be here and that base has no more: an archive's, of messages that the server
 * lost. Remembered until the user says that it is well that they are gone.
 *
 * Before the file of ROW is seen to be gone, of a message that the server lost; before the messages
 * FIRST to LAST are seen to be gone there, those whose files are gone already; before base forgets
 * MAILBOX, all of it or ONLY_LOST, what the server lost.
 */
int state_kept_note_row(struct state *state, int64_t row, struct err *err);
int state_kept_note_gone(struct state *state, int64_t mailbox, uint32_t first, uint32_t last,
			 struct err *err);
int state_kept_note_mailbox(struct state *state, int64_t mailbox, bool only_lost, struct err *err);
/* The user said so of the file UNIQUE in the mailbox of that name. */
int state_kept_mean(struct state *state, const char *mailbox, const char *unique, struct err *err);
/* It is here again: when it is lost another time the user has not said so. */
int state_kept_back(struct state *state, const char *mailbox, const char *unique, struct err *err);
int state_kept_is_meant(struct state *state, const char *mailbox, const char *unique,
			bool *is_meant, struct err *err);
/* Those of the mailbox NAME (and of the number MAILBOX, 0: none) that base has not got back, and
 * that nobody said so of. KEPT is zeroed before. */
struct state_kept_file {
	char *unique;
	bool has_content;
	uint8_t content[ROW_CONTENT_SIZE];
};
struct state_kept {
	struct state_kept_file *items;
	size_t count, cap;
};
int state_kept_load(struct state *state, const char *name, int64_t mailbox, struct state_kept *kept,
		    struct err *err);
void state_kept_finish(struct state_kept *kept);
/* The names of mailboxes that have such are added to NAMES. */
int state_kept_names(struct state *state, struct strlist *names, struct err *err);

/* Special uses of mailboxes, by name, as the server said last; the bits are the caller's. Those of
 * 0 are forgotten. USES is zeroed before. */
struct state_use {
	char *name;
	uint32_t uses;
	uint32_t noted; /* in the state; 0: it is not */
	bool is_needed; /* base has the mailbox, or files of it are to be here */
};
struct state_uses {
	struct state_use *items;
	size_t count, cap;
};
int state_uses_load(struct state *state, struct state_uses *uses, struct err *err);
void state_uses_finish(struct state_uses *uses);
int state_use_put(struct state *state, const char *name, uint32_t uses, struct err *err);
/* All of them. */
int state_uses_forget(struct state *state, struct err *err);

/* At most MOST of the rows that are agreed and on both sides, evenly over their UIDs. */
int state_rows_sample(struct state *state, int64_t mailbox, unsigned most, struct row_list *rows,
		      struct err *err);

/* Messages that wait, by mailbox and why; those of POP3, too. WAITING is zeroed before. */
struct state_waiting_entry {
	char *mailbox;
	enum row_reason reason;
	enum row_held held;
	bool is_kept_here; /* the server lost it, and its file is here */
	bool is_lost_here; /* the other way round */
	uint64_t messages;
};
struct state_waiting {
	struct state_waiting_entry *items;
	size_t count, cap;
};
int state_waiting_load(struct state *state, struct state_waiting *waiting, struct err *err);
void state_waiting_finish(struct state_waiting *waiting);

/* Whether a mailbox ever was. */
int state_was_synced(struct state *state, bool *was_synced, struct err *err);
/* How many rows are agreed and in base on both sides (the brake's measure), and how many have
 * remote PRESENT (compared with EXISTS). MAILBOX 0: all mailboxes. */
int state_count_agreed(struct state *state, int64_t mailbox, uint64_t *count, struct err *err);
int state_count_remote(struct state *state, int64_t mailbox, uint64_t *count, struct err *err);
/* How many rows of MAILBOX are PRESENT on the server and not agreed: mail that is only there. */
int state_count_remote_only(struct state *state, int64_t mailbox, uint64_t *count, struct err *err);

/* Rows with a unique part that were agreed and are now GONE locally in one mailbox (FROM not 0: all
 * of mailbox FROM, which could not be read), and rows of the same unique part newly local (not
 * agreed, no uid) in another: candidates for moves. Pairs (gone id, new id), added to MOVES; a gone
 * one may appear with several. */
struct state_move {
	int64_t gone_row;
	int64_t new_row;
};
struct state_moves {
	struct state_move *items;
	size_t count;
	size_t cap;
};
int state_moves_load(struct state *state, int64_t from, struct state_moves *moves, struct err *err);
void state_moves_finish(struct state_moves *moves);
/* A file that is gone, or one that is new, of the size of one of the others. */
struct state_trace {
	int64_t row;
	int64_t mailbox;
	uint64_t size;
	bool is_taken;                     /* the caller's */
	uint8_t content[ROW_CONTENT_SIZE]; /* of one that is gone; else the caller's */
};
struct state_traces {
	struct state_trace *items; /* by mailbox and row */
	size_t count;
	size_t cap;
};
int state_traces_load(struct state *state, bool of_gone, struct state_traces *traces,
		      struct err *err);
void state_traces_finish(struct state_traces *traces);
/* Rows (any mailbox) with that EMAILID and a local file; agreed first. */
int state_rows_by_emailid(struct state *state, const char *emailid, struct row_list *rows,
			  struct err *err);
/* Whether rows of different header digests bear it. */
int state_emailid_is_shared(struct state *state, const char *emailid, bool *is_shared,
			    struct err *err);

/* Streaming over a mailbox's rows with only the columns that deltas need. Inside a transaction;
 * rows may be changed (state_row_put) only after the cursor passed them or when their order key
 * stays. */
enum state_order {
	STATE_BY_UID,    /* rows with uid != 0, ascending */
	STATE_BY_UNIQUE, /* rows with a unique part, memcmp order then length */
	STATE_PENDING    /* rows that are not settled, in id order */
};
struct state_cursor;
int state_cursor_open(struct state *state, int64_t mailbox, enum state_order order,
		      struct state_cursor **cursor, struct err *err);
/* STATE_BY_UID, those from UID FIRST on. */
int state_cursor_open_from(struct state *state, int64_t mailbox, uint64_t first,
			   struct state_cursor **cursor, struct err *err);
/* *ROW points into the cursor, valid until the next call; NULL at the end. */
int state_cursor_next(struct state_cursor *cursor, const struct row **row, struct err *err);
void state_cursor_close(struct state_cursor **cursor);

/* Quick changes of what was observed, without loading the row. They keep `pending` right, reset
 * `reason`, but for AMBIGUOUS and UNIDENTIFIED, which only pairing settles (without them the
 * message would be copied twice), end the brake's mark where what it holds is over, and change
 * nothing else. A change that changes nothing writes nothing; where there is no such row, none is
 * made. */
int state_see_remote_flags(struct state *state, int64_t mailbox, uint32_t uid, uint64_t flags,
			   struct err *err);
/* Present rows with FIRST <= uid <= LAST are GONE on the server now (never agreed ones, and those
 * gone locally too, are dropped; a pair never agreed loses its UID and is local only). *COUNT: how
 * many changed or went. */
int state_see_remote_gone(struct state *state, int64_t mailbox, uint32_t first, uint32_t last,
			  uint64_t *count, struct err *err);
/* Rows with FIRST <= uid <= LAST that are settled and UNPROVEN are no longer UNPROVEN. */
int state_see_as_sent(struct state *state, int64_t mailbox, uint32_t first, uint32_t last,
		      struct err *err);
/* UNLETTERED as in a row. */
int state_see_local_flags(struct state *state, int64_t row, uint64_t flags, uint64_t unlettered,
			  struct err *err);
int state_see_local_gone(struct state *state, int64_t row, struct err *err);

/* Intents (I3): an act under way that must not be repeated blindly. The numbers of the kinds stand
 * in databases. */
enum intent_kind {
	INTENT_APPEND,
	INTENT_COPY,
	INTENT_MOVE,
	INTENT_RENAME = 5, /* 3 and 4 are no kind */
	INTENT_POP3_DELETE,
	INTENT_TRASH,   /* a COPY to the trash may have been carried out */
	INTENT_TRASHED, /* it was: the original is still to be removed */
	INTENT_MOVED,   /* copied to where its file was moved: the same */
	/* Of a mailbox, and the other side has both names, one for another mailbox: */
	INTENT_RENAME_HERE, /* in the Maildir */
	INTENT_RENAME_THERE
};
struct intent {
	int64_t id;
	enum intent_kind kind;
	int64_t row;     /* the row it is about; 0 none */
	int64_t mailbox; /* the target mailbox (APPEND, COPY, MOVE), or the one it is about */
	struct told uidvalidity; /* of the target when it began */
	struct told uid_bound;   /* UIDs from here on may be its result; untold: all of them */
	char *text; /* kind's own detail (new name of a rename, the row that a COPY or MOVE is to
		     * empty, ...), owned, may be NULL */
};
struct intents {
	struct intent *items;
	size_t count;
};
/* Of an original that is to be removed: INTENT_TRASH, INTENT_TRASHED, INTENT_MOVED. */
bool intent_is_of_removal(const struct intent *intent);
/* The lowest UID that may be its result. */
uint32_t intent_bound(const struct intent *intent);
int state_intent_add(struct state *state, struct intent *intent, struct err *err);
int state_intent_drop(struct state *state, int64_t id, struct err *err);
/* All those of MAILBOX (0: of any). */
int state_intents_load(struct state *state, int64_t mailbox, struct intents *intents,
		       struct err *err);
void state_intents_finish(struct intents *intents);

/* POP3: what this state has downloaded, by UIDL. */
struct pop3_row {
	int64_t id;          /* 0 for a new one */
	char *uidl;          /* owned; the digest form where the server has no UIDL */
	uint32_t occurrence; /* the n-th message of this UIDL in a listing, from 1 */
	struct told size;    /* bytes, as it was listed */
	char *unique; /* of the delivered file, owned; "" for one known but not downloaded (seeded
		       * or paired elsewhere) */
	int64_t first_seen;     /* seconds, of the download */
	bool is_deleted;        /* DELE was sent and QUIT answered, or intended (see intents) */
	enum row_reason reason; /* REASON_NONE: downloaded; else left out for that reason */
	int64_t gone_since;     /* seconds; since when QUIT or a listing told so; 0: listed */
	bool has_digest;
	uint8_t digest[ROW_DIGEST_SIZE]; /* header digest */
	bool has_content;                /* downloaded by this version */
	uint8_t content[ROW_CONTENT_SIZE];
	uint32_t doubts; /* 0: its body is proven; else how many bodies came that are not */
};
struct pop3_rows {
	struct pop3_row *items;
	size_t count, cap;
};
int state_pop3_load(struct state *state, struct pop3_rows *rows, struct err *err);
void state_pop3_finish(struct pop3_rows *rows);
int state_pop3_put(struct state *state, struct pop3_row *row, struct err *err);
/* CONTENT came of ROW's message before the one that it has now: the name that its file got, on the
 * heap; else NULL. */
int state_pop3_earlier(struct state *state, const struct pop3_row *row, const uint8_t *content,
		       char **unique, struct err *err);
int state_pop3_drop(struct state *state, int64_t id, struct err *err);

/* What the connection ended on (model/suspect.h). */
struct state_suspect {
	enum suspect_kind kind;
	char *mailbox; /* canonical, owned; "" of the listing */
	int64_t row;   /* of a message; else 0 */
	uint32_t uid;  /* for people; 0 where it has none */
	enum suspect_act act;
	struct suspect_mark mark;
};
struct state_suspects {
	struct state_suspect *items;
	size_t count, cap;
};
/* All but those of messages that base has no more. */
int state_suspects_load(struct state *state, struct state_suspects *suspects, struct err *err);
void state_suspects_finish(struct state_suspects *suspects);
void state_suspect_finish(struct state_suspect *suspect);
/* By kind, mailbox and row. */
int state_suspect_put(struct state *state, const struct state_suspect *suspect, struct err *err);
int state_suspect_drop(struct state *state, const struct state_suspect *suspect, struct err *err);
/* Drops those of messages that base has no more. */
int state_suspects_sweep(struct state *state, struct err *err);

#endif
