/* A view as it becomes changes of rows: remote_delta.c finds them, remote_put.c writes them. */
#ifndef SYNC_OBSERVE_REMOTE_DELTA_H
#define SYNC_OBSERVE_REMOTE_DELTA_H

#include "run/run.h"

/* What is to be written of one UID. */
struct delta_item {
	enum remote_news news;
	uint32_t uid;
	uint64_t flags;
	const struct remote_view_message *message; /* NULL: the view lacks it */
	bool is_as_sent;                           /* FIRST: there is nothing to settle (D39) */
};

struct delta {
	struct run *run;
	struct mailbox *mailbox;
	const struct remote_view *view;
	struct view_parts *parts; /* that were there before */
	struct delta_facts facts;
	struct view_tally tally;
	struct told counted; /* what there is, as the server counts */
	bool is_window;
	uint64_t unseen; /* rows of messages that are not shown (D37) */
	uint64_t listed; /* messages, each once */
	uint64_t gone;   /* items that are REMOTE_GONE */
	uint64_t changes;
	struct delta_item *items; /* noted first: rows may not change under a cursor */
	size_t count, cap;
};

bool delta_is_absence(enum remote_news news);
/* All items, or those that are no absence. In a transaction. */
int delta_put(struct delta *delta, bool with_absences, struct err *err);
/* UIDs FIRST to LAST are gone. */
int delta_put_gone(struct delta *delta, uint32_t first, uint32_t last, struct err *err);

#endif
