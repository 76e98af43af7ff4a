/*
 * What the files of IMAP behind the seam (remote.h) share: one logged-in connection, whose struct
 * begins with the struct remote. Sources: RFC 9051 and 3501; LIST-STATUS (5819), LIST-EXTENDED
 * (5258), SPECIAL-USE (6154), NAMESPACE (2342), CONDSTORE and QRESYNC (7162), UIDPLUS (4315), MOVE
 * (6851), LITERAL+ (7888), MULTIAPPEND (3502), OBJECTID (8474), ESEARCH (4731).
 */
#ifndef STORE_IMAP_PRIVATE_H
#define STORE_IMAP_PRIVATE_H

#include "mailsync/net/conn.h"
#include "mailsync/proto/imap_parse.h"
#include "mailsync/proto/imap_write.h"

#include "imap_ranges.h"
#include "imap_trace.h"
#include "remote_private.h"

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
#define IMAP_CAP_APPENDLIMIT   (1u << 17) /* each mailbox has its own: STATUS tells it */
#define IMAP_CAP_SASL_IR       (1u << 18)
#define IMAP_CAP_LOGINDISABLED (1u << 19)
#define IMAP_CAP_IMAP4REV2     (1u << 20)
#define IMAP_CAP_IDLE          (1u << 21)
#define IMAP_CAP_NOTIFY        (1u << 22)
#define IMAP_CAP_QUOTA         (1u << 23)

enum imap_command_kind {
	IMAP_COMMAND_SIMPLE, /* answered to who waits for its tag */
	IMAP_COMMAND_VIEW,   /* belongs to the oldest view */
	IMAP_COMMAND_FETCH,  /* bodies */
	IMAP_COMMAND_HEADERS,
	IMAP_COMMAND_OPEN,  /* EXAMINE between bodies */
	IMAP_COMMAND_CHANGE /* a change or an append */
};

struct imap_command {
	uint32_t tag;
	enum imap_command_kind kind;
	bool opens; /* SELECT or EXAMINE */
	uint64_t cookie;
	unsigned broken;    /* lines that came in its turn and cannot be read */
	unsigned stale;     /* lines that may be of the mailbox that was open before */
	struct told exists; /* when it was answered: the count of the mailbox that is open */
};

/* How far the watch of a connection is. */
enum imap_watching {
	IMAP_WATCHING_NOT,
	IMAP_WATCHING_ASKED, /* IDLE was sent, and no "+" came yet */
	IMAP_WATCHING_IDLE,
	IMAP_WATCHING_DONE, /* DONE was sent: IDLE comes next */
	IMAP_WATCHING_NOTIFY
};

/* A view under way: the mailbox is opened by `select`, then `fetches` FETCH commands follow. */
struct imap_view_slot {
	struct imap_view_slot *next;
	struct remote_view_request request;
	struct remote_view view;
	size_t cap; /* of view.messages */
	size_t text_len, text_cap;
	bool is_unsorted;      /* messages are not yet ascending by UID, each once */
	uint32_t parted;       /* the highest UID of the parts that were taken; 0: none were */
	uint64_t parted_count; /* messages in these, and of them */
	uint64_t unflagged;    /* those that came without flags */
	struct remote_view_message *late; /* told of below it */
	size_t late_count, late_cap;
	uint32_t select_tag;
	bool by_qresync;         /* SELECT asks for what changed */
	bool lists_new;          /* a FETCH does, from the UIDNEXT of the request on */
	int fetches;             /* their answers still to come */
	bool is_selected;        /* SELECT was answered OK */
	struct imap_ranges gone; /* VANISHED, as told */
};

struct imap {
	struct remote remote; /* first */
	struct remote_facts facts;
	struct conn *conn;
	struct imap_parser *parser;
	const struct server *server;
	struct log *log;
	char *label;
	struct blot blot; /* what no words of the server are to show */
	struct buf shown; /* the words of the last event, without that */
	struct imap_trace trace_in;
	struct imap_trace trace_out;

	unsigned caps;
	bool caps_known;
	uint32_t message_limit;   /* MESSAGELIMIT (RFC 9738), 0 none */
	struct told append_limit; /* APPENDLIMIT=N (RFC 7889) */
	bool wants_id; /* Coremail (NetEase) opens no mailbox before it has the client's name */
	bool is_qresync_on;
	bool is_condstore_on;
	const char *login_name;

	uint32_t last_tag;
	struct imap_command *queue; /* sent and not answered, in order */
	size_t queue_len;
	size_t queue_cap;
	uint64_t commands;
	uint32_t line_tag; /* of the command line being built */
	struct buf line;

	char *selected; /* wire name, NULL none */
	bool selected_writable;
	struct told selected_uidvalidity;
	struct told exists; /* of the selected mailbox, since it was opened; kept up to date */
	bool may_be_open;   /* a mailbox: one was opened, and nothing said that it was closed */
	bool lacks_closed;  /* QRESYNC's lines cannot be told from those of the mailbox before */

	char *opening;                   /* EXAMINEs under way between bodies: their wire names, */
	size_t opening_len;              /* each with its NUL, oldest first */
	struct told opening_uidvalidity; /* by the one being answered */

	struct imap_view_slot *views;
	struct imap_view_slot **views_end;

	bool is_compressed;
	int64_t rate_since_ms; /* when the first body began; 0: none yet */
	uint64_t rate_from;    /* bytes received by then */

	enum imap_watching watching;
	struct told watched_exists; /* IDLE: the count that was told of last */
	char *watched;              /* NOTIFY: the mailbox that was told of last, owned */

	bool is_unconnected; /* login_is_unconnected */
	bool is_closing;     /* LOGOUT was sent */
	bool backoff_is_due;
	int64_t backoff_ms;     /* the longest time named, 0 none */
	unsigned noise;         /* lines in a row that belong to nothing, and */
	int64_t noise_since_ms; /* how long was waited before them; and */
	int64_t answered_ms;    /* before a command was last sent or answered, or a body told */
	uint64_t sent;          /* bytes, by the last event */
	unsigned alerts;        /* shown */
	bool holds_alerts;      /* the login under way tells them */
	struct remote_done *append_no; /* append: refused before its data */
};

static inline struct imap *imap_of(const struct remote *remote)
{
	return (struct imap *)remote;
}

/* Without the count no listing can be shown to be whole, and a refused FETCH would look like one of
 * an empty mailbox. */
int imap_exists_untold(struct err *err);

/* Where a function takes a struct remote it is one of struct remote_ops. */

/* --- imap_session.c --- */

/*
 * The next event that concerns somebody; blocks. BYE is an error unless LOGOUT was sent;
 * CAPABILITY, ALERT, EXISTS and EXPUNGE are noted on the way (and still given). Never IMAP_MORE.
 *
 * An answer is whole when its command was answered OK and nothing in it was unreadable (I9). What
 * cannot be read is counted on the oldest command that waits for its answer, and imap_answer_error
 * makes an error of it; who takes such an answer all the same asks imap_status_error, and says why.
 *
 * A command that opens a mailbox closes the one before it, and until then the server may tell of
 * that one: up to [CLOSED], or without it up to the answer, FETCH, EXPUNGE and VANISHED are
 * nobody's and are not given, and the count of messages begins anew.
 */
int imap_event_next(struct imap *imap, struct imap_event *event, struct err *err);

/* The same without waiting: IMAP_MORE, when nothing is there. */
int imap_event_try(struct imap *imap, struct imap_event *event, struct err *err);

#define IMAP_ALERT_MAX 8192

/* [ALERT], or Gmail's [WEBALERT address]: words that the user has to see (RFC 3501 7.1). */
bool imap_is_alert(const struct imap_event *event);
/* "[WEBALERT https://...] words" of such an EVENT, which imap_event_next gave, into OUT. */
void imap_append_alert(const struct imap *imap, const struct imap_event *event, struct buf *out);
/* Logs what is not empty; some times in a connection. */
void imap_tell_alert(struct imap *imap, struct span words);

/* A command line: begin puts the tag, then text is appended to imap->line, end queues it. */
void imap_line_begin(struct imap *imap);
int imap_line_end(struct imap *imap, enum imap_command_kind kind, uint64_t cookie, struct err *err);
/* The same for SELECT and EXAMINE. */
int imap_line_end_opening(struct imap *imap, enum imap_command_kind kind, uint64_t cookie,
			  struct err *err);
/* A string argument: quoted, or where it cannot be a non-synchronising literal (which needs
 * LITERAL+ or LITERAL-). */
int imap_line_string(struct imap *imap, const char *text, struct err *err);

/* A set of UIDs, unquoted. */
void imap_line_uids(struct imap *imap, const struct uidset *uids);

/* Notes that a command with imap->line_tag was sent. */
int imap_command_push(struct imap *imap, enum imap_command_kind kind, uint64_t cookie,
		      struct err *err);

/* Takes the command of a tagged event off the queue; false when the tag is none of ours. */
bool imap_command_answered(struct imap *imap, const struct imap_event *event,
			   struct imap_command *command);
/* Turns a tagged NO or BAD into an error: -ERR_TEMPORARY for codes and words that pass, else
 * -ERR_REFUSED. WHAT: "SELECT Work". 0 for OK. */
int imap_status_error(const struct imap_event *event, const char *what, struct err *err);
/* The same; and -ERR_PARTIAL where COMMAND, which EVENT answers OK, has lines that cannot be read.
 */
int imap_answer_error(const struct imap_event *event, const struct imap_command *command,
		      const char *what, struct err *err);
/* Whether a tagged answer's code or words say that the refusal passes by itself. */
bool imap_status_is_passing(const struct imap_event *event);
/* "Suggested Backoff Time: 299961 milliseconds" (Exchange); 0 where no time is named. */
int64_t imap_named_backoff_ms(struct span text);
/* What a tagged NO or BAD is by its code or, without one, by its words. */
enum remote_refusal imap_refusal(const struct imap_event *event);
/* Waits for one simple command's answer; other events are ignored. */
int imap_wait_simple(struct imap *imap, const char *what, struct err *err);
int imap_set_selected(struct imap *imap, const char *wire, bool is_writable, struct err *err);
struct told imap_selected(const struct remote *remote, const char *wire, bool is_writable);
int imap_logout(struct remote *remote, struct err *err);
bool imap_busy_is_due(const struct remote *remote);
bool imap_busy_take(struct remote *remote, int64_t *wanted_ms);

/* --- imap_discover.c --- */
/* ENABLE, NAMESPACE and LIST (with STATUS and subscriptions where the server can) in one write,
 * with LSUB when SUBSCRIBED is wanted and LIST cannot tell. */
int imap_list(struct remote *remote, bool subscribed, struct remote_mailboxes *mailboxes,
	      struct err *err);
/* Pipelined STATUS. */
int imap_count(struct remote *remote, struct remote_mailboxes *mailboxes, struct err *err);

/* --- imap_view.c --- */
int imap_view_queue(struct remote *remote, const struct remote_view_request *request,
		    struct err *err);
int imap_view_next(struct remote *remote, struct remote_view *view, struct err *err);
void imap_views_finish(struct imap *imap);
int imap_select(struct remote *remote, const char *wire, bool is_writable,
		struct remote_opened *opened, struct err *err);
int imap_uids(struct remote *remote, enum remote_which which, struct uidset *uids,
	      struct told *exists, struct err *err);

/* --- imap_quota.c --- */
int imap_quota(struct remote *remote, const char *wire, struct remote_quota *quota,
	       struct err *err);

/* --- imap_compress.c --- */
/* Switches to DEFLATE where the server can; nothing may be outstanding. A refusal is no error. */
int imap_compress(struct imap *imap, struct err *err);
/* With `compress = auto`, once the wire has shown to be the brake and nothing is on its way. */
int imap_compress_if_due(struct imap *imap, struct err *err);
/* With `compress = auto` the first REMOTE_PACE_BYTES of bodies show whether the wire is the brake.
 * Until they have come no more than that should be on its way, since what was asked for before
 * comes uncompressed. imap_pace_begin: the first body begins. */
void imap_pace_begin(struct imap *imap);
enum remote_pace imap_pace(const struct remote *remote);

/* --- imap_fetch.c --- */
int imap_fetch_queue(struct remote *remote, enum remote_part part, const struct uidset *uids,
		     uint64_t number, struct err *err);
int imap_fetch_open_queue(struct remote *remote, const char *wire, uint64_t cookie,
			  struct err *err);
int imap_fetch_next(struct remote *remote, struct remote_body *body, struct err *err);

/* --- imap_change.c --- */
int imap_change_queue(struct remote *remote, const struct remote_change *change, uint64_t number,
		      struct err *err);
int imap_done_next(struct remote *remote, struct remote_done *done, struct err *err);
/* A tagged answer; WHAT as in imap_status_error. */
void imap_done_of_tagged(const struct imap_event *event, const struct imap_command *command,
			 const char *what, struct remote_done *done);

/* --- imap_append.c --- */
int imap_append_begin(struct remote *remote, const char *wire, uint64_t number, struct err *err);
int imap_append_message(struct remote *remote, const struct remote_append *message,
			struct err *err);
bool imap_append_was_refused(const struct remote *remote);
int imap_append_data(struct remote *remote, struct span data, struct err *err);
int imap_append_end(struct remote *remote, struct err *err);

/* --- imap_watch.c --- */
int imap_rest(struct remote *remote, struct err *err);
int imap_wake(struct remote *remote, struct err *err);

/* --- imap_offer.c --- */
void imap_note_caps(struct imap *imap, struct span names);
/* Whether `disable_extensions` names it. */
bool imap_is_disabled(const struct imap *imap, const char *name);

/* --- imap_login.c --- */
int imap_login(struct imap *imap, const struct remote_params *params, struct err *err);

#endif
