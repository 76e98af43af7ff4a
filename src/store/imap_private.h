/* What the files of store/imap share. */
#ifndef STORE_IMAP_PRIVATE_H
#define STORE_IMAP_PRIVATE_H

#include "mailsync/net/conn.h"
#include "mailsync/proto/imap_parse.h"
#include "mailsync/proto/imap_write.h"
#include "mailsync/store/imap.h"

#include "imap_ranges.h"
#include "imap_trace.h"

enum imap_command_kind {
	IMAP_COMMAND_SIMPLE, /* answered to who waits for its tag */
	IMAP_COMMAND_VIEW,   /* belongs to the oldest view */
	IMAP_COMMAND_FETCH,  /* bodies */
	IMAP_COMMAND_OPEN,   /* EXAMINE between bodies */
	IMAP_COMMAND_CHANGE  /* answered by imap_done_next */
};

struct imap_command {
	uint32_t tag;
	enum imap_command_kind kind;
	uint64_t cookie;
};

/* A view under way: the mailbox is opened by `select`, then `fetches` FETCH commands follow. */
struct imap_view_slot {
	struct imap_view_slot *next;
	struct imap_view_request request;
	struct imap_view view;
	uint32_t select_tag;
	int fetches;             /* their answers still to come */
	bool is_selected;        /* SELECT was answered OK */
	struct imap_ranges gone; /* VANISHED, as told */
};

struct imap {
	struct conn *conn;
	struct imap_parser *parser;
	const struct server *server;
	struct log *log;
	char *label;
	struct imap_trace trace_in;
	struct imap_trace trace_out;

	unsigned caps;
	bool caps_known;
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
	uint32_t selected_uidvalidity;
	uint32_t exists; /* of the selected mailbox, kept up to date */
	bool has_exists; /* it was told since the mailbox was opened */

	char *opening;                /* EXAMINEs under way between bodies: their wire names, */
	size_t opening_len;           /* each with its NUL, oldest first */
	uint32_t opening_uidvalidity; /* told by the one being answered */
	struct header_scan *header;   /* for imap_identity_next */

	struct imap_view_slot *views;
	struct imap_view_slot **views_end;

	bool is_compressed;
	int64_t rate_since_ms; /* when the first body began; 0: none yet */
	uint64_t rate_from;    /* bytes received by then */

	bool is_closing; /* LOGOUT was sent */
	bool backoff_is_due;
	int64_t backoff_ms;          /* the longest time named, 0 none */
	unsigned noise;              /* lines in a row that belong to nothing */
	unsigned alerts;             /* shown */
	struct imap_done *append_no; /* append: refused before its data */
};

/* --- imap_session.c --- */

/* The next event that concerns somebody; blocks. BYE is an error unless LOGOUT was sent;
 * CAPABILITY, ALERT, EXISTS and EXPUNGE are noted on the way (and still given). Never IMAP_MORE. */
int imap_event_next(struct imap *imap, struct imap_event *event, struct err *err);

/* A command line: begin puts the tag, then text is appended to imap->line, end queues it. */
void imap_line_begin(struct imap *imap);
int imap_line_end(struct imap *imap, enum imap_command_kind kind, uint64_t cookie, struct err *err);
/* A string argument: quoted, or where it cannot be a non-synchronising literal (which needs
 * LITERAL+ or LITERAL-). */
int imap_line_string(struct imap *imap, const char *text, struct err *err);

/* Notes that a command with imap->line_tag was sent. */
int imap_command_push(struct imap *imap, enum imap_command_kind kind, uint64_t cookie,
		      struct err *err);

/* Takes the command of a tagged event off the queue; false when the tag is none of ours. */
bool imap_command_answered(struct imap *imap, const struct imap_event *event,
			   struct imap_command *command);
/* Turns a tagged NO or BAD into an error: -ERR_TEMPORARY for codes and words that pass, else
 * -ERR_REFUSED. WHAT: "SELECT Work". 0 for OK. */
int imap_status_error(const struct imap_event *event, const char *what, struct err *err);
/* Whether a tagged answer's code or words say that the refusal passes by itself. */
bool imap_status_is_passing(const struct imap_event *event);
/* Waits for one simple command's answer; other events are ignored. */
int imap_wait_simple(struct imap *imap, const char *what, struct err *err);
int imap_set_selected(struct imap *imap, const char *wire, bool is_writable, struct err *err);

/* --- imap_fetch.c --- */
/* imap_fetch_next, but that nothing is counted as progress. */
int imap_body_next(struct imap *imap, struct imap_body *body, struct err *err);

/* --- imap_compress.c --- */
void imap_pace_begin(struct imap *imap);

/* --- imap_view.c --- */
void imap_views_finish(struct imap *imap);

/* --- imap_offer.c --- */
void imap_note_caps(struct imap *imap, struct span names);

/* --- imap_login.c --- */
int imap_login(struct imap *imap, const struct imap_params *params, struct err *err);

#endif
