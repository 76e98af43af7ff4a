/*
 * Mailbox names. The *canonical* name is what the user sees and the state database keeps:
 * UTF-8, `/` between components, without the personal namespace's prefix, a first component
 * INBOX in any case written INBOX. It is mapped to the wire (modified UTF-7, the server's
 * separator and prefix) and to a directory below the Maildir root, both reversibly or not at
 * all. Whatever a server sends, a path made here stays below the root (I7).
 *
 * Escapes: in a canonical component `%2F` stands for a `/` of the server's name, and `%25`
 * for a `%` that two hexadecimal digits follow; no other `%XX` is an escape there. On disk a
 * component that could not be a directory (cur, new, tmp, ., .., leading dot; any dot under
 * Maildir++) has the offending bytes as `%XX` on top of that. A canonical name has no empty
 * component.
 */
#ifndef MAILSYNC_MODEL_MBNAME_H
#define MAILSYNC_MODEL_MBNAME_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

#define MBNAME_MAX 4096 /* bytes of a name in any form */

enum mbname_layout {
	LAYOUT_FS,
	LAYOUT_MAILDIRPP
};

/* How a server writes names (RFC 2342 NAMESPACE, LIST's delimiter). */
struct mbname_wire {
	char separator;   /* 0: the server has a flat namespace */
	char prefix[256]; /* of the personal namespace, modified UTF-7 as sent, e.g. "INBOX."; "" */
	bool is_utf8;     /* names are UTF-8 on the wire (UTF8=ACCEPT or IMAP4rev2 enabled) */
};

/*
 * Wire to canonical. "INBOX" is INBOX; PREFIX is taken off ("INBOX.Work" is Work, while
 * "INBOX.INBOX.Child" is INBOX/Child); a name outside the prefix keeps all of itself. A name that
 * is not valid modified UTF-7 is taken as UTF-8 when it is that (servers do send it), else
 * refused. NUL, CR, LF and other control characters, empty components and over-long names are
 * refused (-ERR_PARTIAL, scope mailbox).
 *
 * mbname_to_wire gives NAME back, but for the case of INBOX, a name outside the prefix, and one
 * that was no modified UTF-7: so a mailbox that was listed is opened by the name that LIST sent.
 */
int mbname_from_wire(const struct mbname_wire *wire, struct span name, struct buf *out,
		     struct err *err);
/* Canonical to wire. A component that holds the server's separator is refused. */
int mbname_to_wire(const struct mbname_wire *wire, const char *name, struct buf *out,
		   struct err *err);

/*
 * Canonical to a path relative to the Maildir root. fs: "a/b"; INBOX is the folder INBOX_FOLDER
 * (the `inbox` key, may be "." for the root itself). maildir++: ".a.b"; INBOX is "." (the root);
 * INBOX/x is ".INBOX.x". INBOX's children lie in INBOX_FOLDER where that is INBOX in some case,
 * else in "INBOX". Components over 255 bytes on disk are refused, and a name that would be
 * INBOX_FOLDER.
 */
int mbname_to_path(enum mbname_layout layout, const char *inbox_folder, const char *name,
		   struct buf *out, struct err *err);
/* "INBOX" in any case. */
bool mbname_is_inbox(struct span component);
/* The inverse. -ERR_PARTIAL for a directory that is no mailbox name or is not what mbname_to_path
 * gives. */
int mbname_from_path(enum mbname_layout layout, const char *inbox_folder, struct span path,
		     struct buf *out, struct err *err);

/* Trims and normalises a name that a user wrote (INBOX in any case, no leading, trailing or
 * double slashes). */
int mbname_from_user(struct span text, struct buf *out, struct err *err);

/*
 * The `mailboxes` patterns, split (quotes taken off) by conf. First to last, the last match
 * wins: `*` any run of characters, `%` any run without `/`, leading `!` excludes. Where the
 * first is an exclusion, `*` stands before it; none at all selects everything.
 */
bool mbname_selected(const char *const *patterns, size_t count, const char *name);
/* One of them, without a leading `!`, by itself. */
bool mbname_matches(const char *pattern, const char *name);

#endif
