/*
 * The seam to the server: what sync asks of the remote side of an account, and the server's
 * abilities as facts. IMAP is behind it; so is the scripted store of the tests. It reads and does
 * what it is told and decides nothing. POP3 is not behind it (pop3.h).
 *
 * Mailbox names here are *wire* names (mbname.h). UID sets may be of any size: they are split into
 * commands of a sensible length behind the seam, and what was split is answered once. `queue`
 * functions only send, `next` functions wait, so that many commands are on their way at once.
 *
 *     remote_open_imap                              connected and logged in
 *     remote_list, remote_count                     which mailboxes there are, and their numbers
 *     remote_view_queue ..., remote_view_next ...   what changed in mailboxes
 *     remote_open, remote_uids                      one mailbox is opened; which UIDs it holds
 *     remote_fetch_queue ..., remote_fetch_next     bodies
 *     remote_headers_begin, remote_headers_next     who the messages of a UID set are
 *     remote_change_queue ..., remote_done_next     flags, copies, moves, removals, mailboxes
 *     remote_append_begin ..., remote_done_next     uploads
 *     remote_logout, remote_close
 *
 * Views, fetches, and changes with appends are three pipelines: one is to be empty (all taken)
 * before something of another kind is asked for.
 *
 * Failure: a return value below 0 is the connection's or our own (-ERR_TEMPORARY, -ERR_PROTOCOL,
 * -ERR_NOMEM, -ERR_INTERRUPTED: the account's run is over); what the server refused is told beside
 * it, in a `status` with a sentence, unless a function says otherwise. A status is 0, -ERR_REFUSED,
 * or -ERR_TEMPORARY (the refusal will pass by itself). -ERR_PARTIAL of a function that takes a
 * mailbox name: the server cannot be sent such a name, and nothing was sent.
 *
 * Threads: one thread a handle. Ownership: strings and sets that go in are borrowed during the call
 * unless it says longer; spans that come out live until the next call on the handle.
 */
#ifndef MAILSYNC_STORE_REMOTE_H
#define MAILSYNC_STORE_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/log.h"
#include "mailsync/base/span.h"
#include "mailsync/base/stop.h"
#include "mailsync/base/strlist.h"
#include "mailsync/model/identity.h"
#include "mailsync/model/keywords.h"
#include "mailsync/model/mbname.h"
#include "mailsync/model/server.h"
#include "mailsync/model/told.h"
#include "mailsync/model/uidset.h"

struct remote;

/* So many messages are at most asked for, or sent, answered and written down as one. */
#define REMOTE_BATCH_MESSAGES 200

/* Session */

struct remote_params {
	const struct server *server; /* outlives the handle */
	struct log *log;
	const char *label; /* for the log: "work#1" */
	const stop_flag *stop;
	uint64_t body_max; /* largest body taken; 0: no limit */
};

/* Connects and logs in; the strongest mechanism first. Errors: -ERR_LOGIN with the server's words,
 * -ERR_TEMPORARY (not reached, busy), -ERR_SERVER (certificate, no TLS, refuses for good). */
int remote_open_imap(struct remote **remote, const struct remote_params *params, struct err *err);
/* Says good-bye and waits for the answer. Failure is of no consequence; the caller closes. */
int remote_logout(struct remote *remote, struct err *err);
/*
 * Between two runs over one connection. remote_rest: the open mailbox is left, without removing
 * anything; -ERR_REFUSED: it cannot be, or something is outstanding, so this connection serves one
 * run only. remote_wake: whether the server is still there, which has a few seconds to say so. What
 * the connection heard between the two counts for nothing.
 */
int remote_rest(struct remote *remote, struct err *err);
int remote_wake(struct remote *remote, struct err *err);
/* Drops the connection; sends nothing. NULL inside is accepted. */
void remote_close(struct remote **remote);

/* What this server can do, as far as it is known and not forbidden by `disable_extensions`. Read
 * again after remote_list: a server may turn out not to have what it claimed. The pointer stays
 * valid while the handle is open. */
struct remote_facts {
	bool has_move;             /* one command moves; else COPY and removal */
	bool has_uid_expunge;      /* removes just those UIDs; else all that is marked \Deleted */
	bool takes_many_appends;   /* several messages in one APPEND, all or none */
	bool appends_without_wait; /* uploads of any size need no go-ahead */
	bool tells_changes;        /* modification sequences: changed flags since a number */
	bool lists_counts;         /* remote_list gives counts */
	bool has_message_ids;      /* an id that stays when a message moves (remote_view_emailid) */
	uint32_t message_limit;    /* so many messages a command at most (RFC 9738); 0: none told */
	bool has_append_limits;    /* each mailbox has its own: remote_counts tell it */
	struct told append_limit; /* the largest message that any mailbox takes, bytes (RFC 7889) */
	bool is_tls;
	const char *login_name; /* "SCRAM-SHA-256", for `check` */
};
const struct remote_facts *remote_facts(struct remote *remote);
/* For `check`: appends a line for people on each ability, and what is done without it. */
int remote_explain(struct remote *remote, struct strlist *lines, struct err *err);

struct remote_totals {
	uint64_t commands;
	uint64_t round_trips;
	uint64_t bytes_in;
	uint64_t bytes_out;
	int64_t rtt_us; /* the smallest round trip so far; 0 unknown */
};
void remote_totals(const struct remote *remote, struct remote_totals *totals);

/* Whether a command was refused in a way that asks for patience since this was last taken. Of a
 * fetch only throttling counts: else it is a message that the server cannot give now. */
bool remote_busy_is_due(const struct remote *remote);
/* Takes it, with the time that the server names (0: none); false when there is none. */
bool remote_busy_take(struct remote *remote, int64_t *wanted_ms);

/* Which mailboxes there are */

enum remote_attribute {
	REMOTE_NOSELECT = 1 << 0, /* a name, no mailbox that can be opened */
	REMOTE_SUBSCRIBED = 1 << 1,
	REMOTE_NOINFERIORS = 1 << 2,
	REMOTE_HASCHILDREN = 1 << 3,
	REMOTE_ALL = 1 << 8, /* special uses, from here on */
	REMOTE_ARCHIVE = 1 << 9,
	REMOTE_DRAFTS = 1 << 10,
	REMOTE_FLAGGED = 1 << 11,
	REMOTE_JUNK = 1 << 12,
	REMOTE_SENT = 1 << 13,
	REMOTE_TRASH = 1 << 14,
	REMOTE_IMPORTANT = 1 << 15
};
#define REMOTE_USES 0xFF00U

/* Why something was refused, as far as the server says so by a response code. */
enum remote_refusal {
	REMOTE_REFUSAL_NONE,    /* it was not */
	REMOTE_REFUSAL_UNCODED, /* NO and words: how many servers say that it is not there, and much
				   else */
	REMOTE_REFUSAL_ALREADY_EXISTS,
	REMOTE_REFUSAL_NONEXISTENT,
	REMOTE_REFUSAL_TRYCREATE, /* the target mailbox is not there */
	REMOTE_REFUSAL_OVERQUOTA,
	REMOTE_REFUSAL_TOOBIG,
	REMOTE_REFUSAL_CANNOT,
	REMOTE_REFUSAL_BUSY,    /* it asks for fewer commands, by a code or by words */
	REMOTE_REFUSAL_PASSING, /* another code, or words, that speak of the moment */
	REMOTE_REFUSAL_NOPERM,  /* a code that speaks of the user, the mailbox or the server */
	REMOTE_REFUSAL_OTHER    /* a code that says nothing of why, or not understood (BAD) */
};

/* A mailbox's numbers without opening it. */
struct remote_counts {
	struct numbers numbers;
	char *mailboxid;             /* owned, NULL: untold */
	struct told append_limit;    /* the largest message that it takes (RFC 7889), bytes */
	enum remote_refusal refusal; /* of remote_count and its kin: the server said NO */
};
void remote_counts_finish(struct remote_counts *counts);

struct remote_mailbox {
	char *wire;          /* owned */
	unsigned attributes; /* enum remote_attribute */
	struct remote_counts counts;
	bool is_asked; /* for remote_count */
};
/* What the server said of its personal namespace. */
enum remote_naming {
	REMOTE_NAMING_TOLD,      /* its prefix; or nobody may ask (`disable_extensions`) */
	REMOTE_NAMING_NONE,      /* that it has none (NIL) */
	REMOTE_NAMING_UNOFFERED, /* nor known, where remote_is_all_below_inbox() */
	REMOTE_NAMING_UNTOLD     /* refused; or OK without a line that could be read */
};
struct remote_mailboxes {
	struct remote_mailbox *items;
	size_t count;
	struct mbname_wire wire; /* separator and prefix of the personal namespace */
	bool is_read;            /* no line of the answer was unreadable */
	/* And INBOX is among them: only then does it mean anything that a name is missing. */
	bool is_whole;
	enum remote_naming naming;
	bool has_subscriptions; /* they were asked for and told, all of them */
	bool has_uses;          /* so were special uses: who has none here has none */
};
void remote_mailboxes_finish(struct remote_mailboxes *mailboxes);
/* Whether there are mailboxes beside INBOX, and all of them are below it: that is what a prefix of
 * the personal namespace looks like. */
bool remote_is_all_below_inbox(const struct remote_mailboxes *mailboxes);
/* What RFC 6154 calls the uses among ATTRIBUTES ("\\Sent"), separated by spaces; the caller frees
 * it. NULL when out of memory. */
char *remote_special_uses(unsigned attributes);
/* As mbname_selected, but "\\All" and the like (mailsync/base/special_use.h) are patterns for what
 * has that use among ATTRIBUTES. */
bool remote_is_chosen(const char *const *patterns, size_t count, const char *name,
		      unsigned attributes);
/* The same whatever uses it may have. */
bool remote_may_be_chosen(const char *const *patterns, size_t count, const char *name);
/* Whether one of PATTERNS is for a special use. */
bool remote_chooses_by_use(const char *const *patterns, size_t count);

/* All mailboxes, in one round trip; with the subscriptions when SUBSCRIBED is wanted or they cost
 * nothing, with counts when facts say lists_counts. A refusal is an error. */
int remote_list(struct remote *remote, bool subscribed, struct remote_mailboxes *mailboxes,
		struct err *err);
/* From now on remote_list gives no counts, and facts say so; or (false) it does what the server
 * can. For servers that cannot bear it. */
void remote_list_plainly(struct remote *remote, bool is_plain);
/* Asks after the counts of those that is_asked says, in one round trip; where the server refuses
 * nothing is told. */
int remote_count(struct remote *remote, struct remote_mailboxes *mailboxes, struct err *err);
/* The same for COUNT mailboxes by their names, listed or not. The caller finishes COUNTS, one for
 * each name. */
int remote_count_names(struct remote *remote, const char *const *wires, size_t count,
		       struct remote_counts *counts, struct err *err);
int remote_count_one(struct remote *remote, const char *wire, struct remote_counts *counts,
		     struct err *err);

/* How much the server lets WIRE's user keep (RFC 9208), where it says so and there is a limit: of
 * several, the one that is nearest. In bytes. */
struct remote_quota {
	struct told used;
	struct told limit;
	struct told messages;
	struct told messages_limit;
};
int remote_quota(struct remote *remote, const char *wire, struct remote_quota *quota,
		 struct err *err);

/*
 * A view: what a mailbox holds, or what changed since numbers known before. Opens the mailbox and
 * tells of changed flags, new messages and, where the server can, vanished ones.
 */
struct remote_view_request {
	const char *wire;          /* must stay valid until its view is taken */
	bool is_writable;          /* open it for writing, too */
	struct told uidvalidity;   /* untold: nothing known, list everything */
	struct told uidnext;       /* UIDs from here on are new; untold or 1: list everything */
	struct told modseq;        /* changes since; untold: flags of all are listed */
	bool skip_new;             /* counts said that there is nothing from uidnext on */
	bool is_empty;             /* counts said that it is empty */
	struct keywords *keywords; /* the mailbox's table, valid until the view is taken */
	bool intern; /* keywords met are added to it; else unknown ones are left out */
};
struct remote_view_message {
	uint32_t uid;
	bool has_flags;
	uint64_t flags;
	struct told size; /* not to be trusted */
	struct told_time date;
	size_t emailid; /* remote_view_emailid */
};
struct remote_view {
	bool is_part; /* more of it follows: remote_view_next */
	int status;   /* 0, or why this mailbox could not be viewed: */
	struct err err;
	bool is_writable;       /* as asked for, and not READ-ONLY */
	struct numbers numbers; /* of the opening; messages with what came and went after it */
	char *mailboxid;        /* owned, NULL unknown */
	bool has_permanent;
	uint64_t permanent_flags; /* those that can be stored; */
	bool permanent_any;       /* and any new keyword */
	bool is_full; /* everything was asked for: messages holds all that the server admits to */
	/* Of what was asked for, or would have had to be: so much was not told in a way that can be
	 * read, with UID and flags. While this is not 0, what is not told of may have changed. */
	uint64_t unread;
	struct remote_view_message *messages; /* ascending by UID, each once */
	size_t count;
	struct uidset gone; /* said to be gone */
	char *text;         /* of ids */
};
int remote_view_queue(struct remote *remote, const struct remote_view_request *request,
		      struct err *err);
/*
 * The oldest queued view, when it is there. A failure of the one mailbox is in view->status; the
 * return value is the connection's.
 *
 * Of a mailbox with many messages not all are to be in memory at a time: a listing of all may come
 * in parts (is_part), of which the view itself is the last. Each has messages with UIDs above those
 * of the parts before, and the numbers of the opening; all else is told at the end, with the
 * messages that are left, and those that came late, or once more, and have UIDs of the parts.
 */
int remote_view_next(struct remote *remote, struct remote_view *view, struct err *err);
void remote_view_finish(struct remote_view *view);
/* The id that the message keeps when it moves; NULL unknown. */
const char *remote_view_emailid(const struct remote_view *view,
				const struct remote_view_message *message);

/* One mailbox is open at a time */

enum remote_access {
	REMOTE_READ = 0,
	REMOTE_WRITE = 1 << 0,
	REMOTE_ANEW = 1 << 1 /* also when it is open already: for its present numbers */
};
struct remote_opened {
	bool is_read_only;      /* the server opened it, but not for writing */
	bool is_renumbered;     /* it has another UIDVALIDITY than was expected */
	struct numbers numbers; /* where it was open already, UIDVALIDITY alone */
	char *mailboxid;        /* owned, NULL unknown */
};
/*
 * Makes WIRE the open mailbox; waits, but sends nothing where it is open already. ACCESS: enum
 * remote_access, by default REMOTE_READ.
 *   -ERR_REFUSED    the server would not open it; or, with is_read_only, not for writing
 *   -ERR_TEMPORARY  with is_renumbered: its UIDVALIDITY is not the one given (untold: any is fine)
 * OPENED, which may be NULL, is filled in these cases too, and the caller finishes it in all.
 */
int remote_open(struct remote *remote, const char *wire, unsigned access, struct told uidvalidity,
		struct remote_opened *opened, struct err *err);
void remote_opened_finish(struct remote_opened *opened);
/* The mailbox that was opened last, by name, or was to be, be it that the connection ended then;
 * NULL: none yet. Valid until the next is. */
const char *remote_about(const struct remote *remote);
/* WIRE's UIDVALIDITY where it is open now (and, if asked, for writing); untold: it is not. */
struct told remote_selected(const struct remote *remote, const char *wire, bool is_writable);

enum remote_which {
	REMOTE_UIDS_ALL,
	REMOTE_UIDS_DELETED /* marked \Deleted */
};
/* Which UIDs the open mailbox holds. *EXISTS is the count that the server gives for it then: only
 * when it is told and equals the size of REMOTE_UIDS_ALL are absent UIDs proven gone. A refusal is
 * an error. */
int remote_uids(struct remote *remote, enum remote_which which, struct uidset *uids,
		struct told *exists, struct err *err);

/*
 * Bodies of the open mailbox.
 *
 *     while (remote_fetch_room(remote) > 0 && there is more) {
 *             while (remote_batch_has_room(remote, &batch) && there is more)
 *                     remote_batch_add(&batch, uid, size, &err);
 *             remote_fetch_queue(remote, REMOTE_WHOLE, &batch.uids, cookie, &err);
 *             remote_batch_finish(&batch);
 *     }
 *     remote_fetch_next(remote, &body, &err);
 *
 * Servers may answer fetches of one mailbox side by side: whose a body is shows only in
 * REMOTE_FETCHED_MESSAGE, and cookies tell which fetch was answered.
 */
enum remote_part {
	REMOTE_WHOLE,
	REMOTE_HEADER
};
/* How many more fetches are worth having on their way now. 0 also while what is on its way has to
 * come in before the connection can be compressed (`compress = auto`), which the next fetch does
 * before it is sent. */
size_t remote_fetch_room(const struct remote *remote);
/* UIDS whole or their headers. COOKIE comes back once, in REMOTE_FETCHED_DONE. */
int remote_fetch_queue(struct remote *remote, enum remote_part part, const struct uidset *uids,
		       uint64_t cookie, struct err *err);
/* Opens a mailbox for reading in the middle of such a pipeline: what is queued behind it is of that
 * mailbox. Comes back as REMOTE_FETCHED_OPENED. */
int remote_fetch_open_queue(struct remote *remote, const char *wire, uint64_t cookie,
			    struct err *err);

enum remote_body_type {
	REMOTE_FETCHED_OPENED, /* a mailbox was opened: cookie, status, err, uidvalidity */
	REMOTE_FETCHED_BEGIN,  /* a body begins: size */
	REMOTE_FETCHED_DATA,   /* data */
	REMOTE_FETCHED_END,    /* it is whole, but whose it is may not be known yet */
	/* The response closed: uid, has_body, date. A message counts only now. */
	REMOTE_FETCHED_MESSAGE,
	REMOTE_FETCHED_DONE /* all of one fetch was answered: cookie, status, err */
};
struct remote_body {
	enum remote_body_type type;
	uint64_t size;    /* of the body to come */
	struct span data; /* borrowed until the next call */
	uint32_t uid;     /* 0: the response had none (its body must be dropped) */
	bool has_body;    /* false: NIL or not given */
	struct told_time date;
	uint64_t cookie;
	int status; /* of a fetch that was split: the first refusal */
	struct told uidvalidity;
	struct err err; /* only where status is not 0 */
};
int remote_fetch_next(struct remote *remote, struct remote_body *body, struct err *err);

/* What goes into one fetch of whole messages: as many messages and bytes as are good to have in one
 * command, given how fast the connection has shown to be. */
struct remote_batch {
	struct uidset uids;
	size_t count;
	uint64_t bytes;
};
void remote_batch_init(struct remote_batch *batch);
/* It is empty then, as after init. */
void remote_batch_finish(struct remote_batch *batch);
/* True for an empty one. */
bool remote_batch_has_room(const struct remote *remote, const struct remote_batch *batch);
int remote_batch_add(struct remote_batch *batch, uint32_t uid, struct told size, struct err *err);

/*
 * Headers of UIDS of the open mailbox, with some commands on their way at once. Each message that
 * was asked for comes at most once; then is_done, and nothing may be asked before that. A set that
 * ends at UINT32_MAX means up to the last message.
 */
struct remote_identity {
	uint32_t uid;
	bool is_blank; /* what came as its header has no line: it has none, or it was not told */
	struct header_identity identity;
	bool is_done;   /* all was answered; only these are set then: */
	int status;     /* 0, or the first refusal */
	bool is_whole;  /* status is 0, and no answer lacked its UID or its header */
	uint64_t told;  /* how many messages came */
	struct err err; /* only where status is not 0 */
};
int remote_headers_begin(struct remote *remote, const struct uidset *uids, struct err *err);
int remote_headers_next(struct remote *remote, struct remote_identity *identity, struct err *err);
/* The header of UID as it stands in the whole of the message. *IS_WHOLE: it came; else, also where
 * the server refused it, IDENTITY says nothing. */
int remote_header_of_whole(struct remote *remote, uint32_t uid, struct header_identity *identity,
			   bool *is_whole, struct err *err);

/* Changes in the open mailbox, and of mailboxes */

enum remote_change_kind {
	REMOTE_STORE,       /* uids, flags, is_add, keywords */
	REMOTE_EXPUNGE,     /* uids: those of them that are marked \Deleted; has_uid_expunge */
	REMOTE_EXPUNGE_ALL, /* all that are marked \Deleted */
	REMOTE_COPY,        /* uids, wire: into that mailbox */
	REMOTE_MOVE,        /* uids, wire; has_move */
	REMOTE_CREATE,      /* wire */
	REMOTE_DELETE,      /* wire */
	REMOTE_SUBSCRIBE,   /* wire */
	REMOTE_UNSUBSCRIBE, /* wire */
	REMOTE_RENAME       /* wire, to */
};
struct remote_change {
	enum remote_change_kind kind;
	const struct uidset *uids;
	uint64_t flags;
	bool is_add;                     /* the flags are added; else they are taken away */
	const struct keywords *keywords; /* names of the flags' bits */
	const char *wire;
	const char *to;
};
/* Its answer comes by remote_done_next, once, with COOKIE; an empty set is answered without a
 * command. */
int remote_change_queue(struct remote *remote, const struct remote_change *change, uint64_t cookie,
			struct err *err);

/* Messages that were copied or moved: FROM[i] became TO[i]. */
struct remote_copied {
	uint32_t *from; /* owned */
	uint32_t *to;   /* owned */
	size_t count;
};
struct remote_done {
	uint64_t cookie;
	int status;                  /* 0, or the first refusal */
	enum remote_refusal refusal; /* of that */
	struct err err;              /* the server's words */
	/* A large set goes in several commands, of which some may be refused and others done: the
	 * UIDs of the refused ones, but for those that were told as copied before the refusal, and
	 * those that a STORE left as they were. Empty where the change has none. What of a refused
	 * COPY or MOVE was done without being told cannot be known from this. */
	struct uidset refused;
	bool has_appended; /* an append: the UIDs are told */
	bool has_copied;   /* a copy or move: for each command that was done the UIDs are told */
	struct told uidvalidity; /* of the mailbox that they are in */
	struct uidset appended;
	struct remote_copied copied; /* what was told of, also without has_copied */
};
void remote_done_init(struct remote_done *done);
void remote_done_finish(struct remote_done *done);
/* How many changes and appends await their answer. */
size_t remote_outstanding(const struct remote *remote);
/* The next answer of any of them, in the order in which they come. DONE has been initialised and is
 * finished by the caller either way. */
int remote_done_next(struct remote *remote, struct remote_done *done, struct err *err);
/* The same for taking all that is outstanding: 1, or 0 when nothing is. What DONE, zeroed at first,
 * held before is finished; it holds nothing where the result is not 1. */
int remote_answer_next(struct remote *remote, struct remote_done *done, struct err *err);
/* One change and its answer; nothing else may be outstanding. DONE as in remote_done_next; NULL: a
 * refusal is the result. */
int remote_change_now(struct remote *remote, const struct remote_change *change,
		      struct remote_done *done, struct err *err);

/*
 * Uploads: begin, then (message, data...) once or, where facts say takes_many_appends, several
 * times, then end; the answer by remote_done_next. Data must come to exactly the size told.
 * message() may have to wait for the server's go-ahead: -ERR_REFUSED when it says NO instead (that
 * append is over then; its answer is there already and still to be taken). A connection on which an
 * append was begun and not ended can only be closed.
 */
int remote_append_begin(struct remote *remote, const char *wire, uint64_t cookie, struct err *err);
struct remote_append {
	uint64_t flags;
	const struct keywords *keywords;
	int64_t date;
	uint64_t size;
	bool asks_first; /* no byte of it goes before the server's go-ahead, though that be dear */
};
int remote_append_message(struct remote *remote, const struct remote_append *message,
			  struct err *err);
/* True after message() when the server said NO to it: remote_done_next gives that answer. */
bool remote_append_was_refused(const struct remote *remote);
int remote_append_data(struct remote *remote, struct span data, struct err *err);
int remote_append_end(struct remote *remote, struct err *err);

#endif
