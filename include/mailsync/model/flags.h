/*
 * The flags of a message as one 64-bit set: bits 0 to 5 are the six that Maildir and IMAP
 * share, bits 6 to 63 are keywords by their index in the mailbox's `struct keywords`.
 * Merging is bit arithmetic. Sources: RFC 9051 2.3.2; Maildir (D. J. Bernstein), info "2,".
 *
 * $Forwarded is a keyword on the wire and a letter (P, passed) in Maildir; here it is one of
 * the six.
 */
#ifndef MAILSYNC_MODEL_FLAGS_H
#define MAILSYNC_MODEL_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/span.h"
#include "mailsync/model/keywords.h"

#define FLAG_DRAFT          (UINT64_C(1) << 0) /* D  \Draft */
#define FLAG_FLAGGED        (UINT64_C(1) << 1) /* F  \Flagged */
#define FLAG_FORWARDED      (UINT64_C(1) << 2) /* P  $Forwarded */
#define FLAG_ANSWERED       (UINT64_C(1) << 3) /* R  \Answered */
#define FLAG_SEEN           (UINT64_C(1) << 4) /* S  \Seen */
#define FLAG_DELETED        (UINT64_C(1) << 5) /* T  \Deleted */
#define FLAGS_SYSTEM        UINT64_C(0x3f)
#define FLAG_KEYWORD_FIRST  6
#define FLAG_KEYWORD(index) (UINT64_C(1) << (FLAG_KEYWORD_FIRST + (index)))

/* The bit of a Maildir letter D F P R S T, or 0. */
uint64_t flag_of_letter(char letter);
/* The letter of one system bit. */
char letter_of_flag(uint64_t flag);

/*
 * Reads an IMAP flag list, the text between its parentheses. Unknown flags that begin with
 * a backslash (\Recent, \*) are left out; *HAS_STAR, unless NULL, tells of a "\*". A keyword
 * not in KEYWORDS is interned there while there is room and INTERN says so, else left out.
 */
uint64_t flags_from_imap(struct span list, struct keywords *keywords, bool intern, bool *has_star);

/* Appends the IMAP names, separated by spaces, in bit order. */
void flags_to_imap(uint64_t flags, const struct keywords *keywords, struct buf *out);

#endif
