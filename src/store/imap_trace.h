/* Shows wire bytes in the log (-vv) line by line, with literals left out. */
#ifndef STORE_IMAP_TRACE_H
#define STORE_IMAP_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/log.h"
#include "mailsync/base/span.h"

#define IMAP_TRACE_LINE 512

struct imap_trace {
	char line[IMAP_TRACE_LINE];
	size_t len;
	uint64_t literal; /* bytes of a literal still to be left out */
	/* While logging in: what SCRAM's challenges tell is enough to try passwords against. */
	bool hides_challenges;
	const struct blot *blot; /* what no words of the server are to show; NULL: our own words */
};

/* WHO: "work#1 <". Does nothing unless the log is at LOG_WIRE. */
void imap_trace_feed(struct imap_trace *trace, struct log *log, const char *who, struct span data);

#endif
