/*
 * Moves: a message that is gone from one mailbox and new in another.
 *
 * Local moves are seen by the unique part of the file name, which MUAs keep; they become UID MOVE
 * (or COPY and a deletion) on the server. Remote moves are seen by EMAILID or X-GM-MSGID, else by
 * date and header; the file is moved instead of downloaded again. A move needs `copy` and `delete`
 * on the side where it is carried out, and both mailboxes in this run; otherwise both its rows
 * wait, and the old copy stays. So does a new file whose unique part base has in a folder that
 * could not be read.
 */
#ifndef SYNC_OBSERVE_MOVES_H
#define SYNC_OBSERVE_MOVES_H

#include "run/run.h"

struct move {
	struct mailbox *from;
	struct mailbox *to;
	int64_t gone_row;   /* in `from` */
	int64_t new_row;    /* in `to` */
	bool is_remote;     /* seen on the server, to be carried out locally */
	bool is_held;       /* may not be carried out in this run, or was tried */
	bool is_obstructed; /* held, and not by policy: a mailbox of it cannot be used now */
	bool was_tried;     /* and may have been carried out: intents tell */
	bool is_done;       /* its rows say so already */
};

struct move_list {
	struct move *items;
	size_t count;
	size_t cap;
};
int move_list_add(struct move_list *moves, const struct move *move, struct err *err);
void move_list_finish(struct move_list *moves);

int move_find(struct run *run, struct move_list *moves, struct err *err);
/* Those on a server without EMAILID; fetches headers where dates agree. */
int move_find_by_header(struct run *run, struct move_list *moves, struct err *err);
/* Whether this run may carry it out: policy, and both mailboxes can be worked on. */
bool move_is_allowed(const struct run *run, const struct move *move);
/* Both rows as they are now; FOUND is false when one of them is no more. */
int move_load_rows(struct run *run, const struct move *move, struct row *gone, struct row *fresh,
		   bool *found, struct err *err);
/* True when a row is part of a move and so not to be planned by itself. */
bool move_has_row(const struct move_list *moves, int64_t row);
/* One of its rows is left to a move that was tried and is not done, or that an obstacle holds: the
 * mailbox is not settled. */
bool move_is_open(const struct move_list *moves, const struct mailbox *mailbox);
/* Moves whose new row was found on the server after all: their originals are planned from now
 * on. */
int move_settle(struct run *run, struct move_list *moves, struct err *err);
/* Carries out those that are not held. What fails is left pending. */
int move_execute(struct run *run, struct remote *remote, struct move_list *moves, struct err *err);

#endif
