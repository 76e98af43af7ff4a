/*
 * The remote side over IMAP: one logged-in connection and what sync asks of a mailbox server. It
 * reads and does what it is told; it decides nothing. Sources: RFC 9051 and 3501; LIST-STATUS
 * (5819), LIST-EXTENDED (5258), SPECIAL-USE (6154), NAMESPACE (2342), CONDSTORE and QRESYNC (7162),
 * UIDPLUS (4315), MOVE (6851), LITERAL+ (7888), MULTIAPPEND (3502), OBJECTID (8474), ESEARCH
 * (4731).
 *
 * Mailbox names here are *wire* names (mbname.h). Commands are pipelined: `queue` functions only
 * send, `next` functions wait. Servers may answer FETCHes of one mailbox side by side: whose a body
 * is shows only in IMAP_FETCHED_MESSAGE, and cookies tell which command was answered. One thread a
 * handle.
 *
 *     imap_open                           connected and logged in
 *     imap_discover                       which mailboxes there are, in one round trip
 *     imap_view_queue ..., imap_view_next ...     what changed in mailboxes since the numbers given
 *     imap_select, imap_fetch_queue, imap_fetch_next     bodies
 *     imap_change_*, imap_done_next       flags, moves, deletions
 *     imap_append_*                       uploads
 *     imap_logout, imap_close
 */
#ifndef MAILSYNC_STORE_IMAP_H
#define MAILSYNC_STORE_IMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/log.h"
#include "mailsync/base/span.h"
#include "mailsync/base/strlist.h"
#include "mailsync/model/keywords.h"
#include "mailsync/model/mbname.h"
#include "mailsync/model/server.h"
#include "mailsync/model/uidset.h"
#include "mailsync/proto/header.h"
#include "mailsync/proto/imap_parse.h"
#include "mailsync/store/remote.h"

#define IMAP_CAP_ENABLE        (1u << 0)
#define IMAP_CAP_CONDSTORE     (1u << 1)
#define IMAP_CAP_QRESYNC       (1u << 2)
#define IMAP_CAP_UIDPLUS       (1u << 3)
#define IMAP_CAP_MOVE          (1u << 4)
#define IMAP_CAP_LITERAL_PLUS  (1u << 5)
#define IMAP_CAP_LITERAL_MINUS (1u << 6)
#define IMAP_CAP_MULTIAPPEND   (1u << 7)
#define IMAP_CAP_LIST_EXTENDED (1u << 8)
#define IMAP_CAP_LIST_STATUS   (1u << 9)
#define IMAP_CAP_SPECIAL_USE   (1u << 10)
#define IMAP_CAP_NAMESPACE     (1u << 11)
#define IMAP_CAP_ESEARCH       (1u << 12)
#define IMAP_CAP_UNSELECT      (1u << 13)
#define IMAP_CAP_OBJECTID      (1u << 14)
#define IMAP_CAP_GMAIL         (1u << 15)
#define IMAP_CAP_COMPRESS      (1u << 16)
#define IMAP_CAP_YAHOO         (1u << 17) /* Yahoo, AOL: shows the newest 10,000 */
#define IMAP_CAP_SASL_IR       (1u << 18)
#define IMAP_CAP_LOGINDISABLED (1u << 19)
#define IMAP_CAP_IMAP4REV2     (1u << 20)

struct imap;

/* One for both until all ask by remote.h: these are the seam's. */
#define imap_params       remote_params
#define imap_view_request remote_view_request
#define imap_view_message remote_view_message
#define imap_append       remote_append

struct imap_totals {
	uint64_t commands;
	uint64_t round_trips;
	uint64_t bytes_in;
	uint64_t bytes_out;
};

/* Connects and logs in; the strongest mechanism first. Errors as conn_open, and -ERR_LOGIN with the
 * server's words. */
int imap_open(struct imap **imap, const struct imap_params *params, struct err *err);
/* Drops the connection; sends nothing. */
void imap_close(struct imap **imap);
/* LOGOUT and its answer. Failure is of no consequence; the caller closes. */
int imap_logout(struct imap *imap, struct err *err);

/* Switches to DEFLATE where the server can; nothing may be outstanding. A refusal is no error. */
int imap_compress(struct imap *imap, struct err *err);
/* With `compress = auto` the first IMAP_PACE_BYTES of bodies show whether the wire is the brake.
 * Pacing: they have not come yet, so no more than they should be on their way, since what was asked
 * for comes uncompressed. Then imap_should_compress tells. */
#define IMAP_PACE_BYTES (512u << 10)
bool imap_is_pacing(const struct imap *imap);
bool imap_should_compress(const struct imap *imap);

unsigned imap_caps(const struct imap *imap);
/* "SCRAM-SHA-256", for `check`. */
const char *imap_login_name(const struct imap *imap);
bool imap_is_tls(const struct imap *imap);
void imap_totals(const struct imap *imap, struct imap_totals *totals);
int64_t imap_rtt_us(const struct imap *imap);

/* Whether a command was refused with words or a code that ask for patience ([THROTTLED], [LIMIT],
 * [UNAVAILABLE], "try again", ...) since this was last taken. Of a FETCH only throttling counts:
 * else it is a message that the server cannot give now. */
bool imap_backoff_is_due(const struct imap *imap);
/* Takes it, with the time that the server names (0: none); false when there is none. */
bool imap_backoff_take(struct imap *imap, int64_t *wanted_ms);

/* What the answer to STATUS says of whether the mailbox is there. Of the refusals only the first is
 * proof that it is not. */
enum imap_refusal {
	IMAP_NOT_REFUSED,
	IMAP_REFUSED_NONEXISTENT, /* NO [NONEXISTENT] */
	IMAP_REFUSED_UNCODED,     /* NO without a code: how many servers say it, and much else */
	IMAP_REFUSED_OTHER        /* NO with another code or with words that pass; BAD */
};

/* A mailbox of LIST. */
struct imap_mailbox {
	char *wire;                /* owned */
	unsigned attributes;       /* IMAP_LIST_* */
	enum imap_refusal refusal; /* of imap_status */
	struct {
		unsigned has; /* IMAP_COUNT_* */
		uint32_t messages;
		uint32_t uidnext;
		uint32_t uidvalidity;
		uint64_t highestmodseq;
		char *mailboxid; /* owned, NULL unknown */
	} counts;
};
struct imap_mailboxes {
	struct imap_mailbox *items;
	size_t count;
	struct mbname_wire wire; /* separator and prefix of the personal namespace */
};
/* ENABLE, NAMESPACE and LIST (with STATUS and subscriptions where the server can) in one write,
 * with LSUB when SUBSCRIBED is wanted and LIST cannot tell. Without LIST-STATUS the counts are
 * empty: see imap_status. */
int imap_discover(struct imap *imap, bool subscribed, struct imap_mailboxes *mailboxes,
		  struct err *err);
void imap_mailboxes_finish(struct imap_mailboxes *mailboxes);
/* Pipelined STATUS of those mailboxes whose `wanted` is true; one that the server refuses keeps has
 * == 0. */
int imap_status(struct imap *imap, struct imap_mailboxes *mailboxes, const bool *wanted,
		struct err *err);

/*
 * A view: what a mailbox holds, or what changed since numbers known before. Opens the mailbox
 * (EXAMINE, or SELECT when is_writable) and asks for changed flags, new messages and, with QRESYNC,
 * vanished ones.
 */
struct imap_view {
	int status; /* 0, or why this mailbox could not be viewed: */
	struct err err;
	bool is_writable;     /* as asked for, and not READ-ONLY */
	uint32_t uidvalidity; /* 0: the server said none, or nonsense */
	uint32_t uidnext;     /* 0: unknown */
	uint64_t modseq;      /* of SELECT; 0: none */
	uint32_t exists;      /* of SELECT, with EXISTS, EXPUNGE and VANISHED after it */
	char *mailboxid;      /* owned, NULL unknown */
	bool has_permanent;
	uint64_t permanent_flags;
	bool permanent_any;
	bool is_full; /* messages holds every message that the server admits to */
	struct imap_view_message *messages; /* ascending by UID, each once */
	size_t count;
	struct uidset gone; /* VANISHED */
	char *text;         /* of EMAILIDs */
	/* private */
	size_t cap;
	size_t text_len, text_cap;
	bool is_sorted;
};
int imap_view_queue(struct imap *imap, const struct imap_view_request *request, struct err *err);
/* The oldest queued view, when it is whole. A failure of the one mailbox is in view->status; the
 * return value is the connection's. */
int imap_view_next(struct imap *imap, struct imap_view *view, struct err *err);
void imap_view_finish(struct imap_view *view);
const char *imap_view_emailid(const struct imap_view *view,
			      const struct imap_view_message *message);

/* Which UIDs the selected mailbox holds: UID SEARCH ALL. *EXISTS is the count that the server gives
 * for the same mailbox then: only when it equals the set's size are absent UIDs proven gone. */
int imap_list_uids(struct imap *imap, struct uidset *uids, uint32_t *exists, struct err *err);

/* Makes WIRE the selected mailbox, by SELECT or EXAMINE, unless it is already (an EXAMINEd one is
 * SELECTed anew when writing is asked for). Waits for the answer. OPENED gets the numbers (messages
 * none). */
int imap_select(struct imap *imap, const char *wire, bool is_writable, struct imap_view *opened,
		struct err *err);
/* Whether WIRE is selected now and with what UIDVALIDITY (0: not). */
uint32_t imap_selected(const struct imap *imap, const char *wire, bool is_writable);

/* Bodies. WHAT: IMAP_WHOLE or IMAP_HEADERS of each UID of the set. COOKIE comes back in
 * IMAP_BODY_DONE. Split by the caller into commands of sensible size; each set must come to less
 * than 1,000 bytes (uidset_format_some). */
enum imap_part {
	IMAP_WHOLE,
	IMAP_HEADERS
};
int imap_fetch_queue(struct imap *imap, enum imap_part what, struct span uids, uint64_t cookie,
		     struct err *err);
/* EXAMINEs a mailbox in the middle of such a pipeline: the answers to what is queued behind it are
 * of that mailbox. Comes back as IMAP_FETCHED_OPENED with COOKIE, status and uidvalidity. */
int imap_fetch_open_queue(struct imap *imap, const char *wire, uint64_t cookie, struct err *err);
enum imap_body_type {
	IMAP_FETCHED_OPENED, /* a mailbox was opened: cookie, status, uidvalidity */
	IMAP_FETCHED_BEGIN,  /* a body begins: size */
	IMAP_FETCHED_DATA,   /* data */
	IMAP_FETCHED_END,    /* it is whole, but whose it is may not be known yet */
	/* The response closed: uid, has_body, date. A message counts only now. */
	IMAP_FETCHED_MESSAGE,
	/* One command was answered: cookie, status (0, or -ERR_REFUSED with text in err). */
	IMAP_FETCHED_DONE
};
struct imap_body {
	enum imap_body_type type;
	uint64_t size;
	struct span data;
	uint32_t uid;  /* 0: the response had none (its body must be dropped) */
	bool has_body; /* false: NIL or not given */
	bool has_date;
	int64_t date;
	uint64_t cookie;
	int status;
	uint32_t uidvalidity;
	struct err err;
};
int imap_fetch_next(struct imap *imap, struct imap_body *body, struct err *err);

/* What identifies a message, of FETCHes queued with IMAP_HEADERS. */
struct imap_identity {
	bool is_done;    /* one command was answered: only status is set */
	int status;      /* of that command: 0, or what it was refused with */
	bool has_header; /* false: the server gave none */
	uint32_t uid;    /* 0 unknown */
	struct header_identity identity;
};
int imap_identity_next(struct imap *imap, struct imap_identity *identity, struct err *err);

/* Changes in the selected mailbox and of mailboxes. Each queues one command; its answer comes by
 * imap_done_next with COOKIE. */
struct imap_store_request {
	struct span uids;
	bool add;
	uint64_t flags;
	const struct keywords *keywords; /* names of the bits; borrowed during the call */
};
int imap_store_queue(struct imap *imap, const struct imap_store_request *request, uint64_t cookie,
		     struct err *err);
/* UID EXPUNGE of the set (UIDPLUS), or EXPUNGE when UIDS is empty. */
int imap_expunge_queue(struct imap *imap, struct span uids, uint64_t cookie, struct err *err);
int imap_copy_queue(struct imap *imap, struct span uids, const char *wire, bool move,
		    uint64_t cookie, struct err *err);
enum imap_admin {
	IMAP_CREATE,
	IMAP_DELETE,
	IMAP_SUBSCRIBE,
	IMAP_UNSUBSCRIBE
};
int imap_admin_queue(struct imap *imap, enum imap_admin what, const char *wire, uint64_t cookie,
		     struct err *err);
int imap_rename_queue(struct imap *imap, const char *from, const char *to, uint64_t cookie,
		      struct err *err);

struct imap_done {
	uint64_t cookie;
	int status; /* 0, -ERR_REFUSED, or -ERR_TEMPORARY ([UNAVAILABLE], [INUSE], ...) */
	enum imap_code_type code; /* of the tagged answer */
	bool is_bad;              /* it was BAD */
	struct err err;           /* the server's words */
	bool has_appenduid;
	bool has_copyuid;
	uint32_t uidvalidity;   /* of APPENDUID or COPYUID */
	struct uidset appended; /* APPENDUID */
	struct imap_copyuid copied;
};
void imap_done_init(struct imap_done *done);
void imap_done_finish(struct imap_done *done);
/* How many commands await their answer. */
size_t imap_outstanding(const struct imap *imap);
/* The next answer of any queued change or append. */
int imap_done_next(struct imap *imap, struct imap_done *done, struct err *err);

/* UIDs in the selected mailbox that carry \Deleted (UID SEARCH DELETED). */
int imap_search_deleted(struct imap *imap, struct uidset *uids, struct err *err);

/*
 * Uploads: begin, then (message, data...) once or, with MULTIAPPEND, several times, then end; the
 * answer by imap_done_next.
 * Data must come to exactly the size told. message() may have to wait for the server's go-ahead:
 * -ERR_REFUSED when it says NO instead (that APPEND is over then; its imap_done is still to be
 * taken). A connection on which an APPEND was begun and not ended can only be closed.
 */
int imap_append_begin(struct imap *imap, const char *wire, uint64_t cookie, struct err *err);
int imap_append_message(struct imap *imap, const struct imap_append *message, struct err *err);
/* True after message() when the server said NO to it: imap_done_next gives that answer at once. */
bool imap_append_was_refused(const struct imap *imap);
int imap_append_data(struct imap *imap, struct span data, struct err *err);
int imap_append_end(struct imap *imap, struct err *err);

#endif
