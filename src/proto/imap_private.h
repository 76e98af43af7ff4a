/*
 * How the IMAP parser is built, for src/proto/imap_*.c only.
 *
 * Framing first (imap_frame.c): bytes are gathered until an *item* is whole, which is a line
 * with the literals inside it. Parsing second: imap_item.c and what it calls reads the whole
 * item with a cursor (imap_lex.c). Two kinds stream instead: the body literals of FETCH cut
 * the item into *segments* (imap_fetch.c), and the numbers of SEARCH, ESEARCH and VANISHED are
 * read token by token (imap_numbers.c).
 */
#ifndef MAILSYNC_PROTO_IMAP_PRIVATE_H
#define MAILSYNC_PROTO_IMAP_PRIVATE_H

#include "mailsync/base/buf.h"
#include "mailsync/proto/imap_parse.h"

/* Reads an item. Quoted strings are unescaped in place, so each may be read once only. */
struct imap_cursor {
	char *at;
	char *end;
};

enum imap_lexed {
	LEX_OK,
	LEX_BROKEN,
	LEX_TOO_DEEP
};

void imap_lex_spaces(struct imap_cursor *cursor);
bool imap_lex_at(const struct imap_cursor *cursor, char c);
bool imap_lex_char(struct imap_cursor *cursor, char c);
/* One or more bytes up to white space, a parenthesis or a line end. */
bool imap_lex_atom(struct imap_cursor *cursor, struct span *atom);
/* The header of a literal; the cursor is then at the first octet, whether or not it is there. */
bool imap_lex_literal_header(struct imap_cursor *cursor, uint64_t *size);
/* True when a quoted string or a literal stands here. */
bool imap_lex_at_string(const struct imap_cursor *cursor);
/* A quoted string or literal; false when it is broken, or was too large to be held. */
bool imap_lex_string(struct imap_cursor *cursor, struct span *string);
/* A string or an atom. */
bool imap_lex_astring(struct imap_cursor *cursor, struct span *string);
/* One string, atom or balanced list of these. */
enum imap_lexed imap_lex_skip(struct imap_cursor *cursor);
/* "(" text ")" without parentheses inside: the text. */
bool imap_lex_flat_list(struct imap_cursor *cursor, struct span *text);
/* What is left of the item; the cursor is then at its end. */
struct span imap_lex_rest(struct imap_cursor *cursor);

/* The literal header `{n}`, `{n+}` or `~{n}` that ends LINE (which has its line end). */
struct imap_literal {
	size_t at; /* where in the line it begins */
	uint64_t size;
};
/* 0: none; 1: there is one; negative: over 2^63. */
int imap_literal_at_end(struct span line, struct imap_literal *literal, struct err *err);

bool imap_date_parse(struct span text, int64_t *seconds);

/* Reads resp-text into event->code and event->text. */
void imap_code_parse(struct imap_cursor *cursor, struct imap_event *event);

/* LIST, LSUB, XLIST; STATUS; NAMESPACE: false when broken. */
bool imap_list_parse(struct imap_cursor *cursor, struct imap_event *event);
bool imap_status_parse(struct imap_cursor *cursor, struct imap_event *event);
bool imap_namespace_parse(struct imap_cursor *cursor, struct imap_event *event);
bool imap_quota_parse(struct imap_cursor *cursor, struct imap_event *event);

/* Reads any whole item but FETCH and the streamed numbers. */
void imap_item_parse(struct span item, struct imap_event *event);
/* Makes EVENT the one of a line that cannot be read; MEANT is what it was to be. */
void imap_item_broken(struct span item, enum imap_event_type meant, struct imap_event *event);
/* A line in which "{5}" at the end is just words: status responses, tagged ones, "+". */
bool imap_item_is_text(struct span line);
/* "*" SP number SP "FETCH" SP: the cursor is then behind it. */
bool imap_item_is_fetch(struct imap_cursor *cursor, uint32_t *sequence);

/* A FETCH response on its way. */
struct imap_fetch_state {
	struct imap_fetch fetch; /* its spans are filled in at the end, from the buffers */
	struct buf flags;
	struct buf emailid;
	struct buf section;
	unsigned depth; /* of parentheses around attributes; 0: closed */
	bool is_open;   /* its first segment was begun */
	bool has_list;  /* a "(" was seen */
	bool is_broken;
	bool is_after_string; /* only white space or ")" may follow */
};

enum imap_fetched {
	FETCH_MORE,         /* the segment is used up */
	FETCH_BODY_LITERAL, /* the segment ends with a body's literal header */
	FETCH_BODY_STRING,  /* *string is a body */
	FETCH_TOO_DEEP
};

void imap_fetch_init(struct imap_fetch_state *state);
void imap_fetch_finish(struct imap_fetch_state *state);
void imap_fetch_open(struct imap_fetch_state *state, uint32_t sequence);
/* Reads on to the next body or the end of the segment. */
enum imap_fetched imap_fetch_step(struct imap_fetch_state *state, struct imap_cursor *cursor,
				  struct span *string);
/* After the last segment: the event; false when the response is broken. */
bool imap_fetch_close(struct imap_fetch_state *state, struct imap_event *event);
/* True when the text before a literal header asks for that literal to be streamed. */
bool imap_fetch_is_body(struct span before);

enum imap_numbers_kind {
	NUMBERS_NONE,
	NUMBERS_UNKNOWN, /* not enough bytes to tell */
	NUMBERS_SEARCH,
	NUMBERS_ESEARCH,
	NUMBERS_VANISHED
};

/* A SEARCH, ESEARCH or VANISHED response on its way. */
struct imap_numbers {
	enum imap_numbers_kind kind;
	unsigned depth;
	bool is_uid;
	bool is_earlier;
	bool has_count;
	bool is_all; /* the value being read is ALL's */
	bool is_count;
	bool expects_value;
	bool is_continued; /* a comma was just read: the value goes on */
	bool expects_tag;
	uint64_t count;
	struct buf tag;
};

enum imap_numbered {
	NUMBERED_MORE,
	NUMBERED_EVENT,
	NUMBERED_END, /* the line's end was read; the event is filled in */
	NUMBERED_BROKEN,
	NUMBERED_TOO_DEEP
};

void imap_numbers_init(struct imap_numbers *numbers);
void imap_numbers_finish(struct imap_numbers *numbers);
/* What the item that begins with DATA is; *USED is how many bytes name it. */
enum imap_numbers_kind imap_numbers_kind(struct span data, size_t *used);
void imap_numbers_open(struct imap_numbers *numbers, enum imap_numbers_kind kind);
/* Reads DATA up to the next event; *USED bytes are done with. */
enum imap_numbered imap_numbers_step(struct imap_numbers *numbers, struct span data, size_t *used,
				     struct imap_event *event);

enum imap_parser_state {
	PARSER_ITEM,        /* gathering an item, or the next segment of a FETCH */
	PARSER_SEGMENT,     /* reading a segment of a FETCH */
	PARSER_STRING_DATA, /* a body that was a held string: its data, then its end, are next */
	PARSER_STRING_END,
	PARSER_BODY, /* inside a body literal */
	PARSER_NUMBERS,
	PARSER_DISCARD, /* to the end of a broken line */
	PARSER_FAILED
};

struct imap_parser {
	char *data;
	size_t head; /* the first byte not yet done with */
	size_t tail; /* behind the last byte fed */
	size_t cap;
	uint64_t body_max;
	enum imap_parser_state state;

	/* Framing; offsets count from head. */
	size_t done;        /* bytes that the last event points into: dropped next */
	size_t line_start;  /* of the item's current line, behind its last literal */
	size_t scanned;     /* no line end before this; beyond what was fed: in a literal */
	uint64_t skip_left; /* bytes of a literal to leave out */

	/* A segment of a FETCH. */
	struct imap_cursor cursor;
	size_t segment_len;
	bool is_last_segment;
	uint64_t body_left;
	struct span string;

	struct imap_fetch_state fetch;
	struct imap_numbers numbers;
	struct err error; /* of PARSER_FAILED */
};

enum imap_framed {
	FRAMED_MORE,
	FRAMED_ITEM, /* segment_len bytes are a whole item, or a FETCH's last segment */
	FRAMED_BODY, /* segment_len bytes end with the header of a literal of body_left */
	FRAMED_NUMBERS,
	FRAMED_FAILED /* the error is in parser->error */
};

enum imap_framed imap_frame_next(struct imap_parser *parser);

#endif
