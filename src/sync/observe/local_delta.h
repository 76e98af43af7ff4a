/* The local delta of one folder, as it is found: local_delta.c, and new_names.c for what only has
 * another name. */
#ifndef SYNC_OBSERVE_LOCAL_DELTA_H
#define SYNC_OBSERVE_LOCAL_DELTA_H

#include "run/run.h"

#include "rules/brake.h"

struct local_item {
	int64_t row;
	const struct maildir_entry *entry; /* NULL: no file */
	struct local_flags flags;
	enum local_change change;
	bool is_shared;  /* both sides had it */
	bool is_cleared; /* of some flags, its file being in `new` now */
};

struct local_delta {
	struct run *run;
	struct mailbox *mailbox;
	struct maildir_scan scan;
	struct local_facts facts;
	struct brake_shape shape;
	struct local_item *items;
	size_t count;
	size_t cap;
};

/* What the place of ITEM's file, which is ROW's, adds to the shape. */
void local_note_file(struct local_delta *delta, const struct row *row, struct local_item *item);

/* C5: of the rows that lack their files, those whose file is here under another name become
 * LOCAL_RENAMED, and the new file LOCAL_SAME. In a transaction. */
int local_new_names(struct local_delta *delta, struct err *err);

#endif
