/* What the pop3_*.c files of the codec share: the input buffer and the body's framing. */
#ifndef PROTO_POP3_PRIVATE_H
#define PROTO_POP3_PRIVATE_H

#include "mailsync/proto/pop3.h"

/* Where a body stands between two bytes. */
struct pop3_body {
	bool at_line_start;
	bool last_was_cr;
	bool has_bare_status; /* the status line ended in bare LF */
	bool has_lines;
	bool has_crlf; /* some line of it ended in CR LF */
	bool has_lone_dot;
	uint64_t stuffed; /* dots that were dropped */
	uint64_t bare;    /* lines that ended in bare LF */
	bool has_next;    /* to be set: the answer to another command has to follow */
};

void pop3_body_begin(struct pop3_body *body, bool has_bare_status);

/*
 * Takes the next piece of a body from INPUT. *USED: how many bytes are done with. PIECE: what of
 * them is the body's. *IS_END: the terminator was among them. Nothing used: more is needed.
 */
void pop3_body_next(struct pop3_body *body, struct span input, size_t *used, struct span *piece,
		    bool *is_end);

#endif
