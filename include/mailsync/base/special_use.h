/*
 * The special uses of mailboxes (RFC 6154, RFC 8457), as LIST and the patterns of `mailboxes` name
 * them: ROW(id, name).
 */
#ifndef MAILSYNC_BASE_SPECIAL_USE_H
#define MAILSYNC_BASE_SPECIAL_USE_H

#define SPECIAL_USES(ROW)         \
	ROW(ALL, "\\All")         \
	ROW(ARCHIVE, "\\Archive") \
	ROW(DRAFTS, "\\Drafts")   \
	ROW(FLAGGED, "\\Flagged") \
	ROW(JUNK, "\\Junk")       \
	ROW(SENT, "\\Sent")       \
	ROW(TRASH, "\\Trash")     \
	ROW(IMPORTANT, "\\Important")

#endif
