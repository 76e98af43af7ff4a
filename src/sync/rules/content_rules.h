/*
 * Whether a file is still the message that base knows. Names propose, contents decide: asked before
 * a file is removed or moved on the server's word, and where one of a familiar name turns up
 * elsewhere. Pure.
 *
 *   C1  its size, mtime and inode are those of when its content was last known -> SAME, unread
 *   C2  read, and base has the content's digest: equal        -> SAME, else OTHER
 *   C3  read, and base has none (a row of an older database, or a pair that was found by its
 *       header): the header's digest and the size, as far as base has them, are equal -> SAME,
 *       else, or where base has neither                       -> OTHER
 *   C4  it could not be read                                  -> UNKNOWN: it stays, and what was to
 *       be done to it waits
 *
 * And of names in one folder, which may be of one file or of several:
 *   C5  a row lacks its file, and a new file has SAME content: it is the row's, under another name.
 *       Where base did not agree on it, or has no digest of the content and this is not the very
 *       file, or the new name is one of ours, only if the names are equal up to the first sign that
 *       may end a unique part. Where equal rows whose names are not alike lack more files than
 *       there are, none is a row's: the one that it were may be gone there
 *   C6  files that share a unique part and are equal, or one (hard links), are one message: their
 *       names stay, and go together
 *   C7  if they differ they are messages of their own. The one that base knows keeps the name,
 *       without one the first; the other one gets another unique part
 *   C8  where this run may not change the Maildir that waits, and is told with both names
 *   C9  of the names of one message that speaks which tells what base has of it; where none does,
 *       the one whose size, mtime and inode are the row's; else the first, one in `cur` before one
 *       in `new`. The others, as an older backup brings them back, change nothing
 *
 * A file of OTHER content is mail that the server never had: it is new, and the message that it
 * stood for has no file any more (E9 of rules/effect.h).
 */
#ifndef SYNC_RULES_CONTENT_RULES_H
#define SYNC_RULES_CONTENT_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/model/row.h"

enum content_verdict {
	CONTENT_SAME,
	CONTENT_OTHER,
	CONTENT_UNKNOWN
};

struct content_facts {
	struct file_mark
		mark;  /* of the file now; not known: it is not there, or was not looked at */
	bool was_read; /* these are of it: */
	uint8_t digest[ROW_DIGEST_SIZE];
	uint8_t content[ROW_CONTENT_SIZE];
};

/* Whether the file has to be read: C1 does not decide. */
bool content_is_in_doubt(const struct row *row, const struct file_mark *mark);
enum content_verdict content_verdict(const struct row *row, const struct content_facts *facts);

#endif
