/*
 * What may be a move: pairs of a row that is gone from one mailbox and a row that is new in
 * another, as they are found on either side. Whether one is a move, and what becomes of it, is for
 * rules/move_rules.h to say.
 */
#ifndef SYNC_OBSERVE_MOVES_H
#define SYNC_OBSERVE_MOVES_H

#include "run/run.h"

/* Files whose unique part is gone from one folder and new in another; a gone one may come with
 * several. */
int find_moves_here(struct run *run, struct state_moves *pairs, struct err *err);
/* New files whose unique part base has in a folder that could not be read. */
int find_moves_from_unreadable(struct run *run, struct state_moves *pairs, struct err *err);
/* Messages gone from one mailbox of the server and new in another, one to one: by EMAILID, or on a
 * server without by date and header, which are fetched where dates agree. */
int find_moves_there(struct run *run, struct state_moves *pairs, struct err *err);
int find_moves_by_header(struct run *run, struct state_moves *pairs, struct err *err);

/* Whether messages that are new on the server may have come into MAILBOX by a move. */
bool move_may_arrive(const struct mailbox *mailbox);
int move_pairs_add(struct state_moves *pairs, int64_t gone_row, int64_t new_row, struct err *err);

/* Both rows as they are now; finished by the caller in any case. */
struct move_rows {
	struct row gone;
	struct row fresh;
	bool are_there; /* false: one of them is no more */
};
int move_rows_load(struct run *run, const struct state_move *pair, struct move_rows *rows,
		   struct err *err);
void move_rows_finish(struct move_rows *rows);

/* Where a file that a MUA moved is in the folder that it came to, and what its letters mean in the
 * words of that mailbox. -ERR_CHANGED when it is not there any more. */
struct moved_file {
	char name[MAILDIR_NAME_MAX + 1];
	bool in_new;
	uint64_t letters;
};
int find_moved_file(struct run *run, struct mailbox *from, struct mailbox *to,
		    const struct move_rows *rows, struct moved_file *file, struct err *err);

#endif
