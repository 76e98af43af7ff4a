/*
 * What an IMAP server sends, without I/O (RFC 9051, RFC 3501 and the extensions named below).
 * Bytes are put in, events are taken out, one at a time:
 *
 *     room = imap_parser_reserve(parser, want);  n = recv(..., room, want);
 *     imap_parser_commit(parser, n);
 *     while ((code = imap_parser_next(parser, &event, &err)) == 0 && event.type != IMAP_MORE)
 *             ...;
 *
 * Spans in an event point into the parser and are valid until the next call of any of its
 * functions. Whatever a server may legally send and is not listed here comes as IMAP_OTHER or is
 * left out of the event it stands in; broken lines come as IMAP_OTHER with `is_broken` (and
 * `meant`, what the line was to be) and parsing goes on at the next line. Only what makes
 * resynchronisation impossible is an error (-ERR_PROTOCOL): a line over 64 KiB, a literal over what
 * the caller allows, nesting over 32.
 *
 * Limits: SEARCH, ESEARCH and VANISHED data of any length are parsed as they stream, as are body
 * literals; everything else must fit one line of IMAP_LINE_MAX bytes (literals inside it, up to
 * IMAP_SMALL_LITERAL_MAX each, are held too and counted against IMAP_ITEM_MAX).
 *
 * What a broken response gave before it broke counts for nothing: a body counts when its IMAP_FETCH
 * has come, ranges count when their _END has. A status response with an impossible code keeps its
 * type, is_broken, and has the code as IMAP_CODE_OTHER.
 *
 * Not a session: it knows nothing of tags sent or states. One parser a connection; one thread.
 */
#ifndef MAILSYNC_PROTO_IMAP_PARSE_H
#define MAILSYNC_PROTO_IMAP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"
#include "mailsync/model/told.h"
#include "mailsync/model/uidset.h"

#define IMAP_LINE_MAX          65536
#define IMAP_SMALL_LITERAL_MAX 65536
#define IMAP_ITEM_MAX          262144 /* one response without body literals and streamed numbers */
#define IMAP_NESTING_MAX       32

enum imap_event_type {
	IMAP_MORE,        /* feed more bytes */
	IMAP_TAGGED,      /* tag, status, code, text */
	IMAP_UNTAGGED,    /* status (OK NO BAD BYE PREAUTH), code, text */
	IMAP_CONTINUE,    /* "+": text (base64 for SASL, or words) */
	IMAP_CAPABILITY,  /* names: the words, separated by single spaces as sent */
	IMAP_ENABLED,     /* names */
	IMAP_FLAGS,       /* flags: between the parentheses */
	IMAP_EXISTS,      /* number */
	IMAP_EXPUNGE,     /* number: a message sequence number */
	IMAP_LIST,        /* list */
	IMAP_STATUS,      /* mailbox, counts */
	IMAP_NAMESPACE,   /* list.name: the first personal prefix; list.has_name false: none */
	IMAP_QUOTA,       /* quota: of one root (RFC 9208) */
	IMAP_NUMBERS,     /* range: a piece of SEARCH, or of ESEARCH ALL; is_uid for ESEARCH UID */
	IMAP_NUMBERS_END, /* SEARCH or ESEARCH is whole: tag (TAG), number (COUNT), has_count */
	IMAP_VANISHED,    /* range; is_earlier */
	IMAP_VANISHED_END,
	IMAP_BODY_BEGIN, /* a BODY[...] literal or string opens: section, number = bytes to come */
	IMAP_BODY_DATA,  /* data: the next piece; never larger than what was fed */
	IMAP_BODY_END,   /* its last byte was handed on */
	IMAP_FETCH,      /* a FETCH response closed: fetch */
	IMAP_OTHER       /* skipped; text: the line's beginning */
};

enum imap_status {
	IMAP_OK,
	IMAP_NO,
	IMAP_BAD,
	IMAP_BYE,
	IMAP_PREAUTH
};

/* Response codes (RFC 9051 7.1, RFC 5530 and others). The arguments stay text until asked for. */
enum imap_code_type {
	IMAP_CODE_NONE,
	IMAP_CODE_OTHER, /* name tells */
	IMAP_CODE_ALERT,
	IMAP_CODE_ALREADYEXISTS,
	IMAP_CODE_APPENDUID, /* imap_code_appenduid */
	IMAP_CODE_AUTHENTICATIONFAILED,
	IMAP_CODE_AUTHORIZATIONFAILED,
	IMAP_CODE_CANNOT,
	IMAP_CODE_CAPABILITY, /* args: the words */
	IMAP_CODE_CLOSED,
	IMAP_CODE_CONTACTADMIN,
	IMAP_CODE_COPYUID, /* imap_code_copyuid */
	IMAP_CODE_EXPIRED,
	IMAP_CODE_EXPUNGEISSUED,
	IMAP_CODE_HIGHESTMODSEQ, /* number */
	IMAP_CODE_INUSE,
	IMAP_CODE_LIMIT,
	IMAP_CODE_MAILBOXID, /* args: the id, without parentheses (RFC 8474) */
	IMAP_CODE_MODIFIED,  /* args: a set */
	IMAP_CODE_NOMODSEQ,
	IMAP_CODE_NONEXISTENT,
	IMAP_CODE_NOPERM,
	IMAP_CODE_OVERQUOTA,
	IMAP_CODE_PERMANENTFLAGS, /* args: between the parentheses */
	IMAP_CODE_PRIVACYREQUIRED,
	IMAP_CODE_READ_ONLY,
	IMAP_CODE_READ_WRITE,
	IMAP_CODE_SERVERBUG,
	IMAP_CODE_THROTTLED,
	IMAP_CODE_TOOBIG,
	IMAP_CODE_TRYCREATE,
	IMAP_CODE_UIDNEXT, /* number */
	IMAP_CODE_UIDNOTSTICKY,
	IMAP_CODE_UIDVALIDITY, /* number */
	IMAP_CODE_UNAVAILABLE,
	IMAP_CODE_UNSEEN
};

struct imap_code {
	enum imap_code_type type;
	struct span name;
	struct span args; /* what follows the name, trimmed */
	uint64_t number;
	bool is_list; /* PERMANENTFLAGS: ARGS stood in parentheses, so they are all of it */
};

/* Mailbox attributes of LIST (RFC 9051 7.3.1, RFC 6154). */
#define IMAP_LIST_NOSELECT    (1u << 0) /* also \NonExistent */
#define IMAP_LIST_SUBSCRIBED  (1u << 1)
#define IMAP_LIST_NOINFERIORS (1u << 2)
#define IMAP_LIST_HASCHILDREN (1u << 3)
#define IMAP_LIST_ALL         (1u << 8)
#define IMAP_LIST_ARCHIVE     (1u << 9)
#define IMAP_LIST_DRAFTS      (1u << 10)
#define IMAP_LIST_FLAGGED     (1u << 11)
#define IMAP_LIST_JUNK        (1u << 12)
#define IMAP_LIST_SENT        (1u << 13)
#define IMAP_LIST_TRASH       (1u << 14)
#define IMAP_LIST_IMPORTANT   (1u << 15)

struct imap_list {
	unsigned attributes;
	char separator; /* 0: NIL */
	bool has_name;
	struct span name; /* decoded from quoted or literal form, still as on the wire */
	bool is_lsub;
};

/* What is impossible (0 for a UID, -1, a HIGHESTMODSEQ of 0) is untold. */
struct imap_counts {
	struct told messages;
	struct told uidnext;
	struct told uidvalidity;
	struct told unseen;
	struct told highestmodseq;
	struct told size;         /* octets, as the server says */
	struct told append_limit; /* likewise; NIL: untold */
	struct span mailboxid;    /* empty: untold */
};

/* What is not limited is untold. */
struct imap_quota {
	struct told storage_used; /* in units of 1,024 octets */
	struct told storage_limit;
	struct told messages_used;
	struct told messages_limit;
};

#define IMAP_FETCH_UID      (1u << 0)
#define IMAP_FETCH_FLAGS    (1u << 1)
#define IMAP_FETCH_BODY     (1u << 5) /* a BODY[] (any section) that was a string, whole */
#define IMAP_FETCH_BODY_NIL (1u << 6) /* BODY[] NIL, or without value */
#define IMAP_FETCH_EMAILID  (1u << 7) /* EMAILID (RFC 8474) or X-GM-MSGID */

struct imap_fetch {
	uint32_t sequence;
	unsigned has;
	uint32_t uid;      /* never 0 when IMAP_FETCH_UID is set */
	struct span flags; /* between the parentheses */
	struct told_time internaldate;
	struct told size; /* RFC822.SIZE, not to be trusted */
	struct told modseq;
	struct span emailid; /* "M123" or X-GM-MSGID's digits */
};

struct imap_event {
	enum imap_event_type type;
	struct span tag;
	enum imap_status status;
	struct imap_code code;
	struct span text; /* people's words after the code */
	struct span names;
	struct span flags;
	uint64_t number;
	bool has_count;
	bool is_uid;
	bool is_earlier;
	bool is_broken;
	enum imap_event_type
		meant;         /* IMAP_OTHER that is broken: IMAP_OTHER where it is not known */
	struct uidrange range; /* first <= last */
	struct imap_list list;
	struct span mailbox; /* STATUS: as on the wire, decoded from its string form */
	struct imap_counts counts;
	struct imap_quota quota;
	/* "" for BODY[], "HEADER", "HEADER.FIELDS (...)", ... as sent; an origin "<0>" behind. */
	struct span section;
	struct span data;
	struct imap_fetch fetch;
};

struct imap_parser;

/* BODY_MAX: the largest body literal allowed, in bytes; 0 for no limit but 2^63. */
int imap_parser_create(struct imap_parser **parser, uint64_t body_max, struct err *err);
void imap_parser_destroy(struct imap_parser **parser);

/* Where up to LEN bytes may be written (NULL and ERR when out of memory), and how many were. */
char *imap_parser_reserve(struct imap_parser *parser, size_t len, struct err *err);
void imap_parser_commit(struct imap_parser *parser, size_t len);

int imap_parser_next(struct imap_parser *parser, struct imap_event *event, struct err *err);

/* Bytes that were fed and not yet parsed: what follows a line after which the stream
 * changes (COMPRESS). They are taken out. */
int imap_parser_take_rest(struct imap_parser *parser, struct buf *rest, struct err *err);

/* [APPENDUID uidvalidity uid-set] (RFC 4315). -ERR_PROTOCOL when malformed, or when the set has
 * more than COUNT_MAX members or does not ascend, as UIDs are given out. */
int imap_code_appenduid(const struct imap_code *code, uint64_t count_max, uint32_t *uidvalidity,
			struct uidset *uids, struct err *err);

/* [COPYUID uidvalidity from-set to-set]. The sets' members correspond in the order written.
 * -ERR_PROTOCOL when malformed, of unequal sizes, over COUNT_MAX, or when one does not ascend
 * (which message is which would be a guess). */
struct imap_copyuid {
	uint32_t uidvalidity;
	uint32_t *from; /* owned */
	uint32_t *to;   /* owned */
	size_t count;
};
int imap_code_copyuid(const struct imap_code *code, uint64_t count_max, struct imap_copyuid *copied,
		      struct err *err);
void imap_copyuid_finish(struct imap_copyuid *copied);

/* TEXT as an objectid (RFC 8474; X-GM-MSGID likewise); empty where it is none: NIL, "", (). */
struct span imap_objectid(struct span text);

/* Takes the next space-separated word off *LIST (flags, capability names). */
bool imap_next_word(struct span *list, struct span *word);

#endif
